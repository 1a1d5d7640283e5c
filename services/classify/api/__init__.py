"""HTTP of classify, by concept."""

from fastapi import APIRouter

from services.classify.api import (
    catalogue,
    complaints,
    hotspots,
    judging,
    knowledge,
    language_model,
    models,
    suggestions,
    versions,
)

router = APIRouter(prefix="/classify/v1", tags=["classify"])
for part in (suggestions, catalogue, judging, hotspots, language_model, complaints, knowledge, versions, models):
    router.include_router(part.router)

__all__ = ["router"]
