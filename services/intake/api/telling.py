"""What a ticket's reporter was told without asking, and what became of it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from libs.common.city.settings import MessageKind
from services.intake import handlers
from services.intake.api.around import Context, Seat
from services.intake.domain import Way

router = APIRouter()


class ToldView(BaseModel):
    """One message: about what, in which round, and what became of it. Where it went stays in the vault.

    `failed` did not arrive, and `error` says why: `no_gateway` where the platform has none for the ways the reporter
    gave. `unknown` may have arrived. `waiting` is tried at `next_at`. `no_address`: the contact was erased.
    """

    kind: MessageKind
    round: int
    state: Literal["waiting", "sending", "sent", "failed", "unknown", "no_address"]
    attempts: int
    error: str | None
    at: datetime
    next_at: datetime | None
    ended_at: datetime | None


class MessagesView(BaseModel):
    """The messages of one ticket, oldest first. `ways` is how its reporter can be written to, empty if not at all."""

    ways: list[Way]
    messages: list[ToldView]


@router.get("/tickets/{ticket_id}/messages")
async def get_messages(here: Context, _: Seat, ticket_id: UUID) -> MessagesView:
    """Show what the reporter of a ticket was told, for who is asked why nothing came."""
    seen = await handlers.look(here, ticket_id)
    told = await handlers.messages(here, ticket_id, seen.facts.round)
    return MessagesView(
        ways=list(seen.ticket.ways) if seen.ticket else [],
        messages=[ToldView.model_validate(message, from_attributes=True) for message in told],
    )
