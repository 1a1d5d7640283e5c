"""How busy units are: counted by day once an hour, looked at twice a minute for the rules, and shown when asked."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from libs.common.city.days import kinds_of
from services.dispatch.domain import Load
from services.dispatch.domain.loads import PACE_DAYS, PROFILE_DAYS, Day, Kinds, Work, pace, work
from services.dispatch.handlers.around import Here
from services.dispatch.store import loads as store

LOOK_SECONDS = 30.0
COUNT_EVERY = timedelta(hours=1)
COUNTED_DAYS = 3
"""What is told late, or counted while a day was not over, is put right within these."""


async def keep_loads(here: Here) -> float:
    """Bring what rules know of loads up to now, where any rule asks; one process of all counts the days before."""
    pool, now = here.database.pool, here.clock.now()
    if await store.claim_count(pool, now, now - COUNT_EVERY):
        await count_days(here, now)
    if not here.engine.router.schedule.by_load:
        return LOOK_SECONDS
    today = _today(here, now)
    days = await store.unit_days(pool, None, today - timedelta(days=PACE_DAYS), today)
    paces = await asyncio.to_thread(_paces, days, today, _kinds(here))
    open_ = await store.open_orders(pool)
    here.engine.router.loads = {unit: Load(open_.get(unit, 0), paces.get(unit)) for unit in open_.keys() | paces.keys()}
    return LOOK_SECONDS


def _paces(days: Mapping[str, Sequence[Day]], today: date, kind_of: Kinds) -> dict[str, float | None]:
    return {unit: pace(mine, today, kind_of) for unit, mine in days.items()}


async def count_days(here: Here, now: datetime) -> None:
    """Count the last days anew."""
    for back in range(COUNTED_DAYS):
        day = _today(here, now) - timedelta(days=back)
        async with here.database.begin() as tx:
            await store.count_day(tx, day, _midnight(here, day), _midnight(here, day + timedelta(days=1)))


async def work_of(here: Here, units: Sequence[str] | None) -> dict[str, Work]:
    """Return the work of units, of all that have any if None."""
    pool, now = here.database.pool, here.clock.now()
    today = _today(here, now)
    open_ = await store.open_of(pool, units, now)
    days = await store.unit_days(pool, units, today - timedelta(days=PROFILE_DAYS), today)
    names = sorted(units if units is not None else open_.keys() | days.keys())
    kind_of = _kinds(here)
    return await asyncio.to_thread(
        lambda: {name: work(open_.get(name, ()), days.get(name, ()), today, kind_of) for name in names}
    )


def _kinds(here: Here) -> Kinds:
    return kinds_of(here.engine.router.city.policy.calendar.holidays)[0]


def _today(here: Here, now: datetime) -> date:
    return now.astimezone(_zone(here)).date()


def _midnight(here: Here, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=_zone(here))


def _zone(here: Here) -> ZoneInfo:
    return ZoneInfo(here.engine.router.city.timezone)
