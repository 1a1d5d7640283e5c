"""What a unit reads of its month: a diagnosis rather than a place in a list."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.feedback import Standing
from libs.common.contracts.vocabulary import UnitRef
from services.feedback.api.around import Context, Reader, UnitCode
from services.feedback.api.bulletins import MESSAGES, Reading
from services.feedback.api.scores import Version, published
from services.feedback.domain.bulletins import category_in
from services.feedback.domain.diagnosis import Shortfall
from services.feedback.domain.periods import MONTH
from services.feedback.handlers import Here, diagnosis
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

    `name` is what it is called in the reader's language; level 2 has Chinese names alone.
    `practices` are what its `helpers` do better there, as the record has it now: a lead to follow, not a proof.
    """

    category: tuple[str, str]
    name: str
    answers: int
    value: float
    expected: float
    lost: float
    helpers: list[HelperView]
    practices: list[GapView]


class AheadView(BaseModel):
    """What the unit did before anyone asked: orders in time with evidence, effects proven, points for both."""

    model_config = ConfigDict(from_attributes=True)
    orders: int
    proven: int
    points: float


class DiagnosisView(BaseModel):
    """What falls short in a month (`gaps`, to the median of the peers), `against` whom, in which categories most.

    `points` is the total out of 100 with what was `earned` by work before the appeal (`ahead`) and what was `deducted`.
    """

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
    earned: float
    deducted: float
    points: float | None
    ahead: AheadView | None
    against: list[UnitRef]
    gaps: list[GapView]
    categories: list[ShortfallView]


@router.get("/diagnosis/{unit}")
async def show_diagnosis(
    here: Context, who: Reader, unit: UnitCode,
    period: Annotated[str, Query(pattern=MONTH, description="A month, e.g. 2026-11")], version: Version = None,
    accept: Reading = "",
) -> DiagnosisView:  # fmt: skip
    """Show what a published month says of a unit: where it falls short, against whom, and what helped others."""
    seen_units(here, who, unit)
    asked = await published(here, period, version)
    found = await diagnosis.with_practices(here, await diagnosis.diagnose(here, asked, unit))
    score = found.score
    return DiagnosisView(
        unit=score.unit, period=score.period, version=asked.version, standing=score.standing, total=score.total,
        expected=score.expected, fair=score.fair, low=score.low, high=score.high, growth=score.growth,
        earned=score.earned, deducted=score.deducted, points=score.points,
        ahead=AheadView.model_validate(found.ahead) if found.ahead else None, against=list(found.against),
        gaps=[GapView.model_validate(gap) for gap in found.gaps],
        categories=[_shortfall(here, one, MESSAGES.preferred(accept)) for one in found.categories],
    )  # fmt: skip


def _shortfall(here: Here, one: Shortfall, language: str) -> ShortfallView:
    return ShortfallView(
        category=one.category, name=MESSAGES.read(category_in(here.engine.city.categories, one.category), language),
        answers=one.answers, value=one.value, expected=one.expected, lost=one.lost,
        helpers=[HelperView.model_validate(helper) for helper in one.helpers],
        practices=[GapView.model_validate(gap) for gap in one.practices],
    )  # fmt: skip
