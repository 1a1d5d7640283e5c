"""HTTP of sla, by concept: clocks and supervision to look at, clocks to pause and to extend, policies, calendar."""

from fastapi import APIRouter

from services.sla.api import board, bulletins, clocks, joint, notices, supervision

router = APIRouter(prefix="/sla/v1", tags=["sla"])
for part in (clocks, supervision, joint, bulletins, notices, board):
    router.include_router(part.router)

__all__ = ["router"]
