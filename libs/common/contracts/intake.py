"""What intake 接诉 says: appeals received, joined, withdrawn, answered; calls; a ticket's public face."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import Receipt, Status, UnitRef, Urgency


class TicketReceived(Receipt, Event, name="ticket.received", emitter="intake"):
    """A new appeal, screened and redacted, that someone must act on."""


class TicketSupplemented(Event, name="ticket.supplemented", emitter="intake"):
    """The reporter added words to a ticket."""

    text: str
    at: datetime


class TicketLinked(Receipt, Event, name="ticket.linked", emitter="intake"):
    """A repeat of an open ticket: it closes with its parent, and its reporter is asked as well."""

    parent: UUID
    reason: str


class TicketUnlinked(Event, name="ticket.unlinked", emitter="intake"):
    """A link that was wrong: the ticket goes its own way again."""

    parent: UUID
    reason: str


class TicketWithdrawn(Event, name="ticket.withdrawn", emitter="intake"):
    """The reporter took the appeal back."""

    at: datetime
    reason: str | None = None


class TicketAnswered(Receipt, Event, name="ticket.answered", emitter="intake"):
    """An appeal answered at once: an emergency given its number, or a question answered by a seat."""

    answer: str
    emergency: str | None = None


class TicketScreened(Event, name="ticket.screened", emitter="intake"):
    """What screening or a person found of an appeal: a test, blank, abusive, or outside the city's duty."""

    verdict: Literal["test", "blank", "abusive", "out_of_scope", "malicious", "unreasonable"]
    why: str


class CallRecorded(Event, name="call.recorded", emitter="intake"):
    """One call offered to a line. `wait_seconds` runs from the offer to the answer or to giving up."""

    line: str
    offered_at: datetime
    answered: bool
    abandoned: bool
    wait_seconds: float
    test_call: bool = False


class TicketSnapshot(Event, name="ticket.snapshot", emitter="intake", topic="jiesu.tickets.v1"):
    """The whole public face of a ticket, on a compacted topic: the last one is the ticket."""

    number: str
    status: Status
    category: tuple[str, str, str] | None = None
    urgency: Urgency | None = None
    unit: UnitRef | None = None
    due_at: datetime | None = None
    linked_to: UUID | None = None
    received_at: datetime
