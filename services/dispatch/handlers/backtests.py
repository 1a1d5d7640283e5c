"""Backtests: what rules, or another catalogue, would have moved, found out beside the loop, some tickets at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from libs.common.messaging.ids import first_id
from libs.common.runtime.database import alone
from libs.common.versions import UnknownVersionError
from services.dispatch.domain import Decision
from services.dispatch.domain.backtests import Backtest, Owner, Tally, under
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.jobs import failed
from services.dispatch.handlers.rules import compiled
from services.dispatch.routing import Index
from services.dispatch.routing.router import LEARNED
from services.dispatch.store import backtests as store
from services.dispatch.store.deciding import decided
from services.dispatch.store.rules import RULES

POLL_SECONDS = 2.0
AT_ONCE = 500


async def request_backtest(
    here: Here, version: str, since: datetime, until: datetime, owners: Mapping[str, Owner], by: str
) -> Backtest:
    """Ask what rules would have moved. Raises UnknownVersionError."""
    if await RULES.of(here.database.pool, version) is None:
        raise UnknownVersionError(RULES.unknown)
    asked = Backtest(here.clock.new_id(), version, since, until, owners, by, "waiting", here.clock.now())
    await store.save_backtest(here.database.pool, asked)
    return asked


async def do_backtests(here: Here) -> float:
    """Do the backtests that were asked for, one at a time. One that lost its process is begun anew."""
    pool = here.database.pool
    if await store.waiting_backtest(pool) is None:
        return POLL_SECONDS
    async with alone(pool, store.BACKTEST_LOCK) as leads:
        waiting = await store.waiting_backtest(pool) if leads else None
        if waiting is None:
            return POLL_SECONDS
        try:
            ended = await _done(here, waiting)
        except Exception as error:  # noqa: BLE001 whatever it is, those behind it are not to wait for it
            ended = failed(waiting, error, here.clock.now())
        await store.save_backtest(pool, ended)
    return 0


async def _done(here: Here, asked: Backtest) -> Backtest:
    pool, tally = here.database.pool, Tally()
    index = await compiled(here, asked.version)
    behind = first_id(asked.from_at)
    while batch := await decided(pool, behind, asked.until_at, AT_ONCE):
        await asyncio.to_thread(route_again, index, asked.owners, batch, tally)
        behind = batch[-1].decision_id
        await store.save_backtest(pool, replace(asked, read=tally.tickets))
    ended = here.clock.now()
    return replace(asked, state="done", ended_at=ended, read=tally.tickets, report=tally.report)


def route_again(index: Index, owners: Mapping[str, Owner], batch: Sequence[Decision], tally: Tally) -> None:
    """Route tickets once more, each at the moment it was routed, and count what would move.

    What the second opinion led by is not known any more, so what it led it still leads.
    """
    for decision in batch:
        if decision.rule == LEARNED:
            tally.add(decision, decision.unit, LEARNED, unmeasured=True)
            continue
        matter = under(decision.matter, owners)
        choice = index.choose(matter, decision.at, {})
        asked = index.asked_loads(matter, decision.at, choice)
        tally.add(decision, choice.lead.code, choice.rule.id, unmeasured=asked)
