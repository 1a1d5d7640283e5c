"""The calendar: which days are worked and when, and days to set otherwise."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from libs.common.city.days import read_hours
from libs.common.runtime.http import Body, Redacted
from libs.common.runtime.problems import wrong_field
from libs.common.versions.http import Changes
from services.sla.api.around import Context, Reader
from services.sla.calendar import Hours
from services.sla.domain.days import DayEntry
from services.sla.handlers import calendar
from services.sla.store import calendar as store

router = APIRouter()
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
MOST_DAYS = 400


class DayView(BaseModel):
    """One day: when it is worked, in the city's time, never if there are no hours. `provisional`: it is a guess."""

    day: date
    hours: list[str]
    provisional: bool


class EntryView(BaseModel):
    """What somebody said of a day; no hours are a day of rest, null that it is as the calendar has it."""

    model_config = ConfigDict(from_attributes=True)
    entry_id: UUID
    day: date
    hours: list[str] | None
    reason: str
    by: str
    made_at: datetime


class DayCommand(Body):
    """By which hours a day is worked, such as 09:00-12:00; not at all if there are none; and why."""

    hours: Annotated[tuple[Annotated[str, Field(max_length=11)], ...], Field(max_length=24)] = ()
    reason: Redacted


@router.get("/calendar")
async def show_calendar(
    here: Context,
    _: Reader,
    since: Annotated[Day, Query(alias="from", description="The first day.")],
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="How many days from then on.")] = 31,
) -> list[DayView]:
    """Show which days are worked, and when."""
    now = here.engine.book.calendar
    wanted = (since + timedelta(days=number) for number in range(days))
    return [DayView(day=day, hours=_written(now.hours(day)), provisional=not now.is_known(day.year)) for day in wanted]


@router.get("/calendar/entries")
async def list_entries(here: Context, _: Reader) -> list[EntryView]:
    """List all that people said of days, the last first: who, when and why."""
    return [EntryView.model_validate(entry) for entry in reversed(await store.day_entries(here.database.pool))]


@router.put("/calendar/{day}")
async def set_day(here: Context, who: Changes, day: Annotated[Day, Path()], said: DayCommand) -> EntryView:
    """Have a day worked otherwise than the calendar has it. Clocks that count working time are counted anew."""
    try:
        read_hours(said.hours)
    except ValueError as wrong:
        raise wrong_field("hours", str(wrong)) from wrong
    return await _say(here, who, day, said.hours, said.reason)


@router.delete("/calendar/{day}")
async def unset_day(
    here: Context, who: Changes, day: Annotated[Day, Path()], reason: Annotated[Redacted, Query()]
) -> EntryView:  # fmt: skip
    """Have a day worked as the calendar has it."""
    return await _say(here, who, day, None, reason)


async def _say(here: Context, who: Changes, day: date, hours: tuple[str, ...] | None, reason: str) -> EntryView:
    async with here.database.begin() as tx:
        entry: DayEntry = await calendar.set_day(tx, here, day, hours, reason, who.name)
    here.loops["calendar"].wake()
    return EntryView.model_validate(entry)


def _written(spans: Hours) -> list[str]:
    return [f"{opens:%H:%M}-{_end(f'{closes:%H:%M}')}" for opens, closes in spans]


def _end(closes: str) -> str:
    return "24:00" if closes == "00:00" else closes
