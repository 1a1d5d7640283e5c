"""HTTP of handovers: the open orders of one unit to another, when its duty moves."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from libs.common.runtime.http import Body, Line, Redacted
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal, require, require_everywhere
from services.dispatch.api.around import Context
from services.dispatch.api.backtests import Code
from services.dispatch.domain.backtests import JobState
from services.dispatch.domain.handovers import Handover
from services.dispatch.handlers import Here, handovers
from services.dispatch.store import handovers as store

router = APIRouter()
Supervises = Annotated[Principal, Depends(require_everywhere("supervisor"))]
Reads = Annotated[Principal, Depends(require("supervisor", "analyst", "operator"))]
LOCATED = ("street", "town")


class HandoverCommand(Body):
    """Whose open orders go to whom, and why. A dry run only counts them.

    All of them, or those of `codes` (of questions, or what such codes begin with), or those in a street.
    """

    from_unit: Line
    to_unit: Line
    codes: Annotated[tuple[Code, ...], Field(max_length=5000)] = ()
    street: Line | None = None
    note: Redacted
    dry_run: bool = False


class HandoverView(BaseModel):
    """A handover and how far it came: `found` orders at the start, `moved` so far; those returned stay for a ruling."""

    model_config = ConfigDict(from_attributes=True)
    handover_id: UUID
    from_unit: str
    to_unit: str
    codes: list[str]
    street: str | None
    note: str
    by: str
    state: JobState
    asked_at: datetime
    ended_at: datetime | None
    found: int
    moved: int
    error: str | None


class HandoverBegunView(HandoverView):
    """A handover that was asked for, with how many orders of each question it moves, or would move in a dry run."""

    dry_run: bool
    by_code: dict[str, int]


@router.post("/handovers")
async def hand_over(here: Context, who: Supervises, said: HandoverCommand) -> HandoverBegunView:
    """Hand the open orders of a unit over to another, in the background. Their clocks run on."""
    _check(here, said)
    asked = Handover(
        here.clock.new_id(), said.from_unit, said.to_unit, said.codes, said.street, said.note, who.name, "waiting",
        here.clock.now(),
    )  # fmt: skip
    asked, by_code = await handovers.request_handover(here, asked, dry_run=said.dry_run)
    here.loops["handovers"].wake()
    shown = HandoverView.model_validate(asked).model_dump()
    return HandoverBegunView(**shown, dry_run=said.dry_run, by_code=by_code)


@router.get("/handovers")
async def list_handovers(
    here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[HandoverView]:  # fmt: skip
    """List handovers, the newest first."""
    return [HandoverView.model_validate(one) for one in await store.handovers(here.database.pool, limit)]


@router.get("/handovers/{handover_id}")
async def show_handover(here: Context, _: Reads, handover_id: UUID) -> HandoverView:
    """Show how far a handover came."""
    found = await store.handover_of(here.database.pool, handover_id)
    if found is None:
        raise Problem(404, "no handover has this id")
    return HandoverView.model_validate(found)


def _check(here: Here, said: HandoverCommand) -> None:
    """Refuse units the city does not have. The one whose orders go may be gone from the city already."""
    units = here.engine.router.city.units
    takes = here.engine.router.acting(said.to_unit, here.clock.now())
    if takes is None:
        raise wrong_field("to_unit", "must be the code of a unit of the city, such as d-110105 or dept-water")
    if takes.code != said.to_unit:
        raise wrong_field("to_unit", f"must be a unit that is there still: {takes.code} has its duties")
    if said.to_unit == said.from_unit:
        raise wrong_field("to_unit", "must be another unit than from_unit")
    if said.street and (said.street not in units or units[said.street].kind not in LOCATED):
        raise wrong_field("street", "must be the code of a street or town of the city")
