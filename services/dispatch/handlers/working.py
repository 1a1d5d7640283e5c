"""The lead's work on its order, and the hands that move it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.common.contracts.dispatch import ReplyFault
from libs.common.messaging.transaction import Tx
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
    resolve,
)
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.holding import chosen, held, keep


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
    faults = reply_faults(reply, appealed(order), here.engine.names)
    return Checked(order, faults, tuple(task for task in tasks if task.owed))


async def resolve_with(tx: Tx, here: Here, who: Principal, ticket_id: UUID, reply: str) -> Checked:
    """Resolve an order with a reply. What it lacks does not stop it: the citizen judges, and who scores is told."""
    checked = await check_reply(tx, here, who, ticket_id, reply)
    evidence = await store.count_files(tx, ticket_id)
    step = resolve(checked.order, reply, tx.now, checked.faults, evidence, len(checked.owed))
    return Checked(await keep(tx, here, step), checked.faults, checked.owed)


async def reassign_to(tx: Tx, here: Here, who: Principal, ticket_id: UUID, unit: str, note: str) -> Order:
    """Move an order to the unit a person chose."""
    order, matter = await held(tx, here, who, ticket_id, "reassign")
    return await keep(tx, here, reassign(order, chosen(here, unit, "reassigned", f"人工改派：{note}", matter), tx.now))
