"""From the marks of a time to its beginning and its end."""

from datetime import datetime, timedelta

from services.classify.facts.rows import Row

_POINT = timedelta(hours=1)
"""How long a time of the clock lasts that was told alone."""


def settled(row: Row, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return from when until when, None where the words leave it open. What goes on from a time on has no end."""
    if row.exact:
        return row.exact
    if row.first is None and not row.clock and not row.part:
        return None, None
    start, end = _bounds(row, now)
    return start, None if row.onward and not row.to else end


def _bounds(row: Row, now: datetime) -> tuple[datetime, datetime]:
    first = row.first or now.date()
    last = row.last or first
    midnight = now.replace(year=first.year, month=first.month, day=first.day, hour=0, minute=0, second=0, microsecond=0)
    final = midnight + (last - first)
    if row.clock:
        start = midnight + timedelta(hours=row.clock[0])
        end = final + timedelta(hours=row.clock[1]) if len(row.clock) > 1 else start + _POINT
    elif row.part:
        start, end = midnight + timedelta(hours=row.part[0]), final + timedelta(hours=row.part[1])
    else:
        start, end = midnight, final + timedelta(days=1)
    if row.first is None and start > now:
        return start - timedelta(days=1), end - timedelta(days=1)
    return start, end
