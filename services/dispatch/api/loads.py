"""HTTP of loads: what units have in hand, how fast they work, and what will come."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Line
from services.dispatch.api.around import Context, Reader
from services.dispatch.domain.loads import Work
from services.dispatch.handlers import Here, loads, seeing

router = APIRouter()


class ForecastView(BaseModel):
    """How many orders may come on a day; on eight days of ten it lies between `low` and `high`."""

    model_config = ConfigDict(from_attributes=True)
    day: date
    expected: float
    low: float
    high: float


class LoadView(BaseModel):
    """A unit's work: open orders by state, class and age; its pace; days of work in hand; what the next week may bring.

    `per_day` is what it resolves on a working day, the median of four weeks, or the mean where that is below one. The
    forecast is the level of two weeks times a profile of the week over eight; it needs two weeks.
    """

    unit: UnitRef
    open: int
    by_state: dict[str, int]
    by_urgency: dict[str, int]
    by_age: dict[str, int]
    per_day: float | None
    days: float | None
    forecast: list[ForecastView]


@router.get("/loads")
async def show_loads(here: Context, who: Reader, unit: Annotated[Line | None, Query()] = None) -> list[LoadView]:
    """Show what a unit has in hand, or every unit that this key sees and that has anything."""
    works = await loads.work_of(here, seeing.listed(here, who, unit))
    return [_view(here, code, work) for code, work in works.items() if unit or work.open or work.per_day]


def _view(here: Here, code: str, work: Work) -> LoadView:
    return LoadView(
        unit=here.engine.router.unit(code) or UnitRef(code=code, name=code), open=work.open,
        by_state=dict(work.by_state), by_urgency=dict(work.by_urgency), by_age=dict(work.by_age),
        per_day=work.per_day, days=work.days,
        forecast=[ForecastView.model_validate(one) for one in work.forecast],
    )  # fmt: skip
