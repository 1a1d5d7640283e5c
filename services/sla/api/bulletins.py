"""Bulletins of supervision: as data, in Markdown, as a page."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Path
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel

from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import YEARS
from libs.common.runtime.problems import wrong_field
from libs.common.runtime.security import Principal
from services.sla import handlers
from services.sla.api.around import Context, Reader
from services.sla.domain.bulletins import Raised, markdown, page, span_of, table
from services.sla.handlers import Here
from services.sla.store import supervision as store

router = APIRouter()
Period = Annotated[
    str, Path(max_length=10, description="A day 2026-03-02, a week 2026-W10 or a month 2026-03 in the city's time")
]
Reading = Annotated[str, Header(alias="accept-language")]


class RaisedView(BaseModel):
    """Cases of one unit on one level: what was raised in the period, what of it is open, and how those ended that did.

    `mean_days` is how long the ended ones took; `points` were proposed to be taken off.
    """

    level: int
    unit: UnitRef | None
    raised: int
    still_open: int
    ended: int
    done: int
    solved: int
    explained: int
    unfounded: int
    void: int
    mean_days: float | None
    points: float


class Bulletin(BaseModel):
    """What was under supervision in a period, highest level first."""

    period: str
    since: datetime
    until: datetime
    items: list[RaisedView]


@router.get("/bulletins/{period}.md", response_class=PlainTextResponse)
async def bulletin_markdown(here: Context, who: Reader, period: Period, language: Reading = "") -> PlainTextResponse:
    """Return a bulletin in Markdown, in the language of Accept-Language."""
    _, _, rows = await _rows(here, who, period)
    spoken = here.engine.messages.preferred(language)
    return PlainTextResponse(markdown(*_said(here, period, rows, spoken)), media_type="text/markdown")


@router.get("/bulletins/{period}.html", response_class=HTMLResponse)
async def bulletin_page(here: Context, who: Reader, period: Period, language: Reading = "") -> HTMLResponse:
    """Return a bulletin as a page, in the language of Accept-Language."""
    _, _, rows = await _rows(here, who, period)
    spoken = here.engine.messages.preferred(language)
    return HTMLResponse(page(*_said(here, period, rows, spoken), spoken))


@router.get("/bulletins/{period}")
async def bulletin(here: Context, who: Reader, period: Period) -> Bulletin:
    """Count what was raised in a period and how what ended in it did, by level and unit."""
    since, until, rows = await _rows(here, who, period)
    return Bulletin(period=period, since=since, until=until, items=[_view(row) for row in rows])


async def _rows(here: Here, who: Principal, period: str) -> tuple[datetime, datetime, list[Raised]]:
    if not period[:4].isdecimal() or int(period[:4]) not in YEARS:
        raise wrong_field("period", "must be a day 2026-03-02, a week 2026-W10 or a month 2026-03")
    try:
        since, until = span_of(period, here.engine.rules.zone)
    except ValueError as error:
        raise wrong_field("period", "must be a day 2026-03-02, a week 2026-W10 or a month 2026-03") from error
    return since, until, await store.bulletin(here.database.pool, since, until, handlers.seen_units(here, who, None))


def _said(here: Here, period: str, rows: list[Raised], language: str) -> tuple[str, list[list[str]], str]:
    say = here.engine.messages.say
    lines = table(
        rows, lambda level: say(language, "supervision", "level", str(level)),
        lambda name: say(language, "bulletin", name),
    )  # fmt: skip
    return say(language, "bulletin", "title", period=period), lines, say(language, "bulletin", "none")


def _view(row: Raised) -> RaisedView:
    return RaisedView(
        level=row.level, unit=UnitRef(code=row.unit_code, name=row.unit_name) if row.unit_code else None,
        raised=row.raised, still_open=row.still_open, ended=row.ended, done=row.done, solved=row.solved,
        explained=row.explained, unfounded=row.unfounded, void=row.void,
        mean_days=row.seconds / 86400 if row.seconds is not None else None, points=row.points,
    )  # fmt: skip
