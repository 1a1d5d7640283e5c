"""What is ruled to enter no rate, or let in again, after its month was published: that month is recomputed."""

from collections.abc import Sequence
from uuid import UUID

from libs.common.contracts import intake
from libs.common.contracts.envelope import Envelope
from libs.common.messaging.transaction import Tx
from libs.common.runtime.timers import Due
from services.feedback.domain.periods import period_of
from services.feedback.handlers.around import Here
from services.feedback.handlers.following import on_event
from services.feedback.handlers.scores import amend, draw_of, subject_of
from services.feedback.store import scores as store

RECOUNT = "recount"
"""Fires at once when a ruling was heard: a month that is being published must not hold up what else is heard."""


async def on_screened(events: Sequence[Envelope[intake.TicketScreened]], tx: Tx, here: Here) -> None:
    """Learn what was ruled of appeals, and have the months in which they were counted looked at."""
    await on_event(events, tx, here)
    for event in events:
        tx.schedule(RECOUNT, event.subject, tx.now)


async def on_recount(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """Publish the next version of each published month that counts otherwise by now, for the units it moves alone."""
    tickets = [UUID(due.subject) for due in timers]
    for name in await store.answered_in(tx, tickets):
        await tx.lock([subject_of(name)])
        last = await store.last_publication(tx.connection, name)
        if last is None:
            continue
        moved = await store.recount(tx, last.version + 1, draw_of(here, period_of(name)), tickets)
        if moved:
            await amend(tx, here, last, moved, "exclusion", "clock")
