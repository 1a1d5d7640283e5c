"""A ticket as it is read, and what citizens and seats may do with it."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel

from libs.common.contracts.vocabulary import Status, UnitRef, Urgency
from libs.common.runtime.http import Body, Note
from services.intake import handlers
from services.intake.api.around import Code, Context, Reading, admit, allowed, possible
from services.intake.domain import ERASED, Flag, status
from services.intake.handlers import Here, Seen

router = APIRouter()


class TimelineView(BaseModel):
    """One line of the timeline."""

    at: datetime
    type: str
    text: str


class RulingView(BaseModel):
    """A verdict that stands on an appeal, on which ground, in words, and why; until when its reporter may appeal it.

    It bears on scoring only. `appeal_until` is null once it was appealed.
    """

    ground: str
    name: str
    why: str
    appeal_until: datetime | None


class TicketView(BaseModel):
    """A ticket as its reporter, and those who work on it, see it. `review_url` is there while the citizen is asked."""

    ticket_id: UUID
    number: str
    status: Status
    status_text: str
    category: tuple[str, str, str] | None = None
    urgency: Urgency | None = None
    unit: UnitRef | None = None
    due_at: datetime | None = None
    linked_to: UUID | None = None
    review_url: str | None = None
    ruling: RulingView | None = None
    personal_data_deleted_at: datetime | None = None
    timeline: list[TimelineView]


class WithdrawCommand(Body):
    """Why the citizen takes the appeal back."""

    reason: Note | None = None


class WordsCommand(Body):
    """Words to add."""

    text: Note


@router.get("/tickets/{ticket_id}")
async def get_ticket(
    request: Request,
    here: Context,
    ticket_id: UUID,
    language: Reading,
    code: Code = None,
) -> TicketView:
    """Show a ticket to who holds its query code, to its sender, and to those who work on tickets."""
    seen = await handlers.look(here, ticket_id)
    citizen = allowed(request, here, seen, ticket_id, code)
    return view(here, ticket_id, seen, language, ask=citizen)


def view(here: Here, ticket_id: UUID, seen: Seen, language: str, *, ask: bool) -> TicketView:
    """Return a ticket for reading. With `ask` it has the link by which the citizen reviews, while one is awaited."""
    facts, ticket, lead = seen.facts, seen.ticket, seen.lead.facts if seen.lead else seen.facts
    state = status(ticket.state, facts) if ticket else "received"
    answered = facts.asked and facts.reviewed and facts.reviewed.round >= facts.asked.round
    # What was asked of an answer falls away when the ticket is handed to a unit after all.
    void = facts.asked and facts.handed_at and facts.asked.at < facts.handed_at
    # A linked ticket closes with its parent, yet its reporter may still answer.
    awaited = (
        facts.asked and not (answered or void) and state != "withdrawn"
        and (state != "closed" or (ticket and ticket.parent))
    )  # fmt: skip
    return TicketView(
        ticket_id=ticket_id,
        number=seen.number,
        status=state,
        status_text=here.engine.messages.status(state, language),
        category=facts.classified.category if facts.classified else None,
        urgency=facts.classified.urgency if facts.classified else None,
        unit=lead.led.unit if lead.led else None,
        due_at=lead.due.at if lead.due else None,
        linked_to=ticket.parent if ticket else None,
        review_url=here.engine.review_link(ticket_id, facts.asked.round) if ask and awaited and facts.asked else None,
        ruling=_ruling(here, seen.verdict, language) if seen.verdict else None,
        personal_data_deleted_at=next((line.at for line in seen.timeline if line.type == ERASED), None),
        timeline=_timeline(here, seen, language),
    )


def _ruling(here: Here, verdict: Flag, language: str) -> RulingView:
    name = here.engine.messages.read(handlers.ground_name(here, verdict.ground), language)
    until = verdict.appeal_until(here.engine.city.screening.appeal_within)
    return RulingView(ground=verdict.ground, name=name, why=verdict.note or "", appeal_until=until)


def _timeline(here: Here, seen: Seen, language: str) -> list[TimelineView]:
    """Return the lines of a ticket, and of a repeat also how the ticket goes that it belongs to."""
    messages = here.engine.messages
    own = [TimelineView(at=e.at, type=e.type, text=messages.line(e, language)) for e in seen.timeline]
    lines = seen.lead.lines if seen.lead else ()
    shared = [TimelineView(at=e.at, type=e.type, text=messages.shared(e, language)) for e in lines]
    return sorted([*own, *shared], key=lambda line: line.at) if shared else own


@router.post("/tickets/{ticket_id}/withdraw")
async def withdraw(
    request: Request, here: Context, ticket_id: UUID, command: WithdrawCommand, language: Reading, code: Code = None
) -> TicketView:
    """Take an appeal back: the citizen by the query code, the sender, or a seat on the citizen's word."""
    await admit(request, here, ticket_id, code)
    async with here.database.begin() as tx:
        await possible(handlers.withdraw(tx, here, ticket_id, command.reason))
    return view(here, ticket_id, await handlers.look(here, ticket_id), language, ask=False)


@router.post("/tickets/{ticket_id}/supplement")
async def supplement(
    request: Request, here: Context, ticket_id: UUID, command: WordsCommand, language: Reading, code: Code = None
) -> TicketView:
    """Add words to an appeal that is still open."""
    await admit(request, here, ticket_id, code)
    async with here.database.begin() as tx:
        await possible(handlers.supplement(tx, here, ticket_id, command.text))
    return view(here, ticket_id, await handlers.look(here, ticket_id), language, ask=False)
