"""HTTP of versions of the catalogue: take one in, compare, say from when on it judges, go back."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Query, UploadFile
from pydantic import BaseModel

from libs.common.city.problems import CityError
from libs.common.runtime.http import Body, Moment
from libs.common.runtime.problems import wrong_field
from libs.common.runtime.security import Principal
from libs.common.versions import UnknownVersionError
from libs.common.versions.http import Changes, Hash, Reads, Reason, RollBackCommand, refused
from services.classify import handlers, store
from services.classify.api.around import Category, Context, commanding
from services.classify.domain import Activation, CatalogueVersion, Change, What, changes
from services.classify.handlers import Here
from services.classify.versions import ParcelError, opened

router = APIRouter()
MOST_CHANGES = 20_000


class CatalogueVersionView(BaseModel):
    """A catalogue that was imported. `by` is null for the city pack's own, `models` those that can judge by it."""

    version: str
    imported_at: datetime
    by: str | None
    note: str | None
    questions: int
    models: list[str]
    in_force: bool


class ChangeView(BaseModel):
    """One thing in which a question differs."""

    code: str
    category: Category
    what: What
    before: str
    after: str


class DifferenceView(BaseModel):
    """In what a catalogue differs from another: how many changes of each kind, and all of them."""

    version: str
    against: str
    counts: dict[What, int]
    changes: list[ChangeView]


class ImportView(BaseModel):
    """What became of an import: whether the catalogue is new (or would be, in a dry run), and what it changes."""

    catalogue: CatalogueVersionView
    new: bool
    dry_run: bool
    difference: DifferenceView


class ActivationView(BaseModel):
    """From when on a catalogue and a model judge. `by` is null where the city pack of a release set it."""

    activation_id: UUID
    from_at: datetime
    catalogue: str
    model: str
    by: str | None
    reason: str | None
    made_at: datetime
    back_to: UUID | None
    cancelled_at: datetime | None


class StandingView(BaseModel):
    """What is in force, what the process that answers judges by, and what was made known, the last first.

    The process is behind for some seconds after a change; after a release it may judge by another model than the one
    in force, if it cannot read that one.
    """

    in_force: ActivationView | None
    judging_by: tuple[str, str]
    activations: list[ActivationView]


class ActivateCommand(Body):
    """From when on a catalogue judges, at once if `at` is not given, and with which model, the newest if none is."""

    model: Hash | None = None
    at: Moment | None = None
    reason: Reason | None = None


