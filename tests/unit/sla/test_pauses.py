"""A clock over pauses: what ran is what passed outside of them, in whatever time and wherever they fall."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.city.days import kinds_of, read_hours
from services.sla.calendar import Calendar, Kind, RunsOut
from services.sla.domain.times import Clock, Stood

BOSTON = ZoneInfo("America/New_York")
OFFICE = read_hours(("08:30-12:00", "13:00-17:00"))
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
STARTS = [
    datetime(2026, 3, 6, 18, tzinfo=UTC),  # before clocks go forward
    datetime(2026, 10, 30, 18, tzinfo=UTC),  # before they go back
    datetime(2026, 12, 31, 18, tzinfo=UTC),
]
SECONDS = st.integers(0, 4 * 86_400).map(lambda seconds: timedelta(seconds=seconds))


def boston(runs_out: RunsOut) -> Calendar:
    kind, is_known = kinds_of("US-MA")
    return Calendar(BOSTON, lambda day: OFFICE if kind(day) == "work" else (), is_known, "1", runs_out)


CALENDARS: dict[RunsOut, Calendar] = {"closing": boston("closing"), "opening": boston("opening")}


def clock(start: datetime, kind: Kind, pauses: list[tuple[timedelta, timedelta]], seconds: int = 0) -> Clock:
    """Return a clock that stood still after each of these spans, for the other."""
    stood, at = [], start
    for running, standing in pauses:
        begins = at + running
        at = begins + standing
        stood.append(Stood(begins, at))
    return Clock(
        UUID(int=1), 1, "completion", "running", "general", "p", start, seconds, start, kind, pauses=tuple(stood)
    )


def ran(one: Clock, until: datetime, calendar: Calendar) -> timedelta:
    """Count what passed outside of the pauses."""

    def stretches() -> Iterator[tuple[datetime, datetime]]:
        since = one.started_at
        for pause in one.pauses:
            yield since, min(pause.from_at, until)
            since = min(pause.until, until)
        yield since, until

    return sum((calendar.elapsed(a, b, one.count) for a, b in stretches()), timedelta())


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(STARTS), st.sampled_from(["natural", "working"]), st.sampled_from(["closing", "opening"]),
    st.lists(st.tuples(SECONDS, SECONDS), max_size=4), st.integers(1, 20 * 8 * 3600),
)  # fmt: skip
def test_a_clock_has_run_for_exactly_its_limit_when_it_is_due(
    start: datetime, kind: Kind, runs_out: RunsOut, pauses: list[tuple[timedelta, timedelta]], seconds: int
) -> None:
    calendar, one = CALENDARS[runs_out], clock(start, kind, pauses, seconds)
    due = one.timed(calendar).due_at
    assert ran(one, due, calendar) == timedelta(seconds=seconds)
    if kind == "natural" or runs_out == "closing":
        assert ran(one, due - TICK, calendar) < timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("runs_out", "due"), [("closing", "2026-03-06T17:00-05:00"), ("opening", "2026-03-10T10:00-04:00")]
)
def test_what_runs_out_on_friday_and_stands_still_from_the_evening_on(runs_out: RunsOut, due: str) -> None:
    noon = datetime(2026, 3, 6, 13, tzinfo=BOSTON)
    one = clock(noon, "working", [(5 * HOUR, datetime(2026, 3, 10, 10, tzinfo=BOSTON) - noon - 5 * HOUR)], 4 * 3600)
    assert one.timed(CALENDARS[runs_out]).due_at == datetime.fromisoformat(due)
