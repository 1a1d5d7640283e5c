"""HTTP of versions of the policies: take them in, compare, say from when on they judge, go back."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Query, UploadFile
from pydantic import BaseModel, ConfigDict

from libs.common.city.problems import CityError
from libs.common.versions.http import (
    ActivateCommand,
    ActivationView,
    Changes,
    Desk,
    Hash,
    Reads,
    Reason,
    RollBackCommand,
    TextView,
    VersionView,
    refused,
    shown,
    text_of,
)
from services.sla.api.around import Context
from services.sla.domain.versions import Change, changes
from services.sla.handlers import Here, policies
from services.sla.store.policies import POLICIES

router = APIRouter()
DESK = Desk(POLICIES, follower="policies")


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
    return await DESK.last(here, _in_force(here), limit)


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
    text = await text_of(file)
    try:
        taken = await policies.take_in(here, text, note, who.name, dry_run=dry_run)
    except CityError as error:
        raise refused("the policies have", error) from error
    return PoliciesImportView(
        policies=shown(taken.version, _in_force(here)), new=taken.new, dry_run=dry_run,
        difference=_difference(taken.version.version, taken.against, taken.changes),
    )  # fmt: skip


@router.get("/policies/activations")
async def list_policies_activations(
    here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> PoliciesStandingView:  # fmt: skip
    """Show which policies are in force, and which were or will be."""
    known = await DESK.activations(here, limit)
    return PoliciesStandingView(in_force=await DESK.standing(here), judging_by=_in_force(here), activations=known)


@router.delete("/policies/activations/{activation_id}")
async def cancel_policies_activation(here: Context, _: Changes, activation_id: UUID) -> ActivationView:
    """Take back an activation that is still to come."""
    return await DESK.cancel(here, activation_id)


@router.post("/policies/roll-back")
async def roll_policies_back(here: Context, who: Changes, said: RollBackCommand) -> ActivationView:
    """Go back to the policies that judged before."""
    return await DESK.roll_back(here, said, who.name)


@router.get("/policies/{version}")
async def show_policies(here: Context, _: Reads, version: Hash) -> TextView:
    """Show policies that were imported, with their text."""
    return await DESK.one(here, _in_force(here), version)


@router.get("/policies/{version}/diff")
async def compare_policies(
    here: Context,
    _: Reads,
    version: Hash,
    against: Annotated[Hash | None, Query(description="Another version; by default the one in force.")] = None,
) -> PoliciesDifferenceView:
    """Say in what policies differ from others."""
    old, new = [await policies.read_version(here, name) for name in (against or _in_force(here), version)]
    return _difference(new.version, old.version, await asyncio.to_thread(changes, old, new))


@router.post("/policies/{version}/activate")
async def activate_policies(
    here: Context, who: Changes, version: Hash, said: ActivateCommand
) -> ActivationView:  # fmt: skip
    """Have policies judge what begins from a time on; running clocks keep theirs."""
    return await DESK.activate(here, version, said, who.name)


def _in_force(here: Here) -> str:
    return here.engine.book.at(here.clock.now()).version


def _difference(version: str, against: str, found: Sequence[Change]) -> PoliciesDifferenceView:
    counts = Counter(change.key for change in found)
    views = [PolicyChangeView.model_validate(change) for change in found]
    return PoliciesDifferenceView(version=version, against=against, counts=counts, changes=views)
