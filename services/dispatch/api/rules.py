"""HTTP of versions of the rules of routing: take them in, compare, say from when on they decide, go back."""

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
from services.dispatch.api.around import Context
from services.dispatch.domain.rules import Change, changes
from services.dispatch.handlers import Here, rules
from services.dispatch.store.rules import RULES

router = APIRouter()
MOST_BYTES = 1024 * 1024


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

    rules: VersionView
    new: bool
    dry_run: bool
    difference: RulesDifferenceView


class RulesStandingView(BaseModel):
    """What is in force, what the process that answers decides by, and what was made known, the last first."""

    in_force: ActivationView | None
    routing_by: str
    activations: list[ActivationView]


@router.get("/rules")
async def list_rules(
    here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[VersionView]:  # fmt: skip
    """List the rules that were imported last."""
    return [_view(here, version) for version in await RULES.last(here.database.pool, limit)]


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
        raise refused("the rules have", error) from error
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
    stack = standing(await RULES.activations.all(pool), now)
    return RulesStandingView(
        in_force=ActivationView.model_validate(stack[-1]) if stack else None,
        routing_by=here.engine.router.schedule.at(now).version,
        activations=[ActivationView.model_validate(one) for one in await RULES.activations.last(pool, limit)],
    )


@router.delete("/rules/activations/{activation_id}")
async def cancel_rules_activation(here: Context, _: Changes, activation_id: UUID) -> ActivationView:
    """Take back an activation that is still to come."""
    async with here.database.begin() as tx:
        activation = await RULES.activations.cancel(tx, activation_id)
    here.loops["rules"].wake()
    return ActivationView.model_validate(activation)


@router.post("/rules/roll-back")
async def roll_rules_back(here: Context, who: Changes, said: RollBackCommand) -> ActivationView:
    """Go back to the rules that decided before."""
    async with here.database.begin() as tx:
        activation = await RULES.roll_back(tx, here.clock, said.reason, who.name)
    here.loops["rules"].wake()
    return ActivationView.model_validate(activation)


@router.get("/rules/{version}")
async def show_rules(here: Context, _: Reads, version: Hash) -> TextView:
    """Show rules that were imported, with their text."""
    pool = here.database.pool
    found, text = await RULES.of(pool, version), await RULES.text(pool, version)
    if found is None or text is None:
        raise Problem(404, RULES.unknown)
    return TextView(**_view(here, found).model_dump(), text=text)


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
    except UnknownVersionError as error:
        raise Problem(404, str(error)) from error
    return _difference(new.version, old.version, await asyncio.to_thread(changes, old, new))


@router.post("/rules/{version}/activate")
async def activate_rules(
    here: Context, who: Changes, version: Hash, said: ActivateCommand
) -> ActivationView:  # fmt: skip
    """Have rules decide, from a time on."""
    if said.at and said.at < here.clock.now():
        raise wrong_field("at", "must not be in the past")
    async with here.database.begin() as tx:
        activation = await RULES.activate(tx, here.clock, version, said.at, said.reason, who.name)
    here.loops["rules"].wake()
    return ActivationView.model_validate(activation)


def _view(here: Here, version: TextVersion) -> VersionView:
    return VersionView(
        version=version.version, imported_at=version.imported_at, by=version.by, note=version.note,
        rules=version.rules, in_force=version.version == here.engine.router.schedule.at(here.clock.now()).version,
    )  # fmt: skip


def _difference(version: str, against: str, found: Sequence[Change]) -> RulesDifferenceView:
    counts: dict[str, int] = {}
    for change in found:
        counts[change.what] = counts.get(change.what, 0) + 1
    views = [RuleChangeView.model_validate(change) for change in found]
    return RulesDifferenceView(version=version, against=against, counts=counts, changes=views)
