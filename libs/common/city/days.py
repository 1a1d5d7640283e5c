"""Which days people work and rest on in China: weekends, holidays, and weekends that are worked to make up for them.

The State Council names the days of a year in the autumn before it. For a year that is not named yet, the festivals by
the calendar are taken, and no day is made up for: a guess that must not stop anything.
"""

from datetime import date
from functools import lru_cache
from typing import Literal

import chinese_calendar
from holidays import country_holidays

DayKind = Literal["work", "rest", "holiday"]
"""A day of work, an ordinary weekend, a public holiday with the days off around it."""

_FESTIVALS = country_holidays("CN")


@lru_cache(maxsize=1024)
def kind_of_day(day: date) -> DayKind:
    """Return what kind of day a date is."""
    try:
        off, festival = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        off, festival = day in _FESTIVALS or day.weekday() >= 5, day in _FESTIVALS
    if not off:
        return "work"
    return "holiday" if festival else "rest"
