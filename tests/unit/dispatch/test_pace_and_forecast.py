"""Loads: the pace of a unit, and what the next days may bring."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.days import kinds_of
from services.dispatch.domain.loads import Day, Open, forecast, pace, work

CHINA, _ = kinds_of("CN")
MASSACHUSETTS, _ = kinds_of("US-MA")
TODAY = date(2026, 6, 15)
"""A Monday; no holiday lies in the eight weeks before but Labour Day and what was worked for it."""


def days(*counts: tuple[int, int]) -> list[Day]:
    """Return days that end yesterday."""
    first = TODAY - timedelta(days=len(counts))
    return [Day(first + timedelta(days=n), arrived, resolved) for n, (arrived, resolved) in enumerate(counts)]


def weekly(weekday: int, weekend: int, weeks: int = 8) -> list[Day]:
    counts = [(weekday if n % 7 < 5 else weekend, 10 if n % 7 < 5 else 0) for n in range(7 * weeks)]
    return days(*counts)


def test_the_pace_is_what_is_resolved_on_a_usual_working_day() -> None:
    assert pace(weekly(100, 50), TODAY, CHINA) == 10
    burst = [*weekly(100, 50)[:-4], *days((0, 900), (0, 900), (0, 0), (0, 0))]
    assert pace(burst, TODAY, CHINA) == 10


def test_of_a_unit_with_little_to_do_the_mean_is_taken_and_of_one_that_did_nothing_none() -> None:
    assert pace(days(*[(0, 1), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)] * 4), TODAY, CHINA) == 0.2
    assert pace(days(*[(3, 0)] * 28), TODAY, CHINA) is None
    assert pace([], TODAY, CHINA) is None


def test_a_unit_that_began_lately_is_measured_from_its_first_day() -> None:
    assert pace(days((0, 6), (0, 6), (0, 6), (0, 0), (0, 0)), TODAY, CHINA) == 6


def test_what_comes_follows_the_week_and_the_level_of_the_last_two() -> None:
    found = forecast(weekly(100, 50), TODAY, CHINA)
    expected = [one.expected for one in found]
    assert [one.day for one in found] == [TODAY + timedelta(days=n) for n in range(7)]
    # The eighth weeks' Friday, June 19, is the Dragon Boat Festival: it counts as a Sunday.
    assert all(90 < expected[n] < 105 for n in range(4))
    assert all(50 < expected[n] < 70 for n in (4, 5, 6))
    doubled = [*weekly(100, 50)[:-14], *weekly(200, 100, weeks=2)]
    assert forecast(doubled, TODAY, CHINA)[0].expected > 180


def test_two_weeks_are_needed_and_something_must_have_come() -> None:
    assert forecast(days(*[(5, 0)] * 13), TODAY, CHINA) == ()
    assert len(forecast(days(*[(5, 0)] * 14), TODAY, CHINA)) == 7
    assert forecast(days(*[(0, 5)] * 56), TODAY, CHINA) == ()
    assert forecast([], TODAY, CHINA) == ()


@given(counts=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), max_size=70))
def test_whatever_came_an_interval_holds_what_is_expected_and_nothing_is_negative(
    counts: list[tuple[int, int]],
) -> None:
    known = days(*counts)
    assert all(0 <= one.low <= one.expected <= one.high for one in forecast(known, TODAY, CHINA))
    assert (pace(known, TODAY, CHINA) or 1) > 0


def test_open_orders_are_counted_by_state_class_and_age_and_weighed_by_the_pace() -> None:
    open_ = [
        Open("dispatched", "urgent", 0, 3), Open("dispatched", "general", 2, 4), Open("accepted", "general", 6, 5),
        Open("in_progress", "complex", 7, 8),
    ]  # fmt: skip
    mine = work(open_, weekly(10, 5), TODAY, CHINA)
    assert (mine.open, mine.per_day, mine.days) == (20, 10.0, 2.0)
    assert mine.by_state == {"dispatched": 7, "accepted": 5, "in_progress": 8}
    assert mine.by_urgency == {"urgent": 3, "general": 9, "complex": 8}
    assert mine.by_age == {"under_1_day": 3, "1_to_3_days": 4, "3_to_7_days": 5, "over_7_days": 8}


def test_days_are_those_of_the_city_and_not_of_another_country() -> None:
    after_golden_week = date(2026, 10, 9)
    idle = [Day(date(2026, 10, 1) + timedelta(days=n), 10, 3 if n < 7 else 9) for n in range(8)]
    assert pace(idle, after_golden_week, CHINA) == 9
    assert pace(idle, after_golden_week, MASSACHUSETTS) == 3
    columbus_day = date(2026, 10, 12)
    history = [Day(columbus_day - timedelta(days=56 - n), 100 if n % 7 < 5 else 50, 0) for n in range(56)]
    expected = {kind_of: forecast(history, columbus_day, kind_of)[0].expected for kind_of in (CHINA, MASSACHUSETTS)}
    assert expected[MASSACHUSETTS] < 70 < expected[CHINA]
