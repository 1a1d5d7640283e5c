"""Free text made fit to travel: personal data out, numbered marks in."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from libs.common.runtime.privacy import doors, handles, names, numbers
from libs.common.runtime.privacy.finding import Rule, Span, fold
from libs.common.runtime.privacy.known import Known

# Brackets a citizen typed become look-alikes, so that nothing typed can pass for a mark.
_NEUTRAL = str.maketrans("⟦⟧", "〔〕")
_MARK = re.compile(r"⟦([a-z_]{1,20}-[0-9]{1,9})⟧")
_ENGLISH = re.compile("[A-Za-z]{2}")
_CLAIMED = "\0"


@dataclass(frozen=True, slots=True)
class Mark:
    """What `⟦name⟧` stands for in redacted text: the kind of datum and the citizen's own spelling of it."""

    name: str
    kind: str
    original: str


class Redactor:
    """Redacts the texts of one ticket (title, words, address) under one numbering.

    `known` holds what the reporter gave in fields, as (kind, value), kinds name and phone foremost: it is replaced
    wherever it occurs. `marks` are those the ticket already has: new ones count on from them.
    """

    def __init__(self, known: Iterable[tuple[str, str]] = (), marks: Iterable[Mark] = ()) -> None:
        self._known = [Known.of(kind, value) for kind, value in known]
        self._marks = {(mark.kind, mark.original): mark for mark in marks}
        self._last: dict[str, int] = {}
        for mark in self._marks.values():
            self._last[mark.kind] = max(self._last.get(mark.kind, 0), int(mark.name.rpartition("-")[2]))

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All marks so far, in the order they were given."""
        return tuple(self._marks.values())

    def redact(self, text: str) -> str:
        """Replace personal data in raw text by marks; equal originals share one.

        The text must come as it was typed: brackets that look like a mark's are made harmless. A text is redacted
        once, where it enters; a second time would find nothing, and cut the way back from the marks of the first.
        """
        raw = text.translate(_NEUTRAL)
        parts, at = [], 0
        for start, end, kind in self._find(fold(raw)):
            parts += [raw[at:start], f"⟦{self._mark(kind, raw[start:end]).name}⟧"]
            at = end
        return "".join([*parts, raw[at:]])

    def _mark(self, kind: str, original: str) -> Mark:
        mark = self._marks.get((kind, original))
        if mark is None:
            self._last[kind] = self._last.get(kind, 0) + 1
            mark = self._marks[kind, original] = Mark(f"{kind}-{self._last[kind]}", kind, original)
        return mark

    def _find(self, text: str) -> list[tuple[int, int, str]]:
        """Let each rule claim its part of the text; what is claimed is hidden from the rules after it."""
        found: list[tuple[int, int, str]] = []
        for finder in self._finders(text):
            if spans := list(finder.spans(text)):
                text = _hide(text, spans)
                found += [(start, end, finder.kind) for start, end in spans if finder.kind]
        return sorted(found)

    def _finders(self, text: str) -> Iterator[Rule | Known]:
        if numbers.LONG_RUN.search(text):
            yield from numbers.IN_LONG_RUNS
        yield from handles.RULES
        yield from self._known
        yield from doors.RULES
        yield from names.RULES
        if _ENGLISH.search(text):
            yield from doors.ENGLISH
            yield from names.ENGLISH


def restore(text: str, marks: Iterable[Mark]) -> str:
    """Put the originals back, for the unit that handles the ticket; a mark not among those given stays."""
    originals = {mark.name: mark.original for mark in marks}
    return _MARK.sub(lambda found: originals.get(found[1], found[0]), text)


def unnumbered(text: str) -> str:
    """Return redacted text as another ticket may show it: of its marks only the kinds, for the numbers are its own."""
    return _MARK.sub(lambda found: f"⟦{found[1].rpartition('-')[0]}⟧", text)


def _hide(text: str, spans: list[Span]) -> str:
    parts, at = [], 0
    for start, end in spans:
        parts += [text[at:start], _CLAIMED * (end - start)]
        at = end
    return "".join([*parts, text[at:]])
