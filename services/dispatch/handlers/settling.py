"""Bringing returns, and the looks on the spot for them, to where their orders are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from libs.common.messaging.transaction import Tx
from services.dispatch import store
from services.dispatch.domain import Order, Return, Ruling, follow
from services.dispatch.handlers.around import Here

RULING = "ruling"
"""Fires when a return has waited for its ruling as long as it may."""


async def follow_returns(
    tx: Tx, here: Here, before: Mapping[UUID, Order], rulings: Mapping[UUID, Ruling], wordless: Collection[UUID]
) -> None:
    """Bring open returns up to what was decided of their orders, and drop the words of those that were deleted."""
    waiting = {id_ for id_, order in before.items() if order.state == "returned"}
    if not waiting and not wordless:
        return
    returns = await store.returns_of(tx.connection, sorted(waiting | set(wordless)))
    changed, ended = [], []
    for id_, past in returns.items():
        order = rulings[id_].order
        for one in past:
            now = follow(order, one, here.engine.returns, tx.now) if order and one.state == "open" else one
            _follow_timer(tx, one, now)
            ended += [now] if now.state == "void" != one.state else []
            now = now.without_words if id_ in wordless else now
            changed += [now] if now != one else []
    await store.save_returns(tx, changed)
    await end_looks(tx, ended)
    await _forget_looks(tx, wordless)


def _follow_timer(tx: Tx, was: Return, now: Return) -> None:
    if now.state != was.state:
        tx.unschedule(RULING, str(now.ticket_id))
    elif now.due_at != was.due_at:
        tx.schedule(RULING, str(now.ticket_id), now.due_at)


async def end_looks(tx: Tx, ended: Sequence[Return]) -> None:
    """Let nobody look any more for returns that were ruled on, or are void."""
    if ended:
        done = {one.return_id for one in ended}
        looks = await store.verifications_of(tx.connection, [one.ticket_id for one in ended])
        void = [one for one in looks if one.return_id in done and one.state == "open"]
        await store.save_verifications(tx, [replace(one, state="void", ended_at=tx.now) for one in void])


async def _forget_looks(tx: Tx, wordless: Collection[UUID]) -> None:
    if wordless:
        looks = await store.verifications_of(tx.connection, sorted(wordless))
        await store.save_verifications(tx, [one.without_words for one in looks])
