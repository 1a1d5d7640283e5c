"""HTTP of dispatch, by concept: orders to look at and to work on, dry runs and rules of routing, loads."""

from fastapi import APIRouter

from services.dispatch.api import (
    backtests,
    evidence,
    handovers,
    helping,
    loads,
    orders,
    proactive,
    proposals,
    returning,
    routes,
    rules,
    verifying,
    working,
)

router = APIRouter(prefix="/dispatch/v1", tags=["dispatch"])
for part in (
    orders,
    proactive,
    working,
    helping,
    evidence,
    returning,
    verifying,
    proposals,
    routes,
    rules,
    backtests,
    loads,
    handovers,
):
    router.include_router(part.router)

__all__ = ["router"]
