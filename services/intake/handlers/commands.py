"""What citizens and seats may do with a ticket, and how it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.contracts.intake import TicketSupplemented, TicketWithdrawn
from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import unnumbered
from libs.common.runtime.problems import Problem, unknown_ticket
from services.intake import store
from services.intake.domain import (
    Entry,
    Facts,
    File,
    Flag,
    NotPossibleError,
    Source,
    Ticket,
    check_room,
    face,
    goes_on,
    standing,
    status,
)
from services.intake.handlers.around import Here
from services.intake.handlers.files import Put, own
from services.intake.handlers.following import MEMORY, ORDER
from services.intake.handlers.linking import Lead, lead_of, leave
from services.intake.handlers.publicity import publish
from services.intake.handlers.redacting import redact_for


async def withdraw(tx: Tx, here: Here, ticket_id: UUID, reason: str | None) -> None:
    """Take an appeal back. Raises NotPossibleError once it is closed or was taken back before."""
    ticket = await _waiting_ticket(tx, here, ticket_id)
    reason = await redact_for(tx, here, ticket_id, reason) if reason else None
    told = await leave(tx, here, ticket)
    ticket = replace(ticket, state="withdrawn", parent=None)
    event = TicketWithdrawn(at=tx.now, reason=reason)
    await change(tx, here, ticket, event, {"reason": reason} if reason else {}, told=told)


async def supplement(tx: Tx, here: Here, ticket_id: UUID, text: str, source: Source = "reporter") -> None:
    """Add words to an appeal; their originals join the others in the vault. Raises NotPossibleError once it ended."""
    ticket = await _waiting_ticket(tx, here, ticket_id)
    text = await redact_for(tx, here, ticket_id, text)
    event = TicketSupplemented(text=text, at=tx.now, source=source)
    await change(tx, here, ticket, event, {"text": text}, line="" if source == "reporter" else "file.read")


async def may_add_file(here: Here, ticket_id: UUID) -> None:
    """Raise NotPossibleError if an appeal takes no file: better before it is sent than after."""
    async with here.database.begin() as tx:
        check_room(await _waiting_ticket(tx, here, ticket_id))


async def add_file(tx: Tx, here: Here, ticket_id: UUID, given: Put, client: str) -> File:
    """Add a file to an appeal; bytes that it has already are not added again. Raises NotPossibleError."""
    ticket = await _waiting_ticket(tx, here, ticket_id)
    mine = (await store.files_of(tx.connection, [ticket_id])).get(ticket_id, [])
    if same := next((file for file in mine if file.digest == given.digest), None):
        return same
    check_room(ticket)
    (row,) = await store.sealed(tx.connection, [ticket_id])
    if row.key is None:
        raise NotPossibleError("what the ticket held is erased")
    file = await own(tx, here, given, client, row)
    ticket = replace(ticket, attachments=(*ticket.attachments, file.attachment))
    event = TicketSupplemented(text="", at=tx.now, attachments=(file.attachment,))
    await change(tx, here, ticket, event, {}, line="file.added")
    return file


async def open_ticket(tx: Tx, here: Here, ticket_id: UUID) -> Ticket:
    """Hold a ticket that goes its own way. Raises NotPossibleError if it does not, or not any more."""
    ticket = await _waiting_ticket(tx, here, ticket_id)
    if ticket.state != "open":
        raise NotPossibleError(f"the ticket is {ticket.state}")
    return ticket


async def _waiting_ticket(tx: Tx, here: Here, ticket_id: UUID) -> Ticket:
    """Return a ticket whose reporter still waits: it goes its own way, or its parent's."""
    named = (await store.tickets_of(tx.connection, [ticket_id])).get(ticket_id)
    # With its parent, which may have to hear of it, in the one order that every transaction locks in.
    await tx.lock(map(str, (id_ for id_ in (ticket_id, named and named.parent) if id_)))
    ticket = (await store.tickets_of(tx.connection, [ticket_id])).get(ticket_id)
    if ticket is None:
        raise unknown_ticket(ticket_id, here.clock)
    if ticket.parent and str(ticket.parent) not in tx.held:
        raise NotPossibleError("the ticket was joined to another just now; try again")
    facts = MEMORY.of(tx, str(ticket_id))
    if not (goes_on(ticket.state, facts) or status(ticket.state, facts) == "linked"):
        raise NotPossibleError(f"the ticket is {status(ticket.state, facts)}")
    return ticket


async def change(
    tx: Tx, here: Here, ticket: Ticket, event: Event, params: Mapping[str, Any], *, line: str = "", told: bool = True
) -> None:
    """Store what became of a ticket and say so; the event itself may have to wait. `line` names the timeline's text."""
    subject = str(ticket.ticket_id)
    await store.save(tx, [ticket], [Entry(ticket.ticket_id, tx.now, here.clock.new_id(), line or event.name, params)])
    if told:
        tx.emit(subject, event)
    if isinstance(event, TicketSupplemented) and ticket.parent:
        # Who works on the parent reads it too; what a mark stands for is to be asked of the ticket it is in.
        tx.emit(str(ticket.parent), event.model_copy(update={"text": unnumbered(event.text)}))
    facts = MEMORY.of(tx, subject)
    tx.emit(subject, face(ticket, facts))
    await publish(tx, here, [(ticket, facts)])


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader of a ticket gets."""

    ticket: Ticket | None
    facts: Facts
    number: str
    client: str
    timeline: Sequence[Entry]
    lead: Lead | None = None
    verdict: Flag | None = None


async def look(here: Here, ticket_id: UUID) -> Seen:
    """Return a ticket as it stands. Between the POST and its screening it is only known to be received."""
    async with here.database.begin() as tx:
        rows = await store.sealed(tx.connection, [ticket_id])
        if not rows:
            raise Problem(404, "no such ticket")
        ticket = (await store.tickets_of(tx.connection, [ticket_id])).get(ticket_id)
        facts = MEMORY.read(await store.facts(tx.connection, ticket_id))
        lead = await lead_of(tx, ticket) if ticket and ticket.parent else None
        verdict = standing(await store.flags_of(tx.connection, ticket_id))
    lines = sorted(await store.timeline(here.database, ticket_id), key=lambda e: (e.at, ORDER.get(e.type, -1)))
    return Seen(ticket, facts, rows[0].number, rows[0].client, lines, lead, verdict)
