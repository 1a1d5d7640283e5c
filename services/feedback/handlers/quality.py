"""The index of process quality: fitted anew each month on what was answered, counted for units each day."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from services.feedback.domain.periods import before, month_of
from services.feedback.domain.quality import Model
from services.feedback.handlers.around import Here
from services.feedback.quality import Answers, fitted
from services.feedback.store import quality as store
from services.feedback.store.turns import turn

LOOK = timedelta(minutes=10)
EVERY = timedelta(days=1)
STALE = timedelta(days=30)
"""A model so old is fitted anew."""


async def measure_quality(here: Here) -> float:
    """Fit and count if it is time and no other process does. A step of a job; returns the seconds to the next."""
    now = here.clock.now()
    async with turn(here.database.pool, "quality", EVERY, now) as mine:
        if mine:
            await _measure(here, now)
    return max(1.0, here.clock.real_seconds(LOOK))


async def _measure(here: Here, now: datetime) -> None:
    model = await store.last_model(here.database.pool)
    if model is None or now - model.made_at >= STALE or model.features != store.NAMES:
        model = await fit(here) or model
    if model:
        await count(here, model)


async def fit(here: Here) -> Model | None:
    """Fit a model on the answers there are and keep it as the next version; None where they are too few."""
    now = here.clock.now()
    rows = await store.answers(here.database.pool, now)
    last = await store.last_model(here.database.pool)
    model = await asyncio.to_thread(lambda: fitted(_answers(rows), last.version + 1 if last else 1, now))
    if model:
        async with here.database.begin() as tx:
            await store.save_model(tx, model)
    return model


async def count(here: Here, model: Model) -> None:
    """Judge the rounds of this month and the one before, unit by unit."""
    now, zone = here.clock.now(), here.engine.policy.timezone
    month = month_of(now, zone)
    for period in (before(month), month):
        async with here.database.begin() as tx:
            await store.count_units(tx, model, period.name, period.span(zone), now)


def _answers(rows: Sequence[Any]) -> Answers:
    tickets = {ticket: number for number, ticket in enumerate(sorted({row["ticket_id"] for row in rows}))}
    units = {unit: number for number, unit in enumerate(sorted({row["unit_code"] for row in rows}))}
    values = [[np.nan if row[name] is None else row[name] for name in store.NAMES] for row in rows]
    return Answers(
        store.NAMES, np.array(values, dtype=float).reshape(len(rows), len(store.NAMES)),
        np.array([float(row["solved"]) for row in rows]),
        np.array([tickets[row["ticket_id"]] for row in rows], dtype=np.int64),
        np.array([units[row["unit_code"]] for row in rows], dtype=np.int64),
    )  # fmt: skip
