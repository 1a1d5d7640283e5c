"""What the routes of dated versions share: who may, what is sent, and what is shown."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel, ConfigDict, StringConstraints

from libs.common.city.problems import CityError
from libs.common.runtime.http import Body, Clean, Moment
from libs.common.runtime.problems import FieldError, Problem
from libs.common.runtime.security import Principal, require

Reads = Annotated[Principal, Depends(require("analyst", "supervisor", "operator"))]
Changes = Annotated[Principal, Depends(require("supervisor", "operator"))]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), Clean]
MOST_PROBLEMS = 100


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
