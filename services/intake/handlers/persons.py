"""What one person may ask of us by law: a copy of all that is kept of them, and that it be deleted.

Source: Personal Information Protection Law, articles 45 and 47.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

from libs.common.contracts.vocabulary import Attachment
from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import Mark, Redactor, restore
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
from services.intake.handlers.sessions import Card, card_of
from services.intake.handlers.telling import messages

Claim = Literal["person_request", "legal"]
CITIZEN = "citizen"
"""Who reads or deletes by the query code, in the audit log."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose identity was made sure of: the tickets that are theirs, and their phone if they gave it."""

    tickets: Sequence[UUID]
    pseudonym: str | None = None
    phone: str | None = field(default=None, repr=False)


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
class Talk:
    """A chat, a call or a video session: what was left for the seat, and what was said."""

    session: Session
    card: Card
    said: Sequence[SpokenLine]


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
    talks: Sequence[Talk] = ()
    messages: Sequence[Message] = ()


async def by_phone(here: Here, phone: str) -> Person:
    """Return whose phone this is. Raises ValueError if there is no digit in it."""
    pseudonym = here.engine.pseudonyms.of("phone", phone)
    return Person(await store.tickets_of_reporter(here.database.pool, pseudonym), pseudonym, phone)


async def asked(here: Here, person: Person, by: str, claim: Claim, words: str | None) -> Asking:
    """Return who asks, and what they say of it without what they or the vault know of the person."""
    if words is None:
        return Asking(by, claim)
    known = [("phone", person.phone)] if person.phone else []
    async with here.database.begin() as tx:
        rows = await store.sealed(tx.connection, person.tickets)
        sessions = await store.sessions_of(tx.connection, person.tickets, person.pseudonym)
        cards = [await card_of(tx, here, session) for session in sessions]
    known += [given for row in rows if not row.erased for given in appeal_of(here.engine, row).known()]
    known += [(kind, value) for card in cards for kind, value in (("name", card.name), ("phone", card.phone)) if value]
    return Asking(by, claim, Redactor(known).redact(words))


@dataclass(frozen=True, slots=True)
class Copies:
    """All that is kept of a person: appeals, the tickets of others they stand behind, sessions about no appeal."""

    copies: Sequence[Copy]
    supports: Sequence[Supporter]
    talks: Sequence[Talk]


async def copy_of(here: Here, person: Person, asking: Asking) -> Copies:
    """Return all that is kept of a person."""
    async with here.database.begin() as tx:
        copies = await _copies(here, tx, person.tickets)
        supports = await store.supports_of(tx.connection, person.pseudonym) if person.pseudonym else []
        sessions = await store.sessions_of(tx.connection, person.tickets, person.pseudonym)
        cards = {session.session_id: await card_of(tx, here, session) for session in sessions}
        seen: list[UUID | None] = [copy.row.ticket_id for copy in copies]
        await note(tx, here, *(asking.deed("export", ticket_id) for ticket_id in seen or [None]))
    talks = [Talk(s, cards[s.session_id], await said(here, s.session_id, 0, MOST_SPOKEN)) for s in sessions]
    about = {copy.row.ticket_id for copy in copies}
    return Copies(
        [await _with_words(here, copy, talks) for copy in copies],
        supports,
        [talk for talk in talks if talk.session.ticket_id not in about],
    )


async def _with_words(here: Here, copy: Copy, talks: Sequence[Talk]) -> Copy:
    """Add what was said in sessions about a ticket, and what its reporter was sent."""
    mine = [talk for talk in talks if talk.session.ticket_id == copy.row.ticket_id]
    return replace(copy, talks=mine, messages=await messages(here, copy.row.ticket_id, copy.facts.round))


async def _copies(here: Here, tx: Tx, wanted: Sequence[UUID]) -> list[Copy]:
    rows = await store.sealed(tx.connection, wanted)
    tickets = await store.tickets_of(tx.connection, wanted)
    facts = await store.facts_of(tx.connection, wanted)
    lines = await store.lines_of(tx.connection, wanted)
    files = await store.files_of(tx.connection, wanted)
    audited = await store.audit_of(tx.connection, wanted)
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
        gone = await _forget_beside(tx, person.pseudonym) if person.pseudonym else 0
        if gone or not results:
            await note(tx, here, asking.deed("erase", None))
    return results


async def _forget_beside(tx: Tx, pseudonym: str) -> int:
    """Forget what is kept of a person beside their appeals; a session that goes on stays until it is over."""
    return await store.forget_supports(tx, pseudonym) + await store.forget_sessions_of(tx, pseudonym)


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
