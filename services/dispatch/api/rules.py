"""HTTP of versions of the rules of routing: take them in, compare, say from when on they decide, go back."""

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
from services.dispatch.api.around import Context
from services.dispatch.domain.rules import Change, changes
from services.dispatch.handlers import Here, rules
from services.dispatch.store.rules import RULES

router = APIRouter()
DESK = Desk(RULES, follower="rules")


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
    return await DESK.last(here, _in_force(here), limit)


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
    text = await text_of(file)
    try:
        taken = await rules.take_in(here, text, note, who.name, dry_run=dry_run)
    except CityError as error:
        raise refused("the rules have", error) from error
    return RulesImportView(
        rules=shown(taken.version, _in_force(here)), new=taken.new, dry_run=dry_run,
        difference=_difference(taken.version.version, taken.against, taken.changes),
    )  # fmt: skip


@router.get("/rules/activations")
async def list_rules_activations(
    here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> RulesStandingView:  # fmt: skip
    """Show which rules are in force, and which were or will be."""
    known = await DESK.activations(here, limit)
    return RulesStandingView(in_force=await DESK.standing(here), routing_by=_in_force(here), activations=known)


@router.delete("/rules/activations/{activation_id}")
async def cancel_rules_activation(here: Context, _: Changes, activation_id: UUID) -> ActivationView:
    """Take back an activation that is still to come."""
    return await DESK.cancel(here, activation_id)


@router.post("/rules/roll-back")
async def roll_rules_back(here: Context, who: Changes, said: RollBackCommand) -> ActivationView:
    """Go back to the rules that decided before."""
    return await DESK.roll_back(here, said, who.name)


@router.get("/rules/{version}")
async def show_rules(here: Context, _: Reads, version: Hash) -> TextView:
    """Show rules that were imported, with their text."""
    return await DESK.one(here, _in_force(here), version)


@router.get("/rules/{version}/diff")
async def compare_rules(
    here: Context,
    _: Reads,
    version: Hash,
    against: Annotated[Hash | None, Query(description="Another version; by default the one in force.")] = None,
) -> RulesDifferenceView:
    """Say in what rules differ from others."""
    old, new = [await rules.read_version(here, name) for name in (against or _in_force(here), version)]
    return _difference(new.version, old.version, await asyncio.to_thread(changes, old, new))


@router.post("/rules/{version}/activate")
async def activate_rules(
    here: Context, who: Changes, version: Hash, said: ActivateCommand
) -> ActivationView:  # fmt: skip
    """Have rules decide, from a time on."""
    return await DESK.activate(here, version, said, who.name)


def _in_force(here: Here) -> str:
    return here.engine.router.schedule.at(here.clock.now()).version


def _difference(version: str, against: str, found: Sequence[Change]) -> RulesDifferenceView:
    counts = Counter(change.what for change in found)
    views = [RuleChangeView.model_validate(change) for change in found]
    return RulesDifferenceView(version=version, against=against, counts=counts, changes=views)
