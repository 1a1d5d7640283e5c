"""Opening the vault for those who must reach the citizen."""

from dataclasses import dataclass
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import Mark
from libs.common.runtime.problems import unknown_ticket
from libs.common.runtime.security import Principal
from services.intake import store
from services.intake.appeal import Appeal
from services.intake.domain import DONE, Asker, Deed, Desk, Order, Purpose, Refusal, Ticket, refusal
from services.intake.handlers.around import Here
from services.intake.handlers.audit import note
from services.intake.handlers.following import MEMORY
from services.intake.handlers.sealing import appeal_of, marks_of, redactor_of

DESKS: tuple[Desk, ...] = ("unit", "seat", "supervisor")


@dataclass(frozen=True, slots=True)
class Opening:
    """What the vault holds of an appeal: who sent it, the words as they were, and what each mark stands for."""

    appeal: Appeal
    marks: tuple[Mark, ...]


async def open_vault(
    tx: Tx, here: Here, ticket_id: UUID, reader: Principal, purpose: Purpose, why: str | None = None
) -> Opening | Refusal:
    """Open an appeal for those who must reach the citizen, or say why not; who asked, and for what, is kept either way.

    `why` is what the reader says of it in words.
    """
    rows = await store.sealed(tx.connection, [ticket_id])
    if not rows:
        raise unknown_ticket(ticket_id, here.clock)
    order = await order_of(tx, ticket_id)
    asker = Asker(
        desks=frozenset(desk for desk in DESKS if reader.may(desk)),
        works_on_it=reader.may("unit") and any(map(reader.acts_for, order.workers)),
    )
    refused = refusal(asker, purpose, order, tx.now, here.engine.city.retention.open_after_end)
    if refused is None and rows[0].erased:
        refused = "erased"
    said = redactor_of(here.engine, rows[0]).redact(why) if why else None
    await note(tx, here, Deed(reader.name, "contact", ticket_id, purpose, refused or DONE, said))
    return refused or Opening(appeal_of(here.engine, rows[0]), marks_of(here.engine, rows[0]))


async def order_of(tx: Tx, ticket_id: UUID) -> Order:
    """Return how a ticket goes, for who may open it: a linked one is worked on with its parent."""
    ticket = (await store.tickets_of(tx.connection, [ticket_id])).get(ticket_id)
    if ticket is None:
        return Order("open", MEMORY.read({}))
    leading = await _leading(tx, ticket)
    facts = MEMORY.read(await store.facts(tx.connection, leading.ticket_id))
    return Order(leading.state, facts, hidden=ticket.unnamed)


async def _leading(tx: Tx, ticket: Ticket) -> Ticket:
    if ticket.state != "linked" or ticket.parent is None:
        return ticket
    return (await store.tickets_of(tx.connection, [ticket.parent])).get(ticket.parent, ticket)
