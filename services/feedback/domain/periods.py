"""Periods of the calendar in the city's time: a day, a week, a month, a quarter, a year, and the one before each."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PATTERN = r"^[0-9]{4}(-(0[1-9]|1[0-2])(-[0-9]{2})?|-W[0-9]{2}|-Q[1-4])?$"
"""How a period is written: 2026, 2026-Q4, 2026-11, 2026-W45 (ISO 8601, weeks begin on Monday), 2026-11-03."""
MONTH = r"^[0-9]{4}-(0[1-9]|1[0-2])$"


@dataclass(frozen=True, slots=True)
class Period:
    """A period by its name, from the day `first` to the day before `after`."""

    name: str
    first: date
    after: date

    def span(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return its begin and its end, which is excluded, as instants in UTC."""
        begin, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (self.first, self.after))
        return begin, end


def period_of(name: str) -> Period:
    """Return the period of a name. Raises ValueError, saying what would be right, for one there is not."""
    if not re.fullmatch(PATTERN, name):
        raise ValueError("must be written like 2026, 2026-Q4, 2026-11, 2026-W45 or 2026-11-03")
    try:
        return Period(name, *_days(name))
    except (ValueError, OverflowError) as nowhere:
        raise ValueError("must be a period of the years 1900 to 2199 that the calendar has") from nowhere


def _days(name: str) -> tuple[date, date]:
    year, _, rest = name.partition("-")
    if int(year) not in range(1900, 2200):
        raise ValueError
    if rest.startswith("W"):
        monday = date.fromisocalendar(int(year), int(rest[1:]), 1)
        return monday, monday + timedelta(days=7)
    if len(rest) > 2:
        day = date.fromisoformat(name)
        return day, day + timedelta(days=1)
    first, months = (int(rest[1:]) * 3 - 2, 3) if rest.startswith("Q") else (int(rest or 1), 1 if rest else 12)
    return date(int(year), first, 1), _month(int(year), first + months)


def _month(year: int, month: int) -> date:
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def month_of(at: datetime, zone: ZoneInfo) -> Period:
    """Return the month of a moment."""
    return period_of(f"{at.astimezone(zone):%Y-%m}")


def before(period: Period) -> Period:
    """Return the period of the same kind that ends where this one begins."""
    last = period.first - timedelta(days=1)
    rest = period.name[5:]
    if not rest:
        return period_of(f"{last.year}")
    if rest.startswith("W"):
        iso = last.isocalendar()
        return period_of(f"{iso.year}-W{iso.week:02}")
    if rest.startswith("Q"):
        return period_of(f"{last.year}-Q{(last.month + 2) // 3}")
    return period_of(last.isoformat() if len(rest) > 2 else f"{last:%Y-%m}")
