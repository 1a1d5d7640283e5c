"""What people may do to an order: from where, by whom, and to where is the table TRANSITIONS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Literal

from libs.common.contracts.dispatch import (
    ReplyFault,
    ReplyWords,
    TicketAccepted,
    TicketContacted,
    TicketProgressed,
    TicketReassigned,
    TicketResolved,
)
from libs.common.contracts.vocabulary import ContactMethod
from services.dispatch.domain.orders import Order, Route, State, Step, led, told, where

Command = Literal["accept", "contact", "progress", "return", "rule", "reassign", "resolve"]
Actor = Literal["unit", "seat", "supervisor"]
_WORKERS: tuple[Actor, ...] = ("unit", "seat", "supervisor")


LATE_NOTE = timedelta(hours=24)
"""How long after a contact it may be noted: what is the response must not be remembered days later."""


class NotPossibleError(Exception):
    """A command that the state of the order does not allow; its text says why."""


class WrongTimeError(Exception):
    """A time that something cannot have been at; its text says what would be right."""


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
    order = replace(enter(order, "accept"), accepted_at=now, settled=True)
    return order, [TicketAccepted(**told(order, now))]


def contact(
    order: Order, method: ContactMethod, note: str | None, now: datetime,
    made_at: datetime | None = None, *, reached: bool = True,
) -> Step:  # fmt: skip
    """Note that the unit spoke with the citizen, or tried to; the first time in a round that it did is the response.

    `made_at` is when that was, now if left out. Raises WrongTimeError if it cannot have been then.
    """
    entered = enter(order, "contact")
    made_at = _contacted(order, made_at or now, now)
    first_at = min(order.contacted_at or made_at, made_at) if reached else order.contacted_at
    said = {**told(order, now), "method": method, "note": note, "reached": reached, "made_at": made_at}
    bound = order.unit_code if reached else order.bound
    return replace(entered, contacted_at=first_at, bound=bound), [TicketContacted(**said, first_at=first_at or made_at)]


def _contacted(order: Order, made_at: datetime, now: datetime) -> datetime:
    """Return when a contact was. Before it had the order, a unit did not speak for it."""
    if made_at > now:
        raise WrongTimeError("must not lie in the future")
    if made_at < now - LATE_NOTE:
        raise WrongTimeError(f"must be within the last {LATE_NOTE.total_seconds() / 3600:.0f} hours; note it sooner")
    if made_at < order.dispatched_at:
        raise WrongTimeError("must not be before the order was handed to the unit")
    return made_at.astimezone(UTC)


def progress(order: Order, note: str, now: datetime) -> Step:
    """Note how the work goes."""
    order = enter(order, "progress")
    return order, [TicketProgressed(**told(order, now), note=note)]


def resolve(
    order: Order,
    reply: str,
    now: datetime,
    faults: Sequence[ReplyFault] = (),
    evidence: int = 0,
    open_tasks: int = 0,
    words: ReplyWords | None = None,
) -> Step:
    """Say that it is done, and what the citizen is told.

    What others still owe does not hold the lead up, for who receives first is responsible; it is told with the rest.
    """
    order = replace(enter(order, "resolve"), resolved_at=now, reply=reply)
    said = {**told(order, now), "reply": reply, "contacted": order.contacted_at is not None, "evidence": evidence}
    went = {name: getattr(order, name) for name in ("dispatched_at", "accepted_at", "contacted_at", "returns")}
    return order, [TicketResolved(**said, **went, reply_faults=tuple(faults), open_tasks=open_tasks, reply_words=words)]


def reassign(order: Order, to: Route, now: datetime) -> Step:
    """Move the order to the unit a person chose 改派."""
    return move(replace(enter(order, "reassign"), settled=True), to, now)


def enter(order: Order, command: Command) -> Order:
    """Bring an order to where a command leads. Raises NotPossibleError if its state does not allow it."""
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
