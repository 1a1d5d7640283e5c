"""What sla 督办 says: clocks, warnings, lights, supervision."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.contracts.dispatch import HelpRole
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import ClockName, Light, Part, UnitRef, Urgency

SupervisionAbout = Literal["ticket", "hotspot"]
SupervisionGround = Literal["overdue", "reopened", "dispute", "hot_event", "rank", "hand"]
SupervisionOutcome = Literal["done", "solved", "explained", "unfounded", "void"]
"""How a case ended: `done`, `void` by itself (the work was done, or fell away), the others by its owner's word."""
SupervisionStep = Literal[
    "noticed", "answered", "unanswered", "accepted", "refused", "check_ordered", "checked", "meeting_called",
    "attended", "concluded", "fulfilled", "missed", "moved", "handed_over", "held",
]  # fmt: skip


Moved = Literal["class", "link", "calendar"]
"""Why a clock runs anew: the class changed, an earlier appeal joined or left, the days of work are others."""
Level = Literal["district", "centre"]
"""Who grants more time: the supervisor of the lead's district or department, or of the whole city."""


class _Clock(Part):
    """One clock of a ticket. `due_at` holds paused and extended time; `limit_seconds` is the class's own.

    `policy` is the version of the policies that it is judged by. `provisional`: it counts working time, and `due_at`
    hangs on the days of a year that are not named yet.
    """

    clock: ClockName
    round: int
    urgency: Urgency
    started_at: datetime
    due_at: datetime
    limit_seconds: int
    policy: str
    provisional: bool = False


class ClockStarted(_Clock, Event, name="clock.started", emitter="sla"):
    """A clock runs, or runs anew from what `moved_by` tells: `previous_due_at` is then its old due time."""

    previous_due_at: datetime | None = None
    moved_by: Moved | None = None


class ClockPaused(_Clock, Event, name="clock.paused", emitter="sla"):
    """A clock stands still on a listed ground, at the latest until `until`."""

    ground: str
    until: datetime


class ClockResumed(_Clock, Event, name="clock.resumed", emitter="sla"):
    """A clock runs again; the pause was added to its due time."""

    previous_due_at: datetime


class ClockExtended(_Clock, Event, name="clock.extended", emitter="sla"):
    """More time was asked for and granted. A wish that was refused changes no clock, and is told by sla's API alone.

    `by` granted it, `reason` is why it was asked for. `seconds` are of the time that the clock counts.
    """

    previous_due_at: datetime
    by: str
    reason: str
    extension_id: UUID | None = None
    level: Level | None = None
    seconds: int | None = None
    note: str | None = None
    unit: UnitRef | None = None


class ClockWarned(_Clock, Event, name="clock.warned", emitter="sla"):
    """A reminder before the limit: grade 1, 2, 3, by default at 50, 80, 95 %. `late` if fired after an outage."""

    grade: int
    unit: UnitRef | None = None
    late: bool = False


class ClockBreached(_Clock, Event, name="clock.breached", emitter="sla"):
    """The limit passed: yellow at the limit, red at 1.5 times by default."""

    light: Light
    unit: UnitRef | None = None
    late: bool = False


class ClockMet(_Clock, Event, name="clock.met", emitter="sla"):
    """The unit did in `met_at` what the clock was for; `in_time` says whether before the limit."""

    met_at: datetime
    in_time: bool
    unit: UnitRef | None = None


class ClockStopped(_Clock, Event, name="clock.stopped", emitter="sla"):
    """The clock ended without being met: the ticket ended another way, or was resolved without any contact.

    `answered`: intake answered it at once, or feedback closed it before sla heard of any work.
    """

    reason: Literal["withdrawn", "linked", "answered", "uncontacted"]


class _Task(Part):
    """The clock of a part of the work that another unit owes. `task_id` is dispatch's.

    It is not there yet of a co-handler that ticket.dispatched named and that took no step.
    """

    role: HelpRole
    unit: UnitRef
    round: int
    started_at: datetime
    due_at: datetime
    task_id: UUID | None = None


