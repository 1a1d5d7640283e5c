"""The board: how many clocks stand how, by unit, category and level of supervision."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from itertools import chain
from typing import NamedTuple, TypeVar

SOON = timedelta(hours=4)
"""What comes due within so long is shown as about to be missed."""


class Count(NamedTuple):
    """Open clocks of one kind by light, and how many of them are paused.

    `unit` is empty before anybody leads, `category` (level 1) until it is known.
    """

    unit: str
    category: str
    clock: str
    green: int
    yellow: int
    red: int
    paused: int


class Soon(NamedTuple):
    """So many running clocks of one kind that come due within the next hours; so many of them are likely missed."""

    unit: str
    category: str
    clock: str
    n: int
    expected: float


class Cases(NamedTuple):
    """So many open cases of supervision of one unit, on one level."""

    unit: str
    level: int
    n: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything the board is made of, by unit, so that who sees one unit of many sums up few lines."""

    counts: Mapping[str, Sequence[Count]]
    soon: Mapping[str, Sequence[Soon]]
    cases: Mapping[str, Sequence[Cases]]


@dataclass(slots=True)
class Tally:
    """Open clocks by light; how many of them are `paused`, how many come due `soon`; open cases by level 1, 2, 3.

    `expected` is how many of those due soon will be missed, as shares of what is alike say: the sum of their chances.
    """

    green: int = 0
    yellow: int = 0
    red: int = 0
    paused: int = 0
    soon: int = 0
    expected: float = 0.0
    supervised: list[int] = field(default_factory=lambda: [0, 0, 0])

    def add(self, count: Count) -> None:
        """Add clocks of one kind."""
        self.green += count.green
        self.yellow += count.yellow
        self.red += count.red
        self.paused += count.paused


@dataclass(frozen=True, slots=True)
class Board:
    """What one viewer sees: the sum of it, and the same by clock, by unit and by category of level 1."""

    total: Tally
    clocks: Mapping[str, Tally]
    units: Mapping[str, Tally]
    categories: Mapping[str, Tally]


def board(picture: Picture, units: Collection[str] | None) -> Board:
    """Sum a picture up for who sees these units, None for all; cases have no category and no clock."""
    total = Tally()
    by_clock, by_unit, by_category = (defaultdict[str, Tally](Tally) for _ in range(3))
    for count in _seen(picture.counts, units):
        for tally in (total, by_clock[count.clock], by_unit[count.unit], by_category[count.category]):
            tally.add(count)
    for soon in _seen(picture.soon, units):
        for tally in (total, by_clock[soon.clock], by_unit[soon.unit], by_category[soon.category]):
            tally.soon += soon.n
            tally.expected += soon.expected
    for cases in _seen(picture.cases, units):
        for tally in (total, by_unit[cases.unit]):
            tally.supervised[min(cases.level, 3) - 1] += cases.n
    return Board(total, by_clock, by_unit, by_category)


def changes(before: Board, now: Board) -> Board:
    """Return the lines that are not as they were; a line that is gone is there with nothing in it."""
    return Board(
        now.total,
        _changed(before.clocks, now.clocks),
        _changed(before.units, now.units),
        _changed(before.categories, now.categories),
    )


_Of = TypeVar("_Of", Count, Soon, Cases)


def by_unit(lines: Iterable[_Of]) -> dict[str, list[_Of]]:
    """Return lines by the unit they are of."""
    found = defaultdict[str, list[_Of]](list)
    for line in lines:
        found[line.unit].append(line)
    return dict(found)


def _seen(lines: Mapping[str, Sequence[_Of]], units: Collection[str] | None) -> Iterable[_Of]:
    mine = lines.values() if units is None else (lines[unit] for unit in units if unit in lines)
    return chain.from_iterable(mine)


def fingerprint(board: Board) -> str:
    """Return what is the same for boards that show the same."""
    parts = (board.clocks, board.units, board.categories)
    lines = [sorted((name, str(tally)) for name, tally in part.items()) for part in parts]
    return sha256(repr((board.total, lines)).encode()).hexdigest()[:16]


def _changed(before: Mapping[str, Tally], now: Mapping[str, Tally]) -> dict[str, Tally]:
    nothing = Tally()
    names = sorted(before.keys() | now.keys())
    return {name: now.get(name, nothing) for name in names if now.get(name, nothing) != before.get(name, nothing)}
