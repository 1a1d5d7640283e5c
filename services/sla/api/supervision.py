"""Supervision cases to look at."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Cursor, Page, page
from services.sla import store
from services.sla.api.around import Context, Reader
from services.sla.domain import Case

router = APIRouter()


class CaseView(BaseModel):
    """One supervision case. Level 1 street, 2 district, 3 city joint."""

    ticket_id: UUID
    level: int
    ground: str
    unit: UnitRef | None
    opened_at: datetime


@router.get("/supervision")
async def list_supervision(
    here: Context,
    _: Reader,
    cursor: Cursor,
    level: Annotated[int, Query(ge=1, le=3)] = 1,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[CaseView]:
    """List the open supervision cases of at least this level, oldest first."""
    cases = await store.open_cases(here.database, level, cursor, limit)
    return page([_case(case) for case in cases], limit, lambda c: (c.opened_at, c.ticket_id))


def _case(case: Case) -> CaseView:
    return CaseView(
        ticket_id=case.ticket_id, level=case.level, ground=case.ground, unit=case.unit, opened_at=case.opened_at
    )