class TaskStarted(_Task, Event, name="task.started", emitter="sla"):
    """A part of the work is timed from now on, or is due sooner: `previous_due_at` is then its old due time."""

    previous_due_at: datetime | None = None


class TaskWarned(_Task, Event, name="task.warned", emitter="sla"):
    """A reminder before a part is due. `late` if fired after an outage."""

    grade: int
    late: bool = False


class TaskBreached(_Task, Event, name="task.breached", emitter="sla"):
    """A part was not done, or nobody turned up, when it was due."""

    light: Light
    late: bool = False


class TaskMet(_Task, Event, name="task.met", emitter="sla"):
    """The part was done, or to a whistle somebody came; `in_time` says whether before it was due."""

    met_at: datetime
    in_time: bool


class TaskStopped(_Task, Event, name="task.stopped", emitter="sla"):
    """Nobody owes the part any more: the unit was relieved of it, it was taken back, or the round it was of is over."""

    reason: Literal["relieved", "recalled", "over"]


class _Supervision(Part):
    """A supervision case. Levels: 1 street, 2 district, 3 city joint. `ground` is the first it stands on.

    The subject is a ticket, or a hot event where `about` says so. `unit` is supervised, None if nobody leads yet;
    `owner` answers for the case. `turn` counts the cases of one subject.
    """

    level: int
    ground: str
    unit: UnitRef | None = None
    owner: UnitRef | None = None
    about: SupervisionAbout = "ticket"
    grounds: tuple[str, ...] = ()
    turn: int = 1
    at: datetime | None = None


class SupervisionOpened(_Supervision, Event, name="supervision.opened", emitter="sla"):
    """Overdue work came under supervision. The unit answers by `answer_due_at`."""

    answer_due_at: datetime | None = None


class SupervisionRaised(_Supervision, Event, name="supervision.raised", emitter="sla"):
    """A case rose one level. The unit answers by `answer_due_at`."""

    answer_due_at: datetime | None = None


class BoundUnit(Part):
    """What a meeting bound a unit to do, and by when."""

    unit: UnitRef
    task: str
    due_at: datetime


class SupervisionStepped(_Supervision, Event, name="supervision.stepped", emitter="sla"):
    """Something was done on a case. `by` is the unit that acted, where a unit did; `note` is redacted.

    `item` is the check, meeting or duty it was done on, `due_at` when a check reports or a meeting is, `holds` whether
    a check found what the supervised unit says. `units` were called to a meeting, `bound` are what its conclusion
    binds, `tickets` all that a hot event's case holds. `answer_due_at` is there when the unit is to answer anew.
    `missed` without an item: the owner did not act in time.
    """

    step: SupervisionStep
    by: UnitRef | None = None
    note: str | None = None
    item: UUID | None = None
    due_at: datetime | None = None
    holds: bool | None = None
    units: tuple[UnitRef, ...] = ()
    bound: tuple[BoundUnit, ...] = ()
    tickets: tuple[UUID, ...] = ()
    answer_due_at: datetime | None = None


class SupervisionClosed(_Supervision, Event, name="supervision.closed", emitter="sla"):
    """A case ended, and how."""

    outcome: SupervisionOutcome | None = None
    note: str | None = None


class Evidence(Part):
    """A fact that a proposal rests on: what it is, when it was so, and codes or numbers that say more."""

    what: str
    at: datetime
    detail: str = ""


class DeductionProposed(Event, name="deduction.proposed", emitter="sla"):
    """Points to take off a unit, for a ruling of feedback's: nothing is taken off by this.

    `ticket` is the case's, None where a hot event is. `by` whom: a rule of the city, or a person.
    """

    unit: UnitRef
    points: float
    ground: str
    proposal: UUID | None = None
    ticket: UUID | None = None
    evidence: tuple[Evidence, ...] = ()
    by: Literal["rule", "person"] = "rule"
    note: str | None = None
    at: datetime | None = None
