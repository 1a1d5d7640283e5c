"""Answers to what was asked, and the calls that ask."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import Redactor
from libs.common.runtime.problems import Problem, unknown_ticket
from services.feedback import domain, store
from services.feedback.domain import (
    Answer,
    NotPossibleError,
    Review,
    TryOutcome,
)
from services.feedback.handlers.around import Here
from services.feedback.handlers.following import MEMORY, react


async def review(tx: Tx, here: Here, ticket_id: UUID, given: Answer, token: str | None = None) -> Review:
    """Take an answer: the citizen's own by the token of its round, else from a seat for what is asked now.

    Raises NotPossibleError if nothing is asked or something else was answered, Problem 403 for a wrong token.
    """
    reviews = await _reviews(tx, here, ticket_id)
    if token is not None:
        reviews = [asked for asked in reviews if here.engine.links.valid(ticket_id, asked.round, token)]
        if not reviews:
            raise Problem(403, "token: does not open a review of this ticket")
    given = replace(given, comment=Redactor().redact(given.comment) if given.comment else None)
    by: domain.By = "seat" if token is None else "citizen"
    answered, said = domain.answer(_asked(reviews), given, by, here.engine.policy, tx.now)
    await _keep(tx, here, answered, said)
    return answered


async def attempt(tx: Tx, here: Here, ticket_id: UUID, outcome: TryOutcome) -> Review:
    """Keep a seat's call. Raises NotPossibleError unless a callback is awaited."""
    reviews = await _reviews(tx, here, ticket_id)
    tried = domain.attempt(_asked(reviews), outcome, here.engine.policy, tx.now)
    await _keep(tx, here, tried, [])
    return tried


async def _reviews(tx: Tx, here: Here, ticket_id: UUID) -> list[Review]:
    await tx.lock([str(ticket_id)])
    reviews = (await store.reviews_of(tx, [ticket_id]))[ticket_id]
    if reviews:
        return reviews
    if not tx.aggregate(str(ticket_id)).known:
        raise unknown_ticket(ticket_id, here.clock)
    raise NotPossibleError("the citizen was not asked yet")


def _asked(reviews: Sequence[Review]) -> Review:
    return next((review for review in reviews if review.state == "requested"), reviews[-1])


async def _keep(tx: Tx, here: Here, changed: Review, events: Sequence[Event]) -> None:
    """Store what a command did to a review, tell it, and let the ticket close or reopen by it."""
    subject = str(changed.ticket_id)
    await store.save_reviews(tx, [changed])
    for event in events:
        tx.emit(subject, event)
    await react({subject: MEMORY.of(tx, subject)}, tx, here)
