"""HTTP of intake: the front door for channel adapters, and what citizens and seats may ask of a ticket."""

from fastapi import APIRouter

from services.intake.api import (
    answers,
    audit,
    batches,
    calls,
    chats,
    clients,
    files,
    flags,
    linking,
    opening,
    persons,
    publicity,
    receiving,
    scope,
    sessions,
    supporters,
    telling,
    tickets,
    transcripts,
    transfers,
    vault,
    waits,
)
from services.intake.api.receiving import ROUTES

router = APIRouter(prefix="/intake/v1", tags=["intake"])
for part in (
    receiving,
    tickets,
    answers,
    transfers,
    flags,
    scope,
    files,
    opening,
    batches,
    calls,
    chats,
    waits,
    sessions,
    linking,
    clients,
    transcripts,
    persons,
    audit,
    vault,
    publicity,
    supporters,
    telling,
):
    router.include_router(part.router)

__all__ = ["ROUTES", "router"]
