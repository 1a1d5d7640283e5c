"""Opening the vault over HTTP."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from libs.common.runtime.http import Body, Line
from libs.common.runtime.problems import Problem
from services.intake import handlers
from services.intake.api.around import Context, Handler

router = APIRouter()


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
