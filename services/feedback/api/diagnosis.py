"""What a unit reads of its month: a diagnosis rather than a place in a list."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.feedback import Standing
from libs.common.contracts.vocabulary import UnitRef
from services.feedback.api.around import Context, Reader, UnitCode
from services.feedback.api.scores import Version, published
from services.feedback.domain.periods import MONTH
from services.feedback.handlers import diagnosis
from services.feedback.handlers.seeing import seen_units

router = APIRouter()


class GapView(BaseModel):
    """A figure that is worse than the others' median beyond chance. Shares run from 0 to 1, times are hours."""

    model_config = ConfigDict(from_attributes=True)
    kpi: str
    own: float
    others: float
    count: int


class HelperView(BaseModel):
    """A unit of the kind that did well in the category: its answers there, their mean, what was expected of it."""

    model_config = ConfigDict(from_attributes=True)
    unit: UnitRef
    answers: int
    value: float
    expected: float


class ShortfallView(BaseModel):
    """A category (levels 1 and 2) that cost the unit points: `lost` so many whole answers' worth.

    `practices` are what its `helpers` do better there, as the record has it now: a lead to follow, not a proof.
    """

    model_config = ConfigDict(from_attributes=True)
    category: tuple[str, str]
    answers: int
    value: float
    expected: float
    lost: float
    helpers: list[HelperView]
    practices: list[GapView]


class DiagnosisView(BaseModel):
    """What falls short in a month (`gaps`, to the median of the peers), `against` whom, in which categories most."""

    unit: UnitRef
    period: str
    version: int
    standing: Standing
    total: float | None
    expected: float | None
    fair: float | None
    low: float | None
    high: float | None
    growth: float | None
    against: list[UnitRef]
    gaps: list[GapView]
    categories: list[ShortfallView]


@router.get("/diagnosis/{unit}")
async def show_diagnosis(
    here: Context, who: Reader, unit: UnitCode,
    period: Annotated[str, Query(pattern=MONTH, description="A month, e.g. 2026-11")], version: Version = None,
) -> DiagnosisView:  # fmt: skip
    """Show what a published month says of a unit: where it falls short, against whom, and what helped others."""
    seen_units(here, who, unit)
    asked = await published(here, period, version)
    found = await diagnosis.with_practices(here, await diagnosis.diagnose(here, asked, unit))
    score = found.score
    return DiagnosisView(
        unit=score.unit, period=score.period, version=asked.version, standing=score.standing, total=score.total,
        expected=score.expected, fair=score.fair, low=score.low, high=score.high, growth=score.growth,
        against=list(found.against), gaps=[GapView.model_validate(gap) for gap in found.gaps],
        categories=[ShortfallView.model_validate(one) for one in found.categories],
    )  # fmt: skip
