"""Handing over in batches: how far it came is kept with each, so what was killed goes on from there."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import alone
from services.dispatch import store
from services.dispatch.domain import Classified, Order, Step, without_words
from services.dispatch.domain.handovers import Handover, hand_over, may_go
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.assigning import Moved, keep_up
from services.dispatch.handlers.deciding import note_decisions
from services.dispatch.handlers.following import MEMORY
from services.dispatch.handlers.jobs import failed
from services.dispatch.store.handovers import HANDOVER_LOCK, concerned, next_orders, save_handover, waiting_handover

POLL_SECONDS = 2.0
AT_ONCE = 200
RULE = "handover"
"""What stands in place of a rule where an order was handed over."""


async def request_handover(here: Here, asked: Handover, *, dry_run: bool) -> tuple[Handover, dict[str, int]]:
    """Ask for a handover, and return it with how many orders of each question it concerns now."""
    pool = here.database.pool
    codes = await concerned(pool, asked)
    asked = replace(asked, found=sum(codes.values()))
    if not dry_run:
        await save_handover(pool, asked)
    return asked, codes


async def do_handovers(here: Here) -> float:
    """Do the handovers that were asked for, one at a time, a batch a step."""
    pool = here.database.pool
    if await waiting_handover(pool) is None:
        return POLL_SECONDS
    async with alone(pool, HANDOVER_LOCK) as leads:
        waiting = await waiting_handover(pool) if leads else None
        if waiting is None:
            return POLL_SECONDS
        try:
            await _next(here, waiting)
        except Exception as error:  # noqa: BLE001 whatever it is, those behind it are not to wait for it
            await save_handover(pool, failed(waiting, error, here.clock.now()))
    return 0


async def _next(here: Here, handover: Handover) -> None:
    tickets = await next_orders(here.database.pool, handover, AT_ONCE)
    async with here.database.begin() as tx:
        await _hand_over(tx, here, handover, tickets)


async def _hand_over(tx: Tx, here: Here, handover: Handover, tickets: Sequence[UUID]) -> None:
    """Move some orders and note how far it came; without any left it is done."""
    if not tickets:
        await save_handover(tx.connection, replace(handover, state="done", ended_at=tx.now))
        return
    await tx.lock(map(str, tickets))
    orders = await store.orders_of(tx, tickets)
    going = [orders[id_] for id_ in sorted(orders) if may_go(orders[id_], handover)]
    made = [moved for order in going if (moved := _moved(tx, here, handover, order))]
    await _keep(tx, here, made)
    await save_handover(tx.connection, replace(handover, behind=tickets[-1], moved=handover.moved + len(made)))


def _moved(tx: Tx, here: Here, handover: Handover, order: Order) -> tuple[Step, Classified, bool] | None:
    facts = MEMORY.of(tx, str(order.ticket_id))
    if facts.classified is None:
        return None
    router = here.engine.router
    why = router.reason(RULE, note=handover.note)
    route = router.chosen(handover.to_unit, RULE, why, facts.classified.matter, tx.now)
    if route is None or route.unit.code == order.unit_code:
        return None
    moved, events = hand_over(order, route, tx.now)
    if facts.wordless:
        moved, events = moved.without_words, without_words(events)
    return (moved, events), facts.classified, facts.wordless


async def _keep(tx: Tx, here: Here, made: Sequence[tuple[Step, Classified, bool]]) -> None:
    """Store all of them in one statement each: orders, decisions, and what others owe to them."""
    await store.save(tx, [order for (order, _), _, _ in made])
    await note_decisions(tx, here, [(order, known, events) for (order, events), known, _ in made])
    for (order, events), _, _ in made:
        for event in events:
            tx.emit(str(order.ticket_id), event)
    await keep_up(tx, here, [Moved(order, order, told=False, wordless=wordless) for (order, _), _, wordless in made])
