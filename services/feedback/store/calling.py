"""Callbacks: whom to phone, who is at it, and what else the same person is asked."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from services.feedback.domain import Review
from services.feedback.store.reviews import REVIEWS

CALLBACKS = """
WHERE state = 'requested' AND method = 'callback' AND (requested_at, ticket_id) > ($1, $2)
    AND ($4::timestamptz IS NULL OR due_at <= $4 AND until > $4 AND (held_until IS NULL OR held_until <= $4))
ORDER BY requested_at, ticket_id LIMIT $3
"""
FREE = """
WHERE state = 'requested' AND method = 'callback' AND due_at <= $1 AND until > $1
    AND (held_until IS NULL OR held_until <= $1)
ORDER BY due_at, ticket_id LIMIT $2
"""
HELD = "WHERE held_by = $1 AND held_until > $2 ORDER BY held_until LIMIT 1"
# Two seats that take two tickets of one person at the same moment: the second waits here, and sees the first.
ALONE = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
WHOSE = "SELECT reporter FROM tickets WHERE ticket_id = $1"
OTHERS = """
SELECT r.ticket_id, r.round FROM tickets t JOIN reviews r USING (ticket_id)
WHERE t.reporter = $1 AND r.ticket_id <> $2 AND r.state = 'requested' AND r.method = 'callback' AND r.until > $3
ORDER BY r.requested_at LIMIT 20
"""
OTHER_SEAT = """
SELECT EXISTS (SELECT FROM reviews r JOIN tickets t USING (ticket_id)
    WHERE r.held_by <> $2 AND r.held_until > $3 AND t.reporter = $1)
"""


async def callbacks(
    database: Database, after: tuple[datetime, UUID], limit: int, due_at: datetime | None = None
) -> list[Review]:
    """Return the reviews that a seat is to ask by phone, oldest first, from behind `after`.

    With `due_at`, those that may be phoned at that moment and that no seat has.
    """
    return await REVIEWS.load(database.pool, CALLBACKS, *after, limit, due_at)


async def free(tx: Tx, now: datetime, limit: int) -> list[Review]:
    """Return the callbacks that are due and that no seat has, those due first first."""
    return await REVIEWS.load(tx.connection, FREE, now, limit)


async def held_by(tx: Tx, seat: str, now: datetime) -> Review | None:
    """Return the callback that a seat has now."""
    return next(iter(await REVIEWS.load(tx.connection, HELD, seat, now)), None)


async def reporter_of(tx: Tx, ticket_id: UUID) -> str | None:
    """Return the pseudonym of who is asked; None where it is not known any more."""
    who: str | None = await tx.connection.fetchval(WHOSE, ticket_id)
    return who


async def phoned_by_another(tx: Tx, reporter: str, seat: str, now: datetime) -> bool:
    """Say whether another seat has this person for any ticket of theirs, and let nobody else ask until the commit."""
    await tx.connection.execute(ALONE, reporter)
    busy: bool = await tx.connection.fetchval(OTHER_SEAT, reporter, seat, now)
    return busy


async def others_of(tx: Tx, reporter: str, ticket_id: UUID, now: datetime) -> Sequence[tuple[UUID, int]]:
    """Return what else this person is to be phoned about: tickets and rounds."""
    rows = await tx.connection.fetch(OTHERS, reporter, ticket_id, now)
    return [(row["ticket_id"], row["round"]) for row in rows]
