"""Supervision cases, to look at."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from libs.common.city.supervision import Fault
from libs.common.contracts.sla import SupervisionAbout, SupervisionGround, SupervisionOutcome
from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Cursor, Line, Page, page
from services.sla import handlers
from services.sla.api.around import Context, Reader
from services.sla.domain.cases import Case, CaseState
from services.sla.store import supervision as store

router = APIRouter()


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
    case, and acts by `owner_due_at` where nobody else is awaited. `ground` is the first that stands, `grounds` are all.
    `turn` counts the cases of one subject.
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
    owner_due_at: datetime | None
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
    return page([view(handlers.owned_now(here, case)) for case in cases], limit, lambda c: (c.opened_at, c.subject))


@router.get("/supervision/{subject}")
async def show_cases(here: Context, who: Reader, subject: UUID) -> Cases:
    """Show every case a ticket or a hot event ever had."""
    return Cases(items=[view(case) for case in await handlers.show_case(here, who, subject)])


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
