"""Answers to what was asked."""

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
)
from services.feedback.handlers.around import Here
from services.feedback.handlers.following import MEMORY, react


async def review(tx: Tx, here: Here, ticket_id: UUID, given: Answer, token: str | None = None) -> Review:
    """Take an answer: the citizen's own by the token of its round, else from a seat for what is asked now.

    Raises NotPossibleError if nothing is asked or something else was answered, Problem 403 for a wrong token.
    """
    reviews = await reviews_of(tx, here, ticket_id)
    if token is not None:
        reviews = [one for one in reviews if here.engine.links.valid(ticket_id, one.round, token)]
        if not reviews:
            raise Problem(403, "token: does not open a review of this ticket")
    given = replace(
        given,
        comment=Redactor().redact(given.comment) if given.comment else None,
        reasons=here.engine.policy.callbacks.fitting(given.reasons, good=given.good),
    )
    by: domain.By = "seat" if token is None else "citizen"
    answered, said = domain.answer(asked(reviews), given, by, here.engine.policy, tx.now)
    await keep(tx, here, answered, said)
    return answered


async def reviews_of(tx: Tx, here: Here, ticket_id: UUID) -> list[Review]:
    """Return what the reporter of a ticket was asked, the ticket held. Raises NotPossibleError if nothing yet."""
    await tx.lock([str(ticket_id)])
    reviews = (await store.reviews_of(tx, [ticket_id]))[ticket_id]
    if reviews:
        return reviews
    if not tx.aggregate(str(ticket_id)).known:
        raise unknown_ticket(ticket_id, here.clock)
    raise NotPossibleError("the citizen was not asked yet")


def asked(reviews: Sequence[Review]) -> Review:
    """Return what is asked now, else what was last."""
    return next((review for review in reviews if review.state == "requested"), reviews[-1])


async def keep(tx: Tx, here: Here, changed: Review, events: Sequence[Event]) -> None:
    """Store what a command did to a review, tell it, and let the ticket close or reopen by it."""
    subject = str(changed.ticket_id)
    await store.save_reviews(tx, [changed])
    for event in events:
        tx.emit(subject, event)
    await react({subject: MEMORY.of(tx, subject)}, tx, here)
