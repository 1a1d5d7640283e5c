"""Screened tickets, free of personal data, and their timelines."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.intake.domain import Entry, Ticket

TICKETS = Rows("tickets", Ticket, key=("ticket_id",))
TIMELINE = Rows("timeline", Entry, key=("ticket_id", "at", "event_id"))


async def tickets_of(connection: Any, tickets: Iterable[UUID]) -> dict[UUID, Ticket]:
    """Return screened tickets by id."""
    found = await TICKETS.load(connection, "WHERE ticket_id = ANY($1)", list(tickets))
    return {ticket.ticket_id: ticket for ticket in found}


async def save(tx: Tx, tickets: Iterable[Ticket], entries: Iterable[Entry]) -> None:
    """Store tickets as they are now, and lines of their timelines."""
    await TICKETS.save(tx.connection, tickets)
    await TIMELINE.save(tx.connection, entries)


async def facts(connection: Any, ticket_id: UUID) -> Mapping[str, Any]:
    """Return what other stages said of a ticket, as the heart keeps it."""
    kept = await connection.fetchval("SELECT facts FROM aggregates WHERE subject = $1", str(ticket_id))
    return kept or {}


async def timeline(database: Database, ticket_id: UUID) -> list[Entry]:
    """Return a ticket's timeline, oldest first."""
    return await TIMELINE.load(database.pool, "WHERE ticket_id = $1 ORDER BY at, event_id", ticket_id)
