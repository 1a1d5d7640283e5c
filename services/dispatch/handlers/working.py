"""The lead's work on its order, and the hands that move it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.security import Principal
from services.dispatch.domain import (
    Command,
    Order,
    Step,
    reassign,
)
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.holding import chosen, held, keep


async def command(
    tx: Tx, here: Here, who: Principal, ticket_id: UUID, name: Command, act: Callable[[Order, datetime], Step]
) -> Order:
    """Do to an order what its lead may. Raises NotPossibleError if its state forbids it, Problem 403 to others."""
    order, _ = await held(tx, here, who, ticket_id, name)
    return await keep(tx, act(order, tx.now))


async def reassign_to(tx: Tx, here: Here, who: Principal, ticket_id: UUID, unit: str, note: str) -> Order:
    """Move an order to the unit a person chose."""
    order, matter = await held(tx, here, who, ticket_id, "reassign")
    return await keep(tx, reassign(order, chosen(here, unit, "reassigned", f"人工改派：{note}", matter), tx.now))
