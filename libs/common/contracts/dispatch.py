"""What dispatch 派单·办理 says: which unit must act, and everything that happens to its order.

`round` counts the lives of an order: 1 at first, one more at each reopening. `unit` is always the lead 主办.
"""

from datetime import datetime
from typing import Literal

from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import ContactMethod, UnitRef, Urgency

ReturnGround = Literal["not_our_duty", "not_our_area", "duplicate", "unclear", "out_of_scope"]


class TicketDispatched(Event, name="ticket.dispatched", emitter="dispatch"):
    """An order was handed to its lead. `rule` names what decided, `why` says it, `desk` is true at the centre."""

    unit: UnitRef
    urgency: Urgency | None = None
    """The class it was dispatched under, for who hears of the order before the judgement."""
    district: str | None = None
    co_handlers: tuple[UnitRef, ...] = ()
    rule: str
    why: tuple[str, ...]
    desk: bool = False
    round: int
    at: datetime


class TicketAccepted(Event, name="ticket.accepted", emitter="dispatch"):
    """The lead signed for the order 签收."""

    unit: UnitRef
    round: int
    at: datetime


class TicketContacted(Event, name="ticket.contacted", emitter="dispatch"):
    """The unit spoke with the citizen. `first_at`, this round's first contact, stops the response clock."""

    unit: UnitRef
    method: ContactMethod
    note: str | None = None
    round: int
    at: datetime
    first_at: datetime


class TicketProgressed(Event, name="ticket.progressed", emitter="dispatch"):
    """A note on how the work goes."""

    unit: UnitRef
    note: str
    round: int
    at: datetime


class TicketReturned(Event, name="ticket.returned", emitter="dispatch"):
    """The unit says the order is not its own 退单; it leads until a ruling says otherwise. `returns` counts them."""

    unit: UnitRef
    ground: ReturnGround
    note: str
    returns: int
    round: int
    at: datetime


class TicketRuled(Event, name="ticket.ruled", emitter="dispatch"):
    """A return was ruled on 裁定: upheld (the order moves to `unit`) or refused (it stays with `unit`)."""

    upheld: bool
    unit: UnitRef
    ground: ReturnGround
    note: str
    right_code: str | None = None
    round: int
    at: datetime


class TicketReassigned(Event, name="ticket.reassigned", emitter="dispatch"):
    """The order moved to another lead."""

    unit: UnitRef
    previous: UnitRef
    district: str | None = None
    why: tuple[str, ...]
    desk: bool = False
    round: int
    at: datetime


class TicketAssigned(Event, name="ticket.assigned", emitter="dispatch"):
    """Another unit was drawn in: as co-handler 协办, for a sub-task, or by a whistle 吹哨报到."""

    role: Literal["co_handler", "sub_task", "whistle"]
    unit: UnitRef
    task: str | None = None
    round: int
    at: datetime


class TicketVerified(Event, name="ticket.verified", emitter="dispatch"):
    """Someone looked on the spot. `done` is what they saw."""

    by: str
    done: bool
    note: str
    round: int
    at: datetime


class TicketRecalled(Event, name="ticket.recalled", emitter="dispatch"):
    """The order was taken back: its ticket was withdrawn, answered or joined to another."""

    unit: UnitRef
    reason: Literal["withdrawn", "linked", "answered"]
    round: int
    at: datetime


class TicketResolved(Event, name="ticket.resolved", emitter="dispatch"):
    """The unit says it is done and what it tells the citizen. Not yet closed: the citizen decides."""

    unit: UnitRef
    reply: str
    round: int
    at: datetime
    contacted: bool
