"""Bulletins of supervision: as data, in Markdown, as a page."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict

from libs.common.city.settings import Name
from libs.common.contracts.sla import SupervisionGround
from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import YEARS
from libs.common.runtime.problems import wrong_field
from libs.common.runtime.security import Principal
from services.sla import handlers
from services.sla.api.around import Context, Reader, Reading
from services.sla.domain.bulletins import (
    Bulletin,
    Raised,
    Table,
    grounds_table,
    markdown,
    page,
    span_of,
    units_table,
)
from services.sla.handlers import Here
from services.sla.store import supervision as store

router = APIRouter()
WRONG = "must be a day 2026-03-02, a week 2026-W10 or a month 2026-03"
Period = Annotated[
    str, Path(max_length=10, description="A day 2026-03-02, a week 2026-W10 or a month 2026-03 in the city's time")
]


class RaisedView(BaseModel):
    """Cases of one unit on one level: opened in the period, still open at its end, and how those that ended in it did.

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


class OpenedForView(BaseModel):
    """How many cases were opened in the period on a ground, by the level they reached."""

    model_config = ConfigDict(from_attributes=True)
    ground: SupervisionGround
    level: int
    raised: int


class BulletinView(BaseModel):
    """What was under supervision in a period, highest level first, and what it was opened for."""

    period: str
    since: datetime
    until: datetime
    items: list[RaisedView]
    grounds: list[OpenedForView]


@router.get("/bulletins/{period}.md", response_class=PlainTextResponse)
async def bulletin_markdown(here: Context, who: Reader, period: Period, language: Reading = "") -> PlainTextResponse:
    """Return a bulletin in Markdown, in the language of Accept-Language."""
    _, _, found = await _bulletin(here, who, period)
    spoken = here.engine.messages.preferred(language)
    return PlainTextResponse(markdown(*_said(here, period, found, spoken)), media_type="text/markdown")


@router.get("/bulletins/{period}.html", response_class=HTMLResponse)
async def bulletin_page(here: Context, who: Reader, period: Period, language: Reading = "") -> HTMLResponse:
    """Return a bulletin as a page, in the language of Accept-Language."""
    _, _, found = await _bulletin(here, who, period)
    spoken = here.engine.messages.preferred(language)
    return HTMLResponse(page(*_said(here, period, found, spoken), spoken))


@router.get("/bulletins/{period}")
async def show_bulletin(here: Context, who: Reader, period: Period) -> BulletinView:
    """Count what was raised in a period and how what ended in it did, by level and unit."""
    since, until, found = await _bulletin(here, who, period)
    return BulletinView(
        period=period, since=since, until=until, items=[_view(row) for row in found.units],
        grounds=[OpenedForView.model_validate(row) for row in found.grounds],
    )  # fmt: skip


async def _bulletin(here: Here, who: Principal, period: str) -> tuple[datetime, datetime, Bulletin]:
    if not period[:4].isdecimal() or int(period[:4]) not in YEARS:
        raise wrong_field("period", WRONG)
    try:
        since, until = span_of(period, here.engine.rules.zone)
    except ValueError as error:
        raise wrong_field("period", WRONG) from error
    return since, until, await store.bulletin(here.database.pool, since, until, handlers.seen_units(here, who, None))


def _said(here: Here, period: str, found: Bulletin, language: str) -> tuple[str, list[Table], str]:
    messages, terms = here.engine.messages, here.engine.rules.terms

    def say(name: str) -> str:
        return messages.say(language, "bulletin", name)

    def level(number: int) -> str:
        return messages.say(language, "supervision", "level", str(number))

    def ground(code: SupervisionGround) -> str:
        return spoken(terms.ground(code).name)

    def unit(row: Raised) -> str:
        known = here.engine.rules.units.get(row.unit_code)
        return spoken(known.name) if known else row.unit_name

    def spoken(name: Name) -> str:
        return str(messages.read({"zh": name.zh, "en": name.en}, language))

    tables = [units_table(found.units, level, unit, say)] if found.units else []
    tables += [grounds_table(found.grounds, level, ground, say)] if found.grounds else []
    return messages.say(language, "bulletin", "title", period=period), tables, say("none")


def _view(row: Raised) -> RaisedView:
    return RaisedView(
        level=row.level, unit=UnitRef(code=row.unit_code, name=row.unit_name) if row.unit_code else None,
        raised=row.raised, still_open=row.still_open, ended=row.ended, done=row.done, solved=row.solved,
        explained=row.explained, unfounded=row.unfounded, void=row.void,
        mean_days=row.seconds / 86400 if row.seconds is not None else None, points=row.points,
    )  # fmt: skip
