"""HTTP of versions of the policies: take them in, compare, say from when on they judge, go back."""

import asyncio
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Query, UploadFile
from pydantic import BaseModel, ConfigDict

from libs.common.city.problems import CityError
from libs.common.city.versions import TextVersion, standing
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.versions import UnknownVersionError
from libs.common.versions.http import (
    ActivateCommand,
    ActivationView,
    Changes,
    Hash,
    Reads,
    Reason,
    RollBackCommand,
    TextView,
    VersionView,
    refused,
)
from services.sla.api.around import Context
from services.sla.domain.versions import Change, changes
from services.sla.handlers import Here, policies
from services.sla.store.policies import POLICIES

router = APIRouter()
MOST_BYTES = 1024 * 1024


class PolicyChangeView(BaseModel):
    """One thing that differs: of a rule, a pause, an extension or the reopening; and the key, or all of it."""

    model_config = ConfigDict(from_attributes=True)
    what: str
    name: str
    key: str
    before: str
    after: str


class PoliciesDifferenceView(BaseModel):
    """In what policies differ from others: how many changes of each kind, and all of them."""

    version: str
    against: str
    counts: dict[str, int]
    changes: list[PolicyChangeView]


class PoliciesImportView(BaseModel):
    """What became of an import: whether the policies are new (or would be, in a dry run), and what they change."""

    policies: VersionView
    new: bool
    dry_run: bool
    difference: PoliciesDifferenceView


class PoliciesStandingView(BaseModel):
    """What is in force, what the process that answers judges by, and what was made known, the last first."""

    in_force: ActivationView | None
    judging_by: str
    activations: list[ActivationView]


@router.get("/policies")
async def list_policies(
    here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[VersionView]:  # fmt: skip
    """List the policies that were imported last."""
    return [_view(here, version) for version in await POLICIES.last(here.database.pool, limit)]


@router.post("/policies")
async def import_policies(
    here: Context,
    who: Changes,
    file: Annotated[UploadFile, File(description="A policies.toml.")],
    *,
    dry_run: Annotated[bool, Query(description="Only say what is wrong and what would change.")] = False,
    note: Reason | None = None,
) -> PoliciesImportView:
    """Take policies in; they judge only once they were activated. The same file again is the same version."""
    text = await file.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise wrong_field("file", f"should hold at most {MOST_BYTES} bytes")
    try:
        taken = await policies.take_in(here, text, note, who.name, dry_run=dry_run)
    except CityError as error:
        raise refused("the policies have", error) from error
    return PoliciesImportView(
        policies=_view(here, taken.version), new=taken.new, dry_run=dry_run,
        difference=_difference(taken.version.version, taken.against, taken.changes),
    )  # fmt: skip


@router.get("/policies/activations")
async def list_policies_activations(
    here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> PoliciesStandingView:  # fmt: skip
    """Show which policies are in force, and which were or will be."""
    pool, now = here.database.pool, here.clock.now()
    stack = standing(await POLICIES.activations.all(pool), now)
    return PoliciesStandingView(
        in_force=ActivationView.model_validate(stack[-1]) if stack else None,
        judging_by=here.engine.book.at(now).version,
        activations=[ActivationView.model_validate(one) for one in await POLICIES.activations.last(pool, limit)],
    )


@router.delete("/policies/activations/{activation_id}")
async def cancel_policies_activation(here: Context, _: Changes, activation_id: UUID) -> ActivationView:
    """Take back an activation that is still to come."""
    async with here.database.begin() as tx:
        activation = await POLICIES.activations.cancel(tx, activation_id)
    here.loops["policies"].wake()
    return ActivationView.model_validate(activation)


@router.post("/policies/roll-back")
async def roll_policies_back(here: Context, who: Changes, said: RollBackCommand) -> ActivationView:
    """Go back to the policies that judged before."""
    async with here.database.begin() as tx:
        activation = await POLICIES.roll_back(tx, here.clock, said.reason, who.name)
    here.loops["policies"].wake()
    return ActivationView.model_validate(activation)


@router.get("/policies/{version}")
async def show_policies(here: Context, _: Reads, version: Hash) -> TextView:
    """Show policies that were imported, with their text."""
    pool = here.database.pool
    found, text = await POLICIES.of(pool, version), await POLICIES.text(pool, version)
    if found is None or text is None:
        raise Problem(404, POLICIES.unknown)
    return TextView(**_view(here, found).model_dump(), text=text)


@router.get("/policies/{version}/diff")
async def compare_policies(
    here: Context,
    _: Reads,
    version: Hash,
    against: Annotated[Hash | None, Query(description="Another version; by default the one in force.")] = None,
) -> PoliciesDifferenceView:
    """Say in what policies differ from others."""
    in_force = here.engine.book.at(here.clock.now()).version
    try:
        old, new = [await policies.read_version(here, name) for name in (against or in_force, version)]
    except UnknownVersionError as error:
        raise Problem(404, str(error)) from error
    return _difference(new.version, old.version, await asyncio.to_thread(changes, old, new))


@router.post("/policies/{version}/activate")
async def activate_policies(
    here: Context, who: Changes, version: Hash, said: ActivateCommand
) -> ActivationView:  # fmt: skip
    """Have policies judge what begins from a time on; running clocks keep theirs."""
    if said.at and said.at < here.clock.now():
        raise wrong_field("at", "must not be in the past")
    async with here.database.begin() as tx:
        activation = await POLICIES.activate(tx, here.clock, version, said.at, said.reason, who.name)
    here.loops["policies"].wake()
    return ActivationView.model_validate(activation)


def _view(here: Here, version: TextVersion) -> VersionView:
    return VersionView(
        version=version.version, imported_at=version.imported_at, by=version.by, note=version.note,
        rules=version.rules, in_force=version.version == here.engine.book.at(here.clock.now()).version,
    )  # fmt: skip


def _difference(version: str, against: str, found: Sequence[Change]) -> PoliciesDifferenceView:
    counts: dict[str, int] = {}
    for change in found:
        counts[change.key] = counts.get(change.key, 0) + 1
    views = [PolicyChangeView.model_validate(change) for change in found]
    return PoliciesDifferenceView(version=version, against=against, counts=counts, changes=views)
