"""What people do on a supervision case: from where, by whom, and to where is the table TRANSITIONS."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal, TypeVar
from uuid import UUID

from libs.common.contracts.sla import SupervisionOutcome
from libs.common.contracts.vocabulary import UnitRef
from services.sla.domain.cases import (
    TOP,
    Answer,
    Case,
    CaseState,
    CaseStep,
    Proposal,
    asked,
    stepped,
)
from services.sla.domain.deductions import proposed, with_proposal
from services.sla.domain.owners import Rules
from services.sla.domain.supervision import closed, raised
from services.sla.domain.times import NotPossibleError

T = TypeVar("T")
CaseCommand = Literal[
    "notice", "answer", "accept", "refuse", "check", "find", "meet", "attend", "conclude", "fulfil", "raise",
    "hand_over", "hold", "propose", "close",
]  # fmt: skip
CaseActor = Literal["unit", "owner", "helper", "supervisor"]
MOST_TICKETS = 1000
"""Held by one case; a hot event with more is one of its whole."""


@dataclass(frozen=True, slots=True)
class CaseWay:
    """One row of the table: from which states, by whom, to which state; None leaves it.

    `unit` is the supervised one, `helper` who was sent, called or bound, `supervisor` who oversees the owner.
    """

    sources: tuple[CaseState, ...]
    by: tuple[CaseActor, ...]
    to: CaseState | None = None


_OPEN: tuple[CaseState, ...] = ("open", "answered", "accepted")
_OWNERS: tuple[CaseActor, ...] = ("owner", "supervisor")
TRANSITIONS: Mapping[CaseCommand, CaseWay] = MappingProxyType(
    {
        "notice": CaseWay(_OPEN, _OWNERS, "open"),
        "answer": CaseWay(("open",), ("unit",), "answered"),
        "accept": CaseWay(("answered",), _OWNERS, "accepted"),
        "refuse": CaseWay(("answered",), _OWNERS, "open"),
        "check": CaseWay(_OPEN, _OWNERS),
        "find": CaseWay(_OPEN, ("helper", "supervisor")),
        "meet": CaseWay(_OPEN, _OWNERS),
        "attend": CaseWay(_OPEN, ("helper", "supervisor")),
        "conclude": CaseWay(_OPEN, _OWNERS),
        "fulfil": CaseWay(_OPEN, ("helper", "supervisor")),
        "raise": CaseWay(_OPEN, _OWNERS, "open"),
        "hand_over": CaseWay(_OPEN, _OWNERS),
        "hold": CaseWay(_OPEN, _OWNERS),
        "propose": CaseWay(_OPEN, _OWNERS),
        "close": CaseWay(_OPEN, _OWNERS, "closed"),
    }
)


def enter(case: Case, command: CaseCommand) -> Case:
    """Bring a case to where a command leads; its owner's time begins anew. Raises NotPossibleError by its state."""
    way = TRANSITIONS[command]
    if case.state not in way.sources:
        raise NotPossibleError(f"the case is {case.state}; to {command} it must be {' or '.join(way.sources)}")
    return replace(case, state=way.to or case.state, owner_due_at=None)


def notice(case: Case, note: str, until: datetime | None, rules: Rules, now: datetime) -> CaseStep:
    """Send the supervised unit a notice 督办单: it answers anew, by `until` or within its level's time."""
    if case.unit_code is None:
        raise NotPossibleError("no unit is supervised yet, so there is nobody to notify")
    case = asked(enter(case, "notice"), rules, now, until)
    return case, [stepped(case, "noticed", now, note=note, answer_due_at=case.answer_due_at)]


def answered(case: Case, note: str, now: datetime) -> CaseStep:
    """Say, as the supervised unit, how the matter stands."""
    if case.unit is None:
        raise NotPossibleError("no unit is supervised yet")
    case = enter(case, "answer")
    said = Answer(case.unit or UnitRef(code="", name=""), now, note)
    case = replace(case, answers=(*case.answers, said), unanswered_at=None)
    return case, [stepped(case, "answered", now, by=said.unit, note=note)]


def accept(case: Case, note: str, now: datetime) -> CaseStep:
    """Accept the answer, as the owner."""
    case = _judged(enter(case, "accept"), note, now, accepted=True)
    return case, [stepped(case, "accepted", now, by=case.owner, note=note)]


def refuse(case: Case, note: str, rules: Rules, now: datetime) -> CaseStep:
    """Refuse the answer: the unit answers anew, within its level's time."""
    case = _judged(enter(case, "refuse"), note, now, accepted=False)
    case, proposals = proposed(asked(case, rules, now), "refused", rules, now)
    said = stepped(case, "refused", now, by=case.owner, note=note, answer_due_at=case.answer_due_at)
    return case, [said, *proposals]


def _judged(case: Case, note: str, now: datetime, *, accepted: bool) -> Case:
    last = replace(case.answers[-1], accepted=accepted, judged_at=now, judgement=note)
    return replace(case, answers=(*case.answers[:-1], last))


def raise_by_hand(case: Case, rules: Rules, now: datetime) -> CaseStep:
    """Raise a case by one level."""
    case = enter(case, "raise")
    if case.level == TOP:
        raise NotPossibleError("the case is at the highest level already")
    return raised(case, case.level + 1, rules, now)


def handed_over(case: Case, owner: UnitRef, note: str, now: datetime) -> CaseStep:
    """Give the case another owner, which keeps it until it rises or that unit ends."""
    case = enter(case, "hand_over")
    if owner.code in {case.unit_code, case.owner_code}:
        raise NotPossibleError("that unit is the supervised one, or owns the case already")
    case = replace(case, owner_code=owner.code, owner_name=owner.name, chosen=True)
    return case, [stepped(case, "handed_over", now, by=owner, note=note)]


def hold(case: Case, tickets: Iterable[UUID], now: datetime) -> CaseStep:
    """Have a hot event's case hold tickets as well."""
    case = enter(case, "hold")
    if case.about != "hotspot":
        raise NotPossibleError("only the case of a hot event holds tickets")
    held = tuple(dict.fromkeys((*case.tickets, *tickets)))
    if len(held) > MOST_TICKETS:
        raise NotPossibleError(f"a case holds at most {MOST_TICKETS} tickets")
    return replace(case, tickets=held), [stepped(case, "held", now, tickets=held)]


def propose(case: Case, proposal: Proposal) -> CaseStep:
    """Propose points to take off, by hand."""
    return with_proposal(enter(case, "propose"), proposal)


def close(case: Case, outcome: SupervisionOutcome, note: str, now: datetime) -> CaseStep:
    """End a case whose answer was accepted, or for which nobody answers: none is supervised, or none did in time.

    While work is overdue, or something is owed on it, it goes on.
    """
    enter(case, "close")
    if case.state != "accepted" and case.unit_code and not case.unanswered_at:
        raise NotPossibleError("the unit has to answer, and its answer to be accepted")
    if any(ground.code == "overdue" for ground in case.standing):
        raise NotPossibleError("the work is overdue still; the case ends when it is done")
    if case.owed:
        raise NotPossibleError("a check, a meeting or a duty is outstanding")
    return closed(case, outcome, note, now)
