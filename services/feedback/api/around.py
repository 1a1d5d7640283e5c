"""What the routes of feedback share: who asks, and what they find around them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Path, Query

from libs.common.messaging.transaction import Tx
from libs.common.runtime.http import Clean, context
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal, require, require_everywhere
from services.feedback.domain import NotPossibleError
from services.feedback.domain.periods import MONTH, Period, period_of
from services.feedback.handlers import Here

Context = Annotated[Here, Depends(context)]
Reader = Annotated[Principal, Depends(require("unit", "seat", "supervisor", "analyst"))]
Seat = Annotated[Principal, Depends(require("seat", "supervisor"))]
Supervisor = Annotated[Principal, Depends(require("supervisor"))]
OfCity = Annotated[Principal, Depends(require_everywhere("supervisor"))]
"""Who supervises all units."""
Month = Annotated[str, Path(pattern=MONTH, description="A month, e.g. 2026-11")]
UnitCode = Annotated[str, Path(max_length=100, description="The code of a unit"), Clean]
Limit = Annotated[int, Query(ge=1, le=500)]


@asynccontextmanager
async def commanding(here: Here) -> AsyncIterator[Tx]:
    """Run a command in a transaction. Raises Problem 409 if a state does not allow it."""
    try:
        async with here.database.begin() as tx:
            yield tx
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error


def period(name: str) -> Period:
    """Return a period by its name. Raises Problem 422."""
    try:
        return period_of(name)
    except ValueError as error:
        raise wrong_field("period", str(error)) from error
