"""What the routes of feedback share: who asks, and what they find around them."""

from typing import Annotated

from fastapi import Depends, Path, Query

from libs.common.runtime.http import Clean, context
from libs.common.runtime.problems import wrong_field
from libs.common.runtime.security import Principal, require, require_everywhere
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


def period(name: str) -> Period:
    """Return a period by its name. Raises Problem 422."""
    try:
        return period_of(name)
    except ValueError as error:
        raise wrong_field("period", str(error)) from error
