"""Judgements as pure decisions: from what was read in an appeal and what is known of its ticket to what is said of it.

`decide` may be asked at any time and in any order of facts; it changes only what is not yet as it should be.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from libs.common.city.catalogue import Catalogue, Question
from libs.common.contracts.classify import Alternative, TicketClassified, TicketReclassified
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import Kind, Location, Place, Receipt, Urgency

State = Literal["held", "classified", "ended"]
JudgedBy = Literal["model", "person", "limit"]
CONSULTED: Urgency = "general"
"""The class of a mere question about a matter that would be urgent if it were happening."""


class NotPossibleError(Exception):
    """A command that the state of the ticket does not allow; its text says why."""


@dataclass(frozen=True, slots=True)
class Appeal:
    """The words of an appeal, redacted, and where its reporter says it is."""

    text: str
    title: str | None = None
    address: str | None = None
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Guess:
    """What the model takes a text to be about. A confidence is the share of times that such a guess is right."""

    code: str
    confidence: float
    others: tuple[tuple[str, float], ...] = ()
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What the words of an appeal give. But for the guess, it holds whatever question the appeal is judged to be.

    `danger` are the words that tell of danger now, `asks` whether it is only a question, `kind` what a cue says.
    """

    guess: Guess
    keywords: tuple[str, ...] = ()
    summary: str = ""
    place: Place | None = None
    outside: bool = False
    danger: str | None = None
    asks: bool = False
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides: the city's questions, when a person looks and for how long that may take, and the model's name."""

    catalogue: Catalogue
    low_confidence: float
    hold_limit: timedelta
    model: str

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
    """What is known of a ticket beside its words."""

    received: bool = False
    ended: Literal["withdrawn", "linked", "answered"] | None = None
    supplemented: bool = False
    ruled: Ruled | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What classify holds of one ticket. `heard` counts the supplements that were read with it.

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
    heard: int = 0
    held_until: datetime | None = None
    told_at: datetime | None = None
    ruled_at: datetime | None = None


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


def grade(default: Urgency, reading: Reading) -> Urgency:
    """Return the class of a matter: urgent if its words tell of danger, or if it is by nature and not merely asked."""
    if reading.danger:
        return "urgent"
    return CONSULTED if default == "urgent" and reading.asks else default


def opened(ticket_id: UUID, receipt: Receipt, reading: Reading, rules: Rules) -> Verdict:
    """Return the verdict on a ticket heard of for the first time; nothing is said of it yet."""
    blank = Verdict(ticket_id, "held", "", 0.0, "general", "help", "model", receipt, reading)
    return read_again(blank, reading, 0, rules)


def read_again(verdict: Verdict, reading: Reading, heard: int, rules: Rules) -> Verdict:
    """Follow another reading of a ticket of which nothing was said yet."""
    guess = reading.guess
    about = replace(verdict, reading=reading, heard=heard, confidence=guess.confidence)
    return _about(about, rules.catalogue.by_code[guess.code])


def decide(verdict: Verdict, facts: Facts, rules: Rules, now: datetime) -> Ruling:
    """Bring a verdict to where the facts and the time say it must be."""
    verdict, events = _settle(verdict, facts, rules, now)
    verdict, said, label = _obey(verdict, facts, rules, now)
    return Ruling(replace(verdict, state=_state(verdict, facts)), (*events, *said), label)


def next_due(verdict: Verdict) -> datetime | None:
    """Return when `decide` must be asked again if no fact comes: when holding it reaches its limit."""
    return verdict.held_until if verdict.state == "held" else None


def correct(
    verdict: Verdict, question: Question, urgency: Urgency | None, kind: Kind | None, note: str | None, by: str,
    rules: Rules, now: datetime,
) -> Ruling:  # fmt: skip
    """Follow a person who confirms or corrects a judgement. Raises NotPossibleError for a ticket that ended."""
    if verdict.state == "ended":
        raise NotPossibleError("the ticket was withdrawn, answered or joined to another")
    judged = _about(replace(verdict, judged_by="person", confidence=1.0), question)
    judged = replace(judged, urgency=urgency or judged.urgency, kind=kind or judged.kind)
    judged, events = _tell(verdict, judged, note or f"人工判定：{question.l3}", rules, now)
    return Ruling(replace(judged, state="classified"), tuple(events), _label(verdict, question.code, by, now))


Step = tuple[Verdict, list[Event]]


def _settle(verdict: Verdict, facts: Facts, rules: Rules, now: datetime) -> Step:
    """Say the first judgement when the model is sure, the matter urgent, or the wait for a person over."""
    if verdict.told_at or facts.ended:
        return verdict, []
    if verdict.urgency == "urgent" or verdict.confidence >= rules.low_confidence:
        return _tell(verdict, verdict, "", rules, now)
    if verdict.held_until and verdict.held_until <= now:
        return _tell(verdict, replace(verdict, judged_by="limit"), "", rules, now)
    return replace(verdict, held_until=verdict.held_until or now + rules.hold_limit), []


def _obey(verdict: Verdict, facts: Facts, rules: Rules, now: datetime) -> tuple[Verdict, list[Event], Label | None]:
    """Follow a ruling once. Dispatch may name a question of another release's catalogue: that one only teaches."""
    ruled = facts.ruled
    if ruled is None or verdict.ruled_at == ruled.at:
        return verdict, [], None
    label = _label(verdict, ruled.code, "ruling", ruled.at)
    verdict = replace(verdict, ruled_at=ruled.at)
    question = rules.question(ruled.code)
    if question is None:
        return verdict, [], label
    agreed = replace(verdict, judged_by="person", confidence=1.0)
    judged = agreed if verdict.code == ruled.code else _about(agreed, question)
    if facts.ended and not verdict.told_at:
        return judged, [], label
    judged, events = _tell(verdict, judged, f"退单裁定：{ruled.note}", rules, now)
    return judged, events, label


