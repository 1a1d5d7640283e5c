"""What several units do on a supervision case: looks on the spot, meetings, and the duties they bind units to."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from libs.common.runtime.http import Body, Line, Moment, Redacted
from services.sla import handlers
from services.sla.api.around import Context, Worker, commanding
from services.sla.api.cases import CaseView, view
from services.sla.api.overseeing import NoteCommand

router = APIRouter()
MOST_UNITS = 30
MOST_DUTIES = 50


class CheckCommand(Body):
    """Which unit looks on the spot 现场督查, at what, and by when."""

    unit: Line
    task: Redacted
    due_at: Moment


class FindingCommand(Body):
    """What was found; `holds`: whether what the supervised unit says is so."""

    holds: bool
    finding: Redacted


class MeetCommand(Body):
    """Which units are called together 协调会, when, and about what."""

    units: Annotated[tuple[Line, ...], Field(min_length=2, max_length=MOST_UNITS)]
    at: Moment
    agenda: Redacted


class AttendCommand(Body):
    """Which of the called units came."""

    unit: Line


class DutyPart(Body):
    """What one unit is bound to do, and by when."""

    unit: Line
    task: Redacted
    due_at: Moment


class ConcludeCommand(Body):
    """What a meeting came to, and whom it binds."""

    conclusion: Redacted
    duties: Annotated[tuple[DutyPart, ...], Field(max_length=MOST_DUTIES)] = ()


@router.post("/supervision/{subject}/checks", status_code=201)
async def order_check(here: Context, who: Worker, subject: UUID, said: CheckCommand) -> CaseView:
    """Send a unit to look on the spot."""
    async with commanding(here) as tx:
        return view(await handlers.send_check(tx, here, who, subject, said.unit, said.task, said.due_at))


@router.post("/supervision/{subject}/checks/{check_id}")
async def report_finding(here: Context, who: Worker, subject: UUID, check_id: UUID, said: FindingCommand) -> CaseView:
    """Say what was found on the spot, as the unit that was sent."""
    async with commanding(here) as tx:
        return view(await handlers.report(tx, here, who, subject, check_id, said.finding, holds=said.holds))


@router.post("/supervision/{subject}/meetings", status_code=201)
async def call_meeting(here: Context, who: Worker, subject: UUID, said: MeetCommand) -> CaseView:
    """Call several units together."""
    async with commanding(here) as tx:
        return view(await handlers.call_together(tx, here, who, subject, said.units, said.at, said.agenda))


@router.post("/supervision/{subject}/meetings/{meeting_id}/attend")
async def attend_meeting(here: Context, who: Worker, subject: UUID, meeting_id: UUID, said: AttendCommand) -> CaseView:
    """Note that a unit came."""
    async with commanding(here) as tx:
        return view(await handlers.come(tx, here, who, subject, meeting_id, said.unit))


@router.post("/supervision/{subject}/meetings/{meeting_id}/conclude")
async def conclude_meeting(
    here: Context, who: Worker, subject: UUID, meeting_id: UUID, said: ConcludeCommand
) -> CaseView:
    """Say what a meeting came to."""
    duties = [handlers.Bound(duty.unit, duty.task, duty.due_at) for duty in said.duties]
    async with commanding(here) as tx:
        return view(await handlers.conclude_with(tx, here, who, subject, meeting_id, said.conclusion, duties))


@router.post("/supervision/{subject}/duties/{duty_id}")
async def fulfil_duty(here: Context, who: Worker, subject: UUID, duty_id: UUID, said: NoteCommand) -> CaseView:
    """Say that what a unit was bound to is done."""
    async with commanding(here) as tx:
        return view(await handlers.fulfil_duty(tx, here, who, subject, duty_id, said.note))
