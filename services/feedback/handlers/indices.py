"""Indices of districts: counted by a job each day for the months whose answers still come in, made when asked for."""

from collections.abc import Sequence
from datetime import timedelta

from libs.common.city.problems import Problems
from libs.common.messaging.transaction import Tx
from services.feedback.domain.coverage import read_coverage
from services.feedback.domain.indices import Coverage, Index, indices
from services.feedback.domain.periods import Period, before, month_of
from services.feedback.handlers.around import Here
from services.feedback.store import coverage as coverage_store
from services.feedback.store import indices as store
from services.feedback.store.turns import turn

LOOK = timedelta(minutes=10)
EVERY = timedelta(days=1)
MONTHS = 3
"""This month and those before it of which answers still come."""


async def count_indices(here: Here) -> float:
    """Count if it is time and no other process does. A step of a job; returns the seconds to the next."""
    now = here.clock.now()
    async with turn(here.database.pool, "indices", EVERY, now) as mine:
        period = month_of(now, here.engine.policy.timezone)
        for _ in range(MONTHS if mine else 0):
            async with here.database.begin() as tx:
                await store.count(tx, period.name, period.span(here.engine.policy.timezone), now)
            period = before(period)
    return max(1.0, here.clock.real_seconds(LOOK))


async def made(here: Here, period: Period) -> list[Index]:
    """Return the indices of a month, by what was counted of it."""
    pool, city = here.database.pool, here.engine.city
    counts = await store.counts(pool, period.name)
    return indices(counts, city.indices, city.population, await coverage_store.last(pool, period.after))


async def bring_in(tx: Tx, here: Here, content: bytes, by: str) -> Sequence[Coverage]:
    """Keep the figures of a file, all of them. Raises CityError that names each wrong cell, and keeps none then."""
    problems = Problems()
    districts = {unit.district for unit in here.engine.city.units.values() if unit.kind == "district" and unit.district}
    today = tx.now.astimezone(here.engine.policy.timezone).date()
    figures = read_coverage(content, here.engine.city.indices.by_code, districts, today, problems)
    problems.raise_if_any()
    await coverage_store.save(tx, figures, by)
    return figures
