"""HTTP of sla, by concept: clocks and supervision to look at, clocks to pause and resume."""

from fastapi import APIRouter

from services.sla.api import clocks, supervision

router = APIRouter(prefix="/sla/v1", tags=["sla"])
for part in (clocks, supervision):
    router.include_router(part.router)

__all__ = ["router"]
