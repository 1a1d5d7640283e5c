"""The public list, kept in step with the tickets."""

from collections.abc import Sequence

from libs.common.messaging.transaction import Tx
from services.intake import store
from services.intake.domain import Facts, Ticket, listed
from services.intake.handlers.around import Here


async def follow(tx: Tx, here: Here, learned: Sequence[tuple[Ticket, Facts, Facts]]) -> None:
    """Publish those of these tickets that stand otherwise with what is known of them now than with what was before."""
    services = here.engine.city.services
    await publish(
        tx,
        here,
        [(t, facts) for t, before, facts in learned if listed(t, before, services) != listed(t, facts, services)],
    )


async def publish(tx: Tx, here: Here, changed: Sequence[tuple[Ticket, Facts]]) -> None:
    """Keep the public list in step with tickets that may stand otherwise on it now."""
    if changed:
        now = {ticket.ticket_id: listed(ticket, facts, here.engine.city.services) for ticket, facts in changed}
        await store.save_listed(tx, [row for row in now.values() if row])
        await store.unlist(tx, [ticket_id for ticket_id, row in now.items() if row is None])
