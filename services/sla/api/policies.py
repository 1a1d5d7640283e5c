"""HTTP of versions of the policies: take them in, compare, say from when on they judge, go back."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Query, UploadFile
from pydantic import BaseModel, ConfigDict, StringConstraints

from libs.common.city.problems import CityError
from libs.common.runtime.http import Body, Clean, Moment
from libs.common.runtime.problems import FieldError, Problem, wrong_field
from libs.common.runtime.security import Principal, require
from services.sla.api.around import Context
from services.sla.domain import NotPossibleError
from services.sla.domain.versions import Activation, Change, PoliciesVersion, changes, standing
from services.sla.handlers import Here, policies
from services.sla.handlers.policies import UnknownPoliciesError
from services.sla.store import policies as store

router = APIRouter()
Reads = Annotated[Principal, Depends(require("analyst", "supervisor", "operator"))]
Changes = Annotated[Principal, Depends(require("supervisor", "operator"))]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), Clean]
MOST_PROBLEMS = 100
MOST_BYTES = 1024 * 1024


class PoliciesVersionView(BaseModel):
    """Policies that were imported. `by` is null for the city pack's own; `rules` counts its rules."""

    version: str
    imported_at: datetime
    by: str | None
    note: str | None
    rules: int
    in_force: bool


class PoliciesTextView(PoliciesVersionView):
    """Policies with their text, which holds the rules of the classes too."""

    text: str


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

    policies: PoliciesVersionView
    new: bool
    dry_run: bool
    difference: PoliciesDifferenceView


class PoliciesActivationView(BaseModel):
    """From when on policies judge the clocks that begin. `by` is null where the city pack of a release set them."""

    model_config = ConfigDict(from_attributes=True)
    activation_id: UUID
    from_at: datetime
    version: str
    by: str | None
    reason: str | None
    made_at: datetime
    back_to: UUID | None
    cancelled_at: datetime | None


class PoliciesStandingView(BaseModel):
    """What is in force, what the process that answers judges by, and what was made known, the last first."""

    in_force: PoliciesActivationView | None
    judging_by: str
    activations: list[PoliciesActivationView]


class ActivatePoliciesCommand(Body):
    """From when on policies judge; within seconds if `at` is not given, when every process knows them."""

    at: Moment | None = None
    reason: Reason | None = None


class RollPoliciesBackCommand(Body):
    """Why what is in force is taken back."""

    reason: Reason | None = None


@router.get("/policies")
async def list_policies(
    here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[PoliciesVersionView]:  # fmt: skip
    """List the policies that were imported last."""
    return [_view(here, version) for version in await store.policies_versions(here.database.pool, limit)]


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
        raise _refused(error) from error
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
    stack = standing(await store.activations(pool), now)
    return PoliciesStandingView(
        in_force=_activation(stack[-1]) if stack else None,
        judging_by=here.engine.book.at(now).version,
        activations=[_activation(one) for one in await store.last_activations(pool, limit)],
    )


@router.delete("/policies/activations/{activation_id}")
async def cancel_policies_activation(here: Context, _: Changes, activation_id: UUID) -> PoliciesActivationView:
    """Take back an activation that is still to come."""
    try:
        async with here.database.begin() as tx:
            activation = await policies.cancel(tx, activation_id)
    except UnknownPoliciesError as error:
        raise Problem(404, str(error)) from error
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error
    here.loops["policies"].wake()
    return _activation(activation)


@router.post("/policies/roll-back")
async def roll_policies_back(here: Context, who: Changes, said: RollPoliciesBackCommand) -> PoliciesActivationView:
    """Go back to the policies that judged before."""
    try:
        async with here.database.begin() as tx:
            activation = await policies.roll_back(tx, here, said.reason, who.name)
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error
    here.loops["policies"].wake()
    return _activation(activation)


@router.get("/policies/{version}")
async def show_policies(here: Context, _: Reads, version: Hash) -> PoliciesTextView:
    """Show policies that were imported, with their text."""
    pool = here.database.pool
    found, text = await store.policies_of(pool, version), await store.policies_text(pool, version)
    if found is None or text is None:
        raise Problem(404, "no policies have this version")
    return PoliciesTextView(**_view(here, found).model_dump(), text=text)


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
    except UnknownPoliciesError as error:
        raise Problem(404, str(error)) from error
    return _difference(new.version, old.version, await asyncio.to_thread(changes, old, new))


@router.post("/policies/{version}/activate")
async def activate_policies(
    here: Context, who: Changes, version: Hash, said: ActivatePoliciesCommand
) -> PoliciesActivationView:  # fmt: skip
    """Have policies judge what begins from a time on; running clocks keep theirs."""
    if said.at and said.at < here.clock.now():
        raise wrong_field("at", "must not be in the past")
    try:
        async with here.database.begin() as tx:
            activation = await policies.activate(tx, here, version, said.at, said.reason, who.name)
    except UnknownPoliciesError as error:
        raise Problem(404, str(error)) from error
    here.loops["policies"].wake()
    return _activation(activation)


def _refused(error: CityError) -> Problem:
    """Name what is wrong by file, line and key, as `make check` does of a pack."""
    parts = [problem.partition(": ") for problem in error.problems[:MOST_PROBLEMS]]
    more = len(error.problems) - len(parts)
    said = f"the policies have {len(error.problems)} problems" + (f"; {more} of them are not listed" if more else "")
    return Problem(422, said, errors=[FieldError(where, what) for where, _, what in parts])


def _view(here: Here, version: PoliciesVersion) -> PoliciesVersionView:
    return PoliciesVersionView(
        version=version.version, imported_at=version.imported_at, by=version.by, note=version.note,
        rules=version.rules, in_force=version.version == here.engine.book.at(here.clock.now()).version,
    )  # fmt: skip


def _difference(version: str, against: str, found: Sequence[Change]) -> PoliciesDifferenceView:
    counts: dict[str, int] = {}
    for change in found:
        counts[change.key] = counts.get(change.key, 0) + 1
    views = [PolicyChangeView.model_validate(change) for change in found]
    return PoliciesDifferenceView(version=version, against=against, counts=counts, changes=views)


def _activation(one: Activation) -> PoliciesActivationView:
    return PoliciesActivationView.model_validate(one)
