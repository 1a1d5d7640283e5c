"""HTTP of intake: the front door for channel adapters, and what citizens and seats may ask of a ticket."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ValidationError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from libs.common.contracts.vocabulary import Status, UnitRef, Urgency
from libs.common.runtime.http import Body, Line, Note, context
from libs.common.runtime.problems import FieldError, Problem, invalid, wrong_field
from libs.common.runtime.security import Principal, authenticate, require
from services.intake import handlers
from services.intake.appeal import Appeal
from services.intake.domain import NotPossibleError, status
from services.intake.handlers import Accepted, Here, Seen

router = APIRouter(prefix="/intake/v1", tags=["intake"])
Context = Annotated[Here, Depends(context)]
Sender = Annotated[Principal, Depends(require("adapter", "seat", "importer"))]
Seat = Annotated[Principal, Depends(require("seat", "supervisor"))]
Handler = Annotated[Principal, Depends(require("unit", "seat", "supervisor"))]
Code = Annotated[str | None, Query(max_length=40, description="The citizen's query code")]
BATCH_AHEAD = 500
"""How many lines of a batch are under way at once."""


class Received(BaseModel):
    """What the sender of an appeal gets. The query code lets the citizen look the ticket up."""

    ticket_id: UUID
    number: str
    query_code: str
    status: Status


class TimelineView(BaseModel):
    """One line of the timeline."""

    at: datetime
    type: str
    text: str


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
    timeline: list[TimelineView]


class WithdrawCommand(Body):
    """Why the citizen takes the appeal back."""

    reason: Note | None = None


class WordsCommand(Body):
    """Words to add, or to answer with."""

    text: Note


class ContactCommand(Body):
    """What the vault is opened for."""

    purpose: Line


class ContactView(BaseModel):
    """What the vault holds of an appeal. `marks` are the originals behind ⟦marks⟧ in the redacted text."""

    name: str | None
    phone: str | None
    address: str | None
    text: str
    marks: dict[str, str]


async def post_ticket(request: Request) -> Response:
    """Receive one appeal: `POST /intake/v1/tickets`. Answers 202 once it is committed."""
    here: Here = request.app.state.context
    sender = _may_send(request)
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= 200:
        raise wrong_field("Idempotency-Key", "must have 1 to 200 characters")
    accepted = await _receive(here, sender, await request.body(), key)
    return JSONResponse(_received(here, accepted), 202)


def _may_send(request: Request) -> Principal:
    sender = authenticate(request)
    if not sender.may("adapter", "seat", "importer"):
        raise Problem(403, "this needs the role adapter, seat or importer")
    return sender


async def _receive(here: Here, sender: Principal, body: bytes, key: str | None) -> Accepted:
    try:
        appeal = Appeal.model_validate_json(body)
    except ValidationError as error:
        raise invalid(error) from None
    now = here.clock.now()
    if appeal.received_at and not sender.may("importer"):
        raise wrong_field("received_at", "only the role importer may set it; leave it out")
    for name, at in (("received_at", appeal.received_at), ("occurred_at", appeal.occurred_at)):
        if at and (at - now).total_seconds() > 300:
            raise wrong_field(name, "must not lie in the future")
    return await handlers.accept(here, sender.name, appeal, key)


def _received(here: Here, accepted: Accepted) -> dict[str, str]:
    return {
        "ticket_id": str(accepted.ticket_id),
        "number": accepted.number,
        "query_code": here.engine.codes.of(accepted.ticket_id),
        "status": "received",
    }


@router.post("/tickets/batch", status_code=200, response_class=Response)
async def post_batch(request: Request, here: Context, sender: Sender) -> Response:
    """Receive many appeals as NDJSON; answers one line for each line, in order, when all are received.

    A line's answer has its number and either what a single POST answers or a `problem`. Send the batch again after a
    break: what has an `external_ref` is not received twice.
    """
    answers: list[dict[str, Any] | None] = []
    waiting: list[bytes] = []
    async for line in _lines(request.stream()):
        waiting.append(line)
        if len(waiting) == BATCH_AHEAD:
            answers += await asyncio.gather(*(_answer(here, sender, line) for line in waiting))
            waiting.clear()
    answers += await asyncio.gather(*(_answer(here, sender, line) for line in waiting))
    numbered = ({"line": i, **answer} for i, answer in enumerate(answers, 1) if answer is not None)
    told = "".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in numbered)
    return Response(told, media_type="application/x-ndjson")


async def _lines(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in stream:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
    if rest:
        yield rest


async def _answer(here: Here, sender: Principal, line: bytes) -> dict[str, Any] | None:
    if not line.strip():
        return None
    try:
        return dict(_received(here, await _receive(here, sender, line, None)))
    except Problem as problem:
        return {"problem": problem.body()}


@router.get("/tickets/{ticket_id}")
async def get_ticket(
    request: Request,
    here: Context,
    ticket_id: UUID,
    code: Code = None,
    accept_language: Annotated[str, Header()] = "zh",
) -> TicketView:
    """Show a ticket to who holds its query code, to its sender, and to those who work on tickets."""
    seen = await handlers.look(here, ticket_id)
    citizen = _allowed(request, here, seen, ticket_id, code)
    return view(here, ticket_id, seen, accept_language, ask=citizen)


def _allowed(request: Request, here: Here, seen: Seen, ticket_id: UUID, code: str | None) -> bool:
    """Return whether the reader is the citizen. Raises Problem 401 or 403 if neither code nor key opens the ticket."""
    if code is not None:
        if not here.engine.codes.matches(ticket_id, code):
            raise Problem(403, "code: does not belong to this ticket", errors=[FieldError("code", "is wrong")])
        return True
    reader = authenticate(request)
    if not reader.may("seat", "unit", "supervisor", "analyst") and reader.name != seen.client:
        raise Problem(403, "only the sender of a ticket, or a role that works on tickets, may see it")
    return False


def view(here: Here, ticket_id: UUID, seen: Seen, language: str, *, ask: bool) -> TicketView:
    """Return a ticket for reading. With `ask` it has the link by which the citizen reviews, while one is awaited."""
    facts, ticket = seen.facts, seen.ticket
    state = status(ticket.state, facts) if ticket else "received"
    answered = facts.asked and facts.reviewed and facts.reviewed.round >= facts.asked.round
    # A linked ticket closes with its parent, yet its reporter may still answer.
    awaited = (
        facts.asked and not answered and state != "withdrawn" and (state != "closed" or (ticket and ticket.parent))
    )
    return TicketView(
        ticket_id=ticket_id,
        number=seen.number,
        status=state,
        status_text=here.engine.messages.status(state, language),
        category=facts.classified.category if facts.classified else None,
        urgency=facts.classified.urgency if facts.classified else None,
        unit=facts.led.unit if facts.led else None,
        due_at=facts.due.at if facts.due else None,
        linked_to=ticket.parent if ticket else None,
        review_url=here.engine.review_link(ticket_id, facts.asked.round) if ask and awaited and facts.asked else None,
        timeline=[
            TimelineView(at=e.at, type=e.type, text=here.engine.messages.line(e, language)) for e in seen.timeline
        ],
    )


@router.post("/tickets/{ticket_id}/withdraw")
async def withdraw(
    request: Request, here: Context, ticket_id: UUID, command: WithdrawCommand, code: Code = None
) -> TicketView:
    """Take an appeal back: the citizen by the query code, the sender, or a seat on the citizen's word."""
    await _admit(request, here, ticket_id, code)
    async with here.database.begin() as tx:
        await _possible(handlers.withdraw(tx, here, ticket_id, command.reason))
    return view(here, ticket_id, await handlers.look(here, ticket_id), "zh", ask=False)


