"""Working time, held against counting it minute by minute."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.city.days import kinds_of, read_hours
from libs.common.city.pack import load_city
from services.sla.calendar import Calendar, Hours
from services.sla.domain.days import DayEntry
from services.sla.handlers import calendar_of
from tests.support.slow_clocks import office
from tests.support.stages import CITY

MINUTE, TICK = timedelta(minutes=1), timedelta(microseconds=1)
OFFICE = read_hours(("09:00-12:00", "13:00-18:00"))
NIGHTS = read_hours(("00:00-04:00", "08:30-12:00", "22:00-24:00"))
SKIPPED = read_hours(("02:15-02:45", "02:50-03:15", "08:00-12:00"))
"""Hours that a night in March does not have."""
PACK = load_city(CITY)
HOUR = timedelta(hours=1)
ALWAYS = read_hours(("00:00-24:00",))
BEIJING, BOSTON = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


def of(place: str, spans: Hours, zone: ZoneInfo, closed: date | None = None) -> Calendar:
    kind, is_known = kinds_of(place)
    return Calendar(zone, lambda day: spans if kind(day) == "work" and day != closed else (), is_known, "1")


CALENDARS = [
    of("CN", OFFICE, BEIJING), of("US-MA", OFFICE, BOSTON), of("US-MA", NIGHTS, BOSTON), of("", ALWAYS, BOSTON),
    of("CN", OFFICE, BEIJING, closed=date(2026, 12, 28)),
    # Every day is worked, also those on which clocks are changed.
    Calendar(BOSTON, lambda _: NIGHTS, lambda _: True, "1"),
    Calendar(BOSTON, lambda _: SKIPPED, lambda _: True, "1"),
]  # fmt: skip
OPENING = [Calendar(c.zone, c.hours, c.is_known, "1", "opening") for c in CALENDARS]
"""The same, where what runs out as offices close is due when they open again."""
STARTS = [
    datetime(2026, 2, 13, tzinfo=UTC),  # before the spring festival and a Saturday that is worked
    datetime(2026, 3, 7, tzinfo=UTC),  # clocks go forward in Boston on the 8th
    datetime(2026, 10, 31, tzinfo=UTC),  # and back on the 1st
    datetime(2026, 12, 30, tzinfo=UTC),  # the turn of a year, of which Beijing does not know the next
]
MOMENTS = st.builds(lambda at, minutes: at + minutes * MINUTE, st.sampled_from(STARTS), st.integers(0, 3 * 1440))
SECONDS = st.integers(0, 10 * 86_400).map(lambda seconds: timedelta(seconds=seconds))


def counted(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Count the minutes in which somebody works, one after the other."""
    worked = timedelta()
    while start < end:
        local = start.astimezone(calendar.zone)
        spans = calendar.hours(local.date())
        worked += MINUTE * any(a <= local.time() and (local.time() < b or b == time(0)) for a, b in spans)
        start += MINUTE
    return worked


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CALENDARS), MOMENTS, st.integers(0, 5 * 1440))
def test_working_time_is_what_counting_every_minute_comes_to(calendar: Calendar, start: datetime, minutes: int) -> None:
    end = start + minutes * MINUTE
    assert calendar.elapsed(start, end, "working") == counted(calendar, start, end)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(CALENDARS), MOMENTS, SECONDS)
