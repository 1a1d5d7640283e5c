"""Outward transfers over HTTP: to a body outside, its receipt, and the way back."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, StringConstraints

from libs.common.runtime.http import Body, Cursor, Line, Note, Page, page
from libs.common.runtime.security import Principal, require_everywhere
from services.intake import handlers
from services.intake.api.around import Context, InLanguage, Reading, possible
from services.intake.api.tickets import TicketView, view
from services.intake.domain import TRANSFERS, TransferState

router = APIRouter()
Sender = Annotated[Principal, Depends(require_everywhere(*TRANSFERS["transfer"].roles))]
Receipt = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9第字号年〔〕\[\]()（）\-_/.]{1,60}$")]
"""A number as offices write it, with nothing in it that could be a name; citizens and other services read it."""


class TransferView(BaseModel):
    """One transfer: to which body, why, and the number the body gave; each step with the client that noted it."""

    transfer_id: UUID
    ticket_id: UUID
    number: str
    body: str
    name: str
    reason: str
    by: str
    at: datetime
    state: TransferState
    receipt: str | None
    receipted_at: datetime | None
    receipted_by: str | None
    returned_at: datetime | None
    returned_by: str | None
    why_returned: str | None


class TransferCommand(Body):
    """To which body of the city's list, and why: the citizen reads it."""

    body: Line
    reason: Note


class ReceiptCommand(Body):
    """The number under which the body has it."""

    receipt: Receipt


class ReturnCommand(Body):
    """Why the body sent it back: the citizen reads it."""

    reason: Note


@router.post("/tickets/{ticket_id}/transfer")
async def transfer(
    here: Context, who: Sender, ticket_id: UUID, command: TransferCommand, language: Reading
) -> TicketView:
    """Pass an appeal on to a body outside the city's units. The citizen is told to which, why, and how to reach it."""
    async with here.database.begin() as tx:
        await possible(handlers.transfer(tx, here, ticket_id, command.body, command.reason, who.name))
    return view(here, ticket_id, await handlers.look(here, ticket_id), language, ask=False)


@router.post("/tickets/{ticket_id}/transfer/receipt")
async def note_receipt(
    here: Context, who: Sender, ticket_id: UUID, command: ReceiptCommand, language: Reading
) -> TicketView:
    """Note the number that the body gave to what was passed on; a wrong one may be put right."""
    async with here.database.begin() as tx:
        await possible(handlers.note_receipt(tx, here, ticket_id, command.receipt, who.name))
    return view(here, ticket_id, await handlers.look(here, ticket_id), language, ask=False)


@router.post("/tickets/{ticket_id}/transfer/return")
async def take_back(
    here: Context, who: Sender, ticket_id: UUID, command: ReturnCommand, language: Reading
) -> TicketView:
    """Take an appeal back that the body sent back: it goes on as an order."""
    async with here.database.begin() as tx:
        await possible(handlers.take_back(tx, here, ticket_id, command.reason, who.name))
    return view(here, ticket_id, await handlers.look(here, ticket_id), language, ask=False)


@router.get("/transfers")
async def get_transfers(
    here: Context, _: Sender, cursor: Cursor,
    state: TransferState = "sent", language: InLanguage = None, limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[TransferView]:  # fmt: skip
    """List transfers in a state, oldest first: those `sent` wait for their number."""
    found = await handlers.list_transfers(here, state, language, cursor, limit)
    views = [TransferView(**asdict(one), number=number) for one, number in found]
    return page(views, limit, lambda one: (one.at, one.transfer_id))
