"""What units were told of their clocks, what became of it, and telling it again."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from libs.common.contracts.vocabulary import UnitRef, Urgency
from libs.common.runtime.http import Body, Cursor, Line, Page, page
from services.sla import handlers, store
from services.sla.api.around import Context, Reader, Supervisor
from services.sla.domain import Dropped

router = APIRouter()


class WayView(BaseModel):
    """What became of a message on one way; its name begins with the kind of way and gives no address away."""

    way: str
    state: Literal["sent", "failed", "unknown"]
    error: str | None = None


class NoticeView(BaseModel):
    """One message to a unit's desk; `to` is its address, such as unit:dept-water or unit:dept-water/head.

    `numbers` are the tickets whose marks it tells of. `next_at` is when it goes out, or is tried again. `unknown` may
    have arrived and may not; `no_address` is named by no directory.
    """

    notice: str
    to: str
    text: str
    numbers: list[str]
    state: store.NoticeState
    attempts: int
    error: str | None
    created_at: datetime
    next_at: datetime | None
    ended_at: datetime | None
    ways: list[WayView]


class AlertView(BaseModel):
    """One mark of one clock, to be told to one desk at `at`. `mark` is the grade of a reminder or a light.

    It is held until then for quiet hours or to be told with its like, and longer behind a message that does not get
    through to that desk. `notice` is the message it went out with. It is dropped as `moot` if by then the work is done,
    another unit's, has more time, or a later mark was told; as `overtaken` if a later mark is told at once with it.
    """

    model_config = ConfigDict(from_attributes=True)
    alert_id: UUID
    ticket_id: UUID
    number: str
    round: int
    clock: str
    mark: str
    to: str
    unit: UnitRef | None
    urgency: Urgency
    due_at: datetime
    created_at: datetime
    at: datetime
    notice: str | None
    dropped: Dropped | None


class ResendCommand(Body):
    """Messages to tell once more, by `notice`."""

    notices: Annotated[list[Line], Field(min_length=1, max_length=500)]


class Resent(BaseModel):
    """Which of them are told once more: those that failed, may not have arrived, or had no address."""

    notices: list[str]


@router.get("/notices")
async def list_notices(
    here: Context,
    who: Reader,
    cursor: Cursor,
    state: store.NoticeState | None = None,
    unit: Line | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[NoticeView]:
    """List messages to the desks of the units that the key sees, oldest first; of `unit` and those under it."""
    units = handlers.seen_units(here, who, unit)
    found = await store.list_notices(here.database, units, state, cursor, limit)
    return _page(found, limit)


@router.get("/alerts")
async def list_alerts(
    here: Context,
    who: Reader,
    cursor: Cursor,
    state: store.AlertState | None = None,
    unit: Line | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[AlertView]:
    """List what is told of the clocks of the units that the key sees, oldest first; of `unit` and those under it."""
    units = handlers.seen_units(here, who, unit)
    alerts = await store.list_alerts(here.database, units, state, cursor, limit)
    views = [AlertView.model_validate(alert) for alert in alerts]
    return page(views, limit, lambda view: (view.created_at, view.alert_id))


@router.post("/notices/resend")
async def resend(here: Context, who: Supervisor, command: ResendCommand) -> Resent:
    """Tell messages once more that failed, may not have arrived, or had no address."""
    async with here.database.begin() as tx:
        again = await handlers.send_again(tx, here, who, command.notices)
    here.loops["courier"].wake()
    return Resent(notices=again)


def _page(found: list[store.Message], limit: int) -> Page[NoticeView]:
    places = page(found, limit, lambda message: (message.created_at, message.id))
    return Page(items=[_notice(message) for message in found], next=places.next)


def _notice(message: store.Message) -> NoticeView:
    return NoticeView(
        notice=message.key, to=message.to, text=message.text, numbers=message.numbers, state=message.state,
        attempts=message.attempts, error=message.error, created_at=message.created_at, next_at=message.next_at,
        ended_at=message.ended_at,
        ways=[WayView(way=way, **outcome) for way, outcome in sorted(message.outcomes.items())],
    )  # fmt: skip
