"""Keeping what is added to appeals for those who work on them."""

from collections.abc import Sequence

from libs.common.contracts.envelope import Envelope
from libs.common.contracts.intake import TicketSupplemented
from libs.common.messaging.transaction import Tx
from services.dispatch import store
from services.dispatch.domain.supplementing import Supplement
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.following import MEMORY


async def on_supplement(events: Sequence[Envelope[TicketSupplemented]], tx: Tx, _: Here) -> None:
    """Keep additions, whether or not there is an order yet; none of a ticket whose words were deleted."""
    await store.add_supplements(
        tx,
        [
            Supplement(e.id, e.ticket, e.sequence, e.data.at, e.data.source, e.data.text, len(e.data.attachments))
            for e in events
            if not MEMORY.of(tx, e.subject).wordless
        ],
    )
