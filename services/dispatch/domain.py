"""Orders as pure decisions: from the facts known of a ticket, and what people command, to whose work it is now.

`decide` may be asked at any time and in any order of facts; it changes only what is not yet as it should be. What a
command may do, from where and by whom, is the table TRANSITIONS.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from libs.common.contracts.classify import OwnerKind
from libs.common.contracts.dispatch import (
    ReturnGround,
    TicketAccepted,
    TicketContacted,
    TicketDispatched,
    TicketProgressed,
    TicketReassigned,
    TicketRecalled,
    TicketResolved,
    TicketReturned,
    TicketRuled,
)
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import (
    AccessNeed,
    ContactMethod,
    Kind,
    Place,
    ReporterType,
    UnitRef,
    Urgency,
)

State = Literal["dispatched", "accepted", "in_progress", "returned", "resolved", "recalled", "closed"]
Command = Literal["accept", "contact", "progress", "return", "rule", "reassign", "resolve"]
End = Literal["withdrawn", "linked", "answered"]
Actor = Literal["unit", "seat", "supervisor"]
OPEN: frozenset[State] = frozenset({"dispatched", "accepted", "in_progress", "returned"})
_WORKERS: tuple[Actor, ...] = ("unit", "seat", "supervisor")


class NotPossibleError(Exception):
    """A command that the state of the order does not allow; its text says why."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: from which states, by which roles, to which state.

    The role unit stands for its own orders only, the role seat for those at the centre's desk.
    """

    sources: tuple[State, ...]
    roles: tuple[Actor, ...]
    to: State


TRANSITIONS: Mapping[Command, Transition] = MappingProxyType(
    {
        "accept": Transition(("dispatched",), _WORKERS, "accepted"),
        "contact": Transition(("accepted", "in_progress"), _WORKERS, "in_progress"),
        "progress": Transition(("accepted", "in_progress"), _WORKERS, "in_progress"),
        "return": Transition(("dispatched", "accepted", "in_progress"), ("unit",), "returned"),
        "rule": Transition(("returned",), ("supervisor",), "dispatched"),
        "reassign": Transition(("dispatched", "accepted", "in_progress"), ("supervisor", "seat"), "dispatched"),
        "resolve": Transition(("accepted", "in_progress"), _WORKERS, "resolved"),
    }
)


@dataclass(frozen=True, slots=True)
class Matter:
    """What decides where an appeal goes: whose kind of duty it is, and where it happens."""

    owner_kind: OwnerKind
    owner: str | None = None
    co_handlers: tuple[str, ...] = ()
    place: Place | None = None
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Where an appeal goes. `why` are Chinese sentences; `desk` is true at the centre; `district` has six digits.

    `alternatives` are the units to try next, the likeliest first.
    """

    unit: UnitRef
    co_handlers: tuple[UnitRef, ...]
    rule: str
    why: tuple[str, ...]
    alternatives: tuple[UnitRef, ...] = ()
    desk: bool = False
    district: str | None = None


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
    """The last judgement: what the appeal is, and what its route hangs on."""

    appeal: Appeal
    matter: Matter


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a ticket. `reopened` and `closed` are the rounds that feedback opened and closed."""

    classified: Classified | None = None
    ended: End | None = None
    reopened: int | None = None
    closed: int | None = None

    @property
    def round(self) -> int:
        """The life the order must be in."""
        return self.reopened or 1

    @property
    def finished(self) -> bool:
        """Whether feedback closed this life; a later round opens it again."""
        return self.closed is not None and self.closed >= self.round


@dataclass(frozen=True, slots=True)
class Order(Appeal):
    """The one order of a ticket. `unit` leads 主办; `contacted_at` is the first contact of this round.

    `settled`: the lead signed once, or a person chose it, so a new judgement no longer moves the order (首接负责).
    `returns` counts over all rounds; `tried` are the units whose return was upheld.
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

    @property
    def unit(self) -> UnitRef:
        """The lead."""
        return UnitRef(code=self.unit_code, name=self.unit_name)

    @property
    def open(self) -> bool:
        """Whether somebody still has to act on it."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a decision came to: the order as it is now, if there is one, and what to tell."""

    order: Order | None
    events: tuple[Event, ...] = ()


Step = tuple[Order, list[Event]]


def decide(ticket_id: UUID, facts: Facts, order: Order | None, route: Route | None, now: datetime) -> Ruling:
    """Bring a ticket's order to where the facts say it must be. `route` is that of the last judgement, if any."""
    if facts.classified is None or route is None:
        return Ruling(order)
    appeal = facts.classified.appeal
    known = replace(order, **_read(appeal)) if order else None
    if facts.finished:
        return Ruling(replace(known, state="closed") if known else None)
    if facts.ended:
        return _recall(known, facts.ended, now)
    if known is None or known.state == "recalled" or known.round < facts.round:
        return _dispatch(ticket_id, appeal, facts.round, known, route, now)
    if known.state == "dispatched" and not known.settled:
        return _follow(known, route, now)
    return Ruling(known)


def _recall(order: Order | None, reason: End, now: datetime) -> Ruling:
    if order is None or not order.open:
        return Ruling(order)
    recalled = replace(order, state="recalled")
    return Ruling(recalled, (TicketRecalled(**_told(order, now), reason=reason),))


