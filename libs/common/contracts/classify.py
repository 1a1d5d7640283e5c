"""What classify 研判 says: what an appeal is about, how grave it is, and which matters are gathering heat."""

from datetime import datetime
from typing import Literal

from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import Kind, Part, Place, Receipt, Urgency

OwnerKind = Literal["department", "company", "street", "district", "centre"]


class Alternative(Part):
    """Another question the text may be about."""

    code: str
    category: tuple[str, str, str]
    confidence: float


class Judgement(Part):
    """All that dispatch needs to route a ticket, so that it never has to call back."""

    receipt: Receipt
    code: str
    category: tuple[str, str, str]
    kind: Kind
    urgency: Urgency
    confidence: float
    alternatives: tuple[Alternative, ...] = ()
    why: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    summary: str
    owner_kind: OwnerKind
    owner: str | None = None
    co_handlers: tuple[str, ...] = ()
    tag: str | None = None
    elderly: bool = False
    place: Place | None = None
    outside: bool = False
    judged_by: Literal["model", "person", "limit"]
    model: str
    catalogue: str


class TicketClassified(Judgement, Event, name="ticket.classified", emitter="classify"):
    """The first judgement of a ticket."""


class TicketReclassified(Judgement, Event, name="ticket.reclassified", emitter="classify"):
    """A judgement that replaces an earlier one."""

    previous: str
    reason: str


class _Hotspot(Part):
    code: str
    category: tuple[str, str, str]
    district: str | None = None
    street: str | None = None
    count: int
    first_at: datetime
    last_at: datetime


class HotspotRaised(_Hotspot, Event, name="hotspot.raised", emitter="classify"):
    """More appeals on one question in one place than its past explains."""


class HotspotUpdated(_Hotspot, Event, name="hotspot.updated", emitter="classify"):
    """A hot event grew or moved."""


class HotspotCooled(_Hotspot, Event, name="hotspot.cooled", emitter="classify"):
    """A hot event is over."""
