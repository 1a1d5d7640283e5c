"""HTTP of feedback, by concept: answers by seat or by link, callbacks to make, scorecards to read."""

from fastapi import APIRouter

from services.feedback.api import asking, rates

router = APIRouter(prefix="/feedback/v1", tags=["feedback"])
for part in (asking, rates):
    router.include_router(part.router)

__all__ = ["router"]
