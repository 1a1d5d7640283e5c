"""Supervision cases: to look at, to open, and every step on them until they end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from libs.common.city.supervision import Fault
from libs.common.contracts.sla import SupervisionAbout, SupervisionGround, SupervisionOutcome
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.transaction import Tx
from libs.common.runtime.http import Body, Cursor, Line, Moment, Note, Page, page
from libs.common.runtime.privacy import Redactor
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal, require
from services.sla import handlers
from services.sla.api.around import Context, Reader, Supervisor
from services.sla.domain import NotPossibleError
from services.sla.domain.cases import Case, CaseState
from services.sla.handlers import Here
from services.sla.store import supervision as store

router = APIRouter()
Words = Annotated[Note, AfterValidator(lambda text: Redactor().redact(text))]
"""A long text from outside. No personal data in it gets past this border."""
Worker = Annotated[Principal, Depends(require("unit", "supervisor"))]
Level = Annotated[int, Field(ge=1, le=3)]


class OpenCommand(Body):
    """What is put under supervision, and why: asked for by a person of rank 领导批示, or by hand."""

    subject: UUID
    about: SupervisionAbout = "ticket"
    ground: Literal["rank", "hand"] = "hand"
    level: Level | None = None
    note: Words


class NoteCommand(Body):
    """What is said."""

    note: Words


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


class GroundView(BaseModel):
    """One ground of a case."""

    model_config = ConfigDict(from_attributes=True)
    code: SupervisionGround
    level: int
    at: datetime
    note: str
    over_at: datetime | None


class AnswerView(BaseModel):
    """An answer of the supervised unit, and what the owner made of it."""

    model_config = ConfigDict(from_attributes=True)
    unit: UnitRef
    at: datetime
    note: str
    accepted: bool | None
    judged_at: datetime | None
    judgement: str


class CheckView(BaseModel):
    """A look on the spot. `missed_at`: its time passed."""

    model_config = ConfigDict(from_attributes=True)
    check_id: UUID
    unit: UnitRef
    task: str
    ordered_at: datetime
    due_at: datetime
    found_at: datetime | None
    holds: bool | None
    finding: str
    missed_at: datetime | None


class MeetingView(BaseModel):
    """A meeting of several units. `attended` are the codes of those that came."""

    model_config = ConfigDict(from_attributes=True)
    meeting_id: UUID
    units: list[UnitRef]
    called_at: datetime
    at: datetime
    agenda: str
    attended: list[str]
    concluded_at: datetime | None
    conclusion: str


class DutyView(BaseModel):
    """What a conclusion binds a unit to do."""

    model_config = ConfigDict(from_attributes=True)
    duty_id: UUID
    meeting_id: UUID
    unit: UnitRef
    task: str
    due_at: datetime
    done_at: datetime | None
    note: str
    missed_at: datetime | None


class ProposalView(BaseModel):
    """Points that were proposed to feedback. `fault` is `hand` where a person proposed them."""

    model_config = ConfigDict(from_attributes=True)
    proposal_id: UUID
    unit: UnitRef
    fault: Fault | Literal["hand"]
    points: float
    at: datetime
    level: int
    note: str


class CaseView(BaseModel):
    """One supervision case. Level 1 street, 2 district, 3 city joint 联合督办.

    `subject` is a ticket or a hot event; `ticket_id` is it if a ticket. `unit` is supervised, `owner` answers for the
    case. `ground` is the first that stands, `grounds` are all. `turn` counts the cases of one subject.
    """

    subject: UUID
    about: SupervisionAbout
    ticket_id: UUID | None
    turn: int
    number: str
    state: CaseState
    level: int
    ground: SupervisionGround
    grounds: list[GroundView]
    unit: UnitRef | None
    owner: UnitRef
    opened_at: datetime
    raised_at: datetime
    answer_due_at: datetime | None
    answers: list[AnswerView]
    checks: list[CheckView]
    meetings: list[MeetingView]
    duties: list[DutyView]
    proposals: list[ProposalView]
    tickets: list[UUID]
    closed_at: datetime | None
    outcome: SupervisionOutcome | None
    note: str


class Cases(BaseModel):
    """The cases of one subject, the last one first."""

    items: list[CaseView]


@router.get("/supervision")
async def list_supervision(
    here: Context, who: Reader, cursor: Cursor,
    level: Annotated[int, Query(ge=1, le=3, description="At least this level")] = 1,
    owner: Annotated[Line | None, Query(description="Who owns them")] = None,
    unit: Annotated[Line | None, Query(description="Who is supervised")] = None,
    state: Annotated[CaseState | None, Query(description="Every open one if left out")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[CaseView]:  # fmt: skip
    """List supervision cases, oldest first. A unit's key sees those of its units and of all under them."""
    asked = store.Asked(level, state, unit, owner, handlers.seen_units(here, who, None))
    cases = await store.list_cases(here.database, asked, cursor, limit)
    return page([view(case) for case in cases], limit, lambda c: (c.opened_at, c.subject))


@router.post("/supervision", status_code=201)
async def open_case(here: Context, who: Supervisor, said: OpenCommand) -> CaseView:
    """Put a ticket or a hot event under supervision. If it is already, the case has one more ground."""
    charge = handlers.Charge(said.subject, said.about, said.ground == "rank", said.level, said.note)
    async with commanding(here) as tx:
        return view(await handlers.put_under(tx, here, who, charge))


@router.get("/supervision/{subject}")
async def show_cases(here: Context, who: Reader, subject: UUID) -> Cases:
    """Show every case a ticket or a hot event ever had."""
    return Cases(items=[view(case) for case in await handlers.show_case(here, who, subject)])


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


@asynccontextmanager
async def commanding(here: Here) -> AsyncIterator[Tx]:
    """Run a command in a transaction. Raises Problem 409 if the state of the case does not allow it."""
    try:
        async with here.database.begin() as tx:
            yield tx
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error


def view(case: Case) -> CaseView:
    """Return a case as routes show it."""
    first = (case.standing or case.grounds)[0]
    return CaseView.model_validate(
        {
            **{name: getattr(case, name) for name in CaseView.model_fields if hasattr(case, name)},
            "ticket_id": case.subject if case.about == "ticket" else None,
            "ground": first.code,
        },
        from_attributes=True,
    )
