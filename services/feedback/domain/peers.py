"""Whom a unit is compared with, and what may be expected of it: a score that no unit owes to its luck or its mail.

All of it is done within one kind of unit: streets with streets, towns with towns, companies with companies. With `y`
what one answer gives to the total (the three rates weighted, 0 to 1):

    expected    e of an answer is the mean of `y` over the answers that *others* of the kind had of the same matter:
                same category (level 2), class and district; where few had it, mixed with the same category and class
                anywhere, that with the level-1 category, that with all:
                (sum + strength * broader) / (answers + strength). Where others had fewer than `strength` answers of the
                level-1 category nobody knows how hard it is, and those answers take no part: who alone has a duty
                would be held to what is expected of easier ones, or else to itself.
    excess      d = mean(y - e) of the unit's n answers. By chance it is off by s/sqrt(n), with s the spread of y - e
                within units, pooled over the kind (a prior of `strength` answers, spread widest, keeps it from 0).
    shrunk      empirical Bayes, normal on normal: units of the kind truly differ by t (moments of DerSimonian and
                Laird) around m, so the best guess at a unit's own is theta = m + B * (d - m), B = t^2 / (t^2 + s^2/n),
                and it is within theta +- 1.96 * sqrt(B * s^2/n) with 95 %. Of few answers little is said.
    fair score  the kind's mean of `y`, plus theta.

What is set apart (complex and abnormal orders) takes no part. Peers are units of the kind with most like its volume.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

WIDEST = 0.25
"""The variance of a share that is all or nothing, half and half."""
NORMAL = 1.96


class Matter(NamedTuple):
    """What makes an answer harder or easier to earn. Empty where it is not known."""

    category1: str
    category2: str
    urgency: str
    district: str


@dataclass(frozen=True, slots=True)
class Cell:
    """The answers one unit had of one matter: how many, and the sums of `y` and of its square."""

    unit: str
    matter: Matter
    rows: int
    points: float
    squares: float


@dataclass(frozen=True, slots=True)
class Standard:
    """What a kind of unit was held to in a publication: its mean, and how units and answers differ (variances).

    `drift` is the mean excess of its units. Kept, so that a later version judges one unit by what all were judged by.
    """

    level: str
    mean: float
    drift: float
    between: float
    within: float


@dataclass(frozen=True, slots=True)
class Fair:
    """A fair score with its interval of 95 %, and the `expected` mean it was judged by; `excess` is theta above."""

    rows: int
    expected: float
    score: float
    low: float
    high: float
    excess: float
    error: float


Expected = Mapping[tuple[str, Matter], float]


def expectations(cells: Sequence[Cell], strength: float) -> dict[tuple[str, Matter], float]:
    """Return what is expected of an answer of each unit and matter, by others of the kind, if they had enough."""
    everyone, own = _sums(cells, lambda cell: ""), _sums(cells, lambda cell: cell.unit)
    all_rows, all_points = everyone["", ()]
    expected = {}
    for cell in cells:
        category = _broader(cell.matter)[1]
        others = everyone["", category][0] - own[cell.unit, category][0]
        if not others or others < strength:
            continue
        mine, earned = own[cell.unit, ()]
        value = (all_points - earned) / (all_rows - mine)
        for key in _broader(cell.matter)[1:]:
            rows, points = everyone["", key]
            mine, earned = own[cell.unit, key]
            value = (points - earned + strength * value) / (rows - mine + strength)
        expected[cell.unit, cell.matter] = value
    return expected


def _broader(matter: Matter) -> tuple[tuple[str, ...], ...]:
    """Return what a matter is part of, from all matters down to itself."""
    return (), (matter.category1,), (matter.category1, matter.category2, matter.urgency), tuple(matter)


def _sums(cells: Iterable[Cell], of: Callable[[Cell], str]) -> dict[tuple[str, tuple[str, ...]], tuple[int, float]]:
    sums: dict[tuple[str, tuple[str, ...]], tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for cell in cells:
        for key in _broader(cell.matter):
            rows, points = sums[of(cell), key]
            sums[of(cell), key] = (rows + cell.rows, points + cell.points)
    return sums


def standard_of(level: str, cells: Sequence[Cell], expected: Expected, strength: float, margin: float) -> Standard:
    """Return what the units of a kind are held to; that they differ by less than the margin is never taken for sure."""
    cells = [cell for cell in cells if (cell.unit, cell.matter) in expected]
    units = [_excess(mine, expected) for mine in by_unit(cells).values()]
    rows, points = sum(cell.rows for cell in cells), sum(cell.points for cell in cells)
    loose = sum(unit.rest for unit in units) + WIDEST * strength
    within = loose / (rows - len(units) + strength)
    drift, between = _spread([(unit.mean, within / unit.rows) for unit in units])
    return Standard(level, points / rows if rows else 0.0, drift, max(between, margin * margin), within)


class _Excess(NamedTuple):
    rows: int
    mean: float
    rest: float


def _excess(cells: Iterable[Cell], expected: Expected) -> _Excess:
    """Return by how much a unit's answers are over what is expected, and the squares that are left around that."""
    rows, over, squares = 0, 0.0, 0.0
    for cell in cells:
        e = expected[cell.unit, cell.matter]
        rows += cell.rows
        over += cell.points - cell.rows * e
        squares += cell.squares - 2 * e * cell.points + cell.rows * e * e
    return _Excess(rows, over / rows, max(0.0, squares - over * over / rows))


def _spread(units: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the mean of what was measured with these variances, and the variance that is no error of measuring.

    Source: DerSimonian and Laird (1986), the moment estimator of random effects.
    """
    weights = [1 / variance for _, variance in units]
    total = sum(weights)
    if len(units) < 2:
        return 0.0, 0.0
    mean = sum(weight * value for weight, (value, _) in zip(weights, units, strict=True)) / total
    q = sum(weight * (value - mean) ** 2 for weight, (value, _) in zip(weights, units, strict=True))
    scale = total - sum(weight * weight for weight in weights) / total
    return mean, max(0.0, (q - (len(units) - 1)) / scale) if scale > 0 else 0.0


def fair(cells: Sequence[Cell], expected: Expected, standard: Standard) -> Fair | None:
    """Return the fair score of the unit that had these answers; None if it had none that can be compared.

    Of a matter that a ruling let in later nothing may have been expected; that is not compared either.
    """
    cells = [cell for cell in cells if (cell.unit, cell.matter) in expected]
    if not cells:
        return None
    rows, excess, _ = _excess(cells, expected)
    points = sum(cell.points for cell in cells)
    chance = standard.within / rows
    share = standard.between / (standard.between + chance)
    theta, error = standard.drift + share * (excess - standard.drift), sqrt(share * chance)
    score = standard.mean + theta
    low, high = (min(1.0, max(0.0, score + sign * NORMAL * error)) for sign in (-1, 1))
    return Fair(rows, points / rows - excess, min(1.0, max(0.0, score)), low, high, theta, error)


def bands(volumes: Mapping[str, int], size: int) -> dict[str, int]:
    """Return the number of the group of peers of each unit: by volume, at least `size` together if there are so many.

    Units of equal volume are told apart by their code, so the same volumes always give the same groups.
    """
    ordered = sorted(volumes, key=lambda unit: (volumes[unit], unit))
    groups = max(1, len(ordered) // size)
    return {unit: place * groups // len(ordered) for place, unit in enumerate(ordered)}


def by_unit(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    """Return the cells of each unit."""
    units: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        units[cell.unit].append(cell)
    return units
