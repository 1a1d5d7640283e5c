"""The tables of feedback and all its SQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.feedback.domain import Review, Ticket
from services.feedback.rates import Tally

TICKETS = Rows("tickets", Ticket, key=("ticket_id",))
REVIEWS = Rows("reviews", Review, key=("ticket_id", "round"))

CHILDREN = "SELECT ticket_id FROM tickets WHERE parent = ANY($1) ORDER BY ticket_id"
CALLBACKS = """
WHERE state = 'requested' AND method = 'callback' AND (requested_at, ticket_id) > ($1, $2)
ORDER BY requested_at, ticket_id LIMIT $3
"""
TALLIES = """
SELECT unit_code, max(unit_name) AS unit_name, count(*) AS counted,
    count(*) FILTER (WHERE contacted) AS responded,
    count(*) FILTER (WHERE resolved = 'yes') AS solved,
    count(*) FILTER (WHERE satisfied >= 4) AS satisfied,
    avg(response_in_time::int)::float8 AS response_in_time,
    avg(completion_in_time::int)::float8 AS completion_in_time
FROM reviews
WHERE state = 'answered' AND period = $1 AND unit_code IS NOT NULL AND NOT excluded
  AND ($2::text IS NULL OR unit_code = $2)
GROUP BY unit_code ORDER BY unit_code
"""


async def tickets_of(tx: Tx, tickets: Collection[UUID]) -> dict[UUID, Ticket]:
    """Return each ticket as it stands; one that nothing happened to yet stands at its beginning."""
    found = await TICKETS.load(tx.connection, "WHERE ticket_id = ANY($1)", list(tickets)) if tickets else []
    return {ticket_id: Ticket(ticket_id) for ticket_id in tickets} | {ticket.ticket_id: ticket for ticket in found}


async def reviews_of(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, list[Review]]:
    """Return the reviews of each ticket, oldest round first."""
    reviews: dict[UUID, list[Review]] = {ticket: [] for ticket in tickets}
    where = "WHERE ticket_id = ANY($1) ORDER BY ticket_id, round"
    for review in await REVIEWS.load(tx.connection, where, list(tickets)):
        reviews[review.ticket_id].append(review)
    return reviews


async def children_of(tx: Tx, tickets: Collection[UUID]) -> list[UUID]:
    """Return the tickets linked to any of these."""
    if not tickets:
        return []
    return [row["ticket_id"] for row in await tx.connection.fetch(CHILDREN, list(tickets))]


async def save(tx: Tx, tickets: Sequence[Ticket], reviews: Sequence[Review]) -> None:
    """Store tickets and reviews as they are now."""
    await TICKETS.save(tx.connection, tickets)
    await REVIEWS.save(tx.connection, reviews)


async def review_of(database: Database, ticket_id: UUID, round_: int) -> Review | None:
    """Return the review of a ticket in a round, if its reporter was asked."""
    where = "WHERE ticket_id = $1 AND round = $2"
    return next(iter(await REVIEWS.load(database.pool, where, ticket_id, round_)), None)


async def callbacks(database: Database, after: tuple[datetime, UUID], limit: int) -> list[Review]:
    """Return the reviews that a seat is to ask by phone, oldest first, from behind `after`."""
    return await REVIEWS.load(database.pool, CALLBACKS, *after, limit)


async def tallies(database: Database, period: str, unit: str | None) -> list[Tally]:
    """Return what counts for each unit in a month, or for one unit."""
    return [_tally(dict(row)) for row in await database.pool.fetch(TALLIES, period, unit)]


def _tally(row: dict[str, Any]) -> Tally:
    return Tally(unit=UnitRef(code=row.pop("unit_code"), name=row.pop("unit_name") or ""), **row)
