"""The order of a ticket, and what dispatch knows of the appeal behind it."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from libs.common.contracts.classify import OwnerKind
from libs.common.contracts.dispatch import ReturnGround
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import AccessNeed, Channel, Kind, Place, ReporterType, UnitRef, Urgency

State = Literal["dispatched", "accepted", "in_progress", "returned", "resolved", "recalled", "closed"]
End = Literal["withdrawn", "linked", "answered"]
OPEN: frozenset[State] = frozenset({"dispatched", "accepted", "in_progress", "returned"})


@dataclass(frozen=True, slots=True)
class Matter:
    """What decides where an appeal goes: whose kind of duty it is, where it happens, and what the rules ask besides.

    `named` and `venue` are the units that its words call by name and whose venue they tell (named.csv). `words` and
    `address` are for the second opinion, while it is asked; they are never kept with it.
    """

    owner_kind: OwnerKind
    owner: str | None = None
    co_handlers: tuple[str, ...] = ()
    place: Place | None = None
    outside: bool = False
    code: str = ""
    category: tuple[str, str, str] = ("", "", "")
    urgency: Urgency | None = None
    kind: Kind | None = None
    channel: Channel | None = None
    reporter_type: ReporterType | None = None
    access_needs: tuple[AccessNeed, ...] = ()
    named: str | None = None
    venue: str | None = None
    words: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Where an appeal goes. `why` is in the city's language; `desk` is true at the centre; `district` has six digits.

    `alternatives` are the units to try next, the likeliest first. `rules` is the version of the rules that decided,
    empty where a person did. `agrees`: whether what learned from history names the lead that the rules name, None
    where nothing did.
    """

    unit: UnitRef
    co_handlers: tuple[UnitRef, ...]
    rule: str
    why: tuple[str, ...]
    alternatives: tuple[UnitRef, ...] = ()
    desk: bool = False
    district: str | None = None
    rules: str = ""
    agrees: bool | None = None


@dataclass(frozen=True, slots=True)
class Appeal:
    """What a unit reads on its order. Text, title and address are redacted."""

    number: str
    code: str
    category: tuple[str, str, str]
    urgency: Urgency
    kind: Kind
    title: str | None
    text: str
    summary: str
    address: str | None
    district_name: str | None
    street_name: str | None
    reporter_type: ReporterType
    access_needs: tuple[AccessNeed, ...]


@dataclass(frozen=True, slots=True)
class Classified:
    """The last judgement: what the appeal is, what its route hangs on, and which catalogue and model it is by.

    `handled_by` is the code of the unit that met the matter on the spot and registered it.
    """

    appeal: Appeal
    matter: Matter
    catalogue: str = ""
    model: str = ""

    @property
    def asked(self) -> Matter:
        """The matter with the words that a second opinion reads besides."""
        appeal = self.appeal
        return replace(self.matter, words=appeal.title or appeal.text, address=appeal.address or "")

    handled_by: str | None = None

    @property
    def by_itself(self) -> str | None:
        """The unit that handles it itself 基层直办: not what is another city's, nor what endangers life or property."""
        return None if self.matter.outside or self.appeal.urgency == "urgent" else self.handled_by


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a ticket. `reopened` and `closed` are the rounds that feedback opened and closed.

    `received`: intake once said that someone must act. `ended` is void when it says so again; `withdrawn` is for good.
    `wordless`: its words were deleted, and those that come later are not kept either.
    """

    classified: Classified | None = None
    received: bool = False
    ended: Literal["linked", "answered"] | None = None
    withdrawn: bool = False
    reopened: int | None = None
    closed: int | None = None
    wordless: bool = False

    @property
    def end(self) -> End | None:
        """What took the work away, if anything did."""
        return "withdrawn" if self.withdrawn else self.ended

    @property
    def round(self) -> int:
        """The life the order must be in."""
        return self.reopened or 1

    @property
    def finished(self) -> bool:
        """Whether feedback closed this life; a later round opens it again."""
        return self.closed is not None and self.closed >= self.round

    @property
    def unheard(self) -> bool:
        """Whether it is judged already, while intake's word of what is to become of it is still on its way.

        Linked and answered appeals are judged too, so a judgement alone hands nothing out.
        """
        return bool(self.classified) and not (self.received or self.end)

    @property
    def kept(self) -> "Facts":
        """What of it may be kept."""
        if not self.wordless or self.classified is None:
            return self
        appeal, matter = self.classified.appeal, self.classified.matter
        place = matter.place.model_copy(update={"matched": ()}) if matter.place else None
        appeal = replace(appeal, title=None, text="", summary="", address=None)
        return replace(self, classified=replace(self.classified, appeal=appeal, matter=replace(matter, place=place)))


@dataclass(frozen=True, slots=True)
class Order(Appeal):
    """The one order of a ticket. `unit` leads 主办; `contacted_at` is the first contact of this round.

    `settled`: the lead signed once, or a person chose it, so a new judgement no longer moves the order (首接负责).
    `returns` counts over all rounds; `tried` are the units whose return was upheld. `bound` is the unit that signed and
    reached the citizen last.
    """

    ticket_id: UUID
    round: int
    state: State
    unit_code: str
    unit_name: str
    district: str | None
    co_handlers: tuple[UnitRef, ...]
    rule: str
    why: tuple[str, ...]
    desk: bool
    dispatched_at: datetime
    settled: bool = False
    accepted_at: datetime | None = None
    contacted_at: datetime | None = None
    resolved_at: datetime | None = None
    reply: str | None = None
    returns: int = 0
    return_ground: ReturnGround | None = None
    return_note: str | None = None
    tried: tuple[str, ...] = ()
    rules: str = ""
    bound: str | None = None

    @property
    def unit(self) -> UnitRef:
        """The lead."""
        return UnitRef(code=self.unit_code, name=self.unit_name)

    @property
    def open(self) -> bool:
        """Whether somebody still has to act on it."""
        return self.state in OPEN

    @property
    def without_words(self) -> "Order":
        """The order without what anybody wrote: what it was, whose, when, and how it went."""
        return replace(
            self, title=None, text="", summary="", address=None, why=(), reply=None, return_note=None,
        )  # fmt: skip


Step = tuple[Order, list[Event]]
_READ = tuple(field.name for field in fields(Appeal))
_WRITTEN = {"note": "", "task": "", "reply": "", "why": ()}
"""The fields of events that hold what people wrote, as they are with nothing in them."""


def read(appeal: Appeal) -> dict[str, Any]:
    """Return what an appeal fixes of an order."""
    return {name: getattr(appeal, name) for name in _READ}


def led(route: Route) -> dict[str, Any]:
    """Return what a route fixes of an order."""
    return {
        "unit_code": route.unit.code,
        "unit_name": route.unit.name,
        "co_handlers": route.co_handlers,
        "rule": route.rule,
        **where(route),
    }


def where(route: Route) -> dict[str, Any]:
    """Return what every event that names a new lead says of it."""
    return {"district": route.district, "why": route.why, "desk": route.desk, "rules": route.rules}


def told(order: Order, now: datetime) -> dict[str, Any]:
    """Return what every event of an order says."""
    return {"unit": order.unit, "round": order.round, "at": now}


def without_words(events: Iterable[Event]) -> list[Event]:
    """Return events as they are told of a ticket whose words were deleted: without what anybody wrote."""
    return [event.model_copy(update=_emptied(event)) for event in events]


def _emptied(event: Event) -> dict[str, object]:
    known = type(event).model_fields
    written = {name: empty for name, empty in _WRITTEN.items() if name in known}
    return {name: empty if known[name].is_required() else known[name].default for name, empty in written.items()}
