"""Forecasts, once a day by one process of all: the record is counted, the coming weeks forecast, work proposed."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from libs.common.city.days import kinds_of
from services.feedback.domain.forecasts import Forecast, Matter
from services.feedback.forecasts import (
    LEAST_DAYS,
    MODEL,
    WEEKS,
    Counted,
    Measured,
    Outlook,
    Panel,
    kinds,
    measured,
    outlook,
    panel,
)
from services.feedback.handlers.around import Here
from services.feedback.handlers.averting import measure
from services.feedback.handlers.proposing import propose
from services.feedback.store import forecasts as store

LOOK_SECONDS = 600.0
SETTLED = timedelta(hours=1)
"""So long after midnight the day before is counted: what came in its last minutes is classified by then."""
DAY = timedelta(days=1)
RECOUNTED = 35 * DAY
"""So many days are counted anew each time, for what is ruled on or judged otherwise later."""
COUNTING = "forecasts"
"""What is held while days are counted."""
AT_ONCE = 7 * DAY
HISTORY = 760 * DAY
"""Two years and a month: as much as the season can be learned of."""
KEPT = 120 * DAY
TRIED = 4
"""The weeks before, each forecast from what was known when it began, for the error shown beside a forecast."""


async def forecast(here: Here) -> float:
    """Make the day's forecasts, propose work and measure its effect, unless that is done. A step of a job.

    Of a record that is too short for a forecast nothing is proposed either: nobody works by it yet.
    """
    now = here.clock.now()
    today = (now.astimezone(_zone(here)) - SETTLED).date()
    if await store.claim_run(here.database.pool, today, now):
        first = await _first(here, today)
        if today - first >= LEAST_DAYS * DAY:
            await store.save_run(here.database.pool, today, await make(here, first, today))
            await propose(here, today)
            await measure(here, now)
        await store.finish_run(here.database.pool, today, here.clock.now())
    return max(1.0, min(LOOK_SECONDS, here.clock.real_seconds(SETTLED)))


async def _first(here: Here, today: date) -> date:
    """Return the first day of the record that is looked at; today if there is none yet."""
    since = _midnight(here, today - HISTORY)
    return await store.first_day(here.database.pool, here.engine.city.timezone, since) or today


async def make(here: Here, first: date, today: date) -> int:
    """Forecast from all days from `first` to before `today`, keep that, and return how many series it is of."""
    pool = here.database.pool
    await _count(here, first, today)
    came = await store.series(pool, first, today)
    kind_of, _ = kinds_of(here.engine.city.policy.calendar.holidays)
    days = (today - first).days
    counted = [Counted(one.matter, one.days, one.appeals) for one in came]
    made = await asyncio.to_thread(lambda: list(_forecasts(counted, kinds(first, days + 7 * WEEKS, kind_of), today)))
    async with here.database.begin() as tx:
        await store.save_forecasts(tx, made)
        await store.forget_forecasts(tx, today - KEPT)
    return len(made)


async def _count(here: Here, first: date, today: date) -> None:
    """Count the days that were not counted yet, and the last of those that were, some at a time."""
    last = await store.last_counted(here.database.pool)
    day = first if last is None else max(first, last - RECOUNTED)
    while day < today:
        end = min(day + AT_ONCE, today)
        async with here.database.begin() as tx:
            # So that a run that lags does not count the same days at the same time.
            await tx.lock([COUNTING])
            span = (_midnight(here, day), _midnight(here, end))
            await store.count_days(tx, here.engine.city.timezone, (day, end), span)
        day = end


def _forecasts(counted: Sequence[Counted], of_days: "np.typing.NDArray[np.int64]", made_on: date) -> Iterator[Forecast]:
    whole = panel(counted, len(of_days) - 7 * WEEKS)
    if not whole.matters:
        return
    for number, part in enumerate(whole.parts()):
        said, tried = outlook(part.counts, part.parents, of_days), measured(part, of_days, TRIED)
        # The root stands in each part and is one series all the same.
        for row in range(0 if number == 0 else 1, len(part.matters)):
            yield _forecast(part, row, said, tried, made_on)


def _forecast(part: Panel, row: int, said: Outlook, tried: Measured, made_on: date) -> Forecast:
    matter, appeals = part.matters[row], tried.appeals[row]
    weeks = part.counts[row, -7 * WEEKS :].reshape(WEEKS, 7).sum(1)
    days = [_rounded(bounds[row]) for bounds in (said.days, said.days_low, said.days_high)]
    stretches = [_rounded(bounds[row]) for bounds in (said.weeks, said.weeks_low, said.weeks_high)]
    return Forecast(
        made_on=made_on, model=MODEL, l1=matter.l1, l2=matter.l2, code=matter.code, district=matter.district,
        days=days[0], days_low=days[1], days_high=days[2],
        weeks=stretches[0], weeks_low=stretches[1], weeks_high=stretches[2],
        usual=float(np.median(weeks)),
        tried=tried.weeks,
        wape=round(float(tried.error[row] / appeals), 4) if appeals else None,
        naive=round(float(tried.naive[row] / appeals), 4) if appeals else None,
        covered=round(float(tried.inside[row]), 4) if tried.weeks else None,
    )  # fmt: skip


def _rounded(values: "np.typing.NDArray[np.float64]") -> tuple[float, ...]:
    return tuple(round(float(value), 2) for value in values)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which forecasts are asked for: of a day, level and place (empty: the city), narrowed to `about` unless empty."""

    made_on: date
    level: str
    district: str
    about: str


async def seen(here: Here, asked: Asked, limit: int) -> tuple[list[Forecast], dict[Matter, dict[date, int]]]:
    """Return forecasts, and what came since of the same matters by day, up to yesterday."""
    pool = here.database.pool
    made = await store.forecasts(pool, asked.made_on, asked.level, asked.district, asked.about, limit)
    last = await store.last_counted(pool)
    until = min(asked.made_on + 7 * WEEKS * DAY, last + DAY if last else asked.made_on)
    if until <= asked.made_on or not made:
        return made, {}
    return made, await store.came(pool, asked.made_on, until, asked.level, asked.district, asked.about)


def _midnight(here: Here, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=_zone(here))


def _zone(here: Here) -> ZoneInfo:
    return here.engine.policy.timezone
