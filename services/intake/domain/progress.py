"""How a ticket goes: what the other stages said of it, and which status the citizen sees."""

from dataclasses import dataclass
from datetime import datetime

from libs.common.contracts.intake import TicketSnapshot
from libs.common.contracts.vocabulary import Status, UnitRef, Urgency
from services.intake.domain.tickets import State, Ticket


@dataclass(frozen=True, slots=True)
class Classified:
    """What the appeal is about."""

    category: tuple[str, str, str]
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class Moved:
    """A step of the order's life: in which round, when, with which unit as its lead, and the codes of its helpers."""

    round: int
    at: datetime
    unit: UnitRef | None = None
    helpers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """When the unit must be done; a later round's clock replaces an earlier one's."""

    round: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What the other stages have said of a ticket: the last of each kind."""

    classified: Classified | None = None
    led: Moved | None = None
    helping: Moved | None = None
    """With all who took on a part of the order by then."""
    accepted: Moved | None = None
    working: Moved | None = None
    returned: Moved | None = None
    ruled: Moved | None = None
    resolved: Moved | None = None
    asked: Moved | None = None
    reviewed: Moved | None = None
    closed: Moved | None = None
    reopened: Moved | None = None
    due: Due | None = None

    @property
    def round(self) -> int:
        """The current life of the ticket: 1, and one more at each reopening."""
        return self.reopened.round if self.reopened else 1

    @property
    def handed_at(self) -> datetime | None:
        """When the order came to its lead, or was left with it by a ruling; what was done before was another's."""
        return max((step.at for step in (self.led, self.ruled) if step), default=None)


def goes_on(state: State, facts: Facts) -> bool:
    """Say whether a ticket goes its own way and has not ended."""
    return state == "open" and status(state, facts) != "closed"


def status(state: State, facts: Facts) -> Status:
    """Return what the citizen sees: a precedence over the facts present, whatever order they came in."""
    if state == "withdrawn":
        return "withdrawn"
    if facts.closed and facts.closed.round >= facts.round:
        return "closed"
    if state != "open":
        return state
    return _of_the_round(facts)


def _of_the_round(facts: Facts) -> Status:
    def now(step: Moved | None) -> bool:
        return step is not None and step.round >= facts.round

    def by_lead(step: Moved | None) -> bool:
        return step is not None and now(step) and (facts.handed_at is None or step.at >= facts.handed_at)

    steps: tuple[tuple[bool, Status], ...] = (
        (now(facts.reviewed), "reviewed"),
        (now(facts.resolved), "resolved"),
        (_return_pending(facts), "returned"),
        (by_lead(facts.working), "in_progress"),
        (by_lead(facts.accepted), "accepted"),
        (facts.round > 1, "reopened"),
        (facts.led is not None, "dispatched"),
        (facts.classified is not None, "classified"),
    )
    return next((name for holds, name in steps if holds), "received")


def _return_pending(facts: Facts) -> bool:
    """A return waits until a ruling, or another lead, came after it."""
    if facts.returned is None or facts.returned.round < facts.round:
        return False
    return facts.handed_at is None or facts.handed_at <= facts.returned.at


def face(ticket: Ticket, facts: Facts) -> TicketSnapshot:
    """Return the public face of a ticket."""
    return TicketSnapshot(
        number=ticket.number,
        status=status(ticket.state, facts),
        category=facts.classified.category if facts.classified else None,
        urgency=facts.classified.urgency if facts.classified else None,
        unit=facts.led.unit if facts.led else None,
        due_at=facts.due.at if facts.due else None,
        linked_to=ticket.parent,
        received_at=ticket.received_at,
    )
