"""Entering: redacted appeals are joined to what they repeat, stored, and only then told."""

from collections import Counter
from collections.abc import Sequence

from libs.common.contracts.envelope import Event
from libs.common.contracts.intake import TicketAnswered, TicketLinked, TicketReceived
from libs.common.messaging.transaction import Tx
from services.intake import repeats, store
from services.intake.domain import Entry, Facts, Ticket, face, goes_on
from services.intake.handlers.around import Here
from services.intake.handlers.following import MEMORY
from services.intake.handlers.redacting import receipt_of


async def enter(here: Here, tx: Tx, screened: Sequence[tuple[Ticket, store.Sealed]]) -> None:
    """Join repeats, store the tickets, and say of each what it is."""
    fresh = [ticket for ticket, _ in screened]
    if not fresh:
        return
    tickets = repeats.join(fresh, await _going_on(tx, fresh))
    await store.save_marks(tx, [row for _, row in screened if row.marks])
    await store.save(
        tx, tickets, [Entry(t.ticket_id, t.received_at, here.clock.new_id(), "ticket.received", {}) for t in tickets]
    )
    parents = Counter(ticket.parent for ticket in tickets if ticket.parent)
    if parents:
        await store.add_support(tx, parents)
    for ticket in tickets:
        tx.emit(str(ticket.ticket_id), _entered(ticket))
        tx.emit(str(ticket.ticket_id), face(ticket, Facts()))


async def _going_on(tx: Tx, fresh: Sequence[Ticket]) -> dict[tuple[str, bytes], Ticket]:
    """Return the first ticket of each reporter and likeness that a repeat may be joined to.

    Its root is held from here on: whoever repeats an appeal that has ended is heard anew.
    """
    earlier = await store.earlier(tx, fresh, min(ticket.received_at for ticket in fresh) - repeats.WINDOW)
    if not earlier:
        return {}
    roots = {repeats.root(ticket) for ticket in earlier}
    await tx.lock(map(str, roots))
    held = await store.tickets_of(tx.connection, roots)
    going = {id_ for id_, root in held.items() if goes_on(root.state, MEMORY.of(tx, str(id_)))}
    return {(t.reporter or "", t.likeness): t for t in reversed(earlier) if repeats.root(t) in going}


def _entered(ticket: Ticket) -> Event:
    receipt = dict(receipt_of(ticket))
    if ticket.state == "linked" and ticket.parent:
        return TicketLinked(**receipt, parent=ticket.parent, reason="same reporter, same words, same place")
    if ticket.state == "answered":
        return TicketAnswered(**receipt, answer=ticket.answer or "", emergency=ticket.emergency)
    return TicketReceived(**receipt)
