"""The orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.contracts.vocabulary import Urgency
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.dispatch.domain import Order, State

ORDERS = Rows("orders", Order, key=("ticket_id",))

FACTS = "SELECT facts FROM aggregates WHERE subject = $1"
PAGE = """
WHERE (dispatched_at, ticket_id) > ($1, $2)
  AND ($3::text[] IS NULL OR unit_code = ANY($3)) AND ($4::text IS NULL OR state = $4)
  AND ($5::text IS NULL OR starts_with(code, $5)) AND ($6::text IS NULL OR urgency = $6)
  AND ($7::int IS NULL OR round = $7)
ORDER BY dispatched_at, ticket_id LIMIT $8
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which of a unit's orders are listed: in a state, of questions whose codes begin so, of a class, in a round."""

    state: State | None = None
    code: str | None = None
    urgency: Urgency | None = None
    round: int | None = None

    @property
    def needs_units(self) -> bool:
        """Whether more is asked than an index over all units answers."""
        return any(asked is not None for asked in (self.code, self.urgency, self.round))


async def orders_of(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, Order]:
    """Return the order of each ticket that has one."""
    orders = await ORDERS.load(tx.connection, "WHERE ticket_id = ANY($1)", list(tickets))
    return {order.ticket_id: order for order in orders}


async def facts_of(connection: Any, ticket_id: UUID) -> dict[str, Any]:
    """Return what is remembered of a ticket, as it is kept; nothing if it was never heard of."""
    kept: dict[str, Any] | None = await connection.fetchval(FACTS, str(ticket_id))
    return kept or {}


async def save(tx: Tx, orders: Sequence[Order]) -> None:
    """Store orders as they are now."""
    await ORDERS.save(tx.connection, orders)


async def list_orders(
    database: Database, units: Sequence[str] | None, filters: Filters, after: tuple[datetime, UUID], limit: int
) -> list[Order]:
    """Return orders of these leads (of all if None), handed over longest ago first, from behind `after`."""
    wanted = (filters.state, filters.code, filters.urgency, filters.round)
    return await ORDERS.load(database.pool, PAGE, *after, units, *wanted, limit)
