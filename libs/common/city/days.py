"""Which days people work and rest on: weekends, holidays, and in China weekends that are worked to make up for them.

The State Council names the days of a year in the autumn before it. For a year that is not named yet, the festivals by
the calendar are taken, and no day is made up for: a guess that must not stop anything.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, time
from functools import lru_cache
from typing import Literal

import chinese_calendar
from holidays import country_holidays

DayKind = Literal["work", "rest", "holiday"]
"""A day of work, an ordinary weekend, a public holiday with the days off around it."""

CHINA = "CN"
_SPAN = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d|24:00)")
_FESTIVALS = country_holidays(CHINA)


@lru_cache(maxsize=1024)
def kind_of_day(day: date) -> DayKind:
    """Return what kind of day a date is."""
    try:
        off, festival = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        # So chinese_calendar says that a day lies outside the years it knows.
        off, festival = day in _FESTIVALS or day.weekday() >= 5, day in _FESTIVALS
    if not off:
        return "work"
    return "holiday" if festival else "rest"


def is_known_year(year: int) -> bool:
    """Whether the State Council's days of a year are known, rather than guessed."""
    return bool(min(chinese_calendar.holidays).year <= year <= max(chinese_calendar.holidays).year)


@lru_cache(maxsize=64)
def kinds_of(place: str) -> tuple[Callable[[date], DayKind], Callable[[int], bool]]:
    """Return what tells the kind of a day somewhere, and of which years it is known.

    `place` is a country, or a part of one such as US-MA (ISO 3166), by whose laws the holidays of any year are known;
    empty is a place that keeps none. Raises ValueError for one of which nobody knows the holidays.
    """
    if place == CHINA:
        return kind_of_day, is_known_year
    country, _, part = place.partition("-")
    try:
        festivals = country_holidays(country, subdiv=part or None) if place else {}
    except NotImplementedError as unknown:
        raise ValueError("should be a country or a part of one, such as CN or US-MA, or empty") from unknown

    def kind(day: date) -> DayKind:
        if day in festivals:
            return "holiday"
        return "rest" if day.weekday() >= 5 else "work"

    return kind, lambda _: True


def read_hours(spans: Iterable[str]) -> tuple[tuple[time, time], ...]:
    """Return the times of spans such as 09:00-12:00; 24:00 ends a day and is read as 00:00. Raises ValueError."""
    read: list[tuple[time, time]] = []
    before = "00:00"
    for span in spans:
        found = _SPAN.fullmatch(span)
        if not found or not before <= found[1] < found[2]:
            raise ValueError("hours should rise, in spans such as 09:00-12:00 and 13:00-18:00; a day ends at 24:00")
        opens, before = found.groups()
        read.append((time.fromisoformat(opens), time.fromisoformat("00:00" if before == "24:00" else before)))
    return tuple(read)
