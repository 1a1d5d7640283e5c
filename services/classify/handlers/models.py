"""Versions of models: train and measure in a process of their own, let one challenge, and watch what comes in.

A run is done by one process of all. If that ends before the run does, another begins it anew.
"""

import asyncio
import json
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import structlog
from prometheus_client import Gauge

from libs.common.messaging.ids import first_id
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import alone
from libs.common.versions import UnknownVersionError
from services.classify import store
from services.classify.domain import (
    Drift,
    Judged,
    Measures,
    Metrics,
    ModelVersion,
    NotPossibleError,
    Profile,
    Run,
    Task,
    drift,
    evaluated,
    first_profile,
    profile,
)
from services.classify.handlers.around import Here
from services.classify.versions import unpacked

POLL_SECONDS = 5.0
MOST_LESSONS = 50_000
"""The newest so many confirmed tickets teach; as many evaluate as take a minute."""
MOST_EVALUATED = 5_000
COUNT_EVERY = timedelta(hours=1)
COUNT_POLL_SECONDS = 60.0
COUNTED_DAYS = 3
"""Days that are counted again: by then nearly all corrections are in."""
WATCHED, REFERENCE = timedelta(days=7), timedelta(days=28)
KEPT = timedelta(days=90)
"""So long a challenger's answers are kept beside the champion's."""
_EVER = datetime(2000, 1, 1, tzinfo=UTC)
_ROOT = Path(__file__).parents[3]
_PROGRAM = ("-m", "services.classify.versions")
DRIFT = Gauge("jiesu_classify_drift_index", "Population stability index of level 1, last days against the reference")
DRIFTING = Gauge("jiesu_classify_drifting", "Whether what comes in is no longer what the model was trained for")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Watch:
    """What came in lately against what the model in force was trained for."""

    model: str
    reference: Profile | None
    now: Profile | None
    drift: Drift


async def request_run(tx: Tx, here: Here, task: Task, catalogue: str, model: str | None, by: str) -> Run:
    """Ask for a training or an evaluation; what waits or runs already is not asked for twice.

    Raises UnknownVersionError.
    """
    await tx.lock([store.ACTIVATIONS.subject])
    if await store.catalogue_of(tx.connection, catalogue) is None:
        raise UnknownVersionError("no catalogue has this version")
    for run in await store.open_runs(tx.connection):
        same = (run.task, run.catalogue) == (task, catalogue) and (task == "train" or run.model == model)
        # A training that runs has read its labels: what was confirmed since needs another.
        if same and (run.state == "waiting" or task == "evaluate"):
            return run
    run = Run(here.clock.new_id(), task, catalogue, model, by, "waiting", tx.now)
    await store.save_run(tx.connection, run)
    return run


async def challenge(tx: Tx, here: Here, name: str, by: str) -> None:
    """Have a model judge beside the one in force, to be counted. Raises UnknownVersionError or NotPossibleError."""
    await tx.lock([store.ACTIVATIONS.subject])
    model = await store.model_of(tx.connection, name)
    if model is None:
        raise UnknownVersionError("no model has this name")
    champion = here.engine
    if model.catalogue != champion.rules.catalogue.version:
        raise NotPossibleError("the model is of another catalogue than the one in force; their answers do not compare")
    if name == champion.model.name:
        raise NotPossibleError("the model is in force")
    if await store.arrays_of(tx.connection, name) is None:
        raise NotPossibleError(model.lost if model.by else "this model was made of the catalogue alone; train one")
    await store.set_challenge(tx, name, by)


async def dismiss(tx: Tx) -> None:
    """Let no model judge beside the one in force."""
    await tx.lock([store.ACTIVATIONS.subject])
    await store.end_challenge(tx)


async def do_runs(here: Here) -> float:
    """Do the trainings and evaluations that were asked for, one at a time."""
    pool = here.database.pool
    if not await store.open_runs(pool):
        return POLL_SECONDS
    async with alone(pool, store.RUN_LOCK) as leads:
        open_ = await store.open_runs(pool) if leads else []
        if not open_:
            return POLL_SECONDS
        await _do(here, open_[0])
    return 0


async def _do(here: Here, waiting: Run) -> None:
    pool = here.database.pool
    run = replace(waiting, state="running", started_at=here.clock.now())
    await store.save_run(pool, run)
    try:
        told, arrays = await _worked(here, run)
    except _FailedError as failed:
        log.error("run failed", task=run.task, error=str(failed))
        await store.save_run(pool, replace(run, state="failed", ended_at=here.clock.now(), error=str(failed)))
        return
    if run.task == "train":
        await _keep_trained(here, run, told, arrays)
    else:
        await _keep_evaluated(here, run, told)


class _FailedError(RuntimeError):
    """The training process did not do its task; the text says why."""


