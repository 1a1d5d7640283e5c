"""The question catalogue 诉求目录: what citizens raise, in three levels, with who owns it and how citizens say it.

One CSV file for each level-1 category, named `<two digits>-<slug>.csv`: the digits give the order, the slug the code.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import cast, get_args

from libs.common.city.problems import Problems, Row, read_rows
from libs.common.contracts.classify import OwnerKind
from libs.common.contracts.vocabulary import Kind, Urgency

COLUMNS = (
    "code", "l1", "l2", "l3", "name_en", "owner_kind", "owner", "co_handlers", "urgency", "kind", "tag", "season",
    "elderly", "ask", "evidence", "out_of_scope", "phrases",
)  # fmt: skip
SEVEN_HAVES = ("幼有所育", "学有所教", "劳有所得", "病有所医", "老有所养", "住有所居", "弱有所扶")
FIVE_NATURES = ("便利性", "宜居性", "多样性", "公正性", "安全性")
# Fewer ways of saying a thing than this teach a text model nothing.
MIN_PHRASES = 4
_SPAN = re.compile(r"([1-9]|1[0-2])-([1-9]|1[0-2])")
_OWNED = ("department", "company", "centre")


@dataclass(frozen=True, slots=True)
class Question:
    """One kind of appeal 诉求. `owner` is a unit code, or None where the place decides (owner_kind street or district).

    `season` holds the months (1 to 12) in which it gathers, empty for the whole year; `tag` is one of the seven haves
    or five natures; `ask` is what a seat asks the caller; `phrases` are ways citizens say it.
    """

    code: str
    l1: str
    l2: str
    l3: str
    name_en: str
    owner_kind: OwnerKind
    owner: str | None
    co_handlers: tuple[str, ...]
    urgency: Urgency
    kind: Kind
    tag: str
    season: frozenset[int]
    elderly: bool
    ask: tuple[str, ...]
    evidence: str
    out_of_scope: str
    phrases: tuple[str, ...]

    @property
    def category(self) -> tuple[str, str, str]:
        """The three levels by name."""
        return (self.l1, self.l2, self.l3)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All questions by code, in file order; `level1` maps slug to Chinese name; `version` changes with the text."""

    by_code: Mapping[str, Question]
    level1: Mapping[str, str]
    version: str

    def __iter__(self) -> Iterator[Question]:
        """The questions in the order of the files."""
        return iter(self.by_code.values())

    def __len__(self) -> int:
        """The number of questions."""
        return len(self.by_code)


def load_catalogue(folder: Path, unit_kinds: Mapping[str, str], problems: Problems) -> Catalogue:
    """Read every file of the folder; `unit_kinds` maps the known unit codes to their kinds."""
    files = read_files(folder)
    if not files:
        problems.add(folder.name, f"holds no CSV file; expected one for each level-1 category in {folder}")
    return read_catalogue(files, unit_kinds, problems)


def read_files(folder: Path) -> dict[str, bytes]:
    """The files of a folder that make a catalogue, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))}


def read_catalogue(files: Mapping[str, bytes], unit_kinds: Mapping[str, str], problems: Problems) -> Catalogue:
    """Read a catalogue from its files, by their names, in the order of these."""
    by_code: dict[str, Question] = {}
    level1: dict[str, str] = {}
    places: dict[tuple[str, str, str], str] = {}
    for name, content in sorted(files.items()):
        slug = name.removesuffix(".csv").partition("-")[2]
        for row in read_rows(name, content, COLUMNS, problems):
            question = _question(row, unit_kinds)
            _check_new(row, question, by_code, places)
            if level1.setdefault(slug, question.l1) != question.l1:
                row.wrong("l1", f"{question.l1!r} should be {level1[slug]!r}: one file holds one level-1 category")
            by_code[question.code] = question
    return Catalogue(MappingProxyType(by_code), MappingProxyType(level1), _version(files))


def _question(row: Row, unit_kinds: Mapping[str, str]) -> Question:
    phrases = row.many("phrases")
    if len(phrases) < MIN_PHRASES:
        row.wrong("phrases", f"has {len(phrases)}; at least {MIN_PHRASES} joined by ' | ' are needed")
    return Question(
        code=row.filled("code"),
        l1=row.filled("l1"),
        l2=row.filled("l2"),
        l3=row.filled("l3"),
        name_en=row.filled("name_en"),
        owner_kind=cast(OwnerKind, row.choice("owner_kind", get_args(OwnerKind))),
        owner=_owner(row, unit_kinds),
        co_handlers=_co_handlers(row, unit_kinds),
        urgency=cast(Urgency, row.choice("urgency", get_args(Urgency))),
        kind=cast(Kind, row.choice("kind", get_args(Kind))),
        tag=row.choice("tag", SEVEN_HAVES + FIVE_NATURES),
        season=_season(row),
        elderly=row.choice("elderly", ("yes", "")) == "yes",
        ask=row.many("ask"),
        evidence=row["evidence"],
        out_of_scope=row["out_of_scope"],
        phrases=phrases,
    )


def _owner(row: Row, unit_kinds: Mapping[str, str]) -> str | None:
    owner, kind = row["owner"], row["owner_kind"]
    if kind in _OWNED and unit_kinds.get(owner) != kind:
        row.wrong("owner", f"{owner!r} should be the code of a {kind} in units.csv")
    if kind not in _OWNED and owner:
        row.wrong("owner", f"{owner!r} should be empty: with owner_kind {kind} the place decides")
    return owner or None


def _co_handlers(row: Row, unit_kinds: Mapping[str, str]) -> tuple[str, ...]:
    codes = row.many("co_handlers")
    for code in codes:
        if code not in unit_kinds:
            row.wrong("co_handlers", f"{code!r} should be a code in units.csv")
    return codes


def _season(row: Row) -> frozenset[int]:
    found: set[int] = set()
    for span in row.many("season"):
        if (inside := months(span)) is None:
            row.wrong("season", f"{span!r} should be two months such as 11-3")
        else:
            found |= inside
    return frozenset(found)


def months(span: str) -> set[int] | None:
    """The months of a span such as `11-3`, over the turn of the year if need be; None if it is no such span."""
    match = _SPAN.fullmatch(span)
    if not match:
        return None
    first, last = int(match[1]), int(match[2])
    return {(first - 1 + step) % 12 + 1 for step in range((last - first) % 12 + 1)}


def _check_new(
    row: Row, question: Question, by_code: Mapping[str, Question], places: dict[tuple[str, str, str], str]
) -> None:
    where = f"{row.file}:{row.line}"
    if question.code in by_code:
        row.wrong("code", f"{question.code!r} is taken by {by_code[question.code].l3}; codes are unique in the pack")
    if (first := places.setdefault(question.category, where)) != where:
        row.wrong("l3", f"{'/'.join(question.category)} stands at {first} already")


def _version(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for _, content in sorted(files.items()):
        digest.update(content)
    return digest.hexdigest()[:12]
