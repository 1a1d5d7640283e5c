"""Process quality: what work was worth, judged by what happened, shown beside what was answered."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Line
from libs.common.runtime.problems import Problem, unknown_ticket
from services.feedback.api.around import Context, Reader
from services.feedback.api.around import period as month_of
from services.feedback.domain.periods import MONTH
from services.feedback.domain.quality import Model, UnitQuality
from services.feedback.handlers.seeing import seen_units
from services.feedback.store import quality as store

router = APIRouter()


class MetricsView(BaseModel):
    """How well the index tells solved from not, on answers that it was not fitted on.

    `auc` with its bounds of 95 %; `expected` and `found`: the mean chance and the share of yes in fifths of the
    answers, from the lowest chance to the highest. They are equal where the index means what it says.
    """

    model_config = ConfigDict(from_attributes=True)
    auc: float
    low: float
    high: float
    expected: list[float]
    found: list[float]


class ModelView(BaseModel):
    """A version of the index: 100 / (1 + exp(-(constant + sum of weight * (value - center) / scale))).

    `worth`: so many answers of a unit say as much of it as the index does.
    """

    version: int
    made_at: datetime
    answers: int
    solved: float
    worth: float
    constant: float
    weights: dict[str, float]
    centers: dict[str, float]
    scales: dict[str, float]
    metrics: MetricsView


class QualityView(BaseModel):
    """A unit's month: the index of the rounds it resolved (0 to 100, `low` and `high` bound it with 95 %).

    Beside it what was answered: how many, and the share that say it is solved, null without any. `weight` is how much
    the index should have where the two are taken together, as `together` does; no rate contains any of it.
    """

    unit: UnitRef
    period: str
    version: int
    rounds: int
    index: float
    low: float
    high: float
    answers: int
    solved: float | None
    weight: float
    together: float
    counted_at: datetime


class RoundView(BaseModel):
    """The index of one round, with what each thing that happened adds to its log-odds, or takes off."""

    round: int
    unit: str
    version: int
    index: float
    values: dict[str, float | None]
    parts: dict[str, float]


@router.get("/quality")
async def list_quality(
    here: Context, who: Reader, period: Annotated[str, Query(pattern=MONTH, description="A month, e.g. 2026-11")],
    unit: Line | None = None,
) -> list[QualityView]:  # fmt: skip
    """List the index of the units in sight in a month, as it was counted last; of this month and the last each day."""
    found = await store.units(here.database.pool, month_of(period).name, seen_units(here, who, unit))
    worth = {model.version: model.worth for model in await store.models(here.database.pool)}
    return [_quality(one, worth.get(one.version, 0.0)) for one in found]


@router.get("/quality/models")
async def list_models(here: Context, _: Reader) -> list[ModelView]:
    """List the versions of the index with their weights and how well they were found to tell, the newest first."""
    return [_model(model) for model in await store.models(here.database.pool)]


@router.get("/quality/{ticket_id}")
async def show_quality(here: Context, who: Reader, ticket_id: UUID) -> list[RoundView]:
    """Show the index of each round of a ticket that a unit in sight resolved, and what it is made of."""
    rounds = await store.judged(here.database.pool, ticket_id)
    if not rounds:
        raise unknown_ticket(ticket_id, here.clock)
    model = await store.last_model(here.database.pool)
    if model is None or model.features != store.NAMES:
        raise Problem(409, "too little was answered yet for an index")
    seen = seen_units(here, who)
    return [
        RoundView(
            round=one.round, unit=one.unit_code, version=model.version, index=round(model.index(one.values), 2),
            values=dict(one.values), parts={name: round(part, 4) for name, part in model.parts(one.values).items()},
        )
        for one in rounds
        if seen is None or one.unit_code in seen
    ]  # fmt: skip


def _quality(one: UnitQuality, worth: float) -> QualityView:
    low, high = one.bounds
    return QualityView(
        unit=one.unit, period=one.period, version=one.version, rounds=one.rounds, index=round(100 * one.expected, 2),
        low=round(low, 2), high=round(high, 2), answers=one.answers, solved=one.rate,
        weight=round(one.weight(worth), 4), together=round(one.together(worth), 2), counted_at=one.counted_at,
    )  # fmt: skip


def _model(model: Model) -> ModelView:
    return ModelView(
        version=model.version, made_at=model.made_at, answers=model.answers, solved=model.solved, worth=model.worth,
        constant=model.weights[0], weights=dict(zip(model.features, model.weights[1:], strict=True)),
        centers=dict(zip(model.features, model.centers, strict=True)),
        scales=dict(zip(model.features, model.scales, strict=True)),
        metrics=MetricsView.model_validate(model.metrics),
    )  # fmt: skip
