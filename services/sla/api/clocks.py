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
from services.sla.api.around import Context, Reader, Worker
from services.sla.domain import Clock, NotPossibleError

router = APIRouter()


class ClockView(BaseModel):
    """One clock. `light` is green, yellow from the limit on, red from the red mark on.

    `limit_seconds` and `extended_seconds` are of the time it counts; `paused_seconds` is how long it stood still, on
    the clock on the wall. `policy` is the version that judges it. `provisional`: `due_at` hangs on the days of a
    year that are not named yet.
    """

    ticket_id: UUID
    clock: ClockName
    round: int
    state: Literal["running", "paused", "met", "stopped"]
    light: Light
    urgency: Urgency
    started_at: datetime
    due_at: datetime
    count: Literal["natural", "working"]
    limit_seconds: int
    extended_seconds: int
    paused_seconds: float
    policy: str
    provisional: bool
    paused_until: datetime | None
    ground: str | None
    unit: UnitRef | None


class GroundView(BaseModel):
    """On what a clock may stand still: its code and names, for how long at the most, and by whom."""

    code: str
    zh: str
    en: str
    longest_seconds: float
    by: list[str]


class PauseCommand(Body):
    """Why the clocks of a ticket stand still, and until when at the latest."""

    ground: Line
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


@router.get("/grounds")
async def list_grounds(here: Context, _: Reader) -> list[GroundView]:
    """List on what clocks may stand still, for how long, and by whom."""
    grounds = here.engine.book.at(here.clock.now()).grounds.values()
    return [
        GroundView(
            code=ground.code, zh=ground.name.zh, en=ground.name.en, longest_seconds=ground.longest.total_seconds(),
            by=list(ground.by),
        )
        for ground in grounds
    ]  # fmt: skip


@router.post("/tickets/{ticket_id}/pause")
async def pause(here: Context, who: Worker, ticket_id: UUID, command: PauseCommand) -> list[ClockView]:
    """Stand a ticket's running clocks still on a listed ground, at most for the longest time of that ground."""
    try:
        async with here.database.begin() as tx:
            clocks = await handlers.pause_clocks(tx, here, who, ticket_id, command.ground, command.until)
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error
    return [_clock(clock) for clock in clocks]


@router.post("/tickets/{ticket_id}/resume")
async def resume(here: Context, who: Worker, ticket_id: UUID) -> list[ClockView]:
    """Let a ticket's paused clocks run on."""
    try:
        async with here.database.begin() as tx:
            clocks = await handlers.resume_clocks(tx, here, who, ticket_id)
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error
    return [_clock(clock) for clock in clocks]


def _clock(clock: Clock) -> ClockView:
    return ClockView(
        ticket_id=clock.ticket_id, clock=clock.name, round=clock.round, state=clock.state,
        light=clock.light, urgency=clock.urgency, started_at=clock.started_at, due_at=clock.due_at,
        count=clock.count, limit_seconds=clock.limit_seconds, extended_seconds=clock.extended_seconds,
        paused_seconds=sum((pause.until - pause.from_at).total_seconds() for pause in clock.pauses),
        policy=clock.policy, provisional=clock.provisional,
        paused_until=clock.paused_until, ground=clock.ground, unit=clock.unit,
    )  # fmt: skip
