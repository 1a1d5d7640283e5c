"""Who asks, and what they may see."""

from collections.abc import Sequence
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, unknown_ticket
from libs.common.runtime.security import Principal
from services.dispatch import store
from services.dispatch.domain import Desk, Order, Sight, Task, Viewer, helpers, under
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.following import MEMORY

DESKS: tuple[Desk, ...] = ("unit", "seat", "supervisor", "analyst")


def viewer(here: Here, who: Principal) -> Viewer:
    """Return the holder of a key as the rule of sight knows them."""
    desks = frozenset(desk for desk in DESKS if who.may(desk))
    return Viewer(desks, who.units or None, under(who.units, here.engine.below) if who.units else None)


def looked_at(
    here: Here, who: Principal, order: Order, tasks: Sequence[Task], lookers: frozenset[str] = frozenset()
) -> Sight:
    """Return what a key sees of an order. Raises Problem 403 with the reason if nothing.

    `lookers` are the units that were sent to look on the spot: they see a helper's part.
    """
    sight = viewer(here, who).sight(order.unit_code, helpers(tasks) | lookers)
    if sight is None:
        raise Problem(
            403,
            "this order is another unit's: a unit sees its own orders, those of the units under it, and its part of "
            "what it helps with; a supervisor those of the units supervised",
        )
    return sight


def listed(here: Here, who: Principal, unit: str | None) -> list[str] | None:
    """Return the units whose orders or tasks are listed, None for all. Raises Problem 403 if `unit` is out of sight."""
    seen = viewer(here, who).units_in_sight()
    if unit and seen is not None and unit not in seen:
        raise Problem(403, "this key sees neither that unit nor one above it")
    if unit:
        return [unit]
    return None if seen is None else sorted(seen)


async def show(tx: Tx, here: Here, who: Principal, ticket_id: UUID) -> tuple[Order, list[Task], Sight]:
    """Return an order, the tasks of it that this key sees, and how much of it that is. Raises Problem 403, 404, 409."""
    order = (await store.orders_of(tx, [ticket_id])).get(ticket_id)
    if order is None:
        if MEMORY.read(await store.facts_of(tx.connection, ticket_id)).end:
            raise Problem(404, "this ticket was never handed to a unit")
        raise unknown_ticket(ticket_id, here.clock)
    tasks = list((await store.tasks_of(tx.connection, [ticket_id])).get(ticket_id, ()))
    sight = looked_at(here, who, order, tasks, await store.lookers(tx.connection, ticket_id))
    if sight == "part":
        seen = viewer(here, who).units_in_sight()
        tasks = [task for task in tasks if seen is None or task.unit_code in seen]
    return order, tasks, sight
