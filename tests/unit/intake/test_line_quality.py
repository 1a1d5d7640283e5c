"""How well the lines are taken: counting calls by the hour, measuring any period."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import Call, Hour, Quality, Standard, count, day_of, hour_of, measure, span

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
BEIJING = ZoneInfo("Asia/Shanghai")
STANDARD = Standard(answer_seconds=15, connection_rate=0.95, cold_below=0.5)
CALLS = st.builds(
    Call,
    line=st.just("12345"),
    offered_at=st.integers(0, 2880).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    answered=st.booleans(),
    abandoned=st.just(False),
    wait_seconds=st.integers(0, 900).map(float),
    test_call=st.booleans(),
    explained=st.sampled_from([None, True, False]),
)


def call(answered: bool = True, wait: float = 3, test: bool = False, abandoned: bool = False) -> Call:
    """Return a call at noon."""
    return Call("12345", NOON, answered, abandoned, wait, test)


def quality(*calls: Call) -> Quality:
    """Measure calls, counted into their hours."""
    hours: dict[datetime, Hour] = {}
    for one in calls:
        hour = hour_of(one.offered_at, BEIJING)
        hours[hour] = count(hours.get(hour) or Hour("12345", hour), one, STANDARD)
    return measure(hours.values(), STANDARD)


def test_the_rates_are_shares_of_the_calls_of_citizens() -> None:
    found = quality(call(), call(wait=16), call(answered=False, wait=40, abandoned=True), call(test=True))
    assert (found.offered, found.answered, found.abandoned, found.tests) == (3, 2, 1, 1)
    assert (found.connection_rate, found.answered_in_time_rate, found.abandonment_rate) == (2 / 3, 1 / 3, 1 / 3)
    assert (found.mean_wait, found.longest_wait) == ((3 + 16 + 40) / 3, 40)


def test_how_clearly_policies_are_explained_is_a_share_of_the_test_calls_that_were_judged_by_it() -> None:
    judged = [replace(call(test=True), explained=clear) for clear in (True, False, None, True, True)]
    found = quality(call(), *judged)
    assert (found.tests, found.tests_judged, found.explained_rate) == (5, 4, 3 / 4)
    assert quality(call(), call(test=True)).explained_rate is None


def test_a_call_answered_after_exactly_fifteen_seconds_is_in_time() -> None:
    assert quality(call(wait=15)).answered_in_time_rate == 1.0


def test_a_line_on_which_nothing_is_answered_not_even_a_test_is_dead() -> None:
    assert quality(call(answered=False, test=True)).dead
    assert quality(call(answered=False)).dead
    assert not quality(call(answered=False), call(test=True)).dead


def test_a_line_on_which_less_is_answered_than_the_city_bears_is_cold_and_not_dead() -> None:
    found = quality(call(), call(answered=False), call(answered=False))
    assert (found.cold, found.dead, found.meets_standard) == (True, False, False)


def test_without_calls_there_are_no_rates() -> None:
    found = measure([], STANDARD)
    assert (found.connection_rate, found.mean_wait, found.most_waited, found.dead) == (None, None, None, False)


@given(st.lists(CALLS, min_size=1))
def test_what_is_measured_does_not_depend_on_the_order_of_the_records(calls: list[Call]) -> None:
    assert quality(*calls) == quality(*reversed(calls))


@given(st.lists(CALLS, min_size=1))
def test_nobody_outside_the_bounds_waited_less_than_they_say(calls: list[Call]) -> None:
    found, waits = quality(*calls), sorted(c.wait_seconds for c in calls if not c.test_call)
    if found.most_waited is not None:
        assert sum(wait <= found.most_waited for wait in waits) >= 0.95 * len(waits)


def test_a_day_a_month_and_a_year_begin_at_midnight_of_the_city() -> None:
    midnight = datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert span("2026-03-01", BEIJING) == (midnight, midnight + timedelta(days=1))
    assert span("2026-03", BEIJING) == (midnight, datetime(2026, 3, 31, 16, tzinfo=UTC))
    assert span("2025", BEIJING)[1] == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert day_of(midnight, BEIJING) == "2026-03-01"


@pytest.mark.parametrize(
    "period", ["", "2026-13", "2026-02-30", "26", "2026-W01", "1000", "9999", "2026-1", "２０２６"]
)
def test_what_is_no_period_is_refused(period: str) -> None:
    with pytest.raises(ValueError, match=r"must|month|day"):
        span(period, BEIJING)
