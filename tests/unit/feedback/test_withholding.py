"""Open data: what is withheld cannot be found from what is told, by whoever adds and subtracts all of it."""

from itertools import product
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from libs.common.city.reports import OpenData
from services.feedback.domain.publishing import ALL, OTHER, folded
from services.feedback.reports.withholding import published, withheld

K = 5
Table = NDArray[np.int64]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    shape = draw(st.sampled_from([(3, 4), (4, 5), (3, 3, 3), (4, 3, 3)]))
    size = int(np.prod(shape))
    cells = draw(st.lists(st.one_of(st.integers(0, 4), st.integers(5, 60)), min_size=size, max_size=size))
    return np.array(cells, dtype=np.int64).reshape(shape)


def could_be(table: Table, hidden: NDArray[np.bool_], place: tuple[int, ...]) -> tuple[float, float]:
    """The least and the most a withheld cell may be, for who knows all told cells and the sums along every axis."""
    unknown = [tuple(int(i) for i in at) for at in np.argwhere(hidden)]
    sums, known = [], []
    for axis in range(table.ndim):
        for line in product(*(range(n) for i, n in enumerate(table.shape) if i != axis)):
            row = [1.0 if tuple(v for i, v in enumerate(at) if i != axis) == line else 0.0 for at in unknown]
            if any(row):
                index: Any = (*line[:axis], slice(None), *line[axis:])
                sums.append(row)
                known.append(float(table[index][hidden[index]].sum()))
    goal = [1.0 if at == place else 0.0 for at in unknown]
    ends = [linprog([sign * g for g in goal], A_eq=sums, b_eq=known, bounds=(0, None)).fun for sign in (1, -1)]
    return ends[0], -ends[1]


@settings(max_examples=60, deadline=None)
@given(tables())
def test_a_small_cell_might_as_well_be_one_less_and_k_more(table: Table) -> None:
    hidden = withheld(table, K)
    if hidden is None:
        return
    small = (table > 0) & (table < K)
    assert hidden[small].all()
    assert not hidden[table == 0].any()
    for place in np.argwhere(small):
        at = tuple(int(i) for i in place)
        low, high = could_be(table, hidden, at)
        assert low <= table[at] - 1 + 1e-6
        assert high >= table[at] + K - 1e-6


def test_nothing_more_than_needed_is_withheld() -> None:
    assert not np.any(withheld(np.full((3, 3), 50), K))
    table = np.full((5, 5), 50)
    table[1, 1], table[3, 2] = 2, 6
    hidden = withheld(table, K)
    assert hidden is not None
    assert hidden.sum() == 4
    assert hidden[1, 1]
    assert hidden[3, 2]


def test_a_small_cell_with_nothing_to_hide_among_is_not_told_at_all() -> None:
    assert withheld(np.array([[2, 50, 50]]), K) is None
    assert withheld(np.array([[2, 50], [50, 0]]), K) is None


@given(
    st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.integers(1, 30), max_size=12), st.integers(2, 20)
)
def test_what_is_told_together_is_enough_or_is_all_there_is(counts: dict[str, int], k: int) -> None:
    names = folded(counts, k)
    sums: dict[str, int] = {}
    for value, name in names.items():
        sums[name] = sums.get(name, 0) + counts[value]
    assert all(total >= k for total in sums.values()) or list(sums) == [OTHER]


CELLS = st.dictionaries(
    st.tuples(
        st.sampled_from([f"2026-03-{day:02}" for day in range(1, 6)]),
        st.sampled_from(["110101", "110105", "110108", ""]),
        st.sampled_from(["供水排水", "供热采暖", "市容环卫", ""]),
    ),
    st.one_of(st.integers(1, 4), st.integers(5, 90)), max_size=60,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(CELLS)
def test_no_row_that_is_told_is_of_fewer_than_k_and_the_sums_are_those_of_all(
    counts: dict[tuple[str, str, str], int],
) -> None:
    by_day, rows = published(counts, OpenData(K, 0.5))
    total = sum(counts.values())
    if total < K:
        assert rows == ()
        return
    assert all(row.count is None or row.count >= K for row in rows)
    (whole,) = [row.count for row in rows if (row.day, row.district, row.category) == (ALL, ALL, ALL)]
    assert whole == total
    for place in ("district", "category"):
        others = {"day", "district", "category"} - {place}
        sums = [
            row.count or 0 for row in rows if getattr(row, place) != ALL and all(getattr(row, o) == ALL for o in others)
        ]
        assert sum(sums) == total
    cells = [row for row in rows if ALL not in (row.district, row.category)]
    assert by_day is any(row.day != ALL for row in rows)
    told = sum(row.count or 0 for row in cells)
    assert told <= total
    assert not by_day or told >= total / 2
