"""Scorecards to read."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Line
from services.feedback import store
from services.feedback.api.around import Context, Reader
from services.feedback.domain.rates import Tally, rates
from services.feedback.handlers import Here

router = APIRouter()


class Scorecard(BaseModel):
    """A unit's three rates in a month, as fractions, with how many answers they rest on: few tell little.

    `total` is weighted as the city sets. The shares in time are of the answers whose clock is known.
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


@router.get("/scorecards")
async def list_scorecards(
    here: Context,
    _: Reader,
    period: Annotated[str, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="A month, e.g. 2026-11")],
    unit: Line | None = None,
) -> list[Scorecard]:
    """List the three rates of each unit that was judged in a month, in the city's time."""
    tallies = await store.tallies(here.database, period, unit)
    return [_scorecard(tally, period, here) for tally in tallies]


def _scorecard(tally: Tally, period: str, here: Here) -> Scorecard:
    shares = rates(tally, here.engine.weights)
    return Scorecard(
        unit=tally.unit, period=period, counted=tally.counted, responded=shares.responded, solved=shares.solved,
        satisfied=shares.satisfied, total=shares.total, response_in_time=tally.response_in_time,
        completion_in_time=tally.completion_in_time,
    )  # fmt: skip
