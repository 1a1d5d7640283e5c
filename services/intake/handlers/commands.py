"""What citizens and seats may do with a ticket, and how it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.contracts.intake import TicketAnswered, TicketSupplemented, TicketWithdrawn
from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import Redactor
from libs.common.runtime.problems import Problem, unknown_ticket
from services.intake import store
from services.intake.domain import Entry, Facts, NotPossibleError, Ticket, face, goes_on, status
from services.intake.handlers.around import Here
from services.intake.handlers.following import MEMORY, ORDER
from services.intake.handlers.opening import appeal_of, marks_of, seal_marks
from services.intake.handlers.redacting import receipt_of


async def withdraw(tx: Tx, here: Here, ticket_id: UUID, reason: str | None) -> None:
    """Take an appeal back. Raises NotPossibleError once it is closed or was taken back before."""
    ticket = await _open_ticket(tx, here, ticket_id)
    reason = Redactor().redact(reason) if reason else None
    await _change(tx, here, replace(ticket, state="withdrawn"), TicketWithdrawn(at=tx.now, reason=reason), {})


async def answer(tx: Tx, here: Here, ticket_id: UUID, text: str) -> None:
    """Answer an appeal at once, as a seat does with a question. Raises NotPossibleError once it is no longer open."""
    ticket = await _open_ticket(tx, here, ticket_id)
    text = Redactor().redact(text)
    ticket = replace(ticket, state="answered", answer=text)
    event = TicketAnswered(**dict(receipt_of(ticket)), answer=text)
    await _change(tx, here, ticket, event, {"answer": text})


async def supplement(tx: Tx, here: Here, ticket_id: UUID, text: str) -> None:
    """Add words to an appeal; their originals join the others in the vault."""
    ticket = await _open_ticket(tx, here, ticket_id)
    (row,) = await store.sealed(tx.connection, [ticket_id])
    redactor = Redactor(appeal_of(here.engine, row).known(), marks_of(here.engine, row))
    text = redactor.redact(text)
    await store.save_marks(tx, [seal_marks(here.engine, row, redactor.marks)])
    await _change(tx, here, ticket, TicketSupplemented(text=text, at=tx.now), {"text": text})


async def _open_ticket(tx: Tx, here: Here, ticket_id: UUID) -> Ticket:
    await tx.lock([str(ticket_id)])
    ticket = (await store.tickets_of(tx.connection, [ticket_id])).get(ticket_id)
    if ticket is None:
        raise unknown_ticket(ticket_id, here.clock)
    facts = MEMORY.of(tx, str(ticket_id))
    if not goes_on(ticket.state, facts):
        raise NotPossibleError(f"the ticket is {status(ticket.state, facts)}")
    return ticket


async def _change(tx: Tx, here: Here, ticket: Ticket, event: Event, params: Mapping[str, Any]) -> None:
    subject = str(ticket.ticket_id)
    await store.save(tx, [ticket], [Entry(ticket.ticket_id, tx.now, here.clock.new_id(), event.name, params)])
    tx.emit(subject, event)
    tx.emit(subject, face(ticket, MEMORY.of(tx, subject)))


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader of a ticket gets."""

    ticket: Ticket | None
    facts: Facts
    number: str
    client: str
    timeline: Sequence[Entry]


async def look(here: Here, ticket_id: UUID) -> Seen:
    """Return a ticket as it stands. Between the POST and its screening it is only known to be received."""
    async with here.database.begin() as tx:
        rows = await store.sealed(tx.connection, [ticket_id])
        if not rows:
            raise Problem(404, "no such ticket")
        ticket = (await store.tickets_of(tx.connection, [ticket_id])).get(ticket_id)
        facts = MEMORY.read(await store.facts(tx.connection, ticket_id))
    lines = sorted(await store.timeline(here.database, ticket_id), key=lambda e: (e.at, ORDER.get(e.type, -1)))
    return Seen(ticket, facts, rows[0].number, rows[0].client, lines)
