"""Which nodes of the grid have more tickets than their past explains, over windows from a quarter of an hour to a week.

The tickets of a node are compared with a negative binomial around what is expected: its spread is chance, what the
expectation rests on, and how far the category strays by itself. What lifts a wider node lifts what is in it as well:
when rain brings complaints all over the city, no street is told of its share. Of all looks in a day only so many may be
wrong, and that budget is dealt out over levels, windows and nodes (Bonferroni), so it holds whatever depends on what.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from services.classify.hotspots.baseline import CONCENTRATION, Baseline
from services.classify.hotspots.grid import ANY, CITY, CODE, LEVEL1, LEVEL2, STREET, Floats, Grid, Ints, Spot

QUICK = (timedelta(minutes=15), timedelta(hours=1))
SLOW = (timedelta(hours=2), timedelta(hours=3), timedelta(hours=6), timedelta(hours=24), timedelta(days=7))
WINDOWS = (*QUICK, *SLOW)
DAY = timedelta(days=1)
_MATTERS, _AREAS = (CODE, LEVEL2, LEVEL1), (STREET, STREET + 1, CITY)
_LOOKS = 2
"""How many independent looks a window that moves on by minutes is worth, for each that does not overlap."""
_APART = 3.0
"""How many windows that lie apart ours are worth, which lie within one another (measured on counts by chance)."""
_FAVOURED = 0.5
"""Of the budget, the share of single questions in the whole city: only there are slow events just beyond chance."""
_STRAYS = (0.03, 0.1, 0.25)
"""The least variance beside chance that is believed of a question, a level 2 and a level 1: the wider, the more of what
lifts it is weather and season."""
_SURE = 3.0
"""Of a wider node's lift, tickets and expectation are each given so many, so that few tickets lift nothing."""

Counts = Mapping[timedelta, tuple[Floats, Floats]]
"""For each window its counts, and how many mean days it brings to each level-1 category."""


@dataclass(frozen=True, slots=True)
class Found:
    """A node with more tickets than were expected. `score` is how far beyond chance, in nats; higher is more."""

    spot: Spot
    window: timedelta
    count: int
    expected: float
    score: float
    shape: float
    most: float
    """The probability that counts as chance no more."""
    node: tuple[Ints, Ints]

    def still(self, count: int) -> bool:
        """Say whether so many would stand out as well."""
        return bool(betainc(count, self.shape, self.expected / (self.expected + self.shape)) < self.most)


@dataclass(frozen=True, slots=True)
class _Level:
    """The expectation of one level of matters and of places, for a mean day; a guess needs but seven digits."""

    means: NDArray[np.float32]
    known: NDArray[np.float32]
    top: Ints


@dataclass(frozen=True, slots=True)
class _Look:
    matter: int
    area: int
    rows: Ints
    columns: Ints
    counts: Floats
    expected: Floats
    shapes: Floats
    scores: Floats
    most: float


@dataclass(frozen=True, slots=True)
class _Here:
    """One window: its counts at every level, how many mean days it brings, and what is usual of all matters."""

    counts: Mapping[tuple[int, int], Floats]
    brought: Floats
    every: Mapping[int, Floats]


class Candidate(NamedTuple):
    """One node of a look that stands out, and by how much."""

    score: float
    window: timedelta
    look: _Look
    number: int


def clearest(grid: Grid, candidates: Iterable[Candidate]) -> list[Found]:
    """Return the candidates that explain the others, the clearest first: each ticket is explained by one of them."""
    found: list[Found] = []
    for score, window, look, i in sorted(candidates, key=lambda candidate: -candidate.score):
        row, column = int(look.rows[i]), int(look.columns[i])
        node = grid.node(look.matter, row, look.area, column)
        if not any(_overlap(node, other.node) for other in found):
            spot = grid.spot(look.matter, row, look.area, column)
            shape, expected = float(look.shapes[i]), float(look.expected[i])
            found.append(Found(spot, window, int(look.counts[i]), expected, score, shape, look.most, node))
    return found