def _about(verdict: Verdict, question: Question) -> Verdict:
    reading = verdict.reading
    kind = verdict.receipt.kind or reading.kind or question.kind
    return replace(verdict, code=question.code, urgency=grade(question.urgency, reading), kind=kind)


def _state(verdict: Verdict, facts: Facts) -> State:
    if facts.ended:
        return "ended"
    return "classified" if verdict.told_at else "held"


def _tell(before: Verdict, judged: Verdict, reason: str, rules: Rules, now: datetime) -> Step:
    """Say a judgement: the first, or another than was said; what is the same is not said again."""
    if before.told_at is None:
        judged = replace(judged, told_at=now)
        return judged, [TicketClassified(**told(judged, reason, rules))]
    if _same(before, judged):
        return judged, []
    return judged, [TicketReclassified(**told(judged, reason, rules), previous=before.code, reason=reason)]


def _same(one: Verdict, other: Verdict) -> bool:
    return (one.code, one.urgency, one.kind) == (other.code, other.urgency, other.kind)


def _label(verdict: Verdict, code: str, by: str, at: datetime) -> Label:
    receipt = verdict.receipt
    return Label(verdict.ticket_id, at, code, "\n".join(filter(None, (receipt.title, receipt.text))), by)


def told(verdict: Verdict, reason: str, rules: Rules) -> dict[str, Any]:
    """Return what every judgement says."""
    question, reading = rules.catalogue.by_code[verdict.code], verdict.reading
    person = verdict.judged_by == "person"
    danger = (f"险情“{reading.danger}”",) if reading.danger else ()
    return {
        "receipt": verdict.receipt,
        "code": question.code,
        "category": question.category,
        "kind": verdict.kind,
        "urgency": verdict.urgency,
        "confidence": verdict.confidence,
        "alternatives": () if person else alternatives(reading.guess, rules),
        "why": (reason,) if person else (*danger, *reading.guess.why),
        "keywords": reading.keywords,
        "summary": reading.summary,
        "owner_kind": question.owner_kind,
        "owner": question.owner,
        "co_handlers": question.co_handlers,
        "tag": question.tag,
        "elderly": question.elderly or "elderly" in verdict.receipt.access_needs,
        "place": reading.place,
        "outside": reading.outside,
        "judged_by": verdict.judged_by,
        "model": rules.model,
        "catalogue": rules.catalogue.version,
    }


def alternatives(guess: Guess, rules: Rules) -> tuple[Alternative, ...]:
    """Return the other questions a text may be about, the likeliest first."""
    known = [(question, sure) for code, sure in guess.others if (question := rules.question(code))]
    return tuple(Alternative(code=q.code, category=q.category, confidence=sure) for q, sure in known)


def appeal_of(receipt: Receipt, more: Sequence[str] = ()) -> Appeal:
    """Return the words of a receipt, with those its reporter added later."""
    return Appeal("\n".join((receipt.text, *more)), receipt.title, receipt.address, receipt.location)
