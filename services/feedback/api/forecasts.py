"""HTTP of forecasts: what is to be expected, how far off such forecasts were, and what came."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel

from libs.common.runtime.http import YEARS, Line
from libs.common.runtime.problems import Problem
from services.feedback.api.around import Context, Reader
from services.feedback.domain.forecasts import Forecast
from services.feedback.handlers import forecasts
from services.feedback.handlers.forecasts import Asked
from services.feedback.store import forecasts as store

router = APIRouter()
Span = Literal["day", "week"]
Level = Literal["all", "l1", "l2", "code"]
DAY = timedelta(days=1)


def _within_reach(day: date) -> date:
    if day.year not in YEARS:
        raise ValueError(f"must lie in the years {YEARS.start} to {YEARS.stop - 1}")
    return day


Day = Annotated[date, AfterValidator(_within_reach)]


class PointView(BaseModel):
    """One day, or seven days from `starts` on: eight times of ten what comes lies between `low` and `high`.

    `came` is what did; null while the time is not over.
    """

    starts: date
    expected: float
    low: float
    high: float
    came: int | None


class ErrorView(BaseModel):
    """How such forecasts did in the `weeks` before this one was made, each made when the week began.

    `wape` is the sum of the errors by day over the sum of the appeals, `naive` that of taking the same day of the week
    before; `covered` the share of days within their interval, meant to be 0.8 or, of few appeals, more.
    """

    weeks: int
    wape: float | None
    naive: float | None
    covered: float | None


class SeriesView(BaseModel):
    """What is expected of one matter and place. `usual` is the median of the eight weeks before."""

    l1: str | None
    l2: str | None
    code: str | None
    district: str | None
    usual: float
    error: ErrorView
    points: list[PointView]


class ForecastsView(BaseModel):
    """The forecasts that one run of the model made of all days before `made_on`."""

    made_on: date
    model: str | None
    span: Span
    series: list[SeriesView]


@router.get("/forecasts")
async def list_forecasts(
    here: Context, _: Reader,
    level: Annotated[Level, Query(description="How finely by category")] = "l1",
    district: Annotated[str, Query(pattern=r"^(\d{6})?$", description="Six digits; the whole city without")] = "",
    about: Annotated[Line | None, Query(description="A name of level 1 or 2, or a question's code")] = None,
    span: Span = "day",
    horizon: Annotated[int, Query(ge=1, le=14, description="How many days or weeks ahead")] = 14,
    made_on: Annotated[Day | None, Query(description="The last until then; the newest without")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> ForecastsView:  # fmt: skip
    """List how many appeals are to be expected by day or week, of most appeals first, with what came beside it.

    A category, question or district with too few appeals of late has no forecast of its own. 404 before there is any:
    it takes eight weeks of a record.
    """
    made = await store.last_made(here.database.pool, made_on or date.max)
    if made is None:
        raise Problem(404, "there is no forecast yet; one is made each night once there are eight weeks to learn of")
    found, came = await forecasts.seen(here, Asked(made, level, district, about or ""), limit)
    last = await store.last_counted(here.database.pool) or made - DAY
    return ForecastsView(
        made_on=made, model=found[0].model if found else None, span=span,
        series=[_series(one, came.get(one.matter, {}), last, span, horizon) for one in found],
    )  # fmt: skip


def _series(forecast: Forecast, came: Mapping[date, int], last: date, span: Span, horizon: int) -> SeriesView:
    if span == "day":
        steps = list(zip(forecast.days, forecast.days_low, forecast.days_high, strict=True))
    else:
        steps = list(zip(forecast.weeks, forecast.weeks_low, forecast.weeks_high, strict=True))
    return SeriesView(
        l1=forecast.l1 or None, l2=forecast.l2 or None, code=forecast.code or None,
        district=forecast.district or None, usual=forecast.usual,
        error=ErrorView(
            weeks=forecast.tried, wape=forecast.wape, naive=forecast.naive, covered=forecast.covered
        ),
        points=[
            _point(forecast.made_on, number, 1 if span == "day" else 7, step, came, last)
            for number, step in enumerate(steps[:horizon])
        ],
    )  # fmt: skip


def _point(
    made_on: date, number: int, days: int, step: tuple[float, float, float], came: Mapping[date, int], last: date
) -> PointView:
    starts = made_on + number * days * DAY
    over = starts + (days - 1) * DAY <= last
    total = sum(came.get(starts + day * DAY, 0) for day in range(days)) if over else None
    expected, low, high = step
    return PointView(starts=starts, expected=expected, low=low, high=high, came=total)
