"""Indices of the seven haves and five natures by district and month, and the method they are made by."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.common.city.indices import TAGS
from services.feedback.api.around import Context, Reader
from services.feedback.api.around import period as month_of
from services.feedback.api.kpis import Words
from services.feedback.domain.indices import Coverage, Index
from services.feedback.domain.periods import MONTH
from services.feedback.handlers import Here, indices
from services.feedback.messages import Messages

router = APIRouter()
MESSAGES = Messages.load()


class CoverageView(BaseModel):
    """A figure from outside that an index rests on."""

    indicator: str
    as_of: date
    value: float
    source: str


class IndexView(BaseModel):
    """The index of a district on one of the seven haves and five natures: 0 to 100, between `low` and `high` (95 %).

    `too_few`: there were too few appeals or answers for one. Its parts, 0 to 100, are null where they are not known;
    `appeals` and `answers` where telling them would tell of too few people.
    """

    district: str
    name: str
    tag: str
    index: float | None
    low: float | None
    high: float | None
    too_few: bool
    appeals: int | None
    answers: int | None
    solved: float | None
    volume: float | None
    coverage: float | None
    figures: list[CoverageView]


class IndicatorView(BaseModel):
    """A figure from outside that can be brought in: worth 0 at `floor` and beyond, 100 at `target` and beyond."""

    code: str
    tag: str
    name: Words
    unit: Words
    floor: float
    target: float


class PeopleView(BaseModel):
    """How many people live in a district, as counted on a day, by whom."""

    district: str
    name: str
    people: int
    as_of: date
    source: str


class MethodView(BaseModel):
    """How the indices are made: in words, and every number in it."""

    words: Words
    tags: list[str]
    weights: dict[str, float]
    strength: float
    least: int
    indicators: list[IndicatorView]
    population: list[PeopleView]


@router.get("/indices")
async def list_indices(
    here: Context, _: Reader, period: Annotated[str, Query(pattern=MONTH, description="A month, e.g. 2026-11")]
) -> list[IndexView]:
    """List the indices of all districts in a month, as it was counted last."""
    names = _names(here)
    found = await indices.made(here, month_of(period))
    return [_view(one, names.get(one.district, one.district)) for one in found]


@router.get("/indices/method")
async def show_method(here: Context) -> MethodView:
    """Show how the indices are made. For everyone, without a key."""
    rules, names = here.engine.city.indices, _names(here)
    weights = {name: getattr(rules.weights, name) for name in ("solved", "volume", "coverage")}
    said = {
        language: MESSAGES.say(language, "indices", "method", **weights, m=rules.strength, least=rules.least)
        for language in ("zh", "en")
    }
    return MethodView(
        words=Words(**said), tags=list(TAGS), weights=weights, strength=rules.strength, least=rules.least,
        indicators=[IndicatorView(**_indicator(one)) for one in rules.indicators],
        population=[
            PeopleView(district=code, name=names.get(code, code), people=p.people, as_of=p.as_of, source=p.source)
            for code, p in here.engine.city.population.items()
        ],
    )  # fmt: skip


def _indicator(one: Any) -> dict[str, Any]:
    return {
        "code": one.code, "tag": one.tag, "name": Words.model_validate(one.name), "floor": one.floor,
        "unit": Words.model_validate(one.unit), "target": one.target,
    }  # fmt: skip


def _names(here: Here) -> dict[str, str]:
    units = here.engine.city.units.values()
    return {unit.district: unit.name.zh for unit in units if unit.kind == "district" and unit.district}


def _view(one: Index, name: str) -> IndexView:
    return IndexView(
        district=one.district, name=name, tag=one.tag, index=one.value, low=one.low, high=one.high,
        too_few=one.too_few, appeals=one.appeals, answers=one.answers, solved=one.solved, volume=one.volume,
        coverage=one.coverage, figures=[_figure(figure) for figure in one.figures],
    )  # fmt: skip


def _figure(figure: Coverage) -> CoverageView:
    return CoverageView(indicator=figure.indicator, as_of=figure.as_of, value=figure.value, source=figure.source)
