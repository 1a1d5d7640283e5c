"""What people may do to an order: from where, by whom, and to where is the table TRANSITIONS."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from libs.common.contracts.dispatch import (
    ReturnGround,
    TicketAccepted,
    TicketContacted,
    TicketProgressed,
    TicketReassigned,
    TicketResolved,
    TicketReturned,
    TicketRuled,
)
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import ContactMethod
from services.dispatch.domain.orders import Order, Route, State, Step, led, told, where

Command = Literal["accept", "contact", "progress", "return", "rule", "reassign", "resolve"]
Actor = Literal["unit", "seat", "supervisor"]
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


def accept(order: Order, now: datetime) -> Step:
    """Sign for the order 签收."""
    order = replace(_enter(order, "accept"), accepted_at=now, settled=True)
    return order, [TicketAccepted(**told(order, now))]


def contact(order: Order, method: ContactMethod, note: str | None, now: datetime) -> Step:
    """Note that the unit spoke with the citizen; the first time in a round is the response."""
    first_at = order.contacted_at or now
    order = replace(_enter(order, "contact"), contacted_at=first_at)
    return order, [TicketContacted(**told(order, now), method=method, note=note, first_at=first_at)]


def progress(order: Order, note: str, now: datetime) -> Step:
    """Note how the work goes."""
    order = _enter(order, "progress")
    return order, [TicketProgressed(**told(order, now), note=note)]


def hand_back(order: Order, ground: ReturnGround, note: str, now: datetime) -> Step:
    """Say that the order is not this unit's 退单. It leads until a ruling says otherwise."""
    order = replace(_enter(order, "return"), returns=order.returns + 1, return_ground=ground, return_note=note)
    return order, [TicketReturned(**told(order, now), ground=ground, note=note, returns=order.returns)]


def resolve(order: Order, reply: str, now: datetime) -> Step:
    """Say that it is done, and what the citizen is told."""
    order = replace(_enter(order, "resolve"), resolved_at=now, reply=reply)
    return order, [TicketResolved(**told(order, now), reply=reply, contacted=order.contacted_at is not None)]


def rule(order: Order, to: Route | None, note: str, right_code: str | None, now: datetime) -> Step:
    """Rule on a return 裁定: upheld, the order moves to `to`; refused (None), it stays, to be signed for again."""
    ground = order.return_ground
    ruled = replace(_enter(order, "rule"), settled=True, accepted_at=None, return_ground=None, return_note=None)
    if ground is None:
        raise NotPossibleError("nobody has returned this order")
    said: list[Event] = []
    if to:
        ruled, said = move(replace(ruled, tried=(*order.tried, order.unit_code)), to, now)
    verdict = TicketRuled(**told(ruled, now), upheld=to is not None, ground=ground, note=note, right_code=right_code)
    return ruled, [verdict, *said]


def reassign(order: Order, to: Route, now: datetime) -> Step:
    """Move the order to the unit a person chose 改派."""
    return move(replace(_enter(order, "reassign"), settled=True), to, now)


def _enter(order: Order, command: Command) -> Order:
    way = TRANSITIONS[command]
    if order.state not in way.sources:
        raise NotPossibleError(f"the order is {order.state}; to {command} it must be {' or '.join(way.sources)}")
    return replace(order, state=way.to)


def move(order: Order, to: Route, now: datetime) -> Step:
    """Give an order to another lead. Raises NotPossibleError if it is that unit's already."""
    if to.unit.code == order.unit_code:
        raise NotPossibleError("this unit leads the order already")
    moved = replace(order, **led(to), dispatched_at=now, accepted_at=None)
    return moved, [TicketReassigned(**told(moved, now), **where(to), previous=order.unit)]
