"""Open data: what everybody may read, without a key."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.responses import HTMLResponse, Response

from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.tables import MEDIA_TYPE
from services.feedback.api.around import Context, OfCity
from services.feedback.api.reports import Language
from services.feedback.domain.periods import MONTH
from services.feedback.domain.publishing import Published
from services.feedback.domain.reports import Spans, spans_of
from services.feedback.handlers import Here
from services.feedback.handlers import publishing as handlers
from services.feedback.handlers import reports as making
from services.feedback.reports.content import Report
from services.feedback.reports.messages import Teller
from services.feedback.reports.page import page
from services.feedback.reports.public import dictionary, open_data
from services.feedback.store import publishing as store

router = APIRouter()
Month = Annotated[str, Path(pattern=MONTH, description="A month, e.g. 2026-11")]
_CSV: dict[int | str, dict[str, object]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


class MonthView(BaseModel):
    """A month that was published; `k` is the least number of appeals that anything told is of."""

    month: str
    k: int
    by_day: bool
    told: int
    withheld: int


class OpenDataView(BaseModel):
    """What there is: months, the last first, each as {month}.csv and {month}.html."""

    dictionary: str
    months: list[str]


@router.get("/open-data")
async def list_open_data(here: Context) -> OpenDataView:
    """List the months that were published. No key is needed for anything here."""
    return OpenDataView(dictionary="dictionary.csv", months=await store.published_months(here.database))


@router.get("/open-data/dictionary.csv", response_class=Response, responses=_CSV)
async def open_data_dictionary(here: Context) -> Response:
    """Return what each field of the data means, in Chinese and English."""
    return _csv(dictionary(_teller(here, "")), "dictionary")


@router.get("/open-data/{month}.csv", response_class=Response, responses=_CSV)
async def open_data_month(here: Context, month: Month, language: Language = "") -> Response:
    """Return a month's appeals by day, district and category as CSV; what would tell of too few is withheld."""
    found = await _published(here, month)
    text = await asyncio.to_thread(open_data, found, _teller(here, language))
    return _csv(text, f"appeals-{month}")


@router.get("/open-data/{month}.html", response_class=HTMLResponse)
async def open_data_report(here: Context, month: Month, language: Language = "") -> HTMLResponse:
    """Return the public version of a month's report."""
    return await asyncio.to_thread(page, await _report(here, month, language))


@router.get("/open-data/{month}")
async def show_open_data(here: Context, month: Month) -> MonthView:
    """Return how a month was published."""
    return _view(await _published(here, month))


@router.post("/open-data/{month}", status_code=201)
async def publish_month(_: OfCity, here: Context, month: Month) -> MonthView:
    """Publish a month that is over; each is by itself, this is for those before Jiesu. Once published it stays."""
    return _view(await handlers.publish(here, _spans(here, month)))


async def _published(here: Here, month: str) -> Published:
    found = await store.published(here.database, month)
    if found is None:
        raise Problem(404, "that month was not published")
    return found


async def _report(here: Here, month: str, language: str) -> Report:
    return await handlers.public(here, await _published(here, month), _teller(here, language))


def _teller(here: Here, language: str) -> Teller:
    return making.teller(here, making.MESSAGES.preferred(language))


def _spans(here: Here, month: str) -> Spans:
    try:
        return spans_of("monthly", month, making.days_of(here))
    except ValueError as error:
        raise wrong_field("month", str(error)) from error


def _view(found: Published) -> MonthView:
    told = sum(row.count is not None for row in found.cells)
    return MonthView(
        month=found.month, k=found.k, by_day=found.by_day, told=told, withheld=len(found.cells) - told
    )  # fmt: skip


def _csv(text: str, name: str) -> Response:
    return Response(text, media_type=MEDIA_TYPE, headers={"Content-Disposition": f'attachment; filename="{name}.csv"'})
