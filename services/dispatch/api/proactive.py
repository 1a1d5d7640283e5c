"""HTTP of work before the appeal 未诉先办, beside the orders of appeals."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Cursor, Line, Page, page
from services.dispatch.api.around import Context, Reader
from services.dispatch.domain.proactive import ProactiveState, Rule
from services.dispatch.handlers import listed
from services.dispatch.store import proactive as store

router = APIRouter()


class ProactiveView(BaseModel):
    """Work to do before anyone asks, in the city's language.

    Feedback takes the word that it is done, or declined: `POST /feedback/v1/proactive/{order_id}/done` or `decline`.
    """

    model_config = ConfigDict(from_attributes=True)
    order_id: UUID
    unit: UnitRef
    rule: Rule | None
    codes: list[str]
    district: str | None
    street: str | None
    what: str
    why: str
    proposed_at: datetime
    by_date: datetime
    state: ProactiveState
    ended_at: datetime | None


@router.get("/proactive")
async def list_proactive(
    here: Context, who: Reader, cursor: Cursor,
    unit: Annotated[Line | None, Query()] = None,
    state: ProactiveState | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ProactiveView]:  # fmt: skip
    """List work before the appeal, proposed first first. A unit's key sees its own and that of units under it."""
    found = await store.list_proactive(here.database.pool, listed(here, who, unit), state, cursor, limit)
    views = [ProactiveView.model_validate(one) for one in found]
    return page(views, limit, lambda work: (work.proposed_at, work.order_id))
