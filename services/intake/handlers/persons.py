"""What one person may ask of us by law: a copy of all that is kept of them, and that it be deleted.

Source: Personal Information Protection Law, articles 45 and 47.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

from libs.common.contracts.vocabulary import Attachment
from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import Mark, restore
from services.intake import store
from services.intake.appeal import Appeal
from services.intake.domain import (
    DONE,
    Audited,
    Deed,
    Entry,
    Facts,
    Message,
    NotPossibleError,
    Session,
    Stays,
    Supporter,
    Ticket,
    must_stay,
)
from services.intake.handlers.around import Here
from services.intake.handlers.audit import note
from services.intake.handlers.chats import MOST_SPOKEN, SpokenLine, said
from services.intake.handlers.commands import withdraw
from services.intake.handlers.following import MEMORY
from services.intake.handlers.retention import erase_whole
from services.intake.handlers.sealing import appeal_of, marks_of
from services.intake.handlers.telling import messages

Claim = Literal["person_request", "legal"]
CITIZEN = "citizen"
"""Who reads or deletes by the query code, in the audit log."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose identity was made sure of: the tickets that are theirs, and their pseudonym if it is known."""

    tickets: Sequence[UUID]
    pseudonym: str | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for something to be done with a person's data, for what, and what they say of it in redacted words."""

    by: str
    claim: Claim
    said: str | None = None

    def deed(self, action: Literal["export", "erase"], ticket_id: UUID | None, outcome: str = DONE) -> Deed:
        """Return what goes into the audit log."""
        return Deed(self.by, action, ticket_id, self.claim, outcome, self.said)


@dataclass(frozen=True, slots=True)
class Copy:
    """All that is kept of one appeal. `appeal` and `marks` are gone once it was erased."""

    row: store.Sealed
    ticket: Ticket | None
    facts: Facts
    appeal: Appeal | None
    marks: Sequence[Mark]
    lines: Sequence[Entry]
    files: Sequence[Attachment]
    audited: Sequence[Audited]
    sessions: Sequence[Session]
    said: Mapping[UUID, Sequence[SpokenLine]] = field(default_factory=dict)
    messages: Sequence[Message] = ()


async def by_phone(here: Here, phone: str) -> Person:
    """Return whose phone this is. Raises ValueError if there is no digit in it."""
    pseudonym = here.engine.pseudonyms.of("phone", phone)
    return Person(await store.tickets_of_reporter(here.database.pool, pseudonym), pseudonym)


async def copy_of(here: Here, person: Person, asking: Asking) -> tuple[list[Copy], list[Supporter]]:
    """Return all that is kept of a person: their appeals, and the tickets of others that they stand behind."""
    async with here.database.begin() as tx:
        copies = await _copies(here, tx, person.tickets)
        supports = await store.supports_of(tx.connection, person.pseudonym) if person.pseudonym else []
        seen: list[UUID | None] = [copy.row.ticket_id for copy in copies]
        await note(tx, here, *(asking.deed("export", ticket_id) for ticket_id in seen or [None]))
    return [await _with_words(here, copy) for copy in copies], supports


async def _with_words(here: Here, copy: Copy) -> Copy:
    """Add what was said in sessions about a ticket, and what its reporter was sent."""
    said_in = {s.session_id: await said(here, s.session_id, 0, MOST_SPOKEN) for s in copy.sessions}
    return replace(copy, said=said_in, messages=await messages(here, copy.row.ticket_id, copy.facts.round))


async def _copies(here: Here, tx: Tx, wanted: Sequence[UUID]) -> list[Copy]:
    rows = await store.sealed(tx.connection, wanted)
    tickets = await store.tickets_of(tx.connection, wanted)
    facts = await store.facts_of(tx.connection, wanted)
    lines = await store.lines_of(tx.connection, wanted)
    files = await store.files_of(tx.connection, wanted)
    audited = await store.audit_of(tx.connection, wanted)
    sessions = await store.sessions_of(tx.connection, wanted)
    copies = []
    for row in rows:
        id_ = row.ticket_id
        copies.append(
            Copy(
                row=row,
                ticket=tickets.get(id_),
                facts=MEMORY.read(facts.get(id_, {})),
                appeal=None if row.erased else appeal_of(here.engine, row),
                marks=() if row.erased else marks_of(here.engine, row),
                lines=[line for line in lines if line.ticket_id == id_],
                files=[file.attachment for file in files.get(id_, ())],
                audited=[entry for entry in audited if entry.ticket_id == id_],
                sessions=[session for session in sessions if session.ticket_id == id_],
            )
        )
    return copies


def words_of(here: Here, copy: Copy, line: Entry, language: str) -> str:
    """Return a line of a timeline with the originals in it."""
    return restore(here.engine.messages.line(line, language), copy.marks)


async def erase_person(here: Here, person: Person, asking: Asking, *, withdrawing: bool) -> dict[UUID, Stays | None]:
    """Delete what the law lets go, ticket by ticket; return why a ticket stays, None for one that is gone.

    What still goes on is taken back first with `withdrawing`, and stays without it.
    """
    results = {id_: await _erase_one(here, id_, asking, withdrawing=withdrawing) for id_ in person.tickets}
    async with here.database.begin() as tx:
        gone = await store.forget_supports(tx, person.pseudonym) if person.pseudonym else 0
        if gone or not results:
            await note(tx, here, asking.deed("erase", None))
    return results


async def _erase_one(here: Here, ticket_id: UUID, asking: Asking, *, withdrawing: bool) -> Stays | None:
    async with here.database.begin() as tx:
        await tx.lock([str(ticket_id)])
        stays = await _stays(tx, ticket_id)
        if stays == "goes_on" and withdrawing:
            stays = await _withdrawn(tx, here, ticket_id)
        if stays is None:
            await erase_whole(tx, here, [ticket_id])
        await note(tx, here, asking.deed("erase", ticket_id, stays or DONE))
    return stays


async def _stays(tx: Tx, ticket_id: UUID) -> Stays | None:
    if ticket_id in await store.erased(tx.connection, [ticket_id]):
        return "erased"
    ticket = (await store.tickets_of(tx.connection, [ticket_id])).get(ticket_id)
    if ticket is None:
        return "goes_on"
    disputed = await store.disputed(tx.connection, [ticket_id])
    return must_stay(ticket.state, MEMORY.of(tx, str(ticket_id)), disputed=ticket_id in disputed)


async def _withdrawn(tx: Tx, here: Here, ticket_id: UUID) -> Stays | None:
    try:
        await withdraw(tx, here, ticket_id, None)
    except NotPossibleError:
        return "goes_on"
    return await _stays(tx, ticket_id)
