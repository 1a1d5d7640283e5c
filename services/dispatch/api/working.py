"""The work on an order: sign, contact, progress, resolve, and hand over to another."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from libs.common.contracts.dispatch import ReplyFault
from libs.common.contracts.vocabulary import (
    ContactMethod,
    UnitRef,
)
from libs.common.runtime.http import Body, Line, Moment, Note, Redacted
from services.dispatch import handlers
from services.dispatch.api.around import Context, Mover, OrderView, Reading, Worker, commanding, view
from services.dispatch.domain import (
    accept,
    contact,
    progress,
)
from services.dispatch.handlers import Here

router = APIRouter()


class AcceptCommand(Body):
    """Signing says nothing more."""


class ContactCommand(Body):
    """How and when the unit spoke with the citizen, now if left out; not `reached`, that it tried to."""

    method: ContactMethod
    note: Redacted | None = None
    at: Moment | None = None
    reached: bool = True


class ProgressCommand(Body):
    """How the work goes."""

    note: Redacted


class ReassignCommand(Body):
    """Which unit leads from now on, and why."""

    unit: Line
    note: Redacted


class ResolveCommand(Body):
    """What the citizen is told was done. Personal data is taken out of it; the numbers of offices stay."""

    reply: Note


class ReplyView(BaseModel):
    """What a reply was found to lack, as codes and as hints in the language of Accept-Language, and who still owes."""

    reply_faults: list[ReplyFault]
    hints: list[str]
    owed: list[UnitRef]


class ResolvedOrder(OrderView, ReplyView):
    """An order with its reply, and what was found of it."""


@router.post("/orders/{ticket_id}/accept")
async def accept_order(here: Context, who: Worker, ticket_id: UUID, _: AcceptCommand | None = None) -> OrderView:
    """Sign for an order."""
    async with commanding(here) as tx:
        return view(await handlers.command(tx, here, who, ticket_id, "accept", accept))


@router.post("/orders/{ticket_id}/contact")
async def contact_citizen(here: Context, who: Worker, ticket_id: UUID, said: ContactCommand) -> OrderView:
    """Note a contact with the citizen, up to 24 hours later. The first that reached them is the response."""
    async with commanding(here) as tx:
        return view(
            await handlers.command(
                tx, here, who, ticket_id, "contact",
                lambda order, now: contact(order, said.method, said.note, now, said.at, reached=said.reached),
            )
        )  # fmt: skip


@router.post("/orders/{ticket_id}/progress")
async def note_progress(here: Context, who: Worker, ticket_id: UUID, said: ProgressCommand) -> OrderView:
    """Note how the work goes."""
    async with commanding(here) as tx:
        return view(
            await handlers.command(
                tx, here, who, ticket_id, "progress", lambda order, now: progress(order, said.note, now)
            )
        )


@router.post("/orders/{ticket_id}/resolve")
async def resolve_order(
    here: Context, who: Worker, language: Reading, ticket_id: UUID, said: ResolveCommand
) -> ResolvedOrder:
    """Say that it is done. What the reply lacks is told in hints, and what others still owe; neither holds it up."""
    async with commanding(here) as tx:
        checked = await handlers.resolve_with(tx, here, who, ticket_id, said.reply)
    found = _found(here, checked, language)
    return ResolvedOrder(**view(checked.order).model_dump(), **found.model_dump())


@router.post("/orders/{ticket_id}/reply-check")
async def check_reply(
    here: Context, who: Worker, language: Reading, ticket_id: UUID, said: ResolveCommand
) -> ReplyView:
    """Say what a reply lacks before it is sent; nothing is stored."""
    async with commanding(here) as tx:
        checked = await handlers.check_reply(tx, here, who, ticket_id, said.reply)
    return _found(here, checked, language)


def _found(here: Here, checked: handlers.Checked, language: str) -> ReplyView:
    owed = {task.unit_code: task.unit for task in checked.owed}
    hints = here.engine.messages.hints(checked.faults, language)
    if owed:
        hints.append(here.engine.messages.owed((unit.name for unit in owed.values()), language))
    return ReplyView(reply_faults=list(checked.faults), hints=hints, owed=list(owed.values()))


@router.post("/orders/{ticket_id}/reassign")
async def reassign_order(here: Context, who: Mover, ticket_id: UUID, said: ReassignCommand) -> OrderView:
    """Move an order to another unit; a seat may move what lies at the centre's desk."""
    async with commanding(here) as tx:
        return view(await handlers.reassign_to(tx, here, who, ticket_id, said.unit, said.note))
