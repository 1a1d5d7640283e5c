"""What one person may ask of us by law, over HTTP: a copy of their data, and that it be deleted."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from libs.common.contracts.vocabulary import Attachment, Status
from libs.common.runtime.http import Body, Line, Note
from libs.common.runtime.problems import FieldError, Problem, wrong_field
from services.intake import handlers
from services.intake.api.around import Context, Reading, Seat
from services.intake.api.chats import WordsView
from services.intake.api.tickets import TimelineView
from services.intake.appeal import Appeal, Phone
from services.intake.domain import ERASED, Stays, status
from services.intake.handlers import Asking, Claim, Copy, Here, Person, Talk

router = APIRouter()


class Coded(Body):
    """A ticket by its number, with the code that shows whose it is."""

    number: Line
    code: Annotated[str, Field(max_length=40)]


class PersonCommand(Body):
    """Whose data it is: that of a phone, or of tickets whose codes are known, for those who gave no phone.

    The seat made sure before that it speaks with this person, or has an order by law.
    """

    phone: Phone | None = None
    tickets: Annotated[tuple[Coded, ...], Field(max_length=50)] = ()
    purpose: Claim = "person_request"
    note: Annotated[
        Note | None,
        Field(
            description="Why, for the audit log, which outlives the data: it must not name the person. What is known "
            "of the person is taken out; no note is kept with a wrong code"
        ),
    ] = None


class EraseCommand(PersonCommand):
    """With `withdraw`, appeals that still go on are taken back first; without, they stay."""

    withdraw: bool = False


class MessageView(BaseModel):
    """A message that the person was sent, and what became of it."""

    kind: str
    at: datetime
    state: str


class SeenView(BaseModel):
    """Who did what to the person's data, for what."""

    at: datetime
    by: str
    action: str
    purpose: str | None
    outcome: str


class SessionCopy(BaseModel):
    """A chat, a call or a video session: what was left for the seat, and what was said."""

    kind: str
    opened_at: datetime
    name: str | None
    phone: str | None
    question: str | None
    said: list[WordsView]


class TicketCopy(BaseModel):
    """All that is kept of an appeal. `appeal` is as it came, null once it was deleted."""

    ticket_id: UUID
    number: str
    received_at: datetime
    status: Status
    personal_data_deleted_at: datetime | None
    appeal: Appeal | None
    timeline: list[TimelineView]
    files: list[Attachment]
    sessions: list[SessionCopy]
    messages: list[MessageView]
    audit: list[SeenView]


class SupportCopy(BaseModel):
    """Another's ticket that the person confirmed or follows."""

    ticket_id: UUID
    kind: str
    at: datetime


class PersonCopy(BaseModel):
    """All that is kept of a person. `sessions` are those about none of the tickets."""

    generated_at: datetime
    tickets: list[TicketCopy]
    supports: list[SupportCopy]
    sessions: list[SessionCopy]


class ErasedView(BaseModel):
    """What became of a ticket: `stays` says why it was not deleted, null if it was."""

    ticket_id: UUID
    stays: Stays | None


class ErasureView(BaseModel):
    """What became of each of the person's tickets."""

    tickets: list[ErasedView]


@router.post("/persons/export")
async def export(here: Context, seat: Seat, command: PersonCommand, language: Reading) -> PersonCopy:
    """Return all that is kept of a person, and who saw it. Appeals sent anonymously are found by their codes only."""
    person = await _person(here, seat.name, "export", command)
    return await _copy(here, person, await _asking(here, person, seat.name, command), language)


@router.post("/persons/erase")
async def erase(here: Context, seat: Seat, command: EraseCommand) -> ErasureView:
    """Delete what the law lets go of a person's data, for good, and say of each ticket whether it is gone."""
    person = await _person(here, seat.name, "erase", command)
    asking = await _asking(here, person, seat.name, command)
    stays = await handlers.erase_person(here, person, asking, withdrawing=command.withdraw)
    return ErasureView(tickets=[ErasedView(ticket_id=id_, stays=why) for id_, why in stays.items()])


@router.get("/tickets/{ticket_id}/export")
async def export_own(
    here: Context,
    ticket_id: UUID,
    language: Reading,
    code: Annotated[str, Query(max_length=40, description="The citizen's query code")],
) -> TicketCopy:
    """Return all that is kept of one appeal to who holds its query code."""
    if not here.engine.codes.matches(ticket_id, code):
        raise Problem(403, "code: does not belong to this ticket", errors=[FieldError("code", "is wrong")])
    asking = Asking(handlers.CITIZEN, "person_request")
    copied = await _copy(here, Person([ticket_id]), asking, language)
    if not copied.tickets:
        raise Problem(404, "no such ticket")
    return copied.tickets[0]


async def _asking(here: Here, person: Person, by: str, command: PersonCommand) -> Asking:
    return await handlers.asked(here, person, by, command.purpose, command.note)


async def _person(here: Here, by: str, action: Literal["export", "erase"], command: PersonCommand) -> Person:
    """Return whose data it is. Raises Problem 422 if nobody is named, 403 if a code is wrong, which is kept as well."""
    if command.phone is None and not command.tickets:
        raise wrong_field("phone", "give a phone, or tickets with their codes")
    tickets = []
    for at, named in enumerate(command.tickets):
        found = [
            id_ for id_ in await handlers.numbered(here, named.number) if here.engine.codes.matches(id_, named.code)
        ]
        if not found:
            await handlers.note_alone(here, Asking(by, command.purpose).deed(action, None, "wrong_code"))
            what = "is wrong, or there is no such number"
            raise Problem(403, f"tickets.{at}.code: {what}", errors=[FieldError(f"tickets.{at}.code", what)])
        tickets += found
    if command.phone is None:
        return Person(tickets)
    try:
        person = await handlers.by_phone(here, command.phone)
    except ValueError as error:
        raise wrong_field("phone", "must have digits") from error
    return replace(person, tickets=[*person.tickets, *(id_ for id_ in tickets if id_ not in person.tickets)])


async def _copy(here: Here, person: Person, asking: Asking, language: str) -> PersonCopy:
    found = await handlers.copy_of(here, person, asking)
    return PersonCopy(
        generated_at=here.clock.now(),
        tickets=[_ticket(here, copy, language) for copy in found.copies],
        supports=[SupportCopy(ticket_id=s.ticket_id, kind=s.kind, at=s.at) for s in found.supports],
        sessions=[_session(talk) for talk in found.talks],
    )


def _session(talk: Talk) -> SessionCopy:
    return SessionCopy(
        kind=talk.session.kind,
        opened_at=talk.session.opened_at,
        said=[WordsView(at=line.at, by=line.by, text=line.text) for line in talk.said],
        **talk.card.model_dump(),
    )


def _ticket(here: Here, copy: Copy, language: str) -> TicketCopy:
    return TicketCopy(
        ticket_id=copy.row.ticket_id,
        number=copy.row.number,
        received_at=copy.row.received_at,
        status=status(copy.ticket.state, copy.facts) if copy.ticket else "received",
        personal_data_deleted_at=next((line.at for line in copy.lines if line.type == ERASED), None),
        appeal=copy.appeal,
        timeline=[
            TimelineView(at=line.at, type=line.type, text=handlers.words_of(here, copy, line, language))
            for line in copy.lines
        ],
        files=list(copy.files),
        sessions=[_session(talk) for talk in copy.talks],
        messages=[MessageView(kind=m.kind, at=m.at, state=m.state) for m in copy.messages],
        audit=[SeenView(at=e.at, by=e.by, action=e.action, purpose=e.purpose, outcome=e.outcome) for e in copy.audited],
    )
