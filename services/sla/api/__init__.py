"""HTTP of sla, by concept: clocks and supervision to look at, clocks to pause and to extend, policies, calendar."""

from fastapi import APIRouter

from services.sla.api import (
    board,
    bulletins,
    calendar,
    cases,
    clocks,
    extensions,
    joint,
    lateness,
    notices,
    overseeing,
    policies,
    tasks,
)

router = APIRouter(prefix="/sla/v1", tags=["sla"])
PARTS = (clocks, tasks, extensions, policies, calendar, cases, overseeing, joint, bulletins, lateness, notices, board)
for part in PARTS:
    router.include_router(part.router)

__all__ = ["router"]
