"""What dispatch 派单·办理 says: which unit must act, and everything that happens to its order.

`round` counts the lives of an order: 1 at first, one more at each reopening. `unit` is always the lead 主办.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import ContactMethod, Part, UnitRef, Urgency

ReturnGround = Literal["not_our_duty", "not_our_area", "duplicate", "unclear", "out_of_scope"]
Against = Literal["unit", "routing", "model", "person"]
"""Whom a return counts against: the unit that pushed the order back, the rules or the judgement or the person that sent
it to the wrong one."""

HelpRole = Literal["co_handler", "sub_task", "whistle"]
HelpState = Literal["accepted", "arrived", "done", "relief_asked", "relief_refused", "relieved", "recalled"]
ReliefGround = Literal["not_our_duty", "not_our_area", "no_power", "done_by_others"]
ReplyFault = Literal[
    "boilerplate", "nothing_done", "no_basis", "no_contact", "no_date", "off_topic", "other_place", "unanswered"
]


class ReplyWords(Part):
    """How plainly a reply speaks. `characters` are its Chinese ones, `sentence` how many of them one has in the mean.

    `concrete`: the share, 0 to 1, of its clauses that say something of this matter. `empty` and `officialese`: phrases
    that say nothing, and words of offices, for each 100 characters.
    """

    characters: int
    concrete: float
    empty: float
    officialese: float
    sentence: float


class TicketDispatched(Event, name="ticket.dispatched", emitter="dispatch"):
    """An order was handed to its lead. `rule` names what decided, `why` says it, `desk` is true at the centre."""

    unit: UnitRef
    urgency: Urgency | None = None
    """The class it was dispatched under, for who hears of the order before the judgement."""
    district: str | None = None
    co_handlers: tuple[UnitRef, ...] = ()
    help_due_at: datetime | None = None
    """When each of the co-handlers must have done its part; ticket.assisted tells how it goes."""
    rule: str
    rules: str = ""
    """The version of the rules that decided; empty where a person did."""
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
    """The unit spoke with the citizen. `first_at`, this round's first contact, stops the response clock.

    Not `reached`, it only tried: that is no response, and `first_at` says nothing then. `made_at` is when it was, noted
    at `at`.
    """

    unit: UnitRef
    method: ContactMethod
    note: str | None = None
    round: int
    at: datetime
    first_at: datetime
    reached: bool = True
    made_at: datetime | None = None


class TicketProgressed(Event, name="ticket.progressed", emitter="dispatch"):
    """A note on how the work goes."""

    unit: UnitRef
    note: str
    round: int
    at: datetime


class TicketReturned(Event, name="ticket.returned", emitter="dispatch"):
    """The unit says the order is not its own 退单; it leads until a ruling says otherwise. `returns` counts them.

    It is to be ruled on by `due_at`, by the centre alone if `centre`. `evidence` counts the unit's files.
    """

    unit: UnitRef
    ground: ReturnGround
    note: str
    returns: int
    round: int
    at: datetime
    return_id: UUID | None = None
    due_at: datetime | None = None
    centre: bool = False
    evidence: int = 0


class TicketRuled(Event, name="ticket.ruled", emitter="dispatch"):
    """A return was ruled on 裁定: upheld (the order moves to `unit`) or refused (it stays with `unit`).

    It counts `against` the unit that returned it, or else what had sent it there: `against_rule` names the rule. After
    a `final` ruling the order is returned no more. `verification` is the look on the spot that it rests on. What it
    `overturns` are earlier returns of the unit that leads after all: they count against that unit now.
    """

    upheld: bool
    unit: UnitRef
    ground: ReturnGround
    note: str
    right_code: str | None = None
    round: int
    at: datetime
    return_id: UUID | None = None
    returned_by: UnitRef | None = None
    against: Against | None = None
    against_rule: str | None = None
    final: bool = False
    verification: UUID | None = None
    overturns: tuple[UUID, ...] = ()


class TicketEscalated(Event, name="ticket.escalated", emitter="dispatch"):
    """A return waited past `due_at` for its ruling, so the centre rules now. The unit leads on, and clocks run on."""

    unit: UnitRef
    ground: ReturnGround
    return_id: UUID
    due_at: datetime
    round: int
    at: datetime


class TicketReassigned(Event, name="ticket.reassigned", emitter="dispatch"):
    """The order moved to another lead."""

    unit: UnitRef
    previous: UnitRef
    district: str | None = None
    rules: str = ""
    """The version of the rules that moved it; empty where a person did."""
    why: tuple[str, ...]
    desk: bool = False
    round: int
    at: datetime


class TicketAssigned(Event, name="ticket.assigned", emitter="dispatch"):
    """Another unit was drawn in: as co-handler 协办, for a sub-task, or by a whistle 吹哨报到.

    `due_at` is when its part must be done, or of a whistle when it must be on the spot. `contact` is whom to speak to
    there: an office, or a staff name. Co-handlers that ticket.dispatched names are drawn in by that. The same task is
    told again with a sooner `due_at` when its order becomes graver.
    """

    role: HelpRole
    unit: UnitRef
    task: str | None = None
    round: int
    at: datetime
    task_id: UUID | None = None
    due_at: datetime | None = None
    contact: str | None = None


class TicketAssisted(Event, name="ticket.assisted", emitter="dispatch"):
    """A unit that was drawn in took a step: took its part on, came to the spot, did it, or ended with it otherwise.

    `helpers` are the codes of all units that have taken on a part of this order by now. It asks the centre to be
    relieved on a `ground`, and goes on until that is ruled on. `turned_up_in_seconds` is from the whistle to the spot.
    """

    task_id: UUID
    role: HelpRole
    unit: UnitRef
    state: HelpState
    ground: ReliefGround | None = None
    note: str | None = None
    helpers: tuple[str, ...] = ()
    round: int
    at: datetime
    due_at: datetime
    turned_up_in_seconds: float | None = None


class TicketVerified(Event, name="ticket.verified", emitter="dispatch"):
    """Someone looked on the spot. `done` is what they saw.

    `unit` went there, for a return that is to be ruled on; `duty` is whose work it seems to be by what was seen.
    """

    by: str
    done: bool
    note: str
    round: int
    at: datetime
    verification: UUID | None = None
    unit: UnitRef | None = None
    duty: UnitRef | None = None
    evidence: int = 0


class VerificationOrdered(Event, name="verification.ordered", emitter="dispatch"):
    """A third unit is to look on the spot 现场核实, by `due_at`, before a return is ruled on."""

    verification: UUID
    unit: UnitRef
    task: str
    due_at: datetime
    round: int
    at: datetime


class TicketRecalled(Event, name="ticket.recalled", emitter="dispatch"):
    """The order was taken back: its ticket was withdrawn, answered or joined to another."""

    unit: UnitRef
    reason: Literal["withdrawn", "linked", "answered"]
    round: int
    at: datetime


class TicketResolved(Event, name="ticket.resolved", emitter="dispatch"):
    """The unit says it is done and what it tells the citizen. Not yet closed: the citizen decides.

    `evidence` counts the files of the order, `reply_faults` what the reply was found to lack, `reply_words` how plainly
    it speaks (None where it is not in Chinese), `open_tasks` what others still owe. When this lead got the order,
    signed for it and first spoke with the citizen in this round come with it,
    and how often the order was returned in all its rounds.
    """

    unit: UnitRef
    reply: str
    round: int
    at: datetime
    contacted: bool
    evidence: int = 0
    reply_faults: tuple[ReplyFault, ...] = ()
    open_tasks: int = 0
    dispatched_at: datetime | None = None
    accepted_at: datetime | None = None
    contacted_at: datetime | None = None
    returns: int = 0
    reply_words: ReplyWords | None = None
