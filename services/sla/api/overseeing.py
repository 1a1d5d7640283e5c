"""What people do on supervision cases: open one, and every step of its owner and of the supervised unit."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from libs.common.contracts.sla import SupervisionAbout
from libs.common.runtime.http import Body, Line, Moment, Redacted
from libs.common.runtime.problems import wrong_field
from services.sla import handlers
from services.sla.api.around import Context, Supervisor, Worker, commanding
from services.sla.api.cases import CaseView, view

router = APIRouter()
Level = Annotated[int, Field(ge=1, le=3)]


class OpenCommand(Body):
    """What is put under supervision, and why: asked for by a person of rank 领导批示, or by hand."""

    subject: UUID
    about: SupervisionAbout = "ticket"
    ground: Literal["rank", "hand"] = "hand"
    level: Level | None = None
    note: Redacted


class NoteCommand(Body):
    """What is said."""

    note: Redacted


class NoticeCommand(NoteCommand):
    """A notice 督办单 to the supervised unit, which answers `until` then; within its level's time if left out."""

    until: Moment | None = None


class CloseCommand(NoteCommand):
    """How a case ends, and why."""

    outcome: Literal["solved", "explained", "unfounded"]


class HandOverCommand(NoteCommand):
    """Which unit owns the case from now on."""

    owner: Line


class HoldCommand(Body):
    """Tickets that the case of a hot event holds as well."""

    tickets: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=200)]


class ProposeCommand(NoteCommand):
    """Points proposed to be taken off a unit; feedback rules on it. Of the supervised unit if none is named."""

    points: Annotated[float, Field(gt=0, le=100)]
    unit: Line | None = None


@router.post("/supervision", status_code=201)
async def open_case(here: Context, who: Supervisor, said: OpenCommand) -> CaseView:
    """Put a ticket or a hot event under supervision. If it is already, the case has one more ground."""
    charge = handlers.Charge(said.subject, said.about, said.ground == "rank", said.level, said.note)
    async with commanding(here) as tx:
        return view(await handlers.put_under(tx, here, who, charge))


@router.post("/supervision/{subject}/notice")
async def send_notice(here: Context, who: Worker, subject: UUID, said: NoticeCommand) -> CaseView:
    """Ask the supervised unit for an answer."""
    if said.until and said.until <= here.clock.now():
        raise wrong_field("until", "must lie in the future")
    async with commanding(here) as tx:
        return view(await handlers.send_notice(tx, here, who, subject, said.note, said.until))


@router.post("/supervision/{subject}/answer")
async def answer(here: Context, who: Worker, subject: UUID, said: NoteCommand) -> CaseView:
    """Answer, as the supervised unit."""
    async with commanding(here) as tx:
        return view(await handlers.answer(tx, here, who, subject, said.note))


@router.post("/supervision/{subject}/accept")
async def accept(here: Context, who: Worker, subject: UUID, said: NoteCommand) -> CaseView:
    """Accept the answer, as the owner."""
    async with commanding(here) as tx:
        return view(await handlers.judge(tx, here, who, subject, said.note, accepted=True))


@router.post("/supervision/{subject}/refuse")
async def refuse(here: Context, who: Worker, subject: UUID, said: NoteCommand) -> CaseView:
    """Refuse the answer: the unit answers anew."""
    async with commanding(here) as tx:
        return view(await handlers.judge(tx, here, who, subject, said.note, accepted=False))


@router.post("/supervision/{subject}/raise")
async def raise_case(here: Context, who: Worker, subject: UUID) -> CaseView:
    """Raise the case by one level."""
    async with commanding(here) as tx:
        return view(await handlers.raise_level(tx, here, who, subject))


@router.post("/supervision/{subject}/owner")
async def hand_over(here: Context, who: Worker, subject: UUID, said: HandOverCommand) -> CaseView:
    """Give the case another owner."""
    async with commanding(here) as tx:
        return view(await handlers.hand_over(tx, here, who, subject, said.owner, said.note))


@router.post("/supervision/{subject}/tickets")
async def hold_tickets(here: Context, who: Worker, subject: UUID, said: HoldCommand) -> CaseView:
    """Have the case of a hot event hold tickets."""
    async with commanding(here) as tx:
        return view(await handlers.hold_tickets(tx, here, who, subject, said.tickets))


@router.post("/supervision/{subject}/deductions", status_code=201)
async def propose_deduction(here: Context, who: Worker, subject: UUID, said: ProposeCommand) -> CaseView:
    """Propose to feedback that a unit loses points, with the facts of the case as evidence."""
    async with commanding(here) as tx:
        return view(await handlers.propose_deduction(tx, here, who, subject, said.points, said.note, said.unit))


@router.post("/supervision/{subject}/close")
async def close(here: Context, who: Worker, subject: UUID, said: CloseCommand) -> CaseView:
    """End the case with how it ended. While work is overdue or something is owed on it, it goes on."""
    async with commanding(here) as tx:
        return view(await handlers.close_case(tx, here, who, subject, said.outcome, said.note))
