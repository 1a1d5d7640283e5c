"""What the routes of dated versions share: who may, what is sent, what is shown, and what is done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, UploadFile
from pydantic import BaseModel, ConfigDict, StringConstraints

from libs.common.city.problems import CityError
from libs.common.city.versions import Activation, TextVersion
from libs.common.runtime.http import Body, Clean, Moment, Redacting
from libs.common.runtime.problems import FieldError, Problem, wrong_field
from libs.common.runtime.security import Principal, require, require_everywhere
from libs.common.runtime.service import Context
from libs.common.versions.keeping import UnknownVersionError, Versions

Reads = Annotated[Principal, Depends(require("analyst", "supervisor", "operator"))]
Changes = Annotated[Principal, Depends(require_everywhere("supervisor", "operator"))]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), Clean, Redacting]
MOST_PROBLEMS = 100
MOST_BYTES = 1024 * 1024


class VersionView(BaseModel):
    """A text that was imported. `by` is null for the city pack's own; `rules` counts its rules."""

    version: str
    imported_at: datetime
    by: str | None
    note: str | None
    rules: int
    in_force: bool


class TextView(VersionView):
    """A text that was imported, as it was."""

    text: str


class ActivationView(BaseModel):
    """From when on a version is in force. `by` is null where the city pack of a release set it."""

    model_config = ConfigDict(from_attributes=True)
    activation_id: UUID
    from_at: datetime
    version: str
    by: str | None
    reason: str | None
    made_at: datetime
    back_to: UUID | None
    cancelled_at: datetime | None


class ActivateCommand(Body):
    """From when on a version is in force; within seconds if `at` is not given, when every process knows it."""

    at: Moment | None = None
    reason: Reason | None = None


class RollBackCommand(Body):
    """Why what is in force is taken back."""

    reason: Reason | None = None


def refused(said: str, error: CityError) -> Problem:
    """Name what is wrong by file, line and key, as `make check` does of a pack. `said`: such as "the rules have"."""
    parts = [problem.partition(": ") for problem in error.problems[:MOST_PROBLEMS]]
    more = len(error.problems) - len(parts)
    said = f"{said} {len(error.problems)} problems" + (f"; {more} of them are not listed" if more else "")
    return Problem(422, said, errors=[FieldError(where, what) for where, _, what in parts])


async def text_of(file: UploadFile) -> bytes:
    """Return the text that is sent. Raises Problem 422 for one too long."""
    text = await file.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise wrong_field("file", f"should hold at most {MOST_BYTES} bytes")
    return text


def shown(version: TextVersion, in_force: str) -> VersionView:
    """Show a version, and whether it is the one in force."""
    return VersionView(
        version=version.version, imported_at=version.imported_at, by=version.by, note=version.note,
        rules=version.rules, in_force=version.version == in_force,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Desk:
    """What people see of the versions of one text and do to them; the loop `follower` hears of it at once."""

    versions: Versions
    follower: str

    async def last(self, here: Context[Any], in_force: str, limit: int) -> list[VersionView]:
        """Show the versions that were imported last."""
        return [shown(version, in_force) for version in await self.versions.last(here.database.pool, limit)]

    async def one(self, here: Context[Any], in_force: str, version: str) -> TextView:
        """Show a version with its text. Raises UnknownVersionError."""
        found = await self.versions.of(here.database.pool, version)
        if found is None:
            raise UnknownVersionError(self.versions.unknown)
        text = await self.versions.text(here.database.pool, version)
        return TextView(**shown(found, in_force).model_dump(), text=text)

    async def standing(self, here: Context[Any]) -> ActivationView | None:
        """Show what is in force."""
        stack = await self.versions.activations.standing(here.database.pool, here.clock.now())
        return ActivationView.model_validate(stack[-1]) if stack else None

    async def activations(self, here: Context[Any], limit: int) -> list[ActivationView]:
        """Show what was made known of what is in force from when on, the last first."""
        found = await self.versions.activations.last(here.database.pool, limit)
        return [ActivationView.model_validate(one) for one in found]

    async def activate(self, here: Context[Any], version: str, said: ActivateCommand, by: str) -> ActivationView:
        """Have a version in force from a time on. Raises UnknownVersionError, and Problem 422 for a time past."""
        if said.at and said.at < here.clock.now():
            raise wrong_field("at", "must not be in the past")
        async with here.database.begin() as tx:
            activation = await self.versions.activate(tx, here.clock, version, said.at, said.reason, by)
        return self._told(here, activation)

    async def roll_back(self, here: Context[Any], said: RollBackCommand, by: str) -> ActivationView:
        """Go back to what was in force before. Raises Problem 409 if nothing was."""
        async with here.database.begin() as tx:
            activation = await self.versions.roll_back(tx, here.clock, said.reason, by)
        return self._told(here, activation)

    async def cancel(self, here: Context[Any], activation_id: UUID) -> ActivationView:
        """Take back an activation that is still to come. Raises Problem 404 or 409."""
        async with here.database.begin() as tx:
            activation = await self.versions.activations.cancel(tx, activation_id)
        return self._told(here, activation)

    def _told(self, here: Context[Any], activation: Activation) -> ActivationView:
        here.loops[self.follower].wake()
        return ActivationView.model_validate(activation)
