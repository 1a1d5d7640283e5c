"""A report as plain data: what every writer writes, and no writer adds to.

A report is in one language. Everything it says in words it says of figures in its tables, as `shown` writes them.
"""

import re
from dataclasses import dataclass
from typing import Literal

Format = Literal["text", "count", "share", "hours", "points", "number", "change", "difference"]
"""How a column's values read. A share is a fraction; a change is one too, of what was before; a difference is in
percentage points."""
Value = str | int | float | None
NOTHING = "–"
_PLACES = {"hours": ".1f", "points": ".2f", "number": ".2f", "share": ".1%", "change": "+,.1%", "difference": "+.1f"}
_BROAD = frozenset("%mwMW")
_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, and what its values are."""

    name: str
    format: Format = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; the first column names the row. An `annex` is for the spreadsheet alone: it is long.

    One that is `folded` gives the figures of a curve, which are looked at one by one only.
    """

    code: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str = ""
    annex: bool = False
    folded: bool = False

    def shown(self) -> list[list[str]]:
        """The cells as people read them."""
        return [[shown(value, c.format) for value, c in zip(row, self.columns, strict=True)] for row in self.rows]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a curve, a value for each of its labels. `latin` names it where its script cannot be drawn."""

    name: str
    latin: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Counts over time. `table` is the code of the table that has them in figures; `about` tells who cannot see it."""

    title: str
    latin: str
    about: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    table: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A district on the map, at its column and row from the north-west."""

    name: str
    latin: str
    column: int
    row: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Map:
    """A map of districts as tiles: values in up to five classes of the same size, whose lower bounds are `bounds`."""

    title: str
    latin: str
    about: str
    format: Format
    tiles: tuple[Tile, ...]
    bounds: tuple[float, ...]
    table: str

    def bin_of(self, value: float) -> int:
        """The class of a value, from 0."""
        return max((number for number, low in enumerate(self.bounds) if value >= low), default=0)


@dataclass(frozen=True, slots=True)
class Section:
    """A part under its own heading: what is to say first, then what it is said of."""

    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    curves: tuple[Curve, ...] = ()
    maps: tuple[Map, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure means and how it is counted."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """One report in one language. `facts` stand below the title: period, what it is compared with, as of when."""

    language: str
    title: str
    issuer: str
    facts: tuple[str, ...]
    sections: tuple[Section, ...]
    definitions: tuple[Definition, ...]
    words: "Words"

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables in their order."""
        return tuple(table for section in self.sections for table in section.tables)


@dataclass(frozen=True, slots=True)
class Words:
    """What writers say by themselves, in the report's language."""

    contents: str
    definitions: str
    definition: str
    meaning: str
    summary: str
    data: str
    colon: str
    no_data: str
    page: str
    no_font: str


def shown(value: Value, form: Format) -> str:
    """A value as people read it, in any language; what there is not is a dash."""
    if value is None:
        return NOTHING
    if isinstance(value, str) or form == "text":
        return str(value)
    if form == "count":
        return f"{value:,.0f}"
    said = f"{value:{_PLACES[form]}}"
    return said if said.strip("+-0,.%") else said.lstrip("+-")


def breadth(text: str) -> float:
    """About how many Chinese letters a text is broad."""
    return sum(1.0 if character > "\u2e80" else 0.9 if character in _BROAD else 0.56 for character in text)


def clean(text: str) -> str:
    """Text of a record, without what no document may hold."""
    return _UNREADABLE.sub("", text)


def bounds_of(values: list[float], most: int = 5) -> tuple[float, ...]:
    """The lower bounds of classes with about as many values each."""
    ordered = sorted(values)
    return tuple(sorted({ordered[len(ordered) * number // most] for number in range(most)})) if ordered else ()
