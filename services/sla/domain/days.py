"""Days that are worked otherwise than the calendar has it, as people set them one after the other."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from libs.common.city.overrides import Overrides


@dataclass(frozen=True, slots=True)
class DayEntry:
    """What somebody said of a day: its hours, none for a day of rest; None that it is as the calendar has it."""

    entry_id: UUID
    day: date
    hours: tuple[str, ...] | None
    reason: str
    by: str
    made_at: datetime


def overridden(pack: Overrides, entries: Iterable[DayEntry]) -> Overrides:
    """Return the days of a pack as the entries, in their order, leave them."""
    days: dict[date, tuple[str, ...] | None] = {**pack, **{entry.day: entry.hours for entry in entries}}
    return {day: hours for day, hours in days.items() if hours is not None}
