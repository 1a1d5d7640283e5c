"""Appeals of units against what was counted, and rulings on them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Body, Cursor, Line, Page, Redacted, page
from libs.common.runtime.security import Principal, require
from services.feedback.api.around import Context, Limit, Month, Reader, Supervisor, commanding
from services.feedback.domain.appeals import AppealState
from services.feedback.domain.periods import MONTH
from services.feedback.handlers import appeals
from services.feedback.handlers.seeing import seen_units
from services.feedback.store import appeals as store

router = APIRouter()
Unit = Annotated[Principal, Depends(require("unit"))]
InMonth = Annotated[str | None, Query(pattern=MONTH, description="A month, e.g. 2026-11")]


class AppealCommand(Body):
    """Which ticket should not count for the unit, on which ground of `/score-appeals/grounds`, and why."""

    unit: Line
    ticket_id: UUID
    ground: Line
    note: Redacted


class RulingCommand(Body):
    """Whether the appeal is right, and why."""

    upheld: bool
    note: Redacted


class AppealView(BaseModel):
    """One appeal. `rounds` of the ticket are what it is against; upheld, `version` counts them no more."""

    model_config = ConfigDict(from_attributes=True)
    appeal_id: UUID
    period: str
    ticket_id: UUID
    rounds: list[int]
    unit: UnitRef
    ground: str
    note: str
    state: AppealState
    appealed_at: datetime
    appealed_by: str
    ruled_at: datetime | None
    ruled_by: str | None
    ruling: str | None
    version: int | None


class GroundView(BaseModel):
    """A ground of appeals."""

    code: str
    zh: str
    en: str


@router.get("/score-appeals/grounds")
async def list_grounds(here: Context, _: Reader) -> list[GroundView]:
    """List the grounds on which a unit may appeal."""
    grounds = here.engine.city.scoring.grounds
    return [GroundView(code=one.code, zh=one.name.zh, en=one.name.en) for one in grounds]


@router.post("/scores/{period}/appeals", status_code=201)
async def post_appeal(here: Context, who: Unit, period: Month, command: AppealCommand) -> AppealView:
    """Appeal against a ticket that a published month counts for the unit, once, within the city's time for it."""
    async with commanding(here) as tx:
        made = await appeals.appeal(
            tx, here, who, period, command.unit, command.ticket_id, command.ground, command.note
        )
    return AppealView.model_validate(made)


@router.get("/score-appeals")
async def list_appeals(
    here: Context, who: Reader, cursor: Cursor, unit: Line | None = None, period: InMonth = None,
    state: Literal["open", "upheld", "refused"] | None = None, limit: Limit = 100,
) -> Page[AppealView]:  # fmt: skip
    """List the appeals of the units in sight, the oldest first."""
    units = seen_units(here, who, unit)
    found = await store.appeals(here.database, units, state, period, cursor, limit)
    views = [AppealView.model_validate(one) for one in found]
    return page(views, limit, lambda one: (one.appealed_at, one.appeal_id))


@router.post("/score-appeals/{appeal_id}/ruling")
async def post_ruling(here: Context, who: Supervisor, appeal_id: UUID, command: RulingCommand) -> AppealView:
    """Rule on an appeal, from a level above the unit. Upheld, the month's next version differs by this ticket alone."""
    async with commanding(here) as tx:
        ruled = await appeals.rule_on_appeal(tx, here, who, appeal_id, command.note, upheld=command.upheld)
    return AppealView.model_validate(ruled)
