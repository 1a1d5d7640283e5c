"""HTTP of feedback, by concept: answers by seat or by link, callbacks to make, scorecards to read."""

from fastapi import APIRouter

from services.feedback.api import (
    appeals,
    asking,
    bulletins,
    calling,
    campaigns,
    closing,
    coverage,
    deductions,
    diagnosis,
    extracts,
    forecasts,
    indices,
    kpis,
    mapping,
    proactive,
    publishing,
    quality,
    reports,
    scores,
    solutions,
    topics,
)

router = APIRouter(prefix="/feedback/v1", tags=["feedback"])
for part in (
    asking,
    calling,
    closing,
    kpis,
    scores,
    appeals,
    deductions,
    diagnosis,
    bulletins,
    forecasts,
    proactive,
    quality,
    indices,
    coverage,
    mapping,
    extracts,
    publishing,
    reports,
    topics,
    campaigns,
    solutions,
):
    router.include_router(part.router)

__all__ = ["router"]
