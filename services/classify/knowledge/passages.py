"""An article cut into passages: parts of a section, by paragraphs and sentences, short enough to be read out."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from services.classify.domain.knowledge import Passage
from services.classify.knowledge.drafts import many

SHORTEST, LONGEST = 80, 300
"""Characters of a passage. What is shorter takes the next paragraph of its section along."""
_HEADING = re.compile(r"(#{1,6})\s+(\S.*)")
_ASKED = re.compile(r"(?:>\s*)?问[：:]\s*(.+)")
_SENTENCE = re.compile(r"[^。！？!?；;\n]*[。！？!?；;]+\n?|[^。！？!?；;\n]+\n?|\n")


@dataclass(slots=True)
class _Section:
    """A heading, with those above it, what is asked of what stands under it, and its paragraphs."""

    heading: str
    asked: list[str] = field(default_factory=list)
    paragraphs: list[str] = field(default_factory=list)


def split(body: str, asked: Iterable[str] = ()) -> list[Passage]:
    """Return the passages of an article in Markdown. `asked` of all of it counts as asked of the first one."""
    passages: list[Passage] = []
    sections = [section for section in _sections(body) if section.paragraphs]
    for number, section in enumerate(sections, 1):
        for place, text in enumerate(_packed(section.paragraphs), 1):
            ways = (*(asked if not passages else ()), *(section.asked if place == 1 else ()))
            passages.append(Passage(f"{number}.{place}", section.heading, text, tuple(dict.fromkeys(ways))))
    return passages


def sentences(text: str) -> list[str]:
    """Return the sentences of a text that hold a word."""
    return [one for one in (part.strip() for part in _SENTENCE.findall(text)) if re.search(r"\w", one)]


def _sections(body: str) -> list[_Section]:
    above: list[tuple[int, str]] = []
    sections = [_Section("")]
    fresh = True
    for line in (line.rstrip() for line in body.splitlines()):
        if heading := _HEADING.fullmatch(line):
            level = len(heading[1])
            above = [*(one for one in above if one[0] < level), (level, heading[2].rstrip("#").rstrip())]
            sections.append(_Section(" / ".join(text for _, text in above)))
        elif ways := _ASKED.fullmatch(line.strip()):
            sections[-1].asked += many(ways[1])
        elif line.strip() and fresh:
            sections[-1].paragraphs.append(line.strip())
        elif line.strip():
            sections[-1].paragraphs[-1] += f"\n{line.strip()}"
        fresh = not line.strip() or bool(heading) or bool(_ASKED.fullmatch(line.strip()))
    return sections


def _packed(paragraphs: Iterable[str]) -> Iterator[str]:
    waiting = ""
    for piece in (piece for paragraph in paragraphs for piece in _pieces(paragraph)):
        if waiting and (len(waiting) >= SHORTEST or len(waiting) + len(piece) >= LONGEST):
            yield waiting
            waiting = ""
        waiting = f"{waiting}\n{piece}" if waiting else piece
    if waiting:
        yield waiting


def _pieces(paragraph: str) -> Iterator[str]:
    """Divide what is too long behind a sentence, or, where one is too long itself, anywhere."""
    piece = ""
    for sentence in _SENTENCE.findall(paragraph):
        if piece and len(piece) + len(sentence) > LONGEST:
            yield piece.strip()
            piece = ""
        while len(piece) + len(sentence) > LONGEST:
            yield sentence[:LONGEST]
            sentence = sentence[LONGEST:]  # noqa: PLW2901 what is left of it
        piece += sentence
    if piece.strip():
        yield piece.strip()
