"""HTTP of dispatch: orders to look at and to work on, and dry runs of routing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID

import httpx
from fastapi import APIRouter, Depends, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict

from libs.common.city.catalogue import Question
from libs.common.contracts.dispatch import ReturnGround
from libs.common.contracts.vocabulary import (
    AccessNeed,
    ContactMethod,
    Kind,
    Location,
    ReporterType,
    UnitRef,
    Urgency,
)
from libs.common.messaging.transaction import Tx
from libs.common.runtime.http import Body, Cursor, Line, Note, Page, context, page
from libs.common.runtime.privacy import Redactor
from libs.common.runtime.problems import Problem, unknown_ticket, wrong_field
from libs.common.runtime.security import Principal, require
from services.dispatch import handlers, store
from services.dispatch.domain import (
    TRANSITIONS,
    NotPossibleError,
    Order,
    State,
    accept,
    contact,
    hand_back,
    progress,
    resolve,
)
from services.dispatch.handlers import Here

CLASSIFY_SECONDS = 2.0

router = APIRouter(prefix="/dispatch/v1", tags=["dispatch"])
Context = Annotated[Here, Depends(context)]
Reader = Annotated[Principal, Depends(require("unit", "seat", "supervisor", "analyst"))]
Worker = Annotated[Principal, Depends(require(*TRANSITIONS["accept"].roles))]
Returner = Annotated[Principal, Depends(require(*TRANSITIONS["return"].roles))]
Ruler = Annotated[Principal, Depends(require(*TRANSITIONS["rule"].roles))]
Mover = Annotated[Principal, Depends(require(*TRANSITIONS["reassign"].roles))]
Redacted = Annotated[Note, AfterValidator(lambda text: Redactor().redact(text))]
"""A long text from outside. No personal data in it gets past this border."""


class OrderView(BaseModel):
    """One order. `unit` leads; `why` are Chinese sentences; `contacted_at` is the first contact of this round."""

    model_config = ConfigDict(from_attributes=True)
    ticket_id: UUID
    number: str
    round: int
    state: State
    unit: UnitRef
    co_handlers: list[UnitRef]
    district: str | None
    rule: str
    why: list[str]
    desk: bool
    code: str
    category: tuple[str, str, str]
    urgency: Urgency
    kind: Kind
    title: str | None
    text: str
    summary: str
    address: str | None
    district_name: str | None
    street_name: str | None
    reporter_type: ReporterType
    access_needs: list[AccessNeed]
    dispatched_at: datetime
    accepted_at: datetime | None
    contacted_at: datetime | None
    resolved_at: datetime | None
    reply: str | None
    returns: int
    return_ground: ReturnGround | None
    return_note: str | None


class AcceptCommand(Body):
    """Signing says nothing more."""


class ContactCommand(Body):
    """How the unit spoke with the citizen."""

    method: ContactMethod
    note: Redacted | None = None


class ProgressCommand(Body):
    """How the work goes."""

    note: Redacted


class ReturnCommand(Body):
    """Why the order is not this unit's."""

    ground: ReturnGround
    note: Redacted


class RuleCommand(Body):
    """Whether a return is right; if so, whose the order is, or under which question the router shall look for it."""

    upheld: bool
    unit: Line | None = None
    right_code: Line | None = None
    note: Redacted


class ReassignCommand(Body):
    """Which unit leads from now on, and why."""

    unit: Line
    note: Redacted


class ResolveCommand(Body):
    """What the citizen is told was done."""

    reply: Redacted


class RouteQuery(Body):
    """An appeal by its category, its question's code, or its text: exactly one; and where it is."""

    category: tuple[Line, Line, Line] | None = None
    code: Line | None = None
    text: Note | None = None
    address: Line | None = None
    location: Location | None = None


class RouteView(BaseModel):
    """Where an appeal would go. `alternatives` are the units to try next, the likeliest first."""

    model_config = ConfigDict(from_attributes=True)
    unit: UnitRef
    co_handlers: list[UnitRef]
    rule: str
    why: list[str]
    alternatives: list[UnitRef]
    desk: bool


