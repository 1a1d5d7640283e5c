"""Clocks to look at, to pause and to resume."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.vocabulary import ClockName, Light, UnitRef, Urgency
from libs.common.runtime.http import Body, Cursor, Line, Moment, Page, page
from services.sla import handlers, store
from services.sla.api.around import Context, Reader, Reading, Worker, commanding
from services.sla.api.lateness import LateView, late_view
from services.sla.domain import Clock
from services.sla.handlers import Here

router = APIRouter()


class PauseView(BaseModel):
    """A pause that is over, and on which ground."""

    model_config = ConfigDict(from_attributes=True)
    from_at: datetime
    until: datetime
    ground: str | None


class ClockView(BaseModel):
    """One clock. `light` is green, yellow from the limit on, red from the red mark on.

    `limit_seconds` and `extended_seconds` are of the time it counts; `paused_seconds` is how long it stood still, on
    the clock on the wall, and `pauses` when. `policy` is the version that judges it. `provisional`: `due_at` hangs on
    the days of a year that are not named yet. `late`: how likely it is missed, null once that is known.
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
    pauses: list[PauseView]
    policy: str
    provisional: bool
    paused_until: datetime | None
    ground: str | None
    unit: UnitRef | None
    late: LateView | None


class GroundView(BaseModel):
    """On what a clock may stand still: its code and names, for how long and how often at the most, and by whom."""

    code: str
    zh: str
    en: str
    longest_seconds: float
    times: int
    by: list[str]


class PauseCommand(Body):
    """Why the clocks of a ticket stand still, and until when at the latest."""

    ground: Line
    until: Moment | None = None


@router.get("/clocks")
async def list_clocks(
    here: Context,
    who: Reader,
    cursor: Cursor,
    language: Reading = "",
    light: Light | None = None,
    unit: Line | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ClockView]:
    """List the clocks in sight that can still be missed, soonest due first; of a unit and those under it if named.

    A page may be longer by what ends together.
    """
    units = handlers.seen_units(here, who, unit)
    clocks = await store.open_clocks(here.database, units, light, cursor, limit)
    return page(_views(here, clocks, language), max(limit, len(clocks)), lambda c: (c.due_at, c.ticket_id))


@router.get("/tickets/{ticket_id}/clocks")
async def ticket_clocks(here: Context, who: Reader, ticket_id: UUID, language: Reading = "") -> list[ClockView]:
    """List every clock a ticket ever had, oldest round first, to who leads, helps, or stands above them."""
    clocks, _ = await handlers.look_at(here, who, ticket_id)
    return _views(here, clocks, language)


@router.get("/grounds")
async def list_grounds(here: Context, _: Reader) -> list[GroundView]:
    """List on what clocks may stand still, for how long, and by whom."""
    grounds = here.engine.book.at(here.clock.now()).grounds.values()
    return [
        GroundView(
            code=ground.code, zh=ground.name.zh, en=ground.name.en, longest_seconds=ground.longest.total_seconds(),
            times=ground.times, by=list(ground.by),
        )
        for ground in grounds
    ]  # fmt: skip


@router.post("/tickets/{ticket_id}/pause")
async def pause(
    here: Context, who: Worker, ticket_id: UUID, command: PauseCommand, language: Reading = ""
) -> list[ClockView]:
    """Stand a ticket's running clocks still on a listed ground, at most for the longest time of that ground."""
    async with commanding(here) as tx:
        clocks = await handlers.pause_clocks(tx, here, who, ticket_id, command.ground, command.until)
    return _views(here, clocks, language)


@router.post("/tickets/{ticket_id}/resume")
async def resume(here: Context, who: Worker, ticket_id: UUID, language: Reading = "") -> list[ClockView]:
    """Let a ticket's paused clocks run on."""
    async with commanding(here) as tx:
        clocks = await handlers.resume_clocks(tx, here, who, ticket_id)
    return _views(here, clocks, language)


def _views(here: Here, clocks: Sequence[Clock], language: str) -> list[ClockView]:
    now, spoken = here.clock.now(), here.engine.messages.preferred(language)
    return [_clock(clock, late_view(here, clock, now, spoken)) for clock in clocks]


def _clock(clock: Clock, late: LateView | None) -> ClockView:
    return ClockView(
        ticket_id=clock.ticket_id, clock=clock.name, round=clock.round, state=clock.state,
        light=clock.light, urgency=clock.urgency, started_at=clock.started_at, due_at=clock.due_at,
        count=clock.count, limit_seconds=clock.limit_seconds, extended_seconds=clock.extended_seconds,
        paused_seconds=sum((pause.until - pause.from_at).total_seconds() for pause in clock.pauses),
        pauses=[PauseView.model_validate(pause) for pause in clock.pauses],
        policy=clock.policy, provisional=clock.provisional,
        paused_until=clock.paused_until, ground=clock.ground, unit=clock.unit, late=late,
    )  # fmt: skip
