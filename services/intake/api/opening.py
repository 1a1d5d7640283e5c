"""Opening the vault over HTTP."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from libs.common.runtime.http import Body, Note
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal, authenticate
from services.intake import handlers
from services.intake.api.around import Context
from services.intake.domain import Purpose, Refusal

router = APIRouter()


async def _anyone(request: HTTPConnection) -> Principal:
    """Let in whoever has a key: who may not open a ticket is refused by the decision, so that the attempt is kept."""
    return authenticate(request)


Reader = Annotated[Principal, Depends(_anyone)]
REFUSED: Mapping[Refusal, tuple[int, str]] = {
    "role": (403, "this needs the role unit, seat or supervisor"),
    "purpose": (403, "purpose: is not one that this role may open the vault for"),
    "confidential": (403, "the reporter asked to stay unknown to the unit; a seat can speak with them"),
    "not_leading": (403, "only a unit that works on the order now may open its contact"),
    "ended": (403, "the ticket has ended, or its order was taken back: for this role it no longer opens"),
    "erased": (409, "the personal data of this ticket was deleted"),
}
"""What to say of a refusal."""


class ContactCommand(Body):
    """What the vault is opened for: a listed purpose, and in words whatever else should be kept of it."""

    purpose: Purpose
    note: Note | None = None


class ContactView(BaseModel):
    """What the vault holds of an appeal. `marks` are the originals behind ⟦marks⟧ in the redacted text.

    `confidential`: the reporter asked to stay unknown to the unit, so none of this is to be passed on to it.
    """

    name: str | None
    phone: str | None
    email: str | None
    address: str | None
    media_url: str | None
    text: str
    marks: dict[str, str]
    confidential: bool


@router.post("/tickets/{ticket_id}/contact")
async def contact(here: Context, reader: Reader, ticket_id: UUID, command: ContactCommand) -> ContactView:
    """Open the vault for a unit that works on the order, a seat or a supervisor. Every attempt is in the audit log."""
    async with here.database.begin() as tx:
        opened = await handlers.open_vault(tx, here, ticket_id, reader, command.purpose, command.note)
    if isinstance(opened, str):
        raise Problem(*REFUSED[opened])
    appeal = opened.appeal
    return ContactView(
        name=appeal.reporter.name,
        phone=appeal.reporter.phone,
        email=appeal.reporter.email,
        address=appeal.address,
        media_url=appeal.media_url,
        text=appeal.text,
        marks={mark.name: mark.original for mark in opened.marks},
        confidential=appeal.reporter.anonymous or appeal.reporter.confidential,
    )
