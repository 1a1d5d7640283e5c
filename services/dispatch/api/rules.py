"""HTTP of versions of the rules of routing: take them in, compare, say from when on they decide, go back."""

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
from services.dispatch.api.around import Context
from services.dispatch.domain import NotPossibleError
from services.dispatch.domain.rules import Activation, Change, RulesVersion, changes, standing
from services.dispatch.handlers import Here, rules
from services.dispatch.handlers.rules import UnknownRulesError
from services.dispatch.store import rules as store

router = APIRouter()
Reads = Annotated[Principal, Depends(require("analyst", "supervisor", "operator"))]
Changes = Annotated[Principal, Depends(require("supervisor", "operator"))]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), Clean]
MOST_PROBLEMS = 100
MOST_BYTES = 1024 * 1024


class RulesVersionView(BaseModel):
    """Rules that were imported. `by` is null for the city pack's own; `rules` counts them."""

    version: str
    imported_at: datetime
    by: str | None
    note: str | None
    rules: int
    in_force: bool


class RulesTextView(RulesVersionView):
    """Rules with their text, as it was imported."""

    text: str


class RuleChangeView(BaseModel):
    """One thing in which a rule differs: added, removed, moved (behind which rule), or a key of it."""

    model_config = ConfigDict(from_attributes=True)
    rule: str
    what: str
    before: str
    after: str


class RulesDifferenceView(BaseModel):
    """In what rules differ from others: how many changes of each kind, and all of them."""

    version: str
    against: str
    counts: dict[str, int]
    changes: list[RuleChangeView]


class RulesImportView(BaseModel):
    """What became of an import: whether the rules are new (or would be, in a dry run), and what they change."""

    rules: RulesVersionView
    new: bool
    dry_run: bool
    difference: RulesDifferenceView


class RulesActivationView(BaseModel):
    """From when on rules decide. `by` is null where the city pack of a release set them."""

    model_config = ConfigDict(from_attributes=True)
    activation_id: UUID
    from_at: datetime
    version: str
    by: str | None
    reason: str | None
    made_at: datetime
    back_to: UUID | None
    cancelled_at: datetime | None


class RulesStandingView(BaseModel):
    """What is in force, what the process that answers decides by, and what was made known, the last first."""

    in_force: RulesActivationView | None
    routing_by: str
    activations: list[RulesActivationView]


class ActivateRulesCommand(Body):
    """From when on rules decide; within seconds if `at` is not given, when every process knows them."""

    at: Moment | None = None
    reason: Reason | None = None


class RollRulesBackCommand(Body):
    """Why what is in force is taken back."""

    reason: Reason | None = None


