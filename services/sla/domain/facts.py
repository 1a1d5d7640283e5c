"""What sla remembers of a ticket from the other stages, cut down to what its clocks need."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from libs.common.contracts.vocabulary import AccessNeed, Channel, ReporterType, UnitRef, Urgency
from services.sla.domain.policy import Matter

BrokenOff = Literal["linked", "answered"]
Stop = Literal["withdrawn", "linked", "answered", "uncontacted"]


@dataclass(frozen=True, slots=True)
class Received:
    """When the clocks start, the number people know the ticket by, and what limits may hang on."""

    at: datetime
    elderly: bool = False
    number: str = ""
    access: tuple[AccessNeed, ...] = ()
    channel: Channel | None = None
    reporter_type: ReporterType | None = None


@dataclass(frozen=True, slots=True)
class Classified:
    """The class that sets the limits. It carries the receipt, so it does when the receipt itself is not here yet."""

    urgency: Urgency
    elderly: bool
    received: Received
    code: str = ""
    category: str = ""
    """Of level 1."""
    below: tuple[str, ...] = ()
    """The names of the levels below."""


@dataclass(frozen=True, slots=True)
class Led:
    """Who leads the order since when. Dispatch tells the class too, in case its own word is heard first."""

    unit: UnitRef
    at: datetime
    urgency: Urgency | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Something a unit did in a round of the order's life."""

    round: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Returned:
    """The last return of the order; `returns` counts them over all rounds."""

    returns: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Again:
    """A later round and when its clocks start. None is at receipt: the citizen's clock never restarts for our error."""

    round: int
    at: datetime | None
    reason: Literal["not_solved", "repeat", "ruling"] = "not_solved"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a ticket.

    `ended` is void when intake receives the ticket once more, `withdrawn` never; `broken_off` remembers the last such
    end, for the round it fell in was ended by no unit. `joined` is when the earliest of those who joined came, and
    `certain` that an answer which is void was waited upon for long enough. `ruled` is when a return was ruled on last,
    `closed` the round that feedback closed and `closed_as` what that is to a clock, `unsolved` that round too if the
    citizen said no once more. `wordless`: the ticket's words were deleted, and none are kept of it.
    """

    received: Received | None = None
    classified: Classified | None = None
    dispatched: Led | None = None
    reassigned: Led | None = None
    contacted: Done | None = None
    resolved: Done | None = None
    ended: BrokenOff | None = None
    broken_off: BrokenOff | None = None
    withdrawn: bool = False
    reopened: Again | None = None
    joined: datetime | None = None
    certain: bool = False
    returned: Returned | None = None
    ruled: datetime | None = None
    closed: int | None = None
    closed_as: Stop = "answered"
    unsolved: Done | None = None
    wordless: bool = False

    @property
    def in_doubt(self) -> bool:
        """Whether an answer is void and it is not known yet by whom: feedback may open the next round any moment.

        Nothing is lost by waiting for that: what was voided by intake itself is timed from receipt all the same.
        """
        voided = self.broken_off == "answered" and not self.end
        return voided and not (self.reopened or self.certain)

    @property
    def start(self) -> datetime | None:
        """When the citizens' time began: at receipt, or at that of the earliest who joined this ticket."""
        if self.receipt is None:
            return None
        return min(self.receipt.at, self.joined) if self.joined else self.receipt.at

    @property
    def receipt(self) -> Received | None:
        """The receipt, once somebody must act on it: intake said so, or dispatch, should intake's word be lost.

        Classify brings it too, but also of what was linked or answered at once.
        """
        if self.received:
            return self.received
        return self.classified.received if self.classified and self.dispatched else None

    @property
    def end(self) -> Literal["withdrawn", "linked", "answered"] | None:
        """What took the work away, if anything did."""
        return "withdrawn" if self.withdrawn else self.ended

    @property
    def round(self) -> int:
        """The life the ticket is in."""
        return self.reopened.round if self.reopened else 1

    @property
    def urgency(self) -> Urgency:
        """The class; general until it is known."""
        known = self.classified or self.dispatched
        return (known.urgency if known else None) or "general"

    @property
    def number(self) -> str:
        """What people know the ticket by; empty until it is known."""
        return self.receipt.number if self.receipt else ""

    @property
    def category(self) -> str:
        """The category of level 1; empty until it is known."""
        return self.classified.category if self.classified else ""

    @property
    def code(self) -> str:
        """The question of the catalogue; empty until it is known."""
        return self.classified.code if self.classified else ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the category, level by level."""
        return (self.classified.category, *self.classified.below) if self.classified else ()

    @property
    def matter(self) -> Matter:
        """What limits are looked up by."""
        receipt = self.receipt
        if receipt is None:
            return Matter(self.urgency, self.code, self.elderly, names=self.names)
        return Matter(
            self.urgency, self.code, self.elderly, receipt.access, receipt.channel, receipt.reporter_type, self.names
        )

    @property
    def unit(self) -> UnitRef | None:
        """The lead: the one named last."""
        led = [led for led in (self.dispatched, self.reassigned) if led]
        return max(led, key=lambda led: led.at).unit if led else None

    @property
    def elderly(self) -> bool:
        """Whether the topic or the caller is an elderly one."""
        return bool((self.classified and self.classified.elderly) or (self.receipt and self.receipt.elderly))
