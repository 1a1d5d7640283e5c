"""Hearing of work before the appeal, so that units find it beside their orders."""

from collections.abc import Sequence
from uuid import UUID

from libs.common.contracts.envelope import Envelope
from libs.common.messaging.transaction import Tx
from services.dispatch.domain.proactive import Told, heard
from services.dispatch.handlers.around import Here
from services.dispatch.store import proactive as store


async def on_proactive(events: Sequence[Envelope[Told]], tx: Tx, _: Here) -> None:
    """Keep what was proposed, done and declined; one piece of work comes once in a batch."""
    known = await store.proactive_of(tx, [UUID(event.subject) for event in events])
    now = {}
    for event in events:
        order_id = UUID(event.subject)
        one = heard(known.get(order_id), order_id, event.sequence, event.data, event.time)
        if one:
            now[order_id] = one
    await store.save_proactive(tx, list(now.values()))
