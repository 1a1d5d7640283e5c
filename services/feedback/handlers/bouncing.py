"""What feedback does on a ruling of a return: keep against whom it counts."""

from collections.abc import Sequence
from uuid import UUID

from libs.common.contracts import dispatch
from libs.common.contracts.envelope import Envelope
from libs.common.messaging.transaction import Tx
from services.feedback import store
from services.feedback.domain import bounced
from services.feedback.handlers.around import Here


async def on_ruled(events: Sequence[Envelope[dispatch.TicketRuled]], tx: Tx, _: Here) -> None:
    """Keep each ruled return, and count anew those that a ruling overturns; in the order the rulings were made."""
    named = {id_ for event in events for id_ in event.data.overturns}
    known = {one.return_id: one for one in await store.bounces(tx, named)}
    changed = {}
    for event in events:
        earlier = [known[id_] for id_ in event.data.overturns if id_ in known]
        for one in bounced(UUID(event.subject), event.data, earlier):
            known[one.return_id] = changed[one.return_id] = one
    await store.save_bounces(tx, list(changed.values()))
