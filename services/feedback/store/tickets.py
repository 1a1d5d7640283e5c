"""Tickets as they stand."""

from collections.abc import Collection, Sequence
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.feedback.domain import Ticket

TICKETS = Rows("tickets", Ticket, key=("ticket_id",))

CHILDREN = "SELECT ticket_id FROM tickets WHERE parent = ANY($1) ORDER BY ticket_id"


async def tickets_of(tx: Tx, tickets: Collection[UUID]) -> dict[UUID, Ticket]:
    """Return each ticket as it stands; one that nothing happened to yet stands at its beginning."""
    found = await TICKETS.load(tx.connection, "WHERE ticket_id = ANY($1)", list(tickets)) if tickets else []
    known = {ticket.ticket_id: ticket for ticket in found}
    return {ticket_id: known.get(ticket_id) or Ticket(ticket_id) for ticket_id in tickets}


async def children_of(tx: Tx, tickets: Collection[UUID]) -> list[UUID]:
    """Return the tickets linked to any of these."""
    if not tickets:
        return []
    return [row["ticket_id"] for row in await tx.connection.fetch(CHILDREN, list(tickets))]


async def save_tickets(tx: Tx, tickets: Sequence[Ticket]) -> None:
    """Store tickets as they are now."""
    await TICKETS.save(tx.connection, tickets)
