"""Calls to the lines and how well they were taken: counted by the hour, measured over any period of whole days."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WAITS = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)
"""Upper bounds, in seconds, between which waits are counted; what is longer counts in one class more."""
_PERIOD = re.compile(r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d))?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Standard:
    """What a line is held to: seconds within which to answer, the least share of calls answered, what is cold."""

    answer_seconds: float
    connection_rate: float
    cold_below: float


@dataclass(frozen=True, slots=True)
class Call:
    """One call offered to a line. `wait_seconds` runs from the offer to the answer, or to giving up.

    `explained`: what an answered test call found of how clearly the policy was explained, if it was judged.
    """

    line: str
    offered_at: datetime
    answered: bool
    abandoned: bool
    wait_seconds: float
    test_call: bool
    explained: bool | None = None


@dataclass(frozen=True, slots=True)
class Hour:
    """What one line took in one hour of the city's time. Test calls count apart. `waits` counts by `WAITS`.

    `tests_judged` are the test calls of which it was told whether the policy was explained clearly.
    """

    line: str
    hour: datetime
    offered: int = 0
    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    wait_seconds: float = 0.0
    longest_wait: float = 0.0
    tests: int = 0
    tests_answered: int = 0
    waits: tuple[int, ...] = (0,) * (len(WAITS) + 1)
    tests_judged: int = 0
    tests_explained: int = 0


@dataclass(frozen=True, slots=True)
class Quality:
    """What a line was worth over a period. Shares are fractions of the citizens' calls, None where there were none.

    `half_waited` and `most_waited`: half of the calls, and 95 of 100, waited at most so many seconds, to the next of
    `WAITS`; None if that is longer than the last of them. `dead`: calls came and none was answered, tests included.
    `cold`: not dead, but a smaller share was answered than the city calls cold. `explained_rate`: in how many of the
    `tests_judged` test calls the policy was explained clearly.
    """

    offered: int
    answered: int
    abandoned: int
    connection_rate: float | None
    answered_in_time_rate: float | None
    abandonment_rate: float | None
    mean_wait: float | None
    longest_wait: float | None
    half_waited: int | None
    most_waited: int | None
    tests: int
    tests_answered: int
    dead: bool
    cold: bool
    meets_standard: bool | None
    tests_judged: int
    explained_rate: float | None


def hour_of(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the beginning of an instant's hour by the city's clocks."""
    return at.astimezone(zone).replace(minute=0, second=0, microsecond=0)


def day_of(at: datetime, zone: ZoneInfo) -> str:
    """Return the day of an instant as YYYY-MM-DD in the city's time."""
    return f"{at.astimezone(zone):%Y-%m-%d}"


def count(hour: Hour, call: Call, standard: Standard) -> Hour:
    """Count one call of that line and hour."""
    if call.test_call:
        return replace(
            hour,
            tests=hour.tests + 1,
            tests_answered=hour.tests_answered + call.answered,
            tests_judged=hour.tests_judged + (call.explained is not None),
            tests_explained=hour.tests_explained + bool(call.explained),
        )
    place = bisect_left(WAITS, call.wait_seconds)
    return replace(
        hour,
        offered=hour.offered + 1,
        answered=hour.answered + call.answered,
        in_time=hour.in_time + (call.answered and call.wait_seconds <= standard.answer_seconds),
        abandoned=hour.abandoned + call.abandoned,
        wait_seconds=hour.wait_seconds + call.wait_seconds,
        longest_wait=max(hour.longest_wait, call.wait_seconds),
        waits=tuple(n + (i == place) for i, n in enumerate(hour.waits)),
    )


def measure(hours: Iterable[Hour], standard: Standard) -> Quality:
    """Measure what these hours came to.

    Source of the 15 s and of the connection rate of 95 %: GB/T 33358-2016 and Beijing's draft local standard of 2021.
    """
    known = list(hours)
    offered, answered, in_time, abandoned, tests, tests_answered = (
        sum(getattr(hour, name) for hour in known)
        for name in ("offered", "answered", "in_time", "abandoned", "tests", "tests_answered")
    )
    judged, explained = (sum(getattr(hour, name) for hour in known) for name in ("tests_judged", "tests_explained"))
    waits = [sum(hour.waits[i] for hour in known) for i in range(len(WAITS) + 1)]
    rate = answered / offered if offered else None
    dead = offered + tests > 0 and answered + tests_answered == 0
    return Quality(
        offered=offered,
        answered=answered,
        abandoned=abandoned,
        connection_rate=rate,
        answered_in_time_rate=in_time / offered if offered else None,
        abandonment_rate=abandoned / offered if offered else None,
        mean_wait=sum(hour.wait_seconds for hour in known) / offered if offered else None,
        longest_wait=max(hour.longest_wait for hour in known) if offered else None,
        half_waited=_within(waits, 0.5),
        most_waited=_within(waits, 0.95),
        tests=tests,
        tests_answered=tests_answered,
        dead=dead,
        cold=rate is not None and not dead and rate < standard.cold_below,
        meets_standard=rate >= standard.connection_rate if rate is not None else None,
        tests_judged=judged,
        explained_rate=explained / judged if judged else None,
    )


def _within(waits: list[int], share: float) -> int | None:
    """Return the first bound below which at least this share of the calls waited."""
    reached, wanted = 0, share * sum(waits)
    for bound, number in zip(WAITS, waits, strict=False):
        reached += number
        if reached and reached >= wanted:
            return bound
    return None


def span(period: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when a period, YYYY-MM-DD, YYYY-MM or YYYY in the city's time, begins and ends. Raises ValueError."""
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise ValueError("must be YYYY-MM-DD, YYYY-MM or YYYY")
    first = date(int(found["year"]), int(found["month"] or 1), int(found["day"] or 1))
    # An instant may be of another year in the city than where it was written.
    if not 1899 <= first.year <= 2200:
        raise ValueError("must lie in the years 1899 to 2200")
    return _midnight(first, zone), _midnight(_after(first, found), zone)


def _after(first: date, found: re.Match[str]) -> date:
    if found["day"]:
        return first + timedelta(days=1)
    if found["month"]:
        return (first + timedelta(days=31)).replace(day=1)
    return first.replace(year=first.year + 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
