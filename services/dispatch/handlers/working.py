"""The lead's work on its order, and the hands that move it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.common.contracts.dispatch import ReplyFault
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal
from services.dispatch import store
from services.dispatch.domain import (
    Command,
    Order,
    Step,
    Task,
    appealed,
    reassign,
    reply_faults,
    reply_words,
    resolve,
)
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.holding import chosen, held, keep
from services.dispatch.handlers.seeing import viewer
from services.dispatch.handlers.wording import redacted


async def command(
    tx: Tx, here: Here, who: Principal, ticket_id: UUID, name: Command, act: Callable[[Order, datetime], Step]
) -> Order:
    """Do to an order what its lead may. Raises NotPossibleError if its state forbids it, Problem 403 to others."""
    order, _ = await held(tx, here, who, ticket_id, name)
    return await keep(tx, here, act(order, tx.now))


@dataclass(frozen=True, slots=True)
class Checked:
    """An order with what was found of a reply to it, and what others still owe on it."""

    order: Order
    faults: tuple[ReplyFault, ...]
    owed: tuple[Task, ...]


async def check_reply(tx: Tx, here: Here, who: Principal, ticket_id: UUID, reply: str) -> Checked:
    """Hold an order that this key may resolve, and say what a reply to it lacks; nothing is changed."""
    order, _ = await held(tx, here, who, ticket_id, "resolve")
    tasks = (await store.tasks_of(tx.connection, [ticket_id])).get(ticket_id, ())
    faults = reply_faults(redacted(here, reply), appealed(order), here.engine.names)
    return Checked(order, faults, tuple(task for task in tasks if task.owed))


async def resolve_with(tx: Tx, here: Here, who: Principal, ticket_id: UUID, reply: str) -> Checked:
    """Resolve an order with a reply. What it lacks does not stop it: the citizen judges, and who scores is told."""
    checked = await check_reply(tx, here, who, ticket_id, reply)
    evidence = await store.count_files(tx, ticket_id)
    said = redacted(here, reply)
    owed, words = len(checked.owed), reply_words(said)
    step = resolve(checked.order, said, tx.now, checked.faults, evidence, owed, words)
    return Checked(await keep(tx, here, step), checked.faults, checked.owed)


async def reassign_to(tx: Tx, here: Here, who: Principal, ticket_id: UUID, unit: str, note: str) -> Order:
    """Move an order to the unit a person chose. Raises Problem 403 where that would pass it off, or by a ruling."""
    order, matter = await held(tx, here, who, ticket_id, "reassign")
    to = chosen(here, unit, "reassigned", note, matter)
    await _check_hand(tx, here, who, order, to.unit.code)
    return await keep(tx, here, reassign(order, to, tx.now))


async def _check_hand(tx: Tx, here: Here, who: Principal, order: Order, unit: str) -> None:
    """Let who supervises only some units neither undo a ruling, nor send their own unit's order out of their reach."""
    if not who.units:
        return
    returns = (await store.returns_of(tx.connection, [order.ticket_id])).get(order.ticket_id, ())
    if any(one.ruled for one in returns):
        raise Problem(403, "a ruling says who leads this order: only a supervisor of all units moves it")
    if order.unit_code in who.units and not viewer(here, who).oversees(unit):
        raise Problem(403, "a unit hands its order to units under it only; return it, or ask the centre")
