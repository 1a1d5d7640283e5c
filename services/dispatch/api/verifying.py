"""Looks on the spot."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Body, Cursor, Line, Moment, Page, Redacted, page
from services.dispatch import handlers, store
from services.dispatch.api.around import Context, Reader, Ruler, Worker, commanding
from services.dispatch.domain.verifying import VerificationState

router = APIRouter()


class LookCommand(Body):
    """What is to be looked at. Without `unit` the street where it happens goes.

    `due_at` may be sooner than the city's time, which holds without it.
    """

    task: Redacted
    unit: Line | None = None
    due_at: Moment | None = None


class FindingCommand(Body):
    """What was seen: whether the matter is settled there, and whose work it seems to be. Files go to evidence."""

    done: bool
    duty: Line | None = None
    note: Redacted


class VerificationView(BaseModel):
    """A look on the spot for a return, with what was found; `evidence` counts the files of who went."""

    model_config = ConfigDict(from_attributes=True)
    verification_id: UUID
    return_id: UUID
    ticket_id: UUID
    round: int
    state: VerificationState
    unit: UnitRef
    task: str
    at: datetime
    due_at: datetime
    ended_at: datetime | None
    done: bool | None
    duty: UnitRef | None
    note: str | None
    evidence: int


class Verifications(BaseModel):
    """The looks that were ordered for an order, oldest first."""

    items: list[VerificationView]


@router.post("/orders/{ticket_id}/verification", status_code=201)
async def order_look(here: Context, who: Ruler, ticket_id: UUID, said: LookCommand) -> VerificationView:
    """Have a third unit look on the spot before a return is ruled on 现场核实; the ruling waits for it once."""
    sent = handlers.Sent(said.task, said.unit, said.due_at)
    async with commanding(here) as tx:
        return VerificationView.model_validate(await handlers.send_to_look(tx, here, who, ticket_id, sent))


@router.post("/orders/{ticket_id}/verify")
async def verify(here: Context, who: Worker, ticket_id: UUID, said: FindingCommand) -> VerificationView:
    """Say what was seen on the spot, for the unit that was sent."""
    async with commanding(here) as tx:
        look = await handlers.verify(tx, here, who, ticket_id, done=said.done, duty=said.duty, note=said.note)
    return VerificationView.model_validate(look)


@router.get("/orders/{ticket_id}/verifications")
async def list_verifications_of(here: Context, who: Reader, ticket_id: UUID) -> Verifications:
    """List the looks on the spot of an order: all to who sees the whole, else those of this key's units."""
    async with commanding(here) as tx:
        _, _, sight = await handlers.show(tx, here, who, ticket_id)
        found = await store.verifications_of(tx.connection, [ticket_id])
    mine = handlers.viewer(here, who).units_in_sight()
    seen = [one for one in found if sight == "whole" or mine is None or one.unit_code in mine]
    return Verifications(items=[VerificationView.model_validate(one) for one in seen])


@router.get("/verifications")
async def list_verifications(
    here: Context, who: Reader, cursor: Cursor,
    unit: Annotated[Line | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[VerificationView]:  # fmt: skip
    """List where units are to look yet, due soonest first. A unit's key sees its own, and of units under it."""
    units = handlers.listed(here, who, unit)
    found = await store.open_verifications(here.database, units, cursor, limit)
    return page([VerificationView.model_validate(one) for one in found], limit, lambda v: (v.due_at, v.verification_id))
