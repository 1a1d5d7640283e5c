"""The orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

from libs.common.contracts.vocabulary import Urgency
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.dispatch.domain import Order, State

ORDERS = Rows("orders", Order, key=("ticket_id",))

FACTS = "SELECT facts FROM aggregates WHERE subject = $1"
# The indexes have the orders of a state, and of a unit in a state, as they are listed. A page is put together from the
# first of each of these: it costs the same however many orders there are, and hand-overs write no index more for it.
PAGE = """
WHERE ticket_id = ANY(ARRAY(
    SELECT first.ticket_id FROM unnest($4::text[]) each_state{units} CROSS JOIN LATERAL (
        SELECT ticket_id, dispatched_at FROM orders
        WHERE state = each_state{conditions} AND (dispatched_at, ticket_id) > ($1, $2)
        ORDER BY dispatched_at, ticket_id LIMIT $3
    ) first ORDER BY first.dispatched_at, first.ticket_id LIMIT $3
)) ORDER BY dispatched_at, ticket_id
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
    states = [filters.state] if filters.state else get_args(State)
    where, arguments = _page(units, filters)
    return await ORDERS.load(database.pool, where, *after, limit, states, *arguments)


def _page(units: Sequence[str] | None, filters: Filters) -> tuple[str, list[Any]]:
    """Return the statement of a page with only the conditions that are asked for, and what they ask."""
    asked = {"starts_with(code, {})": filters.code, "urgency = {}": filters.urgency, "round = {}": filters.round}
    kept: dict[str, Any] = {text: value for text, value in asked.items() if value is not None}
    among = ""
    if units is not None:
        kept, among = {"unit_code = each_unit": units, **kept}, " CROSS JOIN unnest($5::text[]) each_unit"
    conditions = [text.format(f"${number}") for number, text in enumerate(kept, 5)]
    where = PAGE.format(units=among, conditions="".join(f" AND {condition}" for condition in conditions))
    return where, list(kept.values())
