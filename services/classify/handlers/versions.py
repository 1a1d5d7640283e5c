"""Versions of the catalogue: take one in, say from when on it judges, go back, and judge by what is in force."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg
import structlog

from libs.common.city.catalogue import Catalogue, read_catalogue
from libs.common.city.problems import Problems
from libs.common.messaging.transaction import Tx
from libs.common.runtime.clock import Clock
from libs.common.runtime.settings import Settings
from libs.common.versions import Taken, UnknownVersionError
from services.classify import store
from services.classify.domain import (
    Activation,
    CatalogueVersion,
    Change,
    Metrics,
    ModelVersion,
    NotPossibleError,
    before,
    changes,
)
from services.classify.handlers.around import Bench, Engine, Here
from services.classify.model import Model, fingerprint
from services.classify.model.meaning import ARCHIVE, Meaning
from services.classify.versions import data_of, packed, remade, unpacked

POLL_SECONDS = 2.0
LEAST_QUESTIONS = 5
"""A guess comes with three others."""

log = structlog.get_logger(__name__)


async def take_in(
    here: Here, files: Mapping[str, bytes], note: str | None, by: str, *, dry_run: bool
) -> Taken[CatalogueVersion, Change]:
    """Check the files of a catalogue and keep them. Raises CityError with every problem found."""
    engine = here.engine
    catalogue = await asyncio.to_thread(_checked, files, engine.bench)
    version = CatalogueVersion(catalogue.version, here.clock.now(), by, note, len(catalogue))
    now = engine.rules.catalogue
    changed = await asyncio.to_thread(changes, now, catalogue)
    known = await store.catalogue_of(here.database.pool, version.version)
    if known or dry_run:
        return Taken(known or version, known is None, now.version, changed)
    kept = await asyncio.to_thread(packed, files)
    async with here.database.begin() as tx:
        new = await store.add_catalogue(tx, version, kept)
    return Taken(version, new, now.version, changed)


def _checked(files: Mapping[str, bytes], bench: Bench) -> Catalogue:
    problems = Problems()
    catalogue = read_catalogue(files, _units(bench), problems)
    if len(catalogue) < LEAST_QUESTIONS:
        problems.add("catalogue", f"should hold at least {LEAST_QUESTIONS} questions")
    problems.raise_if_any()
    return catalogue


def _units(bench: Bench) -> dict[str, str]:
    return {unit.code: unit.kind for unit in bench.city.units.values()}


async def read_version(connection: Any, engine: Engine, version: str) -> Catalogue:
    """Return a catalogue that was imported. Raises UnknownVersionError."""
    bench = engine.bench
    for known in (engine.rules.catalogue, bench.city.catalogue):
        if known.version == version:
            return known
    return await _read(connection, bench, version)


async def _read(connection: Any, bench: Bench, version: str) -> Catalogue:
    files = await store.files_of(connection, version)
    if files is None:
        raise UnknownVersionError("no catalogue has this version")
    # It was checked when it came in; a unit that is gone since is no reason to judge by nothing.
    return await asyncio.to_thread(lambda: read_catalogue(unpacked(files), _units(bench), Problems()))


async def able(connection: Any, *catalogues: str) -> dict[str, list[str]]:
    """Return the models of each catalogue that can judge here, the one trained last first.

    Of those without arrays that is the one which this release makes of the catalogue: an earlier one's is another.
    """
    meaning = Meaning.load(ARCHIVE)
    own = [fingerprint(catalogue, meaning) for catalogue in catalogues]
    found = await store.models_for(connection, catalogues, own)
    return {version: [name for catalogue, name in found if catalogue == version] for version in catalogues}


async def activate(
    tx: Tx, here: Here, catalogue: str, model: str | None, at: datetime | None, reason: str | None, by: str
) -> Activation:  # fmt: skip
    """Have a catalogue judge from a time on, with the model of it that is named or was trained last.

    Raises:
        UnknownVersionError: there is no such catalogue or model.
        NotPossibleError: no model of the catalogue can judge.
    """
    await tx.lock([store.ACTIVATIONS.subject])
    if await store.catalogue_of(tx.connection, catalogue) is None:
        raise UnknownVersionError("no catalogue has this version")
    names = (await able(tx.connection, catalogue))[catalogue]
    if model and model not in names:
        raise await _lost(tx, catalogue, model)
    if not names:
        raise NotPossibleError("no model was trained of this catalogue; train one first")
    from_at = max(at or tx.now, tx.now)
    activation = Activation(here.clock.new_id(), from_at, catalogue, model or names[0], by, reason, tx.now)
    return await store.ACTIVATIONS.put(tx, activation)


async def _lost(tx: Tx, catalogue: str, name: str) -> Exception:
    """Return what to say of a model that cannot judge."""
    found = await store.model_of(tx.connection, name)
    if found is None or found.catalogue != catalogue:
        return UnknownVersionError("no model of this catalogue has this name")
    return NotPossibleError(found.lost)


async def roll_back(tx: Tx, here: Here, reason: str | None, by: str, *, catalogue: bool) -> Activation:
    """Go back to the catalogue, or to the model of this catalogue, that judged before. Raises NotPossibleError."""
    await tx.lock([store.ACTIVATIONS.subject])
    stack = await store.ACTIVATIONS.standing(tx.connection, tx.now)
    back_to = before(stack, catalogue=catalogue)
    if back_to is None:
        what = "catalogue" if catalogue else "model of this catalogue"
        raise NotPossibleError(f"no other {what} judged before")
    if back_to.model not in (await able(tx.connection, back_to.catalogue))[back_to.catalogue]:
        raise await _lost(tx, *back_to.what)
    activation = Activation(
        here.clock.new_id(), tx.now, *back_to.what, by, reason, tx.now, back_to=back_to.activation_id
    )  # fmt: skip
    await store.ACTIVATIONS.save(tx, activation)
    return activation


async def begin(settings: Settings, bench: Bench) -> Engine:
    """Return the engine a process starts with: by what a person set in force, or else by the pack it has."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        stack = await store.ACTIVATIONS.standing(connection, Clock.parse(settings.clock).now())
        if stack and stack[-1].by is not None:
            return await _fitted(connection, bench, stack[-1])
    finally:
        await connection.close()
    return bench.fit(bench.city.catalogue, Model.load_or_train(bench.city.catalogue, bench.models))


