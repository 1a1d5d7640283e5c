"""What people do on a supervision case: from where, by whom, and to where is the table TRANSITIONS."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, TypeVar
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.contracts.sla import BoundUnit, SupervisionOutcome, SupervisionStepped
from libs.common.contracts.vocabulary import UnitRef
from services.sla.domain.cases import (
    TOP,
    Answer,
    Case,
    CaseState,
    CaseStep,
    Check,
    Duty,
    Meeting,
    Proposal,
    Rules,
    asked,
    proposed,
    stepped,
    with_proposal,
)
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
        "close": CaseWay(("accepted",), _OWNERS, "closed"),
    }
)


def enter(case: Case, command: CaseCommand) -> Case:
    """Bring a case to where a command leads. Raises NotPossibleError if its state does not allow it."""
    way = TRANSITIONS[command]
    if case.state not in way.sources:
        raise NotPossibleError(f"the case is {case.state}; to {command} it must be {' or '.join(way.sources)}")
    return replace(case, state=way.to or case.state)


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


def order_check(case: Case, check: Check, now: datetime) -> CaseStep:
    """Send a unit to look on the spot 现场督查: not the supervised one, whose word is to be checked."""
    if check.unit.code == case.unit_code:
        raise NotPossibleError("the supervised unit does not check itself; send another")
    case = replace(enter(case, "check"), checks=(*case.checks, check))
    return case, [stepped(case, "check_ordered", now, by=check.unit, note=check.task, item=check.check_id)]


def find(case: Case, check_id: UUID, finding: str, now: datetime, *, holds: bool) -> CaseStep:
    """Say what was found on the spot."""
    case, check = enter(case, "find"), _of((c for c in case.checks if c.check_id == check_id), "check")
    if check.found_at:
        raise NotPossibleError("it was said already what this check found")
    done = replace(check, found_at=now, holds=holds, finding=finding)
    case = replace(case, checks=tuple(done if one == check else one for one in case.checks))
    return case, [stepped(case, "checked", now, by=check.unit, note=finding, item=check_id)]


def call_meeting(case: Case, meeting: Meeting, now: datetime) -> CaseStep:
    """Call several units together 协调会."""
    case = replace(enter(case, "meet"), meetings=(*case.meetings, meeting))
    return case, [
        stepped(case, "meeting_called", now, units=meeting.units, note=meeting.agenda, item=meeting.meeting_id)
    ]


def attend(case: Case, meeting_id: UUID, unit: str, now: datetime) -> CaseStep:
    """Note that a unit came to a meeting."""
    case, meeting = enter(case, "attend"), _meeting(case, meeting_id)
    called = next((one for one in meeting.units if one.code == unit), None)
    if called is None or unit in meeting.attended:
        raise NotPossibleError("that unit was not called to this meeting, or is noted already")
    came = replace(meeting, attended=(*meeting.attended, unit))
    case = replace(case, meetings=tuple(came if one == meeting else one for one in case.meetings))
    return case, [stepped(case, "attended", now, by=called, item=meeting_id)]


def conclude(case: Case, meeting_id: UUID, conclusion: str, duties: tuple[Duty, ...], now: datetime) -> CaseStep:
    """Say what a meeting came to, and which units it binds to do what by when."""
    case, meeting = enter(case, "conclude"), _meeting(case, meeting_id)
    if any(duty.unit.code not in {unit.code for unit in meeting.units} for duty in duties):
        raise NotPossibleError("a meeting binds only units that were called to it")
    ended = replace(meeting, concluded_at=now, conclusion=conclusion)
    meetings = tuple(ended if one == meeting else one for one in case.meetings)
    case = replace(case, meetings=meetings, duties=(*case.duties, *duties))
    bound = tuple(BoundUnit(unit=duty.unit, task=duty.task, due_at=duty.due_at) for duty in duties)
    return case, [stepped(case, "concluded", now, note=conclusion, item=meeting_id, bound=bound)]


def _meeting(case: Case, meeting_id: UUID) -> Meeting:
    meeting = _of((one for one in case.meetings if one.meeting_id == meeting_id), "meeting")
    if meeting.concluded_at:
        raise NotPossibleError("this meeting is concluded")
    return meeting


def fulfil(case: Case, duty_id: UUID, note: str, now: datetime) -> CaseStep:
    """Say, as a bound unit, that it did what it was bound to."""
    case, duty = enter(case, "fulfil"), _of((one for one in case.duties if one.duty_id == duty_id), "duty")
    if duty.done_at:
        raise NotPossibleError("this duty is done already")
    done = replace(duty, done_at=now, note=note)
    case = replace(case, duties=tuple(done if one == duty else one for one in case.duties))
    return case, [stepped(case, "fulfilled", now, by=duty.unit, note=note, item=duty_id)]


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
    return replace(case, tickets=held), [stepped(case, "held", now)]


def propose(case: Case, proposal: Proposal) -> CaseStep:
    """Propose points to take off, by hand."""
    return with_proposal(enter(case, "propose"), proposal)


def close(case: Case, outcome: SupervisionOutcome, note: str, now: datetime) -> CaseStep:
    """End a case whose answer was accepted. While work is overdue, or something is owed on it, it goes on."""
    enter(case, "close")
    if any(ground.code == "overdue" for ground in case.standing):
        raise NotPossibleError("the work is overdue still; the case ends when it is done")
    if case.owed:
        raise NotPossibleError("a check, a meeting or a duty is outstanding")
    return closed(case, outcome, note, now)


def _of(found: Iterable[T], what: str) -> T:
    one = next(iter(found), None)
    if one is None:
        raise NotPossibleError(f"the case has no such {what}")
    return one


def wordless(events: Iterable[Event]) -> list[Event]:
    """Return events as they are told where words were deleted: without any."""
    return [_wordless(event) for event in events]


def _wordless(event: Event) -> Event:
    kept: dict[str, Any] = {"note": None} if getattr(event, "note", None) else {}
    if isinstance(event, SupervisionStepped):
        kept["bound"] = tuple(one.model_copy(update={"task": ""}) for one in event.bound)
    return event.model_copy(update=kept)
