"""What several units do on a supervision case: looks on the spot, meetings, and the duties these bind units to."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from libs.common.contracts.sla import BoundUnit
from services.sla.domain.cases import Case, CaseStep, Check, Duty, Meeting, stepped
from services.sla.domain.overseeing import enter
from services.sla.domain.times import NotPossibleError

T = TypeVar("T")


def order_check(case: Case, check: Check, now: datetime) -> CaseStep:
    """Send a unit to look on the spot 现场督查: not the supervised one, whose word is to be checked."""
    if check.unit.code == case.unit_code:
        raise NotPossibleError("the supervised unit does not check itself; send another")
    case = replace(enter(case, "check"), checks=(*case.checks, check))
    told = {"note": check.task, "item": check.check_id, "due_at": check.due_at}
    return case, [stepped(case, "check_ordered", now, by=check.unit, **told)]


def find(case: Case, check_id: UUID, finding: str, now: datetime, *, holds: bool) -> CaseStep:
    """Say what was found on the spot."""
    case, check = enter(case, "find"), _of((c for c in case.checks if c.check_id == check_id), "check")
    if check.found_at:
        raise NotPossibleError("it was said already what this check found")
    done = replace(check, found_at=now, holds=holds, finding=finding)
    case = replace(case, checks=tuple(done if one == check else one for one in case.checks))
    return case, [stepped(case, "checked", now, by=check.unit, note=finding, item=check_id, holds=holds)]


def call_meeting(case: Case, meeting: Meeting, now: datetime) -> CaseStep:
    """Call several units together 协调会."""
    case = replace(enter(case, "meet"), meetings=(*case.meetings, meeting))
    told = {"note": meeting.agenda, "item": meeting.meeting_id, "due_at": meeting.at}
    return case, [stepped(case, "meeting_called", now, units=meeting.units, **told)]


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


def _of(found: Iterable[T], what: str) -> T:
    one = next(iter(found), None)
    if one is None:
        raise NotPossibleError(f"the case has no such {what}")
    return one
