"""What is said of a judgement."""

from typing import Any

from libs.common.contracts.classify import Alternative, TicketClassified, TicketReclassified
from libs.common.contracts.envelope import Event
from services.classify.domain.grading import Press
from services.classify.domain.verdicts import Rules, Verdict
from services.classify.domain.words import Guess


def classified(verdict: Verdict, reason: str, presses: tuple[Press, ...], rules: Rules) -> Event:
    """Say the first judgement of a ticket."""
    return TicketClassified(**told(verdict, reason, presses, rules))


def reclassified(before: Verdict, verdict: Verdict, reason: str, presses: tuple[Press, ...], rules: Rules) -> Event:
    """Say a judgement that replaces another, and for what reason."""
    return TicketReclassified(**told(verdict, reason, presses, rules), previous=before.code, reason=reason)


def same(one: Verdict, other: Verdict) -> bool:
    """Say whether there is nothing new to tell: question, class, kind, or a place where none was known."""
    told_of = [(v.code, v.urgency, v.kind, bool(v.reading.place)) for v in (one, other)]
    return told_of[0] == told_of[1]


def told(verdict: Verdict, reason: str, presses: tuple[Press, ...], rules: Rules) -> dict[str, Any]:
    """Return what every judgement says."""
    question, reading = rules.catalogue.by_code[verdict.code], verdict.reading
    person, made = verdict.judged_by == "person", verdict.machine_made
    why = (*(press.why for press in presses), *((reason,) if person else verdict.guess.why))
    return {
        "receipt": verdict.receipt,
        "code": question.code,
        "category": question.category,
        "kind": verdict.kind,
        "urgency": verdict.urgency,
        "confidence": verdict.confidence,
        "alternatives": () if person else alternatives(verdict.guess, rules),
        "why": tuple(dict.fromkeys(why)),
        "keywords": reading.keywords,
        "summary": (made.summary if made else "") or reading.summary,
        "owner_kind": question.owner_kind,
        "owner": question.owner,
        "co_handlers": question.co_handlers,
        "tag": question.tag,
        "elderly": question.elderly or "elderly" in verdict.receipt.access_needs,
        "place": reading.place,
        "outside": reading.outside,
        "facts": reading.facts,
        "judged_by": verdict.judged_by,
        "model": rules.model,
        "catalogue": rules.catalogue.version,
        "machine_made": made,
    }


def alternatives(guess: Guess, rules: Rules) -> tuple[Alternative, ...]:
    """Return the other questions a text may be about, the likeliest first."""
    known = [(question, sure) for code, sure in guess.others if (question := rules.question(code))]
    return tuple(Alternative(code=q.code, category=q.category, confidence=sure) for q, sure in known)
