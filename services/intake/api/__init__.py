"""HTTP of intake: the front door for channel adapters, and what citizens and seats may ask of a ticket."""

from fastapi import APIRouter

from services.intake.api import opening, receiving, tickets
from services.intake.api.receiving import ROUTES

router = APIRouter(prefix="/intake/v1", tags=["intake"])
for part in (receiving, tickets, opening):
    router.include_router(part.router)

__all__ = ["ROUTES", "router"]
