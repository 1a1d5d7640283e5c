"""HTTP of hot events: which there are, and of each what it is, how it went, why it is as grave, and its tickets."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.common.contracts.classify import Risk
from libs.common.runtime.http import START, Cursor, Page, page
from libs.common.runtime.problems import Problem
from services.classify import store
from services.classify.api.around import Anyone, Category, Context
from services.classify.domain import Hotspot, HotState

router = APIRouter()
_LAST = (datetime(2200, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))
_STEPS = (
    (timedelta(hours=12), timedelta(minutes=15)),
    (timedelta(days=7), timedelta(hours=1)),
    (timedelta.max, timedelta(days=1)),
)
"""Up to which length of an event its curve is drawn in which steps."""


class HotspotView(BaseModel):
    """A hot event.

    `category` goes as far down as the event does, and is empty below; `code` is the question most of its tickets are
    judged to be. `expected` are the tickets that usually come in `window_minutes`, in which it was found. `word` is a
    new word that its tickets share. `mood` runs from -1 (bitter) to 1; `reasons` are those of the risk. An event that
    flared up after it cooled is in a further `round`, which began at `reheated_at`; the numbers are of all rounds.
    """

    hotspot_id: UUID
    state: HotState
    name: str
    code: str
    category: Category
    word: str | None
    district: str | None
    street: str | None
    place: str
    tickets: int
    voices: int
    urgent: int
    districts: int
    streets: int
    mood: float
    risk: Risk
    reasons: tuple[str, ...]
    expected: float
    window_minutes: int
    first_ticket: UUID | None
    first_at: datetime
    last_at: datetime
    raised_at: datetime
    cooled_at: datetime | None
    round: int
    reheated_at: datetime | None


class Point(BaseModel):
    """How many tickets came in a step of time, and of how many people."""

    at: datetime
    tickets: int
    voices: int


class Member(BaseModel):
    """A ticket of an event, as it is judged now. Place codes are null if unknown."""

    ticket_id: UUID
    received_at: datetime
    code: str
    district: str | None
    street: str | None
    urgent: bool


class HotspotStory(BaseModel):
    """A hot event with its curve, in steps of `step_minutes` from the midnight before its first ticket.

    Steps without tickets are left out.
    """

    hotspot: HotspotView
    step_minutes: int
    curve: list[Point]
    members: Page[Member]


Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/hotspots")
async def list_hotspots(
    here: Context,
    _: Anyone,
    cursor: Cursor,
    state: HotState | None = None,
    district: Annotated[str | None, Query(pattern=r"^\d{6}$")] = None,
    limit: Limit = 100,
) -> Page[HotspotView]:
    """List hot events, the one raised last first. `district` is a six-digit statistical code."""
    after = _LAST if cursor[0] == START[0] else cursor
    found = await store.hotspots(here.database.pool, state, district, after, limit)
    return page([_view(hotspot) for hotspot in found], limit, lambda view: (view.raised_at, view.hotspot_id))


@router.get("/hotspots/{hotspot_id}")
async def show_hotspot(
    here: Context, _: Anyone, hotspot_id: UUID, cursor: Cursor, limit: Limit = 100
) -> HotspotStory:  # fmt: skip
    """Show a hot event: its curve, and its tickets from the first one on."""
    pool = here.database.pool
    hotspot = await store.hotspot(pool, hotspot_id)
    if hotspot is None:
        raise Problem(404, "no hot event has this id")
    lasted = hotspot.last_at - hotspot.first_at
    step = next(step for longest, step in _STEPS if lasted <= longest)
    detector = here.engine.detector
    origin = detector.midnight(detector.today(hotspot.first_at))
    curve = await store.curve(pool, hotspot_id, step, origin)
    members = [_member(row) for row in await store.members(pool, hotspot_id, cursor, limit)]
    return HotspotStory(
        hotspot=_view(hotspot),
        step_minutes=step // timedelta(minutes=1),
        curve=[Point(**row) for row in curve],
        members=page(members, limit, lambda member: (member.received_at, member.ticket_id)),
    )


def _view(hotspot: Hotspot) -> HotspotView:
    matter, pulse = hotspot.matter, hotspot.pulse
    return HotspotView(
        hotspot_id=hotspot.hotspot_id, state=hotspot.state, name=matter.name, code=matter.code,
        category=matter.category, word=matter.word, district=matter.district, street=matter.street, place=matter.place,
        tickets=pulse.tickets, voices=pulse.voices, urgent=pulse.urgent, districts=pulse.districts,
        streets=pulse.streets, mood=pulse.mood, risk=hotspot.risk, reasons=hotspot.reasons, expected=hotspot.expected,
        window_minutes=round(hotspot.span / 60), first_ticket=pulse.first_ticket, first_at=hotspot.first_at,
        last_at=hotspot.last_at, raised_at=hotspot.raised_at, cooled_at=hotspot.cooled_at,
        round=hotspot.round, reheated_at=hotspot.reheated_at,
    )  # fmt: skip


def _member(row: Any) -> Member:
    return Member(
        ticket_id=row["ticket_id"], received_at=row["at"], code=row["code"], district=row["district"] or None,
        street=row["street"] or None, urgent=row["urgent"],
    )  # fmt: skip