def _dispatch(ticket_id: UUID, appeal: Appeal, round_: int, order: Order | None, route: Route, now: datetime) -> Ruling:
    """Hand the order over: the first time, in a new round, or after a link that was wrong."""
    route = _handing(order, round_, route)
    fresh = {**_led(route), "round": round_, "state": "dispatched", "dispatched_at": now}
    if order is None:
        order = Order(**_read(appeal), **fresh, ticket_id=ticket_id)
    else:
        order = replace(
            order, **fresh, accepted_at=None, resolved_at=None, reply=None, return_ground=None, return_note=None,
            contacted_at=order.contacted_at if order.round == round_ else None,
        )  # fmt: skip
    told = {
        **_told(order, now),
        **_where(route),
        "co_handlers": route.co_handlers,
        "rule": route.rule,
        "urgency": order.urgency,
    }
    return Ruling(order, (TicketDispatched(**told),))


def _follow(order: Order, route: Route, now: datetime) -> Ruling:
    """Let a newer judgement move an order that nobody has signed for yet."""
    route = _handing(order, order.round, route)
    if route.unit.code == order.unit_code:
        return Ruling(replace(order, **_led(route)))
    moved, said = _move(order, route, now)
    return Ruling(moved, tuple(said))


def _handing(order: Order | None, round_: int, route: Route) -> Route:
    """Return how to hand over in this round: to the lead that signed before, for who receives first is responsible."""
    settled = order if order and order.settled else None
    if settled:
        route = Route(settled.unit, settled.co_handlers, settled.rule, settled.why, (), settled.desk, settled.district)
    if round_ == 1:
        return route
    again = f"第{round_}轮办理：首接负责，由{route.unit.name}继续主办"
    return replace(route, rule="reopened", why=(again,) if settled else (again, *route.why))


def accept(order: Order, now: datetime) -> Step:
    """Sign for the order 签收."""
    order = replace(_enter(order, "accept"), accepted_at=now, settled=True)
    return order, [TicketAccepted(**_told(order, now))]


def contact(order: Order, method: ContactMethod, note: str | None, now: datetime) -> Step:
    """Note that the unit spoke with the citizen; the first time in a round is the response."""
    first_at = order.contacted_at or now
    order = replace(_enter(order, "contact"), contacted_at=first_at)
    return order, [TicketContacted(**_told(order, now), method=method, note=note, first_at=first_at)]


def progress(order: Order, note: str, now: datetime) -> Step:
    """Note how the work goes."""
    order = _enter(order, "progress")
    return order, [TicketProgressed(**_told(order, now), note=note)]


def hand_back(order: Order, ground: ReturnGround, note: str, now: datetime) -> Step:
    """Say that the order is not this unit's 退单. It leads until a ruling says otherwise."""
    order = replace(_enter(order, "return"), returns=order.returns + 1, return_ground=ground, return_note=note)
    return order, [TicketReturned(**_told(order, now), ground=ground, note=note, returns=order.returns)]


def resolve(order: Order, reply: str, now: datetime) -> Step:
    """Say that it is done, and what the citizen is told."""
    order = replace(_enter(order, "resolve"), resolved_at=now, reply=reply)
    return order, [TicketResolved(**_told(order, now), reply=reply, contacted=order.contacted_at is not None)]


def rule(order: Order, to: Route | None, note: str, right_code: str | None, now: datetime) -> Step:
    """Rule on a return 裁定: upheld, the order moves to `to`; refused (None), it stays, to be signed for again."""
    ground = order.return_ground
    ruled = replace(_enter(order, "rule"), settled=True, accepted_at=None, return_ground=None, return_note=None)
    if ground is None:
        raise NotPossibleError("nobody has returned this order")
    said: list[Event] = []
    if to:
        ruled, said = _move(replace(ruled, tried=(*order.tried, order.unit_code)), to, now)
    verdict = TicketRuled(**_told(ruled, now), upheld=to is not None, ground=ground, note=note, right_code=right_code)
    return ruled, [verdict, *said]


def reassign(order: Order, to: Route, now: datetime) -> Step:
    """Move the order to the unit a person chose 改派."""
    return _move(replace(_enter(order, "reassign"), settled=True), to, now)


def _enter(order: Order, command: Command) -> Order:
    way = TRANSITIONS[command]
    if order.state not in way.sources:
        raise NotPossibleError(f"the order is {order.state}; to {command} it must be {' or '.join(way.sources)}")
    return replace(order, state=way.to)


def _move(order: Order, to: Route, now: datetime) -> Step:
    if to.unit.code == order.unit_code:
        raise NotPossibleError("this unit leads the order already")
    moved = replace(order, **_led(to), dispatched_at=now, accepted_at=None)
    return moved, [TicketReassigned(**_told(moved, now), **_where(to), previous=order.unit)]


def _led(route: Route) -> dict[str, Any]:
    """Return what a route fixes of an order."""
    return {
        "unit_code": route.unit.code,
        "unit_name": route.unit.name,
        "co_handlers": route.co_handlers,
        "rule": route.rule,
        **_where(route),
    }


_READ = tuple(field.name for field in fields(Appeal))


def _read(appeal: Appeal) -> dict[str, Any]:
    """Return what an appeal fixes of an order."""
    return {name: getattr(appeal, name) for name in _READ}


def _where(route: Route) -> dict[str, Any]:
    """Return what every event that names a new lead says of it."""
    return {"district": route.district, "why": route.why, "desk": route.desk}


def _told(order: Order, now: datetime) -> dict[str, Any]:
    """Return what every event of an order says."""
    return {"unit": order.unit, "round": order.round, "at": now}
