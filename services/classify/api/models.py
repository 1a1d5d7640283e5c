"""HTTP of versions of models: train, measure, compare, promote, go back, and watch for drift."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.common.runtime.http import Body, Moment
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.versions import UnknownVersionError
from libs.common.versions.http import Changes, Hash, Reads, Reason, RollBackCommand
from services.classify import handlers, store
from services.classify.api.around import Context, commanding
from services.classify.api.versions import ActivationView, activated, rolled_back
from services.classify.domain import ModelVersion, Profile, Run, RunState, Task
from services.classify.handlers import Here
from services.classify.store import Tally

router = APIRouter()


class MeasuresView(BaseModel):
    """How often a model was right about texts it had not learnt, as shares; `top3` among its first three.

    `owner`: the same unit, or the same kind of place, would have to act. `calibration_error`: how far its confidence
    lies from how often it is right.
    """

    texts: int
    level1: float
    level3: float
    top3: float
    owner: float
    calibration_error: float


class MetricsView(BaseModel):
    """Measured on a phrase of each question and on the newest confirmed tickets, both held out from training.

    `later` are tickets confirmed after it was trained, as they were when it was evaluated at `later_at`.
    """

    phrases: MeasuresView | None
    confirmed: MeasuresView | None
    later: MeasuresView | None
    later_at: datetime | None


class TallyView(BaseModel):
    """How a challenger did against a champion on the same tickets.

    `agreed` of `tickets` they took for the same; of those `confirmed` by people since, each was right so often.
    """

    champion: str
    tickets: int
    agreed: int
    confirmed: int
    hits: int
    champion_hits: int


class ModelView(BaseModel):
    """A model. `data` is the fingerprint of the catalogue and the labels it learnt, `examples` those by level 1."""

    name: str
    catalogue: str
    trained_at: datetime
    by: str | None
    data: str
    labels: int
    examples: Mapping[str, int]
    metrics: MetricsView
    in_force: bool
    challenger: bool


class ModelStory(ModelView):
    """A model, and how it did as a challenger against each champion, the last one first."""

    can_judge: bool
    challenges: list[TallyView]


class RunView(BaseModel):
    """A training or an evaluation. `model` is the one that was trained, once it is, or the one that is evaluated."""

    run_id: UUID
    task: Task
    state: RunState
    catalogue: str
    model: str | None
    by: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    error: str | None


class ProfileView(BaseModel):
    """What came in on some days: shares of level 1, mean confidence, the shares that waited and were corrected."""

    since: date
    until: date
    tickets: int
    level1: Mapping[str, float]
    confidence: float
    held: float
    corrected: float


class DriftView(BaseModel):
    """The last seven days against what came in before the model was trained; null while there is too little of either.

    `index` is the population stability index of level 1; over 0.25 the model is said to drift, as it is when confidence
    falls by 0.1, or the share of held tickets rises by 0.1 or that of corrected ones by 0.05. `reasons` say which.
    """

    model: str
    drifting: bool
    reasons: tuple[str, ...]
    index: float | None
    reference: ProfileView | None
    now: ProfileView | None


class TrainCommand(Body):
    """Of which catalogue to train a model; of the one in force if none is named."""

    catalogue: Hash | None = None


class PromoteCommand(Body):
    """From when on a model judges, at once if no time is given, and why."""

    at: Moment | None = None
    reason: Reason | None = None


@router.get("/models")
async def list_models(here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> list[ModelView]:
    """List the models that were trained last."""
    return [ModelView(**_fields(here, model)) for model in await store.models(here.database.pool, limit)]


@router.post("/models/train", status_code=202)
async def train_model(here: Context, who: Changes, said: TrainCommand) -> RunView:
    """Train a model, in the background, of a catalogue and of all that people and rulings said of tickets."""
    return await _requested(here, "train", said.catalogue or here.engine.rules.catalogue.version, None, who.name)


@router.get("/models/runs")
async def list_runs(here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 20) -> list[RunView]:
    """List the trainings and evaluations that were asked for last."""
    return [_run(run) for run in await store.runs(here.database.pool, limit)]


@router.get("/models/runs/{run_id}")
async def show_run(here: Context, _: Reads, run_id: UUID) -> RunView:
    """Show how a training or an evaluation goes."""
    run = await store.run_of(here.database.pool, run_id)
    if run is None:
        raise Problem(404, "no run has this id")
    return _run(run)


@router.get("/models/drift")
async def show_drift(here: Context, _: Reads) -> DriftView:
    """Say whether what comes in still is what the model in force was trained for."""
    watched = await handlers.drift_of(here)
    return DriftView(
        model=watched.model, drifting=watched.drift.drifting, reasons=watched.drift.reasons, index=watched.drift.index,
        reference=_profile(watched.reference), now=_profile(watched.now),
    )  # fmt: skip


@router.post("/models/roll-back")
async def roll_model_back(here: Context, who: Changes, said: RollBackCommand) -> ActivationView:
    """Go back to the model of this catalogue that judged before."""
    return await rolled_back(here, who, said.reason, catalogue=False)


@router.delete("/models/challenger", status_code=204)
async def dismiss_challenger(here: Context, _: Changes) -> None:
    """Let no model judge beside the one in force."""
    async with here.database.begin() as tx:
        await handlers.dismiss(tx)
    here.loops["versions"].wake()


@router.get("/models/{name}")
async def show_model(here: Context, _: Reads, name: Hash) -> ModelStory:
    """Show a model, with champion and challenger side by side."""
    model = await _known(here, name)
    return await _story(here, model)


@router.post("/models/{name}/evaluate", status_code=202)
async def evaluate_model(here: Context, who: Changes, name: Hash) -> RunView:
    """Measure a model, in the background, on what people confirmed after it was trained."""
    model = await _known(here, name)
    if name not in (await handlers.able(here.database.pool, model.catalogue))[model.catalogue]:
        raise Problem(409, model.lost)
    return await _requested(here, "evaluate", model.catalogue, name, who.name)


@router.post("/models/{name}/challenge")
async def challenge_champion(here: Context, who: Changes, name: Hash) -> ModelStory:
    """Have a model judge beside the one in force; what it says is counted and does nothing."""
    async with commanding(here) as tx:
        await handlers.challenge(tx, here, name, who.name)
    here.loops["versions"].wake()
    return await _story(here, await _known(here, name))


@router.post("/models/{name}/promote")
async def promote_model(here: Context, who: Changes, name: Hash, said: PromoteCommand) -> ActivationView:
    """Have a model judge, from a time on, with the catalogue it was trained of."""
    model = await _known(here, name)
    return await activated(here, who, model.catalogue, name, said.at, said.reason)


async def _requested(here: Here, task: Task, catalogue: str, model: str | None, by: str) -> RunView:
    try:
        async with here.database.begin() as tx:
            run = await handlers.request_run(tx, here, task, catalogue, model, by)
    except UnknownVersionError as error:
        raise wrong_field("catalogue", "must be the version of a catalogue that was imported") from error
    here.loops["training"].wake()
    return _run(run)


async def _known(here: Here, name: str) -> ModelVersion:
    model = await store.model_of(here.database.pool, name)
    if model is None:
        raise Problem(404, "no model has this name")
    return model


def _fields(here: Here, model: ModelVersion) -> dict[str, Any]:
    metrics = model.metrics
    phrases, confirmed, later = (
        MeasuresView.model_validate(m, from_attributes=True) if m else None
        for m in (metrics.phrases, metrics.confirmed, metrics.later)
    )
    return {
        "name": model.name,
        "catalogue": model.catalogue,
        "trained_at": model.trained_at,
        "by": model.by,
        "data": model.data,
        "labels": model.labels,
        "examples": model.examples,
        "metrics": MetricsView(phrases=phrases, confirmed=confirmed, later=later, later_at=metrics.later_at),
        "in_force": here.engine.asked is not None and here.engine.asked[1] == model.name,
        "challenger": here.engine.challenger is not None and here.engine.challenger.name == model.name,
    }


async def _story(here: Here, model: ModelVersion) -> ModelStory:
    pool = here.database.pool
    tallies = [_tally(one) for one in await store.tallies(pool, model.name)]
    able = await handlers.able(pool, model.catalogue)
    return ModelStory(**_fields(here, model), can_judge=model.name in able[model.catalogue], challenges=tallies)


def _tally(tally: Tally) -> TallyView:
    return TallyView.model_validate(tally, from_attributes=True)


def _run(run: Run) -> RunView:
    return RunView.model_validate(run, from_attributes=True)


def _profile(profile: Profile | None) -> ProfileView | None:
    return ProfileView.model_validate(profile, from_attributes=True) if profile else None
