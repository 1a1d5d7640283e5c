"""What classify holds of a ticket and knows of it, and what its decisions come to."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from libs.common.city.catalogue import Catalogue, Question
from libs.common.city.settings import Raising
from libs.common.contracts.classify import MachineMade
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import Kind, Receipt, Resolution, Urgency
from services.classify.domain.words import Guess, Reading

_QUOTED = re.compile("“.*”", re.DOTALL)
State = Literal["held", "classified", "ended"]
JudgedBy = Literal["model", "person", "limit"]


def unquoted(why: str) -> str:
    """Return a reason for a class without the citizen's words in it."""
    return _QUOTED.sub("", why)


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

    def knows(self, verdict: "Verdict") -> bool:
        """Say whether a verdict is by a question of this catalogue: by any other nothing can be said of a ticket."""
        return verdict.code in self.catalogue.by_code


@dataclass(frozen=True, slots=True)
class Ruled:
    """A ruling on a return that named the right question."""

    code: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReadOut:
    """The version of an article of the knowledge base that the citizen was answered from."""

    article_id: str
    version: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What the citizen said of an answer given at once."""

    resolved: Resolution
    explained: bool | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a ticket beside its words. `support` is how many others have the same trouble.

    `ended` and `parent` are void when intake receives the ticket once more, `withdrawn` is for good. `erased`: whose it
    is was deleted, `wordless`: its words too; what comes later of either is not kept. What is `discounted` was ruled to
    be a test, blank or malicious, and counts for no hot event. `read_out` and `reviewed` stay when the ticket goes on.
    """

    ended: Literal["linked", "answered"] | None = None
    parent: UUID | None = None
    withdrawn: bool = False
    supplemented: bool = False
    support: int = 0
    ruled: Ruled | None = None
    erased: bool = False
    wordless: bool = False
    discounted: bool = False
    read_out: ReadOut | None = None
    reviewed: Reviewed | None = None

    @property
    def kept(self) -> "Facts":
        """What of it may be kept."""
        if not (self.wordless and self.ruled):
            return self
        return replace(self, ruled=replace(self.ruled, note=""))


@dataclass(frozen=True, slots=True)
class Named:
    """The class that a person named. `seen` is what spoke for another one then; what comes after that still may."""

    urgency: Urgency
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What classify holds of one ticket. `parent` is the ticket that it repeats.

    `told_at` is when its first judgement was said, `ruled_at` which ruling was followed. `machine_made` is what a
    language model said of it.
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
    machine_made: MachineMade | None = None

    @property
    def guess(self) -> Guess:
        """What the model guesses, in the order that follows from what a language model is sure of, if one was asked.

        Each guess keeps its confidence: what a language model says of its own is not measured.
        """
        made, guess = self.machine_made, self.reading.guess
        if not (made and made.code and made.sure) or made.agrees:
            return guess
        shares = {guess.code: guess.confidence, **dict(guess.others)}
        first = shares.pop(made.code, 0.0)
        why = f"语言模型改选此项，依据“{made.quote}”" if made.quote else "语言模型改选此项"
        return Guess(made.code, first, tuple(shares.items()), (why,))

    @property
    def confirmed(self) -> bool:
        """Whether a language model, asked what was not sure, is sure of the same."""
        return bool(self.machine_made and self.machine_made.sure and self.machine_made.agrees)

    @property
    def alarms(self) -> UUID | None:
        """The ticket that this one makes urgent: what a repeat says of danger holds for what it repeats."""
        return self.parent if self.urgency == "urgent" else None

    def kept(self, facts: Facts) -> "Verdict":
        """Return what of it may be kept: what the ticket was, how grave, and when, but not whose or in which words."""
        if not (facts.erased or facts.wordless):
            return self
        receipt = self.receipt.model_copy(update={"reporter": None, "attachments": ()})
        if not facts.wordless:
            return replace(self, receipt=receipt)
        receipt = receipt.model_copy(update={"title": None, "text": "", "address": None, "location": None})
        named = replace(self.named, seen=tuple(map(unquoted, self.named.seen))) if self.named else None
        made = self.machine_made and self.machine_made.model_copy(update={"quote": "", "summary": "", "fields": ()})
        return replace(self, receipt=receipt, reading=self.reading.without_words, named=named, machine_made=made)


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
