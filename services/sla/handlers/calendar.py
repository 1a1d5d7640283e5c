"""Days that are worked otherwise, set by hand, and clocks that count by another calendar than when they began."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib import metadata
from zoneinfo import ZoneInfo

import structlog

from libs.common.city.days import kinds_of, read_hours
from libs.common.city.pack import City
from libs.common.messaging.transaction import Tx
from services.sla.calendar import A_DAY, NOTHING, Calendar, Hours
from services.sla.domain.days import DayEntry, overridden
from services.sla.handlers.around import Here
from services.sla.handlers.following import react
from services.sla.handlers.memory import MEMORY
from services.sla.store import calendar as store

POLL_SECONDS = 2.0
BATCH = 500
SUBJECT = "calendar"
"""What is locked by whoever sets a day."""

log = structlog.get_logger(__name__)


def calendar_of(city: City, entries: Sequence[DayEntry] = ()) -> Calendar:
    """Return the calendar of a city, with the days that people set."""
    office = city.policy.calendar
    kind, is_known = kinds_of(office.holidays)
    days, usual = overridden(city.calendar, entries), office.spans

    def hours(day: date) -> Hours:
        if day in days:
            return read_hours(days[day])
        what, weekday = kind(day), day.isoweekday()
        # A weekend that is worked makes up for a holiday; other weekends are as the city has them.
        works = what != "holiday" and (weekday in office.weekdays or (what == "work" and weekday > 5))
        return usual if works else ()

    version = f"{basis_of(city)}-{len(entries)}"
    return Calendar(ZoneInfo(city.timezone), hours, is_known, version, office.runs_out)


def working_day(city: City) -> timedelta:
    """Return how long a usual day of work is: what a limit of whole days of working time is made of."""
    a_day = date(2000, 1, 1)
    spans = ((datetime.combine(a_day, o), datetime.combine(a_day, c)) for o, c in city.policy.calendar.spans)
    return sum((closes - opens + (A_DAY if closes <= opens else NOTHING) for opens, closes in spans), NOTHING)


def basis_of(city: City) -> str:
    """Return what changes with the days and hours that this release and this pack know, before people set any."""
    office = city.policy.calendar
    libraries = [metadata.version(name) for name in ("chinesecalendar", "holidays")]
    said = (
        city.timezone, office.spans, office.weekdays, office.holidays, office.runs_out, sorted(city.calendar.items()),
        libraries,
    )  # fmt: skip
    return hashlib.sha256(repr(said).encode()).hexdigest()[:8]


async def set_day(
    tx: Tx, here: Here, day: date, hours: tuple[str, ...] | None, reason: str, by: str
) -> DayEntry:  # fmt: skip
    """Say how a day is worked: by these hours, not at all if there are none, or as the calendar has it (None)."""
    await tx.lock([SUBJECT])
    entry = DayEntry(here.clock.new_id(), day, hours, reason, by, tx.now)
    await store.add_entry(tx, entry)
    return entry


async def keep_calendar(here: Here) -> float:
    """Follow the days that people set, and bring the clocks that hang on them up to what is known now."""
    pool, city = here.database.pool, here.engine.city
    own = here.engine.book.calendar.version.partition("-")[0]
    if not here.engine.calendar_brought:
        await store.set_basis(pool, own)
        here.engine = replace(here.engine, calendar_brought=True)
    if f"{own}-{await store.count_entries(pool)}" != here.engine.book.calendar.version:
        calendar = await asyncio.to_thread(calendar_of, city, await store.day_entries(pool))
        book, telling = here.engine.book, here.engine.telling
        here.engine = replace(
            here.engine, book=replace(book, calendar=calendar), telling=replace(telling, works_on=calendar.works_on)
        )
        log.info("counting by", calendar=calendar.version)
    # While a release is rolled out only the newer calendar counts anew, or clocks would be moved to and fro.
    if await store.basis(pool) == own and await _recount(here):
        return 0
    return POLL_SECONDS


async def _recount(here: Here) -> int:
    """Bring a batch of tickets up to the calendar and return how many they were."""
    tickets = await store.counted_otherwise(here.database.pool, here.engine.book.calendar.version, BATCH)
    if tickets:
        async with here.database.begin() as tx:
            await tx.lock(map(str, tickets))
            await react(tx, here, {str(id_): MEMORY.of(tx, str(id_)) for id_ in tickets})
    return len(tickets)