@router.get("/catalogues")
async def list_catalogues(
    here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[CatalogueVersionView]:
    """List the catalogues that were imported last."""
    return await _views(here, await store.catalogues(here.database.pool, limit))


@router.post("/catalogues")
async def import_catalogue(
    here: Context,
    who: Changes,
    files: Annotated[list[UploadFile], File(description="The CSV files of a catalogue, or one zip archive of them.")],
    *,
    dry_run: Annotated[bool, Query(description="Only say what is wrong and what would change.")] = False,
    note: Reason | None = None,
) -> ImportView:
    """Take a catalogue in; it judges only once it was activated. The same files again are the same version."""
    try:
        sent = [(file.filename or "", await file.read()) for file in files]
        parts = await asyncio.to_thread(opened, sent)
        taken = await handlers.take_in(here, parts, note, who.name, dry_run=dry_run)
    except ParcelError as error:
        raise wrong_field("files", str(error)) from error
    except CityError as error:
        raise refused("the catalogue has", error) from error
    (view,) = await _views(here, [taken.version])
    return ImportView(
        catalogue=view, new=taken.new, dry_run=dry_run,
        difference=_difference(taken.version.version, taken.against, taken.changes),
    )  # fmt: skip


@router.get("/catalogues/{version}")
async def show_catalogue_version(here: Context, _: Reads, version: Hash) -> CatalogueVersionView:
    """Show a catalogue that was imported."""
    found = await store.catalogue_of(here.database.pool, version)
    if found is None:
        raise UnknownVersionError("no catalogue has this version")
    return (await _views(here, [found]))[0]


@router.get("/catalogues/{version}/diff")
async def compare_catalogues(
    here: Context,
    _: Reads,
    version: Hash,
    against: Annotated[Hash | None, Query(description="Another version; by default the one in force.")] = None,
) -> DifferenceView:
    """Say in what a catalogue differs from another."""
    engine, pool = here.engine, here.database.pool
    old = await handlers.read_version(pool, engine, against or engine.rules.catalogue.version)
    new = await handlers.read_version(pool, engine, version)
    return _difference(new.version, old.version, await asyncio.to_thread(changes, old, new))


@router.post("/catalogues/{version}/activate")
async def activate_catalogue(here: Context, who: Changes, version: Hash, said: ActivateCommand) -> ActivationView:
    """Have a catalogue judge, from a time on. It needs a model that was trained of it."""
    return await activated(here, who, version, said.model, said.at, said.reason)


@router.post("/catalogues/roll-back")
async def roll_catalogue_back(here: Context, who: Changes, said: RollBackCommand) -> ActivationView:
    """Go back to the catalogue that judged before, with the model it had."""
    return await rolled_back(here, who, said.reason, catalogue=True)


@router.get("/activations")
async def list_activations(
    here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> StandingView:  # fmt: skip
    """Show which catalogue and model are in force, and which were or will be."""
    pool, engine = here.database.pool, here.engine
    stack = await store.ACTIVATIONS.standing(pool, here.clock.now())
    return StandingView(
        in_force=_activation(stack[-1]) if stack else None,
        judging_by=(engine.rules.catalogue.version, engine.model.name),
        activations=[_activation(one) for one in await store.ACTIVATIONS.last(pool, limit)],
    )


@router.delete("/activations/{activation_id}")
async def cancel_activation(here: Context, _: Changes, activation_id: UUID) -> ActivationView:
    """Take back an activation that is still to come."""
    async with here.database.begin() as tx:
        return _activation(await store.ACTIVATIONS.cancel(tx, activation_id))


async def activated(
    here: Here, who: Principal, catalogue: str, model: str | None, at: datetime | None, reason: str | None
) -> ActivationView:
    """Activate a catalogue with a model, and answer as HTTP does."""
    if at and at < here.clock.now():
        raise wrong_field("at", "must not be in the past")
    async with commanding(here) as tx:
        activation = await handlers.activate(tx, here, catalogue, model, at, reason, who.name)
    here.loops["versions"].wake()
    return _activation(activation)


async def rolled_back(here: Here, who: Principal, reason: str | None, *, catalogue: bool) -> ActivationView:
    """Roll back, and answer as HTTP does."""
    async with commanding(here) as tx:
        activation = await handlers.roll_back(tx, here, reason, who.name, catalogue=catalogue)
    here.loops["versions"].wake()
    return _activation(activation)


async def _views(here: Here, versions: Sequence[CatalogueVersion]) -> list[CatalogueVersionView]:
    able = await handlers.able(here.database.pool, *(one.version for one in versions))
    now = here.engine.rules.catalogue.version
    return [
        CatalogueVersionView(
            version=one.version, imported_at=one.imported_at, by=one.by, note=one.note, questions=one.questions,
            models=able[one.version], in_force=one.version == now,
        )
        for one in versions
    ]  # fmt: skip


def _difference(version: str, against: str, found: Sequence[Change]) -> DifferenceView:
    counts: dict[What, int] = {}
    for change in found:
        counts[change.what] = counts.get(change.what, 0) + 1
    views = [
        ChangeView(code=c.code, category=c.category, what=c.what, before=c.before, after=c.after)
        for c in found[:MOST_CHANGES]
    ]  # fmt: skip
    return DifferenceView(version=version, against=against, counts=counts, changes=views)


def _activation(one: Activation) -> ActivationView:
    return ActivationView(
        activation_id=one.activation_id, from_at=one.from_at, catalogue=one.catalogue, model=one.model, by=one.by,
        reason=one.reason, made_at=one.made_at, back_to=one.back_to, cancelled_at=one.cancelled_at,
    )  # fmt: skip
