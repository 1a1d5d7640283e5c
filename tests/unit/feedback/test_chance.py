"""What may be chance: intervals hold as often as they say, and always hold what was seen."""

import random
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.domain.chance import changed, quantile, stepped, wilson, wobble_of

COUNTS = st.integers(0, 10**6)
ROWS = st.integers(1, 500)


@given(COUNTS, COUNTS, st.integers(1, 366), st.integers(1, 366), st.floats(0, 1), ROWS)
def test_a_change_lies_in_its_interval(
    now: int, before: int, days: int, days_before: int, wobble: float, rows: int
) -> None:
    change = changed(now, before, (days, days_before), wobble, rows)
    if not before:
        assert (change.value, change.low, change.high) == (None, None, None)
        return
    assert change.low is not None
    assert change.value is not None
    assert change.high is not None
    assert -1 <= change.low <= change.value <= change.high
    assert not (change.rose and change.fell)


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000), ROWS)
def test_a_difference_of_shares_lies_in_its_interval(a: int, b: int, c: int, d: int, rows: int) -> None:
    step = stepped((min(a, b), b), (min(c, d), d), rows)
    if not b or not d:
        assert step.value is None
        return
    assert step.low is not None
    assert step.value is not None
    assert step.high is not None
    assert -100.0001 <= step.low <= step.value + 1e-9
    assert step.value - 1e-9 <= step.high <= 100.0001


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 500), st.integers(0, 500))
def test_what_is_undecided_may_turn_out_either_way(good: int, bad: int, before: int, undecided: int) -> None:
    known, last = (good, good + bad), (before // 2, before)
    step = stepped(known, last, undecided=undecided)
    if step.low is None or step.high is None:
        assert not good + bad
        return
    for turned in (0, undecided):
        whole = stepped((good + turned, good + bad + undecided), last)
        assert whole.value is not None
        assert step.low - 1e-9 <= whole.value <= step.high + 1e-9


def test_more_rows_ask_for_wider_intervals() -> None:
    assert quantile(1) == pytest.approx(1.96, abs=0.01)
    assert wilson(9, 10, 100)[0] < wilson(9, 10)[0] < 0.9 < wilson(9, 10)[1] <= 1
    assert wilson(0, 0) == (0.0, 1.0)


def test_days_that_differ_by_their_weekday_alone_do_not_wobble_and_others_do() -> None:
    first = date(2026, 1, 5)
    days = [first + timedelta(days=n) for n in range(56)]
    assert wobble_of({day: 100 if day.weekday() < 5 else 30 for day in days}) == 0
    chance = random.Random(3)
    counts = {day: round(1000 * chance.lognormvariate(0, 0.2)) for day in days}
    assert wobble_of(counts) == pytest.approx(0.04, abs=0.025)
    assert wobble_of({}) == wobble_of({first: 5}) == 0


def test_of_many_rows_that_did_not_change_nearly_never_one_is_said_to_rise_or_fall() -> None:
    chance = random.Random(11)
    rows, wobble = 40, 0.05
    said = 0
    for _ in range(200):
        spans = [[sum(_day(chance, 40, wobble) for _ in range(30)) for _ in range(2)] for _ in range(rows)]
        changes = [changed(now, before, (30, 30), wobble, rows) for now, before in spans]
        said += any(change.rose or change.fell for change in changes)
    assert said <= 20  # 5 % of 200, and what chance adds to it


def _day(chance: random.Random, mean: float, wobble: float) -> int:
    """A negative binomial count: Poisson of a mean that is gamma."""
    rate = chance.gammavariate(1 / wobble, wobble * mean)
    total = 0.0
    for number in count():
        total += chance.expovariate(1)
        if total > rate:
            return number
    raise AssertionError
