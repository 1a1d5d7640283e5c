"""Points that it is proposed to take off units, and rulings on them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from libs.common.contracts.sla import Evidence
from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Body, Cursor, Line, Page, Redacted, page
from services.feedback.api.around import Context, Limit, Reader, Supervisor, commanding
from services.feedback.domain.deductions import DeductionState
from services.feedback.domain.periods import MONTH
from services.feedback.handlers import deductions
from services.feedback.handlers.seeing import seen_units
from services.feedback.store import deductions as store

router = APIRouter()


class DeductionView(BaseModel):
    """A proposal and its ruling. `fault` is passed_on (returns against the unit), false_closing or supervision."""

    model_config = ConfigDict(from_attributes=True)
    proposal: UUID
    period: str
    unit: UnitRef
    fault: str
    ground: str
    points: float
    evidence: list[Evidence]
    ticket_id: UUID | None
    note: str | None
    proposed_by: str
    proposed_at: datetime
    state: DeductionState
    imposed: float | None
    ruled_at: datetime | None
    ruled_by: str | None
    ruling: str | None


class RulingCommand(Body):
    """How many points are taken off, none with 0 and at most those proposed, and why."""

    points: Annotated[float, Field(ge=0, le=100)]
    note: Redacted


@router.get("/deductions")
async def list_deductions(
    here: Context, who: Reader, cursor: Cursor, unit: Line | None = None,
    period: Annotated[str | None, Query(pattern=MONTH, description="A month, e.g. 2026-11")] = None,
    state: Literal["open", "imposed", "dropped"] | None = None, limit: Limit = 100,
) -> Page[DeductionView]:  # fmt: skip
    """List the proposals on the units in sight, the oldest first."""
    units = seen_units(here, who, unit)
    found = await store.deductions(here.database, units, state, period, cursor, limit)
    views = [DeductionView.model_validate(one) for one in found]
    return page(views, limit, lambda one: (one.proposed_at, one.proposal))


@router.post("/deductions/{proposal}/ruling")
async def post_ruling(here: Context, who: Supervisor, proposal: UUID, command: RulingCommand) -> DeductionView:
    """Rule on a proposal, from a level above the unit. What is taken off a published month is in its next version."""
    async with commanding(here) as tx:
        ruled = await deductions.rule_on_deduction(tx, here, who, proposal, command.points, command.note)
    return DeductionView.model_validate(ruled)
