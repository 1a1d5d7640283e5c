"""The series that are forecast: what appeals are about and where, each with the wider one that it leans on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.feedback.domain.forecasts import Matter

LEAST = 56
"""A series has a forecast of its own from so many appeals in the last RECENT days on: one a day. A default of
this project; below it the interval says no more than that there may be one or none."""
RECENT = 56


@dataclass(frozen=True, slots=True)
class Counted:
    """The days on which appeals of the finest matter came, counted from the first day of all, and how many."""

    matter: Matter
    days: Sequence[int]
    appeals: Sequence[int]


@dataclass(frozen=True, slots=True)
class Panel:
    """Series by day: `counts` has a row for each matter; `parents` the row it leans on, -1 for the root.

    A parent stands before its children.
    """

    matters: tuple[Matter, ...]
    parents: npt.NDArray[np.int64]
    counts: npt.NDArray[np.float64]

    def parts(self) -> "Iterator[Panel]":
        """Yield the series of each level-1 category by themselves, behind the root they all lean on.

        The whole of a city at once would take ten times its size in memory; the root comes with each.
        """
        of_name: dict[str, list[int]] = defaultdict(list)
        for row, matter in enumerate(self.matters[1:], 1):
            of_name[matter.l1].append(row)
        for rows in of_name.values() or [[]]:
            yield self._part([0, *rows])

    def _part(self, rows: list[int]) -> "Panel":
        place = {row: number for number, row in enumerate(rows)} | {-1: -1}
        parents = np.array([place[int(self.parents[row])] for row in rows], dtype=np.int64)
        return Panel(tuple(self.matters[row] for row in rows), parents, self.counts[rows])


def panel(counted: Iterable[Counted], days: int) -> Panel:
    """Return the series of all matters and places that are thick enough, over so many days."""
    finest = list(counted)
    recent: dict[Matter, int] = defaultdict(int)
    for one in finest:
        lately = sum(n for day, n in zip(one.days, one.appeals, strict=True) if day >= days - RECENT)
        for matter in _above(one.matter):
            recent[matter] += lately
    matters = sorted((m for m, n in recent.items() if n >= LEAST), key=lambda matter: (matter.depth, matter.key))
    row = {matter: number for number, matter in enumerate(matters)}
    counts = np.zeros((len(matters), days))
    for one in finest:
        for matter in _above(one.matter):
            if matter in row:
                counts[row[matter], np.asarray(one.days)] += one.appeals
    parents = [row[matter.parent] if matter.parent is not None else -1 for matter in matters]
    return Panel(tuple(matters), np.array(parents, dtype=np.int64), counts)


def _above(matter: Matter) -> Iterator[Matter]:
    """Yield a matter as it is, in each wider category and everywhere."""
    levels = dict.fromkeys(((), (matter.l1,), (matter.l1, matter.l2), (matter.l1, matter.l2, matter.code)))
    for names in levels:
        if all(names):
            yield Matter.of(names)
            if matter.district:
                yield Matter.of(names, matter.district)