@router.post("/tickets/{ticket_id}/supplement")
async def supplement(
    request: Request, here: Context, ticket_id: UUID, command: WordsCommand, code: Code = None
) -> TicketView:
    """Add words to an appeal that is still open."""
    await _admit(request, here, ticket_id, code)
    async with here.database.begin() as tx:
        await _possible(handlers.supplement(tx, here, ticket_id, command.text))
    return view(here, ticket_id, await handlers.look(here, ticket_id), "zh", ask=False)


@router.post("/tickets/{ticket_id}/answer")
async def answer(here: Context, _: Seat, ticket_id: UUID, command: WordsCommand) -> TicketView:
    """Answer an appeal at once, as a seat does with a question it can answer."""
    async with here.database.begin() as tx:
        await _possible(handlers.answer(tx, here, ticket_id, command.text))
    return view(here, ticket_id, await handlers.look(here, ticket_id), "zh", ask=False)


@router.post("/tickets/{ticket_id}/contact")
async def contact(here: Context, reader: Handler, ticket_id: UUID, command: ContactCommand) -> ContactView:
    """Open the vault for the handling unit or a callback. Who did, when and for what is kept."""
    seen = await handlers.look(here, ticket_id)
    lead = seen.facts.led.unit if seen.facts.led else None
    if not reader.may("seat", "supervisor") and not (lead and reader.acts_for(lead.code)):
        raise Problem(403, "only the unit that leads the order may open its contact")
    async with here.database.begin() as tx:
        opening = await handlers.open_vault(tx, here, ticket_id, reader.name, command.purpose)
    appeal = opening.appeal
    return ContactView(
        name=appeal.reporter.name,
        phone=appeal.reporter.phone,
        address=appeal.address,
        text=appeal.text,
        marks={mark.name: mark.original for mark in opening.marks},
    )


async def _admit(request: Request, here: Here, ticket_id: UUID, code: str | None) -> None:
    _allowed(request, here, await handlers.look(here, ticket_id), ticket_id, code)


async def _possible(command: Any) -> None:
    try:
        await command
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error


ROUTES = (Route("/intake/v1/tickets", post_ticket, methods=["POST"]),)
"""The hot POST goes past FastAPI's dependency layer, which would cost more than all it does itself."""

_BODY = "#/paths/~1intake~1v1~1tickets/post/requestBody/content/application~1json/schema/$defs/{model}"
_KEY = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 1, "maxLength": 200}}
# Behind ROUTES, so never asked: it has the hot POST in the schema.
router.add_api_route(
    "/tickets", post_ticket, methods=["POST"], status_code=202, response_model=Received,
    openapi_extra={
        "parameters": [_KEY],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": Appeal.model_json_schema(ref_template=_BODY)}},
        },
    },
)  # fmt: skip
