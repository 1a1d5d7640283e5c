"""What a ticket's reporter was told without asking, and what became of it."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from services.intake import handlers
from services.intake.api.around import Context, Seat
from services.intake.domain import Message, Way

router = APIRouter()


class MessagesView(BaseModel):
    """The messages of one ticket, oldest first. `ways` is how its reporter can be written to, empty if not at all."""

    ways: list[Way]
    messages: list[Message]


@router.get("/tickets/{ticket_id}/messages")
async def get_messages(here: Context, _: Seat, ticket_id: UUID) -> MessagesView:
    """Show what the reporter of a ticket was told, for who is asked why nothing came."""
    seen = await handlers.look(here, ticket_id)
    told = await handlers.messages(here, ticket_id, seen.facts.round)
    return MessagesView(
        ways=list(seen.ticket.ways) if seen.ticket else [],
        messages=told,
    )
