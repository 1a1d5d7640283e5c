"""Scores of months: the running month's figures, what was published version by version, and what was counted for it."""

from datetime import datetime
from itertools import groupby
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.feedback import Standing
from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Cursor, Line, Page, page
from libs.common.runtime.problems import Problem
from services.feedback import store
from services.feedback.api.around import Context, Limit, Month, OfCity, Reader, commanding
from services.feedback.api.around import period as month_of
from services.feedback.domain.kpis import Dimension, Figure
from services.feedback.domain.periods import MONTH
from services.feedback.domain.scores import Publication, Reason, Score, ranked
from services.feedback.handlers import Here, scores
from services.feedback.handlers.seeing import seen_units
from services.feedback.store import credits as credits_store
from services.feedback.store import scores as scores_store

router = APIRouter()
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="The last one if it is left out")]
RATES = ("responded", "solved", "satisfied", "total", "judged_response_in_time", "judged_completion_in_time")


class Scorecard(BaseModel):
    """A unit's three rates in a month, as fractions, with how many answers they rest on: few tell little.

    `total` is weighted as the city sets. The shares in time are of the answers whose clock is known. `version` is that
    of the published month; null while it is not published, and its figures still move.
    """

    unit: UnitRef
    period: str
    counted: int
    responded: float | None
    solved: float | None
    satisfied: float | None
    total: float | None
    response_in_time: float | None
    completion_in_time: float | None
    version: int | None


class ScoreView(Scorecard):
    """A published score. `since` is the version that these figures are of.

    `fair` is the total made comparable: the mean of the unit's kind, plus what the unit is above what others of its
    kind had with the same matters (`expected`), few answers shrunk to it; `low` and `high` bound it with 95 %. `usual`
    answers make it, not those of matters of which others of the kind had too few; `apart`, of complex and abnormal
    orders, have a total of their own. `growth` is that of `fair` since the month before. Points out of 100: `earned`
    by work before the appeal, `deducted` by rulings; `points` is the total with both. `rank` is the place in the group
    of `peers` of its kind, where the city ranks.
    """

    since: int
    level: str
    peers: int
    usual: int
    expected: float | None
    fair: float | None
    low: float | None
    high: float | None
    standing: Standing
    apart: int
    apart_total: float | None
    growth: float | None
    growth_low: float | None
    growth_high: float | None
    earned: float
    deducted: float
    points: float | None
    rank: int | None


class PublicationView(BaseModel):
    """One version of a month: what made it, and by whom. Its figures hang on the weights and standards of `base`."""

    model_config = ConfigDict(from_attributes=True)
    period: str
    version: int
    base: int
    reason: Reason
    at: datetime
    by: str


class AnswerView(BaseModel):
    """An answer that a version counts for a unit."""

    model_config = ConfigDict(from_attributes=True)
    round: int
    responded: bool
    solved: bool
    satisfied: bool
    response_in_time: bool | None
    completion_in_time: bool | None
    apart: bool


class CreditedView(BaseModel):
    """A piece of work before the appeal that a version counts: that it was done, or that its effect was `proven`."""

    model_config = ConfigDict(from_attributes=True)
    order_id: UUID
    proven: bool
    at: datetime


class CountedView(BaseModel):
    """What a version counts of one ticket for a unit."""

    ticket_id: UUID
    answers: list[AnswerView]


@router.get("/scorecards")
async def list_scorecards(
    here: Context,
    who: Reader,
    period: Annotated[str, Query(pattern=MONTH, description="A month, e.g. 2026-11")],
    unit: Line | None = None,
) -> list[Scorecard]:
    """List the three rates of each unit in sight that was judged in a month of the city: as published, or so far."""
    units = seen_units(here, who, unit)
    last = await scores_store.last_publication(here.database.pool, month_of(period).name)
    if last:
        fixed = await scores_store.scores_of(here.database.pool, period, last.version, units)
        return [Scorecard(**_card(one, last.version)) for one in fixed if one.counted]
    return await _running(here, period, units)


