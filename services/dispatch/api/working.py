"""The work on an order: sign, contact, progress, resolve, and hand over to another."""

from uuid import UUID

from fastapi import APIRouter

from libs.common.contracts.vocabulary import (
    ContactMethod,
)
from libs.common.runtime.http import Body, Line
from services.dispatch import handlers
from services.dispatch.api.around import Context, Mover, OrderView, Redacted, Worker, commanding, view
from services.dispatch.domain import (
    accept,
    contact,
    progress,
    resolve,
)

router = APIRouter()


class AcceptCommand(Body):
    """Signing says nothing more."""


class ContactCommand(Body):
    """How the unit spoke with the citizen."""

    method: ContactMethod
    note: Redacted | None = None


class ProgressCommand(Body):
    """How the work goes."""

    note: Redacted


class ReassignCommand(Body):
    """Which unit leads from now on, and why."""

    unit: Line
    note: Redacted


class ResolveCommand(Body):
    """What the citizen is told was done."""

    reply: Redacted


@router.post("/orders/{ticket_id}/accept")
async def accept_order(here: Context, who: Worker, ticket_id: UUID, _: AcceptCommand | None = None) -> OrderView:
    """Sign for an order."""
    async with commanding(here) as tx:
        return view(await handlers.command(tx, here, who, ticket_id, "accept", accept))


@router.post("/orders/{ticket_id}/contact")
async def contact_citizen(here: Context, who: Worker, ticket_id: UUID, said: ContactCommand) -> OrderView:
    """Note a contact with the citizen."""
    async with commanding(here) as tx:
        return view(
            await handlers.command(
                tx, here, who, ticket_id, "contact", lambda order, now: contact(order, said.method, said.note, now)
            )
        )


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
async def resolve_order(here: Context, who: Worker, ticket_id: UUID, said: ResolveCommand) -> OrderView:
    """Say that it is done."""
    async with commanding(here) as tx:
        return view(
            await handlers.command(
                tx, here, who, ticket_id, "resolve", lambda order, now: resolve(order, said.reply, now)
            )
        )


@router.post("/orders/{ticket_id}/reassign")
async def reassign_order(here: Context, who: Mover, ticket_id: UUID, said: ReassignCommand) -> OrderView:
    """Move an order to another unit; a seat may move what lies at the centre's desk."""
    async with commanding(here) as tx:
        return view(await handlers.reassign_to(tx, here, who, ticket_id, said.unit, said.note))
