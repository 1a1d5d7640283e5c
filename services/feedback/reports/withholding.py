"""Which cells of a table of counts are withheld, so that what is told beside them gives no small one away.

Source: the hypercube method of complementary suppression (Repsilber; in τ-ARGUS as GHMITER). A small cell is withheld
together with the other corners of a box in the table. Adding to every second corner what is taken from those between
leaves every sum over a row, a column or a layer as it is, so with all sums at hand nobody can tell which it was. The
corners are large enough that the small cell might as well be `k` more than it is, and one less.
"""

from collections.abc import Mapping
from itertools import product

import numpy as np
from numpy.typing import NDArray

from libs.common.city.reports import OpenData
from services.feedback.domain.publishing import ALL, OTHER, UNKNOWN, Cell, Row, folded, summed

Counts = NDArray[np.int64]
LEAST_VALUES = 4
"""With fewer districts or categories no more of them are told together."""


def withheld(table: Counts, k: int) -> NDArray[np.bool_] | None:
    """Return which cells of a table are withheld; None if some small one cannot be hidden among others.

    Cells of nobody are told: they tell of nobody.
    """
    hidden = np.zeros(table.shape, dtype=bool)
    small = np.argwhere((table > 0) & (table < k))
    for place in small[np.argsort(table[tuple(small.T)], kind="stable")]:
        corners = _box(table, hidden, tuple(int(at) for at in place), k)
        if corners is None:
            return None
        for corner in corners:
            hidden[corner] = True
    return hidden


def _box(table: Counts, hidden: NDArray[np.bool_], place: tuple[int, ...], k: int) -> list[tuple[int, ...]] | None:
    """Return the corners of the box that hides a cell and withholds the least beside it."""
    others = [np.delete(np.arange(size), at) for size, at in zip(table.shape, place, strict=True)]
    if any(not len(along) for along in others):
        return None
    fits: NDArray[np.bool_] = np.ones([len(along) for along in others], dtype=bool)
    cost = np.zeros(fits.shape)
    for turned in product((False, True), repeat=table.ndim):
        at = np.ix_(*(along if turn else [own] for turn, along, own in zip(turned, others, place, strict=True)))
        values = table[at]
        fits &= values >= (k if sum(turned) % 2 else 1)
        cost = cost + np.where(hidden[at], 0, values)
    if not fits.any():
        return None
    best = np.unravel_index(int(np.argmin(np.where(fits, cost, np.inf))), fits.shape)
    opposite = [int(along[at]) for along, at in zip(others, best, strict=True)]
    return [
        tuple(far if turn else own for turn, far, own in zip(turned, opposite, place, strict=True))
        for turned in product((False, True), repeat=table.ndim)
    ]


def published(counts: Mapping[Cell, int], terms: OpenData) -> tuple[bool, tuple[Row, ...]]:
    """Return whether days could be told, and the rows: cells first, then the sums by day, district, category, of all.

    Where days leave too little to tell, the whole month is told; where that cannot be either, its sums alone. In cells
    more may be told together than in the sums.
    """
    by_place = [_sums(counts, place) for place in range(3)]
    if sum(counts.values()) < terms.k:
        return False, ()
    days = {day: day for day in by_place[0]}
    names = tuple(folded({value or UNKNOWN: n for value, n in by_place[place].items()}, terms.k) for place in (1, 2))
    known = {(day, district or UNKNOWN, category or UNKNOWN): n for (day, district, category), n in counts.items()}
    daily = summed(known.items(), (days, *names))
    if all(count >= terms.k for count in by_place[0].values()):
        rows = _told(daily, terms.k)
        if sum(row.count or 0 for row in rows) >= terms.least_share * sum(counts.values()):
            return True, (*rows, *_totals(daily, (0, 1, 2)))
    monthly = summed(known.items(), (dict.fromkeys(days, ALL), *names))
    return False, (*_told(monthly, terms.k), *_totals(monthly, (1, 2)))


def _sums(counts: Mapping[Cell, int], place: int) -> dict[str, int]:
    sums: dict[str, int] = {}
    for cell, count in counts.items():
        sums[cell[place]] = sums.get(cell[place], 0) + count
    return sums


def _told(counts: Mapping[Cell, int], k: int) -> list[Row]:
    """Return the rows of the cells; the fewest are told together until every small cell can be hidden."""
    told = dict(counts)
    while (rows := _rows(told, k)) is None:
        fewest = [value for place in (1, 2) for value in _fewest(told, place)]
        if not fewest:
            return []
        _, place, names = min(fewest, key=lambda one: one[:2])
        told = summed(told.items(), ({}, names, {}) if place == 1 else ({}, {}, names))
    return rows


def _fewest(counts: Mapping[Cell, int], place: int) -> list[tuple[int, int, dict[str, str]]]:
    """Return how many appeals the next value has that may be told as OTHER; the first takes another with it."""
    sums = _sums(counts, place)
    if len(sums) < LEAST_VALUES:
        return []
    ordered = sorted((count, value) for value, count in sums.items() if value != OTHER)
    next_ = ordered[: 1 if OTHER in sums else 2]
    return [(next_[-1][0], place, {value: OTHER for _, value in next_})]


def _rows(counts: Mapping[Cell, int], k: int) -> list[Row] | None:
    """Return the rows of the cells that hold anything, small ones and what hides them withheld."""
    axes = [sorted({cell[place] for cell in counts}) for place in range(3)]
    table = np.zeros([len(axis) for axis in axes], dtype=np.int64)
    for cell, count in counts.items():
        table[tuple(axis.index(value) for axis, value in zip(axes, cell, strict=True))] = count
    flat = len(axes[0]) == 1
    hidden = withheld(table[0] if flat else table, k)
    if hidden is None:
        return None
    whole = hidden[np.newaxis] if flat else hidden
    return [
        Row(axes[0][i], axes[1][j], axes[2][n], None if whole[i, j, n] else int(table[i, j, n]))
        for i, j, n in np.argwhere(table > 0)
    ]


def _totals(counts: Mapping[Cell, int], places: tuple[int, ...]) -> list[Row]:
    rows = []
    for place in places:
        for value, count in sorted(_sums(counts, place).items()):
            day, district, category = (value if at == place else ALL for at in range(3))
            rows.append(Row(day, district, category, count))
    return [*rows, Row(ALL, ALL, ALL, sum(counts.values()))]