def test_exactly_the_limit_has_passed_when_it_is_due_and_not_before(
    calendar: Calendar, start: datetime, limit: timedelta
) -> None:
    due = calendar.due(start, limit, "working")
    assert calendar.elapsed(start, due, "working") == limit
    if limit:
        assert calendar.elapsed(start, due - TICK, "working") < limit


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(OPENING), MOMENTS, SECONDS)
def test_what_runs_out_as_offices_close_may_be_due_when_they_open(
    calendar: Calendar, start: datetime, limit: timedelta
) -> None:
    due = calendar.due(start, limit, "working")
    assert calendar.elapsed(start, due, "working") == limit
    if limit:
        assert calendar.elapsed(start, due + TICK, "working") > limit


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(CALENDARS + OPENING), MOMENTS, SECONDS, SECONDS)
def test_time_adds_up_wherever_it_is_cut(
    calendar: Calendar, start: datetime, first: timedelta, second: timedelta
) -> None:
    cut, end = start + first, start + first + second
    for kind in ("natural", "working"):
        parts = calendar.elapsed(start, cut, kind) + calendar.elapsed(cut, end, kind)
        assert parts == calendar.elapsed(start, end, kind)
        assert calendar.due(calendar.due(start, first, kind), second, kind) == calendar.due(start, first + second, kind)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-03-02T10:00+08:00", 2, "2026-03-02T12:00+08:00"),
        ("2026-03-02T10:00+08:00", 3, "2026-03-02T14:00+08:00"),
        ("2026-03-06T18:30+08:00", 8, "2026-03-09T18:00+08:00"),
        ("2026-02-14T17:00+08:00", 2, "2026-02-24T10:00+08:00"),
        ("2026-12-31T17:00+08:00", 2, "2027-01-04T10:00+08:00"),
    ],
    ids=["to the lunch break", "over it", "over a weekend", "from a Saturday at work over the festival", "a new year"],
)
def test_a_limit_in_working_time(start: str, hours: int, due: str) -> None:
    found = CALENDARS[0].due(datetime.fromisoformat(start), timedelta(hours=hours), "working")
    assert found == datetime.fromisoformat(due)


def test_a_day_in_boston_on_which_clocks_change_has_the_hours_that_pass() -> None:
    calendar: Callable[[str, str], timedelta] = lambda a, b: CALENDARS[5].elapsed(  # noqa: E731 said once
        datetime.fromisoformat(a), datetime.fromisoformat(b), "working"
    )
    spring = calendar("2026-03-08T00:00-05:00", "2026-03-08T04:00-04:00")
    autumn = calendar("2026-11-01T00:00-04:00", "2026-11-01T04:00-05:00")
    assert (spring, autumn) == (timedelta(hours=3), timedelta(hours=5))


def test_what_is_due_at_the_close_of_friday_is_due_on_monday_morning_where_a_city_has_it_so() -> None:
    friday = datetime(2026, 3, 6, 17, tzinfo=BEIJING)
    closing, opening = (some[0].due(friday, timedelta(hours=1), "working") for some in (CALENDARS, OPENING))
    assert closing == datetime(2026, 3, 6, 18, tzinfo=BEIJING)
    assert opening == datetime(2026, 3, 9, 9, tzinfo=BEIJING)


def test_each_day_of_two_years_is_worked_as_the_state_council_named_it() -> None:
    calendar, is_open = calendar_of(PACK), office()
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(730)]
    found = [day for day in days if bool(calendar.hours(day)) != is_open(datetime.combine(day, time(12)))]
    assert found == []


def test_a_day_that_people_set_is_worked_as_they_said_last_until_they_take_it_back() -> None:
    snow, rest = date(2026, 1, 19), date(2026, 1, 24)

    def said(*entries: tuple[date, tuple[str, ...] | None]) -> Calendar:
        return calendar_of(PACK, [DayEntry(UUID(int=n), *one, "r", "b", STARTS[0]) for n, one in enumerate(entries)])

    usual = calendar_of(PACK)
    assert said((snow, ())).hours(snow) == ()
    assert said((snow, ()), (snow, ("13:00-18:00",))).hours(snow) == read_hours(("13:00-18:00",))
    assert said((snow, ()), (snow, None)).hours(snow) == usual.hours(snow)
    assert said((rest, ("09:00-12:00",))).due(STARTS[0].replace(month=1, day=23, hour=10), HOUR, "working") == datetime(
        2026, 1, 24, 10, tzinfo=BEIJING
    )
    assert len({said().version, said((snow, ())).version, said((snow, ()), (snow, None)).version}) == 3


def test_a_year_nobody_has_named_stops_nothing_and_is_said_to_be_a_guess() -> None:
    start = datetime(2031, 9, 30, 9, tzinfo=UTC)
    due = CALENDARS[0].due(start, timedelta(hours=80), "working")
    assert due.astimezone(BEIJING).date() > date(2031, 10, 9)
    assert CALENDARS[0].is_provisional(due, "working")
    assert not CALENDARS[0].is_provisional(due, "natural")
    assert not CALENDARS[1].is_provisional(due, "working")
