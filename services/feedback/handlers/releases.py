"""Releases: a month is put together once, a while after its end, by one process."""

import asyncio
from datetime import timedelta

from libs.common.messaging.transaction import Tx
from services.feedback.domain.periods import Period, before, month_of
from services.feedback.domain.releases import Release, cells
from services.feedback.handlers.around import Here
from services.feedback.store import releases as store

LOOK = timedelta(hours=1)


async def release_due(here: Here) -> float:
    """Put the last month together that is settled. A step of a job; returns the seconds to the next look."""
    period = last_settled(here)
    if await store.release_of(here.database.pool, period.name) is None:
        await release(here, period)
    return max(1.0, here.clock.real_seconds(LOOK))


def last_settled(here: Here) -> Period:
    """Return the last month that can be told of."""
    settled = here.engine.city.extracts.settled
    return before(month_of(here.clock.now() - settled, here.engine.policy.timezone))


async def release(here: Here, period: Period) -> Release:
    """Put a month together if it is not yet, and return it. One of which the record has nothing stays open."""
    async with here.database.begin() as tx:
        await tx.lock([f"release:{period.name}"])
        return await store.release_of(tx.connection, period.name) or await _make(tx, here, period)


async def _make(tx: Tx, here: Here, period: Period) -> Release:
    came = told = 0
    zone, rules = here.engine.policy.timezone, here.engine.city.extracts
    kinds = here.engine.measures.kinds
    async for category, appeals in store.appeals(tx, period.span(zone), zone.key, kinds):
        # A category of a large city has some hundred thousand appeals, whom no request should wait for.
        made = await asyncio.to_thread(cells, period.name, appeals, rules.k_of(category))
        await store.save_cells(tx, made)
        came += len(appeals)
        told += sum(cell.appeals for cell in made)
    made_of = Release(period.name, tx.now, came, told)
    if came:
        await store.save_release(tx, made_of)
    return made_of
