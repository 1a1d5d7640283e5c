"""Clocks to look at, to pause and to resume."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.common.contracts.vocabulary import ClockName, Light, UnitRef, Urgency
from libs.common.runtime.http import Body, Cursor, Line, Moment, Page, page
from libs.common.runtime.problems import Problem
from services.sla import handlers, store
from services.sla.api.around import Context, Reader, Supervisor
from services.sla.domain import Clock, NotPossibleError, PauseGround

router = APIRouter()


class ClockView(BaseModel):
    """One clock. `light` is green, yellow from the limit on, red from the red mark on."""

    ticket_id: UUID
    clock: ClockName
    round: int
    state: Literal["running", "paused", "met", "stopped"]
    light: Light
    urgency: Urgency
    started_at: datetime
    due_at: datetime
    paused_until: datetime | None
    ground: str | None
    unit: UnitRef | None


class PauseCommand(Body):
    """Why the clocks of a ticket stand still, and until when at the latest."""

    ground: PauseGround
    until: Moment | None = None


@router.get("/clocks")
async def list_clocks(
    here: Context,
    _: Reader,
    cursor: Cursor,
    light: Light | None = None,
    unit: Line | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ClockView]:
    """List the clocks that can still be missed, soonest due first."""
    clocks = await store.open_clocks(here.database, unit, light, cursor, limit)
    return page([_clock(clock) for clock in clocks], limit, lambda c: (c.due_at, c.ticket_id))


@router.get("/tickets/{ticket_id}/clocks")
async def ticket_clocks(here: Context, _: Reader, ticket_id: UUID) -> list[ClockView]:
    """List every clock a ticket ever had, oldest round first."""
    async with here.database.begin() as tx:
        clocks = (await store.clocks_of(tx, [ticket_id]))[ticket_id]
    return [_clock(clock) for clock in clocks]


@router.post("/tickets/{ticket_id}/pause")
async def pause(here: Context, _: Supervisor, ticket_id: UUID, command: PauseCommand) -> list[ClockView]:
    """Stand a ticket's running clocks still on a listed ground."""
    try:
        async with here.database.begin() as tx:
            clocks = await handlers.pause_clocks(tx, here, ticket_id, command.ground, command.until)
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error
    return [_clock(clock) for clock in clocks]


@router.post("/tickets/{ticket_id}/resume")
async def resume(here: Context, _: Supervisor, ticket_id: UUID) -> list[ClockView]:
    """Let a ticket's paused clocks run on."""
    try:
        async with here.database.begin() as tx:
            clocks = await handlers.resume_clocks(tx, here, ticket_id)
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error
    return [_clock(clock) for clock in clocks]


def _clock(clock: Clock) -> ClockView:
    return ClockView(
        ticket_id=clock.ticket_id, clock=clock.name, round=clock.round, state=clock.state,
        light=clock.light, urgency=clock.urgency, started_at=clock.started_at, due_at=clock.due_at,
        paused_until=clock.paused_until, ground=clock.ground, unit=clock.unit,
    )  # fmt: skip
