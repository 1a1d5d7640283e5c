"""Which kind of day each day is, for the model: people appeal otherwise on a Monday, and in a long holiday hardly."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from libs.common.city.days import DayKind

HOLIDAY, LONG_HOLIDAY, BACK, MADE_UP = 7, 8, 9, 10
"""After the seven weekdays: a day of a holiday, of one of at least LONG days off, the first day of work behind either,
and a weekend that is worked to make up for it."""
KINDS = 11
LIKE = {HOLIDAY: 6, LONG_HOLIDAY: 6, BACK: 0, MADE_UP: 4}
"""The weekday that each of them is most like."""
LONG = 5
_DAY = timedelta(days=1)


def kinds(first: date, days: int, kind_of: Callable[[date], DayKind]) -> npt.NDArray[np.int64]:
    """Return the kind of each of so many days, from 0 (Monday) to KINDS - 1."""
    return np.array([_kind(first + step * _DAY, kind_of) for step in range(days)], dtype=np.int64)


def _kind(day: date, kind_of: Callable[[date], DayKind]) -> int:
    kind = kind_of(day)
    if kind == "holiday":
        return LONG_HOLIDAY if _days_off(day, kind_of) >= LONG else HOLIDAY
    if kind == "work" and day.weekday() >= 5:
        return MADE_UP
    if kind == "work" and _follows_holiday(day, kind_of):
        return BACK
    return day.weekday()


def _follows_holiday(day: date, kind_of: Callable[[date], DayKind]) -> bool:
    """Whether the days off right before a day have a holiday among them."""
    before = day - _DAY
    while kind_of(before) == "rest":
        before -= _DAY
    return kind_of(before) == "holiday"


def _days_off(day: date, kind_of: Callable[[date], DayKind]) -> int:
    """Return how many days off in a row a day is one of."""
    first = last = day
    while kind_of(first - _DAY) != "work":
        first -= _DAY
    while kind_of(last + _DAY) != "work":
        last += _DAY
    return (last - first).days + 1
