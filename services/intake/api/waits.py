"""How those fared who asked for a person."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from libs.common.runtime.security import Principal, require
from services.intake import handlers
from services.intake.api.around import Context, Period

router = APIRouter()
Watcher = Annotated[Principal, Depends(require("seat", "supervisor", "analyst"))]


class WaitsView(BaseModel):
    """How those fared who asked for a person. In seconds: half waited at most so long, and 95 of 100 waited."""

    asked: int
    taken: int
    gone: int
    half_waited: float | None
    most_waited: float | None
    called_back: int
    reached: int


class SessionsQuality(BaseModel):
    """By kind of session as it was asked for, and by access need; what nobody asked for is left out."""

    period: str
    groups: dict[str, WaitsView]


@router.get("/sessions/quality")
async def quality(
    here: Context,
    _: Watcher,
    period: Period,
) -> SessionsQuality:
    """Show how those fared who asked for a person over a day, a month or a year."""
    found = await handlers.session_quality(here, period)
    return SessionsQuality(period=period, groups={waits.name: WaitsView(**asdict(waits)) for waits in found})
