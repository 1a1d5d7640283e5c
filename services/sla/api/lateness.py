"""How likely clocks are missed: said of one clock with its reasons, and of the shares that say so."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from services.sla import handlers
from services.sla.api.around import Context, Reader
from services.sla.domain import Clock
from services.sla.handlers import Forecast, Here
from services.sla.lateness.learning import HALF_LIFE_DAYS
from services.sla.lateness.rates import Step
from services.sla.store import lateness as store

router = APIRouter()


class LateView(BaseModel):
    """How likely a clock is missed, 0 to 1, and why, the weightiest reason first. `usual` is the share of them all.

    `version` names the shares it was said by, empty where nothing was learned yet.
    """

    probability: float
    usual: float
    why: list[str]
    version: str


class BinView(BaseModel):
    """Of clocks whose probability was in one tenth: how many, the mean that was said, the share that was late."""

    model_config = ConfigDict(from_attributes=True)
    n: int
    said: float
    late: float


class QualityView(BaseModel):
    """How probabilities did on the newest clocks, asked when so much of their time had `passed`.

    `brier` is the mean square of said less come (0 is best), `base` that of the plain share of them all; `auc` the
    share of pairs in the right order; `error` the expected calibration error over ten `bins`.
    """

    model_config = ConfigDict(from_attributes=True)
    passed: float
    n: int
    late: float
    brier: float
    base: float
    auc: float | None
    error: float
    bins: list[BinView]


class LatenessView(BaseModel):
    """What probabilities are said by: shares learned of so many clocks, and how earlier ones did on the newest.

    Without a `version` nothing was learned yet, and the city's `prior` is said of all. No `quality`: too few clocks.
    """

    prior: float
    half_life_days: float = HALF_LIFE_DAYS
    version: str | None = None
    made_at: datetime | None = None
    cases: int = 0
    fingerprint: str | None = None
    quality: list[QualityView] = []


@router.get("/lateness")
async def show_lateness(here: Context, _: Reader) -> LatenessView:
    """Show what probabilities are said by, and how well they held."""
    made, prior = await store.newest_lateness(here.database.pool), here.engine.city.supervision.prior
    if made is None:
        return LatenessView(prior=prior)
    return LatenessView(
        version=made.version, made_at=made.made_at, cases=made.cases, fingerprint=made.fingerprint, prior=prior,
        quality=[QualityView.model_validate(one) for one in made.quality],
    )  # fmt: skip


def late_view(here: Here, clock: Clock, now: datetime, language: str) -> LateView | None:
    """Return how likely a clock is missed, in a language; None once that is known."""
    said = handlers.forecast(here, clock, now)
    if said is None:
        return None
    why = [_sentence(here, clock, said, step, language) for step in said.reasons]
    if not why:
        text = "usual" if said.version else "unknown"
        why = [here.engine.messages.say(language, "lateness", text, share=f"{said.usual:.0%}")]
    return LateView(probability=round(said.chance, 4), usual=round(said.usual, 4), why=why, version=said.version)


def _sentence(here: Here, clock: Clock, said: Forecast, step: Step, language: str) -> str:
    engine, unit = here.engine, here.engine.city.units.get(clock.unit_code or "")
    return engine.messages.say(
        language, "lateness", step.what,
        kind=engine.messages.texts["lateness"]["of"][said.alike.kind], category=clock.category,
        unit={"zh": unit.name.zh, "en": unit.name.en} if unit else clock.unit_name,
        passed=f"{said.passed:.0%}", share=f"{step.share:.0%}", before=f"{step.before:.0%}",
    )  # fmt: skip