@router.get("/orders")
async def list_orders(
    here: Context,
    who: Reader,
    cursor: Cursor,
    unit: Annotated[Line | None, Query()] = None,
    state: State | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[OrderView]:
    """List orders by their lead, handed over longest ago first. A unit's key sees its own."""
    orders = await store.list_orders(here.database, _visible(who, unit), state, cursor, limit)
    return page([_view(order) for order in orders], limit, lambda o: (o.dispatched_at, o.ticket_id))


@router.get("/orders/{ticket_id}")
async def show_order(here: Context, who: Reader, ticket_id: UUID) -> OrderView:
    """Show one order, to its lead and its co-handlers among the units."""
    order = await store.order_of(here.database, ticket_id)
    if order is None:
        raise unknown_ticket(ticket_id, here.clock)
    if not _sees_all(who) and not any(who.acts_for(unit.code) for unit in (order.unit, *order.co_handlers)):
        raise Problem(403, "this order is another unit's")
    return _view(order)


@router.post("/orders/{ticket_id}/accept")
async def accept_order(here: Context, who: Worker, ticket_id: UUID, _: AcceptCommand | None = None) -> OrderView:
    """Sign for an order."""
    async with _commanding(here) as tx:
        return _view(await handlers.command(tx, here, who, ticket_id, "accept", accept))


@router.post("/orders/{ticket_id}/contact")
async def contact_citizen(here: Context, who: Worker, ticket_id: UUID, said: ContactCommand) -> OrderView:
    """Note a contact with the citizen."""
    async with _commanding(here) as tx:
        return _view(
            await handlers.command(
                tx, here, who, ticket_id, "contact", lambda order, now: contact(order, said.method, said.note, now)
            )
        )


@router.post("/orders/{ticket_id}/progress")
async def note_progress(here: Context, who: Worker, ticket_id: UUID, said: ProgressCommand) -> OrderView:
    """Note how the work goes."""
    async with _commanding(here) as tx:
        return _view(
            await handlers.command(
                tx, here, who, ticket_id, "progress", lambda order, now: progress(order, said.note, now)
            )
        )


@router.post("/orders/{ticket_id}/return")
async def return_order(here: Context, who: Returner, ticket_id: UUID, said: ReturnCommand) -> OrderView:
    """Say that an order is not this unit's; it leads until a ruling."""
    async with _commanding(here) as tx:
        return _view(
            await handlers.command(
                tx, here, who, ticket_id, "return", lambda order, now: hand_back(order, said.ground, said.note, now)
            )
        )


@router.post("/orders/{ticket_id}/resolve")
async def resolve_order(here: Context, who: Worker, ticket_id: UUID, said: ResolveCommand) -> OrderView:
    """Say that it is done."""
    async with _commanding(here) as tx:
        return _view(
            await handlers.command(
                tx, here, who, ticket_id, "resolve", lambda order, now: resolve(order, said.reply, now)
            )
        )


@router.post("/orders/{ticket_id}/rule")
async def rule_on_return(here: Context, who: Ruler, ticket_id: UUID, said: RuleCommand) -> OrderView:
    """Rule on a return. Refused, the order stays with its unit; after the second return only the centre rules."""
    if said.unit and not said.upheld:
        raise wrong_field("unit", "must be left out of a refusal: the order stays with its unit")
    async with _commanding(here) as tx:
        return _view(
            await handlers.rule_on(tx, here, who, ticket_id, said.upheld, said.unit, said.right_code, said.note)
        )


@router.post("/orders/{ticket_id}/reassign")
async def reassign_order(here: Context, who: Mover, ticket_id: UUID, said: ReassignCommand) -> OrderView:
    """Move an order to another unit; a seat may move what lies at the centre's desk."""
    async with _commanding(here) as tx:
        return _view(await handlers.reassign_to(tx, here, who, ticket_id, said.unit, said.note))


@router.post("/routes")
async def try_route(here: Context, _: Reader, request: Request, asked: RouteQuery) -> RouteView:
    """Say where an appeal would go, and why; nothing is stored."""
    if sum(given is not None for given in (asked.category, asked.code, asked.text)) != 1:
        raise wrong_field("category", "send exactly one of category, code and text")
    question = await _question(here, request, asked)
    words = " ".join(part for part in (asked.address, asked.text) if part)
    matter = here.engine.router.matter(question, words, asked.location)
    return RouteView.model_validate(here.engine.router.route(matter))


async def _question(here: Here, request: Request, asked: RouteQuery) -> Question:
    routing = here.engine.router
    if asked.text:
        question = routing.question_of(await _suggested(here, request, asked))
        if question is None:
            raise _unavailable("classify answered from another catalogue than this city's")
        return question
    question = routing.question(asked.code) if asked.code else routing.question_of(asked.category or ("", "", ""))
    if question is None:
        raise wrong_field("code" if asked.code else "category", "must be a question in the city's catalogue")
    return question


async def _suggested(here: Here, request: Request, asked: RouteQuery) -> tuple[str, str, str]:
    """Ask classify what a text is about, with the caller's own key: the one synchronous hop between services."""
    url = f"{here.settings.classify_url or here.settings.base_url}/classify/v1/suggestions"
    headers = {"Authorization": request.headers["authorization"]}
    sent = asked.model_dump(include={"text", "address"}, exclude_none=True)
    try:
        # Not through a proxy of the environment: classify is a neighbour, and the text stays in the house.
        async with httpx.AsyncClient(timeout=CLASSIFY_SECONDS, trust_env=False) as client:
            answer = await client.post(url, json=sent, headers=headers)
    except httpx.TransportError as error:
        raise _unavailable("classify cannot be reached; send category or code instead of text") from error
    if answer.is_client_error:
        raise Problem(answer.status_code, "classify did not accept the question")
    if not answer.is_success:
        raise _unavailable("classify has a failure of its own; send category or code instead of text")
    l1, l2, l3 = answer.json()["category"]
    return l1, l2, l3


def _unavailable(detail: str) -> Problem:
    return Problem(503, detail, headers={"Retry-After": "5"})


@asynccontextmanager
async def _commanding(here: Here) -> AsyncIterator[Tx]:
    try:
        async with here.database.begin() as tx:
            yield tx
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error


def _sees_all(who: Principal) -> bool:
    return who.may("seat", "supervisor", "analyst")


def _visible(who: Principal, unit: str | None) -> list[str] | None:
    """Return the leads whose orders are listed; None for all."""
    if _sees_all(who):
        return [unit] if unit else None
    if unit and not who.acts_for(unit):
        raise Problem(403, "this key does not act for that unit")
    return [unit] if unit else sorted(who.units) or None


def _view(order: Order) -> OrderView:
    return OrderView.model_validate(order)
