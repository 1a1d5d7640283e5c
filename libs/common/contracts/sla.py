"""What sla 督办 says: clocks, warnings, lights, supervision."""

from datetime import datetime
from typing import Literal

from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import ClockName, Light, Part, UnitRef, Urgency


class _Clock(Part):
    """One clock of a ticket. `due_at` holds paused and extended time; `limit_seconds` is the class's own."""

    clock: ClockName
    round: int
    urgency: Urgency
    started_at: datetime
    due_at: datetime
    limit_seconds: int
    policy: str


class ClockStarted(_Clock, Event, name="clock.started", emitter="sla"):
    """A clock runs, or runs anew with another class: `previous_due_at` is then its old due time."""

    previous_due_at: datetime | None = None


class ClockPaused(_Clock, Event, name="clock.paused", emitter="sla"):
    """A clock stands still on a listed ground, at the latest until `until`."""

    ground: str
    until: datetime


class ClockResumed(_Clock, Event, name="clock.resumed", emitter="sla"):
    """A clock runs again; the pause was added to its due time."""

    previous_due_at: datetime


class ClockExtended(_Clock, Event, name="clock.extended", emitter="sla"):
    """More time was granted."""

    previous_due_at: datetime
    by: str
    reason: str


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
    """The clock ended without being met: the ticket ended another way, or was resolved without any contact."""

    reason: Literal["withdrawn", "linked", "answered", "uncontacted"]


class _Supervision(Part):
    """A supervision case. Levels: 1 street, 2 district, 3 city joint."""

    level: int
    ground: str
    unit: UnitRef | None = None


class SupervisionOpened(_Supervision, Event, name="supervision.opened", emitter="sla"):
    """Overdue work came under supervision."""


class SupervisionRaised(_Supervision, Event, name="supervision.raised", emitter="sla"):
    """A case rose one level."""


class SupervisionClosed(_Supervision, Event, name="supervision.closed", emitter="sla"):
    """A case ended."""


class DeductionProposed(Event, name="deduction.proposed", emitter="sla"):
    """Points to take off a unit, for a ruling."""

    unit: UnitRef
    points: float
    ground: str
