"""The orders."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.dispatch.domain import Order, State

ORDERS = Rows("orders", Order, key=("ticket_id",))

PAGE = """
WHERE (dispatched_at, ticket_id) > ($1, $2)
  AND ($3::text[] IS NULL OR unit_code = ANY($3)) AND ($4::text IS NULL OR state = $4)
ORDER BY dispatched_at, ticket_id LIMIT $5
"""


async def orders_of(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, Order]:
    """Return the order of each ticket that has one."""
    orders = await ORDERS.load(tx.connection, "WHERE ticket_id = ANY($1)", list(tickets))
    return {order.ticket_id: order for order in orders}


async def save(tx: Tx, orders: Sequence[Order]) -> None:
    """Store orders as they are now."""
    await ORDERS.save(tx.connection, orders)


async def order_of(database: Database, ticket_id: UUID) -> Order | None:
    """Return one order to look at."""
    return next(iter(await ORDERS.load(database.pool, "WHERE ticket_id = $1", ticket_id)), None)


async def list_orders(
    database: Database, units: Sequence[str] | None, state: State | None, after: tuple[datetime, UUID], limit: int
) -> list[Order]:
    """Return orders of these leads (of all if None), handed over longest ago first, from behind `after`."""
    return await ORDERS.load(database.pool, PAGE, *after, units, state, limit)
