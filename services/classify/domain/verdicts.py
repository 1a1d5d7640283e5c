"""What classify holds of a ticket and knows of it, and what its decisions come to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from libs.common.city.catalogue import Catalogue, Question
from libs.common.city.settings import Raising
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import Kind, Receipt, Urgency
from services.classify.domain.words import Reading

State = Literal["held", "classified", "ended"]
JudgedBy = Literal["model", "person", "limit"]


class NotPossibleError(Exception):
    """A command that the state of the ticket does not allow; its text says why."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides: the city's questions, when a person looks and for how long that may take, and the model's name.

    `raising` says how many with the same trouble raise a class.
    """

    catalogue: Catalogue
    low_confidence: float
    hold_limit: timedelta
    model: str
    raising: tuple[Raising, ...] = ()

    def question(self, code: str) -> Question | None:
        """Return a question, or None if this catalogue does not have it."""
        return self.catalogue.by_code.get(code)


@dataclass(frozen=True, slots=True)
class Ruled:
    """A ruling on a return that named the right question."""

    code: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a ticket beside its words. `support` is how many others have the same trouble.

    `ended` and `parent` are void when intake receives the ticket once more, `withdrawn` is for good.
    """

    ended: Literal["linked", "answered"] | None = None
    parent: UUID | None = None
    withdrawn: bool = False
    supplemented: bool = False
    support: int = 0
    ruled: Ruled | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """The class that a person named. `seen` is what spoke for another one then; what comes after that still may."""

    urgency: Urgency
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What classify holds of one ticket. `parent` is the ticket that it repeats.

    `told_at` is when its first judgement was said, `ruled_at` which ruling was followed.
    """

    ticket_id: UUID
    state: State
    code: str
    confidence: float
    urgency: Urgency
    kind: Kind
    judged_by: JudgedBy
    receipt: Receipt
    reading: Reading
    parent: UUID | None = None
    named: Named | None = None
    held_until: datetime | None = None
    told_at: datetime | None = None
    ruled_at: datetime | None = None

    @property
    def alarms(self) -> UUID | None:
        """The ticket that this one makes urgent: what a repeat says of danger holds for what it repeats."""
        return self.parent if self.urgency == "urgent" else None


@dataclass(frozen=True, slots=True)
class Label:
    """What a person or a ruling said a text is about: what a later model may learn from."""

    ticket_id: UUID
    at: datetime
    code: str
    text: str
    by: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a decision came to: the verdict as it is now, what to tell, and what was taught."""

    verdict: Verdict
    events: tuple[Event, ...] = ()
    label: Label | None = None
