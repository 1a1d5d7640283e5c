"""The questions put to reporters, and their answers."""

from collections.abc import Sequence
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.feedback.domain import Review

REVIEWS = Rows("reviews", Review, key=("ticket_id", "round"))


async def reviews_of(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, list[Review]]:
    """Return the reviews of each ticket, oldest round first."""
    reviews: dict[UUID, list[Review]] = {ticket: [] for ticket in tickets}
    where = "WHERE ticket_id = ANY($1) ORDER BY ticket_id, round"
    for review in await REVIEWS.load(tx.connection, where, list(tickets)):
        reviews[review.ticket_id].append(review)
    return reviews


async def review_of(database: Database, ticket_id: UUID, round_: int) -> Review | None:
    """Return the review of a ticket in a round, if its reporter was asked."""
    where = "WHERE ticket_id = $1 AND round = $2"
    return next(iter(await REVIEWS.load(database.pool, where, ticket_id, round_)), None)


async def save_reviews(tx: Tx, reviews: Sequence[Review]) -> None:
    """Store reviews as they are now."""
    await REVIEWS.save(tx.connection, reviews)