class Scan:
    """A baseline made ready to be compared with; made anew when it has learnt."""

    def __init__(self, baseline: Baseline) -> None:
        self._grid = grid = baseline.grid
        self._swing = baseline.swing()
        self._days = baseline.days
        means = baseline.means()
        of_rate, of_place, prior = baseline.knowledge()
        rates = {matter: grid.summed(of_rate[:, None], matter, STREET) for matter in _MATTERS}
        self._levels = {
            (matter, area): _Level(
                grid.summed(means, matter, area).astype(np.float32),
                self._known(rates[matter], of_place, prior, matter, area).astype(np.float32),
                _tops(grid, matter),
            )
            for matter in _MATTERS
            for area in _AREAS
        }

    def _known(self, of_rate: Floats, of_place: Floats, prior: Floats, matter: int, area: int) -> Floats:
        """Return on how many tickets an expectation rests: it is as vague as its share and its rate are together."""
        if area == CITY:
            return of_rate
        members = np.bincount(self._grid.matters[matter])[:, None]
        believed = CONCENTRATION[matter] * self._grid.summed(prior, matter, area) / members
        known: Floats = 1 / (1 / (self._grid.summed(of_place, matter, area) + believed) + 1 / of_rate)
        return known

    def expected(self, codes: Ints, places: Ints, brought: Floats) -> float:
        """Return how many tickets some questions in some places have in a time that brings so many mean days."""
        means = self._levels[CODE, STREET].means[np.ix_(codes, places)].sum(axis=1)
        return float(means @ brought[self._grid.matters[LEVEL1][codes]])

    def look(self, counts: Counts, least: int, budget: float) -> list[Candidate]:
        """Return the nodes that stand out, in no order.

        `least` is the fewest tickets that can, `budget` how many in a day may stand out by chance.
        """
        return [
            Candidate(float(look.scores[i]), window, look, i)
            for window, (came, brought) in counts.items()
            for look in self._looks(came, brought, window, least, budget)
            for i in range(len(look.rows))
        ]

    def _looks(self, came: Floats, brought: Floats, window: timedelta, least: int, budget: float) -> list[_Look]:
        brought = brought * self._scale(came, brought)
        summed = self._grid.pyramid(came)
        every = {area: brought[:, None] * self._levels[LEVEL1, area].means for area in _AREAS}
        here = _Here(summed, brought, {area: usual.sum(axis=0, keepdims=True) for area, usual in every.items()})
        # A whole level 1 in the whole city for a day or longer is a season: nobody could act upon it.
        nodes = [node for node in product(_MATTERS, _AREAS) if window < DAY or node != (LEVEL1, CITY)]
        looks = [self._look(matter, area, here, window, least, budget) for matter, area in nodes]
        return [look for look in looks if look is not None]

    def _scale(self, came: Floats, brought: Floats) -> float:
        """Return by how much to trust what came in all over what was learnt: on the first day nothing else is known."""
        every = self._levels[LEVEL1, CITY]
        usual = float((every.means * brought[every.top][:, None]).sum())
        return (float(came.sum()) / max(usual, 1e-9) + self._days) / (1 + self._days)

    def _look(self, matter: int, area: int, here: _Here, window: timedelta, least: int, budget: float) -> _Look | None:
        level, counts = self._levels[matter, area], here.counts[matter, area]
        rows, columns = np.nonzero((counts >= least) & self._grid.looked_at[area])
        if not len(rows):
            return None
        came = counts[rows, columns]
        expected = self._usual(matter, area, rows, columns, here)
        expected = expected * self._lifts(matter, area, rows, columns, here)
        shapes = 1 / (1 / level.known[rows, columns] + np.maximum(self._swing[level.top[rows]], _STRAYS[matter]))
        chance = betainc(came, shapes, expected / (expected + shapes))
        share = _FAVOURED if (matter, area) == (CODE, CITY) else (1 - _FAVOURED) / (len(_MATTERS) * len(_AREAS) - 1)
        tests = counts.size * _APART * _LOOKS * max(1.0, DAY / window) / share
        kept = np.flatnonzero((chance < budget / tests) & (came > expected))
        came, expected, shapes = came[kept], expected[kept], shapes[kept]
        scores = _score(came, expected, shapes)
        return _Look(matter, area, rows[kept], columns[kept], came, expected, shapes, scores, budget / tests)

    def _usual(self, matter: int, area: int, rows: Ints, columns: Ints, here: _Here) -> Floats:
        """Return how many tickets some nodes usually have in the time that is looked at."""
        if matter == ANY:
            return here.every[area][rows, columns]
        level = self._levels[matter, area]
        return level.means[rows, columns] * here.brought[level.top[rows]]

    def _lifts(self, matter: int, area: int, rows: Ints, columns: Ints, here: _Here) -> Floats:
        """Return how much each node is lifted by what surrounds it: the most that any wider node is, without it."""
        lifts = np.ones(len(rows))
        came, usual = here.counts[matter, area][rows, columns], self._usual(matter, area, rows, columns, here)
        of_rows, of_columns = self._above(self._grid.matters, matter), self._above(self._grid.areas, area)
        for wider in range(matter, ANY + 1):
            for around in range(area, CITY + 1):
                if (wider, around) == (matter, area):
                    continue
                there = of_rows[wider][rows], of_columns[around][columns]
                rest = here.counts[wider, around][there] - came
                usually = np.maximum(self._usual(wider, around, *there, here) - usual, 0)
                lifts = np.maximum(lifts, (rest + _SURE) / (usually + _SURE))
        return lifts

    def _above(self, groups: Sequence[Ints], level: int) -> dict[int, Ints]:
        """Return, for each wider level, the group that each group of a level is in."""
        first = np.unique(groups[level], return_index=True)[1]
        return {wider: groups[wider][first] for wider in range(level, len(groups))}


def _tops(grid: Grid, matter: int) -> Ints:
    """Return the level-1 category of each group."""
    return np.asarray(grid.matters[LEVEL1][np.unique(grid.matters[matter], return_index=True)[1]])


def _score(came: Floats, expected: Floats, shapes: Floats) -> Floats:
    """Return the log-likelihood ratio of what came against what was expected (negative binomial)."""
    return np.asarray(
        came * np.log(came / expected) - (came + shapes) * np.log((came + shapes) / (expected + shapes))
    )  # fmt: skip


def _overlap(one: tuple[Ints, Ints], other: tuple[Ints, Ints]) -> bool:
    return all(bool(np.intersect1d(a, b, assume_unique=True).size) for a, b in zip(one, other, strict=True))
