"""KPIs: what is measured, and its figures over any time, by whatever they are to be told apart by."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from libs.common.city.kpis import Counted, Measure
from libs.common.runtime.http import Line, Moment
from libs.common.runtime.problems import wrong_field
from services.feedback import store
from services.feedback.api.around import Context, Reader
from services.feedback.api.around import period as period_named
from services.feedback.domain.kpis import Dimension
from services.feedback.domain.periods import PATTERN
from services.feedback.handlers import Here
from services.feedback.handlers.seeing import seen_units

router = APIRouter()
PATIENCE_SECONDS = 30
MOST_GROUPS = 20_000
"""Of so many groups figures are told at once."""
LONGEST = timedelta(days=400)
"""Of more than a year and a bit figures are not asked for at once."""
Values = Annotated[list[Line], Field(max_length=100)]


class Words(BaseModel):
    """A text in Chinese and in English."""

    model_config = ConfigDict(from_attributes=True)
    zh: str
    en: str


class KpiView(BaseModel):
    """What a KPI is: the rows it counts, by which conditions, and what is made of them, as kpis.toml has it.

    `good` says which way is better, null where neither is.
    """

    model_config = ConfigDict(from_attributes=True)
    code: str
    name: Words
    about: Words
    counts: Counted
    measure: Measure
    filters: list[str]
    having: list[str]
    of: str | None
    between: tuple[str, str] | None
    per: str | None
    parts: list[str]
    unit: str
    good: str | None


class FigureView(BaseModel):
    """One KPI of one group. `group` has a value for each dimension of `by`, null where the record has none.

    `count` is how many rows it rests on; shares run from 0 to 1, times are hours.
    """

    model_config = ConfigDict(from_attributes=True)
    kpi: str
    group: list[str | None]
    value: float | None
    count: int
    numerator: float | None
    denominator: int | None


class Asked(BaseModel):
    """What figures are asked for: which, of when, told apart by what, and of which rows.

    A period of the calendar in the city's time, or from `since` to `until` (excluded). Of each dimension that is named
    rows with one of the values.
    """

    model_config = ConfigDict(extra="forbid")
    kpi: Annotated[list[Line], Field(min_length=1, max_length=20, description="Codes, as /kpis lists them")]
    period: Annotated[str, Field(pattern=PATTERN, description="2026, 2026-Q4, 2026-11, 2026-W45 or a day")] | None = (
        None
    )
    since: Moment | None = None
    until: Moment | None = None
    by: Annotated[list[Dimension], Field(max_length=3)] = []
    unit: Values = []
    level: Values = []
    district: Values = []
    street: Values = []
    category1: Values = []
    category2: Values = []
    code: Values = []
    channel: Values = []
    tag: Values = []
    urgency: Values = []

    @property
    def where(self) -> dict[Dimension, list[str]]:
        """Of which rows."""
        named: dict[Dimension, list[str]] = {
            "unit": self.unit, "level": self.level, "district": self.district, "street": self.street,
            "category1": self.category1, "category2": self.category2, "code": self.code, "channel": self.channel,
            "tag": self.tag, "urgency": self.urgency,
        }  # fmt: skip
        return {dimension: values for dimension, values in named.items() if values}


@router.get("/kpis")
async def list_kpis(here: Context, _: Reader) -> list[KpiView]:
    """List what the city measures."""
    return [KpiView.model_validate(kpi) for kpi in here.engine.measures.kpis]


@router.get("/figures")
async def list_figures(here: Context, who: Reader, asked: Annotated[Asked, Query()]) -> list[FigureView]:
    """Return figures as the record has them now, of the units in sight; a key that sees all also reads of no unit."""
    since, until = _span(here, asked)
    where = asked.where
    seen = seen_units(here, who)
    if seen is not None:
        where["unit"] = sorted(set(where.get("unit", seen)) & set(seen))
    try:
        measures = here.engine.measures.of(*dict.fromkeys(asked.kpi))
    except KeyError as unknown:
        raise wrong_field("kpi", "must be codes that /kpis lists") from unknown
    by = list(dict.fromkeys(asked.by))
    try:
        figures = await store.figures(here.database, measures, since, until, by, where, PATIENCE_SECONDS, MOST_GROUPS)
    except TimeoutError as error:
        raise wrong_field("period", "must be shorter, or of fewer units: this is too much at once") from error
    except OverflowError as error:
        raise wrong_field("by", f"must make at most {MOST_GROUPS} groups, of fewer units or in less time") from error
    return [FigureView.model_validate(figure) for figure in figures]


def _span(here: Here, asked: Asked) -> tuple[datetime, datetime]:
    if asked.period:
        return period_named(asked.period).span(here.engine.policy.timezone)
    if asked.since is None or asked.until is None:
        raise wrong_field("period", "must be there, or since and until")
    if not timedelta() < asked.until - asked.since <= LONGEST:
        raise wrong_field("until", f"must be after since, by at most {LONGEST.days} days")
    return asked.since, asked.until
