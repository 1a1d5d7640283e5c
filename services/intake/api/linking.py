"""Repeats over HTTP: what an appeal would repeat, what a ticket may, and links made and undone by people."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from libs.common.contracts.vocabulary import Status
from libs.common.runtime.http import Body, Line
from libs.common.runtime.privacy import Redactor
from libs.common.runtime.security import Principal, require
from services.intake import handlers
from services.intake.api.around import Context, Reading, Seat, possible
from services.intake.api.tickets import TicketView, view
from services.intake.appeal import Address, Point, Text
from services.intake.domain import public, status
from services.intake.handlers import Here, Similar
from services.intake.repeats import Said

router = APIRouter()
Asking = Annotated[Principal, Depends(require("adapter", "seat", "unit", "supervisor", "analyst"))]
EXCERPT = 200


class SimilarCommand(Body):
    """An appeal that may be about something known already. Nothing of it is kept."""

    text: Text
    address: Address | None = None
    location: Point | None = None


class SimilarView(BaseModel):
    """A ticket that goes on and is probably about the same event.

    Who works on tickets sees how likely it is (0 to 1) and why, and the beginning of its redacted words. To others only
    public matters are shown, and of these what anyone may see.
    """

    number: str
    place: str | None
    category: tuple[str, str, str] | None
    status: Status
    status_text: str
    support: int
    ticket_id: UUID | None = None
    score: float | None = None
    reasons: str | None = None
    received_at: datetime | None = None
    text: str | None = None


class LinkCommand(Body):
    """The ticket that this one repeats, or that belongs with it, and why a person thinks so."""

    to: UUID
    reason: Line


class UnlinkCommand(Body):
    """Why two tickets are not about one event."""

    reason: Line


@router.post("/similar")
async def post_similar(here: Context, reader: Asking, language: Reading, command: SimilarCommand) -> list[SimilarView]:
    """Return the tickets that an appeal would probably repeat, likeliest first, before it is sent."""
    redactor = Redactor()
    said = Said(
        text=redactor.redact(command.text),
        received_at=here.clock.now(),
        address=redactor.redact(command.address) if command.address else None,
        lat=command.location.lat if command.location else None,
        lon=command.location.lon if command.location else None,
    )
    staff = reader.may("seat", "unit", "supervisor", "analyst")
    services = here.engine.city.services
    found = [one for one in await handlers.similar(here, said) if staff or public(one.ticket, one.facts, services)]
    return [_view(here, one, language, staff=staff) for one in found]


@router.get("/tickets/{ticket_id}/similar")
async def get_similar(here: Context, _: Seat, language: Reading, ticket_id: UUID) -> list[SimilarView]:
    """Return what a ticket may be about the same event as; link the two to accept one."""
    return [_view(here, one, language, staff=True) for one in await handlers.similar_to(here, ticket_id)]


def _view(here: Here, one: Similar, language: str, *, staff: bool) -> SimilarView:
    ticket, facts = one.ticket, one.facts
    state = status(ticket.state, facts)
    shown = SimilarView(
        number=ticket.number,
        place=ticket.address,
        category=facts.classified.category if facts.classified else None,
        status=state,
        status_text=here.engine.messages.status(state, language),
        support=ticket.support,
    )
    if not staff:
        return shown
    return shown.model_copy(
        update={
            "ticket_id": ticket.ticket_id,
            "score": one.likely.score,
            "reasons": here.engine.messages.repeat(one.likely.reasons, language),
            "received_at": ticket.received_at,
            "text": ticket.text[:EXCERPT],
        }
    )


@router.post("/tickets/{ticket_id}/link")
async def link(here: Context, seat: Seat, language: Reading, ticket_id: UUID, command: LinkCommand) -> TicketView:
    """Join a ticket to another, or to what that one belongs to. Its own children come along; its order is recalled."""
    async with here.database.begin() as tx:
        await possible(handlers.link(tx, here, ticket_id, command.to, command.reason, seat.name))
    return view(here, ticket_id, await handlers.look(here, ticket_id), language, ask=False)


@router.post("/tickets/{ticket_id}/unlink")
async def unlink(here: Context, seat: Seat, language: Reading, ticket_id: UUID, command: UnlinkCommand) -> TicketView:
    """Send a linked ticket on its own way again: it gets an order of its own."""
    async with here.database.begin() as tx:
        await possible(handlers.unlink(tx, here, ticket_id, command.reason, seat.name))
    return view(here, ticket_id, await handlers.look(here, ticket_id), language, ask=False)