async def _worked(here: Here, run: Run) -> tuple[dict[str, Any], bytes]:
    """Have a process of its own do a run. Raises _FailedError."""
    pool, arrays, since, most = here.database.pool, b"", _EVER, MOST_LESSONS
    model = await store.model_of(pool, run.model) if run.task == "evaluate" and run.model else None
    if model:
        arrays, since, most = await store.arrays_of(pool, model.name) or b"", model.trained_at, MOST_EVALUATED
    files = unpacked(cast(bytes, await store.files_of(pool, run.catalogue)))
    task = {
        "files": {name: content.decode() for name, content in files.items()},
        "units": {unit.code: unit.kind for unit in here.engine.bench.city.units.values()},
        "lessons": await store.lessons(pool, since, most),
        "model": model.name if model else None,
        "lost": model.lost if model else None,
    }
    # JSON of some MB takes a while, and so does reading it.
    sent = await asyncio.to_thread(lambda: json.dumps(task, ensure_ascii=False).encode() + b"\n" + arrays)
    answer, _, made = (await _asked(sent)).partition(b"\n")
    told: dict[str, Any] = json.loads(answer)
    if told.get("error"):
        raise _FailedError(told["error"])
    return told, made


async def _asked(sent: bytes) -> bytes:
    """Put a task to a new training process, which ends with it and gives all its memory back.

    Ctrl-C in a terminal is for us alone: what it stops is begun anew, and has not failed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, *_PROGRAM,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        cwd=_ROOT, start_new_session=True,
    )  # fmt: skip
    try:
        answer, errors = await process.communicate(sent)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        # The last line of a traceback begins with the error's name; what is behind it may quote a text.
        (last,) = errors.decode(errors="replace").strip().splitlines()[-1:] or [""]
        log.error("training process", ended=process.returncode, error=last.partition(":")[0])
        raise _FailedError(f"the training process ended with {process.returncode}; the log says more")
    return answer


async def _keep_trained(here: Here, run: Run, told: dict[str, Any], arrays: bytes) -> None:
    now = here.clock.now()
    metrics = Metrics(_measures(told["phrases"]), _measures(told["confirmed"]))
    today = here.engine.detector.today(now)
    reference = profile(await store.days(here.database.pool, today - REFERENCE, today - timedelta(days=1)))
    model = ModelVersion(
        told["name"], run.catalogue, now, run.by, told["data"], told["labels"], told["examples"], metrics, reference
    )  # fmt: skip
    async with here.database.begin() as tx:
        # Nobody may put a model in force while the arrays of old ones are dropped.
        await tx.lock([store.ACTIVATIONS.subject])
        known = await store.model_of(tx.connection, model.name)
        # The same data make the same model: what was measured of it since stays.
        await store.save_model(tx, known or model, arrays)
        await store.save_run(tx.connection, replace(run, state="done", ended_at=now, model=model.name))


async def _keep_evaluated(here: Here, run: Run, told: dict[str, Any]) -> None:
    async with here.database.begin() as tx:
        model = await store.model_of(tx.connection, run.model or "")
        if model:
            await store.save_model(tx, evaluated(model, _measures(told["later"]), tx.now))
        await store.save_run(tx.connection, replace(run, state="done", ended_at=tx.now))


def _measures(told: dict[str, Any] | None) -> Measures | None:
    return Measures(**told) if told else None


async def count_judged(here: Here) -> float:
    """Count what was judged on the last days, once an hour by one process of all, and tell how far it drifted."""
    pool, now, detector = here.database.pool, here.clock.now(), here.engine.detector
    if await store.claim_count(pool, now, now - COUNT_EVERY):
        levels = {question.code: question.l1 for question in here.engine.rules.catalogue}
        for back in range(COUNTED_DAYS):
            day = detector.today(now) - timedelta(days=back)
            first, end = (first_id(detector.midnight(on)) for on in (day, day + timedelta(days=1)))
            counted = await store.day(pool, day, first, end, levels)
            async with here.database.begin() as tx:
                await store.save_day(tx, day, counted)
        await store.purge_challenged(pool, now - KEPT)
    watched = await drift_of(here)
    DRIFT.set(watched.drift.index or 0)
    DRIFTING.set(watched.drift.drifting)
    return min(COUNT_POLL_SECONDS, max(0.05, here.clock.real_seconds(COUNT_EVERY) / 4))


async def drift_of(here: Here) -> Watch:
    """Compare the last week with the reference of the model in force: what came in before it was trained, or first."""
    pool, now, name = here.database.pool, here.clock.now(), here.engine.model.name
    today = here.engine.detector.today(now)
    model = await store.model_of(pool, name)
    reference = model.reference if model else None
    if reference is None:
        stack = await store.ACTIVATIONS.standing(pool, now)
        since = here.engine.detector.today(stack[-1].from_at) if stack else today
        reference = first_profile(await store.days(pool, since, today))
    lately: list[Judged] = await store.days(pool, today - WATCHED + timedelta(days=1), today)
    current = profile(lately)
    return Watch(name, reference, current, drift(reference, current))
