"""What the routes of feedback share: who asks, and what they find around them."""

from typing import Annotated

from fastapi import Depends, Query

from libs.common.runtime.http import context
from libs.common.runtime.security import Principal, require
from services.feedback.handlers import Here

Context = Annotated[Here, Depends(context)]
Reader = Annotated[Principal, Depends(require("unit", "seat", "supervisor", "analyst"))]
Seat = Annotated[Principal, Depends(require("seat", "supervisor"))]
Limit = Annotated[int, Query(ge=1, le=500)]