async def keep_current(here: Here) -> float:
    """Follow what is in force, in every process: make the engine for it beside the loop, and swap it whole."""
    if here.engine.asked is None:
        await _bring_pack(here)
    pool, engine = here.database.pool, here.engine
    due = (await store.ACTIVATIONS.standing(pool, here.clock.now()))[-1]
    challenge = await store.challenge(pool)
    asked = (*due.what, challenge.model if challenge else None)
    if asked == engine.asked:
        return POLL_SECONDS
    before_it = engine.asked[:2] if engine.asked else (engine.rules.catalogue.version, engine.model.name)
    if due.what != before_it:
        engine = await _fitted(pool, engine.bench, due)
        # Without it a look for hot events that is under way would find nothing usual.
        await asyncio.to_thread(engine.detector.use, await store.baseline(pool))
        log.info("judging by", catalogue=due.catalogue, model=engine.model.name)
    here.engine = replace(engine, challenger=await _challenger(pool, engine, asked[2]), asked=asked)
    return POLL_SECONDS


async def _fitted(connection: Any, bench: Bench, due: Activation) -> Engine:
    """Return an engine for what is in force; if this release cannot read its model, with one of the catalogue alone."""
    own = bench.city.catalogue
    catalogue = own if own.version == due.catalogue else await _read(connection, bench, due.catalogue)
    arrays = await store.arrays_of(connection, due.model)
    model = await _remade(catalogue, due.model, arrays)
    if model is None:
        model = await asyncio.to_thread(Model.load_or_train, catalogue, bench.models)
    if model.name != due.model:
        log.warning("this release cannot read the model in force; train it again", model=due.model, by=model.name)
    return await asyncio.to_thread(bench.fit, catalogue, model)


async def _challenger(connection: Any, engine: Engine, name: str | None) -> Model | None:
    """Return the model that judges beside, if it is another one of this catalogue that this release can read."""
    found = await store.model_of(connection, name) if name else None
    catalogue = engine.rules.catalogue
    if found is None or found.catalogue != catalogue.version or found.name == engine.model.name:
        return None
    arrays = await store.arrays_of(connection, found.name)
    return await _remade(catalogue, found.name, arrays)


async def _remade(catalogue: Catalogue, name: str, arrays: bytes | None) -> Model | None:
    meaning = await asyncio.to_thread(Meaning.load, ARCHIVE)
    return await asyncio.to_thread(remade, catalogue, name, arrays, meaning) if arrays else None


async def _bring_pack(here: Here) -> None:
    """Put the pack's own catalogue among the versions, and in force unless a person set another."""
    bench, now = here.engine.bench, here.clock.now()
    catalogue = bench.city.catalogue
    name = await asyncio.to_thread(fingerprint, catalogue.version, Meaning.load(ARCHIVE))
    async with here.database.begin() as tx:
        await tx.lock([store.ACTIVATIONS.subject])
        kept = CatalogueVersion(catalogue.version, now, None, None, len(catalogue))
        await store.add_catalogue(tx, kept, bench.files)
        if await store.model_of(tx.connection, name) is None:
            data = data_of(catalogue, ())
            await store.save_model(tx, ModelVersion(name, catalogue.version, now, None, data, 0, {}, Metrics()))
        own = Activation(here.clock.new_id(), tx.now, catalogue.version, name, None, None, tx.now)
        await store.ACTIVATIONS.bring(tx, own)