async def _running(here: Here, period: str, units: list[str] | None) -> list[Scorecard]:
    since, until = month_of(period).span(here.engine.policy.timezone)
    where: dict[Dimension, list[str]] = {"unit": units} if units is not None else {}
    figures = await store.figures(here.database, here.engine.measures.of(*RATES), since, until, ("unit",), where)
    cards: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        cards.setdefault(figure.group[0] or "", {})[figure.kpi.removeprefix("judged_")] = figure
    return [
        Scorecard(
            unit=UnitRef(code=code, name=scores.unit_of(here, code).name), period=period, version=None,
            counted=told["solved"].count, **{name: figure.value for name, figure in told.items()},
            **{name: None for name in ("response_in_time", "completion_in_time") if name not in told},
        )
        for code, told in cards.items()
    ]  # fmt: skip


@router.get("/scores/{period}")
async def list_scores(
    here: Context, who: Reader, period: Month, version: Version = None, unit: Line | None = None
) -> list[ScoreView]:
    """List the scores of the units in sight as a version of a published month has them."""
    units = seen_units(here, who, unit)
    asked = await published(here, period, version)
    of_all = await scores_store.scores_of(here.database.pool, period, asked.version)
    ranks = ranked(of_all) if here.engine.city.scoring.ranking else {}
    return [
        _view(one, asked.version, ranks.get(one.unit_code)) for one in of_all if units is None or one.unit_code in units
    ]


@router.get("/scores/{period}/versions")
async def list_versions(here: Context, _: Reader, period: Month) -> list[PublicationView]:
    """List the versions of a month, the first first; none of a month that is not published."""
    versions = await scores_store.publications(here.database, month_of(period).name)
    return [PublicationView.model_validate(one) for one in versions]


@router.get("/scores/{period}/counted")
async def list_counted(
    here: Context, who: Reader, period: Month, unit: Annotated[Line, Query()], cursor: Cursor,
    version: Version = None, limit: Limit = 100,
) -> Page[CountedView]:  # fmt: skip
    """List the answers that a version counts for a unit: what its figures can be computed from again, by anyone."""
    seen_units(here, who, unit)
    asked = await published(here, period, version)
    rows = await scores_store.counted(here.database, asked, unit, cursor[1], limit)
    tickets = [
        CountedView(ticket_id=ticket, answers=[AnswerView.model_validate(row) for row in of_ticket])
        for ticket, of_ticket in groupby(rows, key=lambda row: row.ticket_id)
    ]
    return page(tickets, limit, lambda one: (asked.at, one.ticket_id))


@router.get("/scores/{period}/credited")
async def list_credited(
    here: Context, who: Reader, period: Month, unit: Annotated[Line, Query()], version: Version = None
) -> list[CreditedView]:
    """List the work before the appeal that a version counts for a unit: what its points were earned by."""
    seen_units(here, who, unit)
    asked = await published(here, period, version)
    found = await credits_store.of_version(here.database.pool, asked.period, asked.version, unit)
    return [CreditedView.model_validate(one) for one in found]


@router.post("/scores/{period}")
async def publish_scores(here: Context, who: OfCity, period: Month) -> PublicationView:
    """Publish a month that is over, or publish it anew by what the record says now. For a supervisor of the city."""
    async with commanding(here) as tx:
        made = await scores.publish_month(tx, here, month_of(period), "hand", who.name)
    return PublicationView.model_validate(made)


async def published(here: Here, period: str, version: int | None = None) -> Publication:
    """Return a version of a month, the last one if none is named. Raises Problem 404 and 422."""
    pool, name = here.database.pool, month_of(period).name
    found = await (
        scores_store.publication_of(pool, name, version) if version else scores_store.last_publication(pool, name)
    )
    if found is None:
        raise Problem(404, "no such version of this month's scores is published")
    return found


def _card(one: Score, version: int) -> dict[str, Any]:
    return {
        "unit": one.unit, "period": one.period, "counted": one.counted, "responded": one.responded,
        "solved": one.solved, "satisfied": one.satisfied, "total": one.total,
        "response_in_time": one.response_in_time, "completion_in_time": one.completion_in_time, "version": version,
    }  # fmt: skip


def _view(one: Score, version: int, rank: int | None) -> ScoreView:
    return ScoreView(
        **_card(one, version), since=one.version, level=one.level, peers=one.peers, usual=one.usual,
        expected=one.expected, fair=one.fair, low=one.low, high=one.high, standing=one.standing, apart=one.apart,
        apart_total=one.apart_total, growth=one.growth, growth_low=one.growth_low, growth_high=one.growth_high,
        earned=one.earned, deducted=one.deducted, points=one.points, rank=rank,
    )  # fmt: skip
