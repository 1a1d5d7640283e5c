"""HTTP of dispatch, by concept: orders to look at and to work on, and dry runs of routing."""

from fastapi import APIRouter

from services.dispatch.api import orders, returning, routes, working

router = APIRouter(prefix="/dispatch/v1", tags=["dispatch"])
for part in (orders, working, returning, routes):
    router.include_router(part.router)

__all__ = ["router"]
