"""More time to ask for, to grant and to refuse."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from libs.common.city.policies import LONGEST, Level
from libs.common.contracts.vocabulary import ClockName
from libs.common.runtime.http import Body, Cursor, Page, Redacted, page
from services.sla import handlers, store
from services.sla.api.around import Context, Reader, Supervisor, Worker, commanding
from services.sla.domain import Extension

router = APIRouter()


class ExtensionView(BaseModel):
    """More time that was asked for. Of `seconds` whole days are days of work where the clock counts these."""

    model_config = ConfigDict(from_attributes=True)
    extension_id: UUID
    ticket_id: UUID
    round: int
    clock: ClockName
    seconds: int
    reason: str
    by: str
    asked_at: datetime
    level: Level
    state: Literal["asked", "granted", "refused"]
    ruled_by: str | None
    ruled_at: datetime | None
    note: str | None


class ExtensionCommand(Body):
    """For which clock, how much more (such as P3D; whole days are days of work where it counts these), and why."""

    clock: ClockName = "completion"
    span: Annotated[timedelta, Field(ge=timedelta(minutes=1), le=LONGEST)]
    reason: Redacted


class RulingCommand(Body):
    """What to say with a ruling."""

    note: Redacted | None = None


@router.get("/extensions")
async def list_extensions(
    here: Context, who: Reader, cursor: Cursor, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Page[ExtensionView]:
    """List what nobody ruled on yet of the units in sight, the first first."""
    found = await store.open_extensions(here.database, handlers.seen_units(here, who, None), cursor, limit)
    return page([_view(one) for one in found], limit, lambda e: (e.asked_at, e.extension_id))


@router.get("/tickets/{ticket_id}/extensions")
async def ticket_extensions(here: Context, who: Reader, ticket_id: UUID) -> list[ExtensionView]:
    """List what was asked for of a ticket's clocks, and what became of it, to who sees these."""
    return [_view(one) for one in await handlers.asked_for(here, who, ticket_id)]


@router.post("/tickets/{ticket_id}/extensions")
async def ask_extension(here: Context, who: Worker, ticket_id: UUID, said: ExtensionCommand) -> ExtensionView:
    """Ask for more time, as the unit that leads or who supervises it."""
    async with commanding(here) as tx:
        return _view(await handlers.ask_extension(tx, here, who, ticket_id, said.clock, said.span, said.reason))


@router.post("/extensions/{extension_id}/grant")
async def grant_extension(here: Context, who: Supervisor, extension_id: UUID, said: RulingCommand) -> ExtensionView:
    """Grant more time: a key of a department or district to units under it, one without units as the centre's."""
    return await _ruled(here, who, extension_id, said, granted=True)


@router.post("/extensions/{extension_id}/refuse")
async def refuse_extension(here: Context, who: Supervisor, extension_id: UUID, said: RulingCommand) -> ExtensionView:
    """Refuse more time."""
    return await _ruled(here, who, extension_id, said, granted=False)


async def _ruled(
    here: Context, who: Supervisor, extension_id: UUID, said: RulingCommand, *, granted: bool
) -> ExtensionView:
    async with commanding(here) as tx:
        return _view(await handlers.rule_extension(tx, here, who, extension_id, said.note, granted=granted))


def _view(extension: Extension) -> ExtensionView:
    return ExtensionView.model_validate(extension)
