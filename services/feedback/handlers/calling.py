"""Callbacks 回访: seats take reporters to phone, one seat for one person, and note how calls ended."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.common.messaging.transaction import Tx
from services.feedback import domain, store
from services.feedback.domain import NotPossibleError, Review, TryOutcome
from services.feedback.handlers.around import Here
from services.feedback.handlers.asking import asked, keep, reviews_of

LOOKED_AT = 20
"""So many due callbacks a seat is offered one of; as many seats may be taking one at the same moment."""


@dataclass(frozen=True, slots=True)
class Task:
    """A callback that a seat has, and what else the same person is to be phoned about: tickets and rounds."""

    review: Review
    others: tuple[tuple[UUID, int], ...]


async def take(tx: Tx, here: Here, ticket_id: UUID, seat: str) -> Task:
    """Give a seat a reporter to phone. Raises NotPossibleError if it is not time, or another seat has this person."""
    taken = domain.take(asked(await reviews_of(tx, here, ticket_id)), seat, here.engine.policy, tx.now)
    return await _given(tx, taken, seat)


async def take_next(tx: Tx, here: Here, seat: str) -> Task | None:
    """Give a seat the callback it has, else the one due first that nobody has; None if nobody is to be phoned."""
    mine = await store.held_by(tx, seat, tx.now)
    if mine:
        return await take(tx, here, mine.ticket_id, seat)
    for review in await store.free(tx, tx.now, LOOKED_AT):
        try:
            return await take(tx, here, review.ticket_id, seat)
        except NotPossibleError:
            # Another seat has them since we looked, or has the same person for another ticket.
            continue
    return None


async def _given(tx: Tx, taken: Review, seat: str) -> Task:
    who = await store.reporter_of(tx, taken.ticket_id)
    if who and await store.phoned_by_another(tx, who, seat, tx.now):
        raise NotPossibleError("another seat is phoning this person about another ticket")
    await store.save_reviews(tx, [taken])
    return Task(taken, tuple(await store.others_of(tx, who, taken.ticket_id, tx.now)) if who else ())


async def release(tx: Tx, here: Here, ticket_id: UUID, seat: str) -> Review:
    """Take back a callback that a seat did not make. Raises NotPossibleError unless it has it."""
    released = domain.release(asked(await reviews_of(tx, here, ticket_id)), seat)
    await store.save_reviews(tx, [released])
    return released


async def attempt(
    tx: Tx, here: Here, ticket_id: UUID, seat: str, outcome: TryOutcome, again_at: datetime | None
) -> Review:
    """Keep a seat's call. Raises NotPossibleError unless it took the callback, WrongTimeError as decided."""
    waiting = asked(await reviews_of(tx, here, ticket_id))
    tried = domain.attempt(waiting, seat, outcome, here.engine.policy, tx.now, again_at)
    await keep(tx, here, tried, [])
    return tried