@router.get("/rules")
async def list_rules(
    here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[RulesVersionView]:  # fmt: skip
    """List the rules that were imported last."""
    return [_view(here, version) for version in await store.rules_versions(here.database.pool, limit)]


@router.post("/rules")
async def import_rules(
    here: Context,
    who: Changes,
    file: Annotated[UploadFile, File(description="A routing.toml.")],
    *,
    dry_run: Annotated[bool, Query(description="Only say what is wrong and what would change.")] = False,
    note: Reason | None = None,
) -> RulesImportView:
    """Take rules in; they decide only once they were activated. The same file again is the same version."""
    text = await file.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise wrong_field("file", f"should hold at most {MOST_BYTES} bytes")
    try:
        taken = await rules.take_in(here, text, note, who.name, dry_run=dry_run)
    except CityError as error:
        raise _refused(error) from error
    return RulesImportView(
        rules=_view(here, taken.version), new=taken.new, dry_run=dry_run,
        difference=_difference(taken.version.version, taken.against, taken.changes),
    )  # fmt: skip


@router.get("/rules/activations")
async def list_rules_activations(
    here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> RulesStandingView:  # fmt: skip
    """Show which rules are in force, and which were or will be."""
    pool, now = here.database.pool, here.clock.now()
    stack = standing(await store.activations(pool), now)
    return RulesStandingView(
        in_force=_activation(stack[-1]) if stack else None,
        routing_by=here.engine.router.schedule.at(now).version,
        activations=[_activation(one) for one in await store.last_activations(pool, limit)],
    )


@router.delete("/rules/activations/{activation_id}")
async def cancel_rules_activation(here: Context, _: Changes, activation_id: UUID) -> RulesActivationView:
    """Take back an activation that is still to come."""
    try:
        async with here.database.begin() as tx:
            activation = await rules.cancel(tx, activation_id)
    except UnknownRulesError as error:
        raise Problem(404, str(error)) from error
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error
    here.loops["rules"].wake()
    return _activation(activation)


@router.post("/rules/roll-back")
async def roll_rules_back(here: Context, who: Changes, said: RollRulesBackCommand) -> RulesActivationView:
    """Go back to the rules that decided before."""
    try:
        async with here.database.begin() as tx:
            activation = await rules.roll_back(tx, here, said.reason, who.name)
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error
    here.loops["rules"].wake()
    return _activation(activation)


@router.get("/rules/{version}")
async def show_rules(here: Context, _: Reads, version: Hash) -> RulesTextView:
    """Show rules that were imported, with their text."""
    pool = here.database.pool
    found, text = await store.rules_of(pool, version), await store.rules_text(pool, version)
    if found is None or text is None:
        raise Problem(404, "no rules have this version")
    return RulesTextView(**_view(here, found).model_dump(), text=text)


@router.get("/rules/{version}/diff")
async def compare_rules(
    here: Context,
    _: Reads,
    version: Hash,
    against: Annotated[Hash | None, Query(description="Another version; by default the one in force.")] = None,
) -> RulesDifferenceView:
    """Say in what rules differ from others."""
    in_force = here.engine.router.schedule.at(here.clock.now()).version
    try:
        old, new = [await rules.read_version(here, name) for name in (against or in_force, version)]
    except UnknownRulesError as error:
        raise Problem(404, str(error)) from error
    return _difference(new.version, old.version, await asyncio.to_thread(changes, old, new))


@router.post("/rules/{version}/activate")
async def activate_rules(
    here: Context, who: Changes, version: Hash, said: ActivateRulesCommand
) -> RulesActivationView:  # fmt: skip
    """Have rules decide, from a time on."""
    if said.at and said.at < here.clock.now():
        raise wrong_field("at", "must not be in the past")
    try:
        async with here.database.begin() as tx:
            activation = await rules.activate(tx, here, version, said.at, said.reason, who.name)
    except UnknownRulesError as error:
        raise Problem(404, str(error)) from error
    here.loops["rules"].wake()
    return _activation(activation)


def _refused(error: CityError) -> Problem:
    """Name what is wrong by file, line and key, as `make check` does of a pack."""
    parts = [problem.partition(": ") for problem in error.problems[:MOST_PROBLEMS]]
    more = len(error.problems) - len(parts)
    said = f"the rules have {len(error.problems)} problems" + (f"; {more} of them are not listed" if more else "")
    return Problem(422, said, errors=[FieldError(where, what) for where, _, what in parts])


def _view(here: Here, version: RulesVersion) -> RulesVersionView:
    return RulesVersionView(
        version=version.version, imported_at=version.imported_at, by=version.by, note=version.note,
        rules=version.rules, in_force=version.version == here.engine.router.schedule.at(here.clock.now()).version,
    )  # fmt: skip


def _difference(version: str, against: str, found: Sequence[Change]) -> RulesDifferenceView:
    counts: dict[str, int] = {}
    for change in found:
        counts[change.what] = counts.get(change.what, 0) + 1
    views = [RuleChangeView.model_validate(change) for change in found]
    return RulesDifferenceView(version=version, against=against, counts=counts, changes=views)


def _activation(one: Activation) -> RulesActivationView:
    return RulesActivationView.model_validate(one)
