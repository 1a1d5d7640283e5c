"""What sla remembers of a ticket from the other stages, cut down to what its clocks need."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from libs.common.contracts.vocabulary import UnitRef, Urgency

BrokenOff = Literal["linked", "answered"]
Stop = Literal["withdrawn", "linked", "answered", "uncontacted"]


@dataclass(frozen=True, slots=True)
class Received:
    """When the clocks start, whether the reporter is an elderly person, and the number people know the ticket by."""

    at: datetime
    elderly: bool = False
    number: str = ""


@dataclass(frozen=True, slots=True)
class Classified:
    """The class that sets the limits. It carries the receipt, so it does when the receipt itself is not here yet."""

    urgency: Urgency
    elderly: bool
    received: Received


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
class Again:
    """A later round and when its clocks start. None is at receipt: the citizen's clock never restarts for our error."""

    round: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a ticket.

    `ended` is void when intake receives the ticket once more, `withdrawn` never; `broken_off` remembers the last such
    end, for the round it fell in was ended by no unit.
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
    def unit(self) -> UnitRef | None:
        """The lead: the one named last."""
        led = [led for led in (self.dispatched, self.reassigned) if led]
        return max(led, key=lambda led: led.at).unit if led else None

    @property
    def elderly(self) -> bool:
        """Whether the topic or the caller is an elderly one."""
        return bool((self.classified and self.classified.elderly) or (self.receipt and self.receipt.elderly))
