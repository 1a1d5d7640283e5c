"""How grave a matter is: by itself, and by what else speaks for a graver class: danger, a repeat's danger, many others.

The class follows what is known now, so it falls again when nothing holds it up any more. It never falls below the
matter's own class, nor below what a person named.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from libs.common.city.catalogue import Question
from libs.common.contracts.vocabulary import Kind, Urgency
from services.classify.domain.verdicts import Facts, Rules, Verdict, unquoted
from services.classify.domain.words import Reading

GRAVITY: tuple[Urgency, ...] = ("complex", "general", "livelihood", "urgent")
CONSULTED: Urgency = "general"
"""The class of a mere question about a matter that would be urgent if it were happening."""
TROUBLES: frozenset[Kind] = frozenset({"help", "complaint", "report"})
"""Kinds of which many are more urgent than one: not a question, a suggestion, or praise."""


@dataclass(frozen=True, slots=True)
class Press:
    """Something that speaks for a class, and what to say of it.

    `key` tells it from the others of its ticket; it stays when the words that `why` quotes were deleted.
    """

    urgency: Urgency
    why: str
    key: str


def grade(default: Urgency, reading: Reading) -> Urgency:
    """Return the class of a matter: urgent if its words tell of danger, or if it is by nature and not merely asked."""
    if reading.danger:
        return "urgent"
    return CONSULTED if default == "urgent" and reading.asks else default


def graded(verdict: Verdict, facts: Facts, rules: Rules, alarm: str | None) -> Verdict:
    """Return a verdict with the class that follows from it and from what presses."""
    question = rules.question(verdict.code)
    if question is None:
        return verdict
    pressed = gravest(pressing(verdict, facts, rules, alarm))
    return replace(verdict, urgency=pressed or _own(verdict, question))


def pressing(verdict: Verdict, facts: Facts, rules: Rules, alarm: str | None) -> tuple[Press, ...]:
    """Return what holds the class up or raises it, but for what a person saw and named another class all the same."""
    question = rules.question(verdict.code)
    if question is None:
        return ()
    own, danger = _own(verdict, question), verdict.reading.danger
    heard = [why for why in (f"险情“{danger}”" if danger else None, alarm) if why]
    presses = [Press("urgent", why, unquoted(why)) for why in heard]
    presses += _many(own, verdict.kind, question, facts.support, rules)
    # What earlier releases kept as seen quotes the words.
    seen = {unquoted(key) for key in verdict.named.seen} if verdict.named else ()
    return tuple(press for press in presses if not graver(own, press.urgency) and press.key not in seen)


def _own(verdict: Verdict, question: Question) -> Urgency:
    """Return the class of the matter by itself: the one a person named, else its question's."""
    return verdict.named.urgency if verdict.named else grade(question.urgency, replace(verdict.reading, danger=None))


def _many(own: Urgency, kind: Kind, question: Question, support: int, rules: Rules) -> list[Press]:
    if kind not in TROUBLES:
        return []
    why = f"另有{support}人反映同一问题"
    steps = (step for step in rules.raising if support >= step.support and own in step.of)
    return [Press(step.to, why, f"support {step.support}") for step in steps if step.tag in {None, question.tag}]


def graver(one: Urgency, other: Urgency) -> bool:
    """Say whether one class is graver than another."""
    return GRAVITY.index(one) > GRAVITY.index(other)


def gravest(presses: Iterable[Press]) -> Urgency | None:
    """Return the gravest class that something speaks for, None if nothing does."""
    return max((press.urgency for press in presses), key=GRAVITY.index, default=None)
