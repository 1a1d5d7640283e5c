"""What intake's routes share: who may ask, and how a decision's refusal is told."""

from collections.abc import Awaitable
from typing import Annotated, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Header, Query, Request
from pydantic import AfterValidator

from libs.common.runtime.http import context
from libs.common.runtime.problems import FieldError, Problem
from libs.common.runtime.security import Principal, authenticate, require, require_everywhere
from services.intake import handlers
from services.intake.appeal import Language
from services.intake.domain import NotPossibleError, span
from services.intake.handlers import Here, Seen

T = TypeVar("T")
UTC = ZoneInfo("UTC")
Context = Annotated[Here, Depends(context)]
Sender = Annotated[Principal, Depends(require("adapter", "seat", "importer"))]
Seat = Annotated[Principal, Depends(require_everywhere("seat", "supervisor"))]
Handler = Annotated[Principal, Depends(require("unit", "seat", "supervisor"))]


async def _reading(here: Context, accept_language: Annotated[str, Header()] = "") -> str:
    return here.engine.messages.preferred(accept_language)


Reading = Annotated[str, Depends(_reading)]
"""The language to answer in, of those there are."""


def _a_period(text: str) -> str:
    span(text, UTC)
    return text


Period = Annotated[
    str,
    Query(description="YYYY-MM-DD, YYYY-MM or YYYY in the city's time", max_length=10),
    AfterValidator(_a_period),
]
Code = Annotated[str | None, Query(max_length=40, description="The citizen's query code")]
InLanguage = Annotated[Language | None, Query(description="Only what is in this language; zh is also zh-Hant")]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200)]
"""What is sent again under it is done once."""


def allowed(request: Request, here: Here, seen: Seen, ticket_id: UUID, code: str | None) -> bool:
    """Return whether the reader is the citizen. Raises Problem 401 or 403 if neither code nor key opens the ticket."""
    if code is not None:
        if not here.engine.codes.matches(ticket_id, code):
            raise Problem(403, "code: does not belong to this ticket", errors=[FieldError("code", "is wrong")])
        return True
    reader = authenticate(request)
    if not reader.may("seat", "unit", "supervisor", "analyst") and reader.name != seen.client:
        raise Problem(403, "only the sender of a ticket, or a role that works on tickets, may see it")
    return False


async def admit(request: Request, here: Here, ticket_id: UUID, code: str | None) -> None:
    """Let in who may speak for the ticket's reporter. Raises Problem 401 or 403 to others."""
    seen = await handlers.look(here, ticket_id)
    if allowed(request, here, seen, ticket_id, code):
        return
    who = authenticate(request)
    # Who works in a unit, or above some, must not take back a complaint against it.
    if not who.may_everywhere("seat", "supervisor") and who.name != seen.client:
        raise Problem(403, "only the citizen, the sender of the ticket, or a seat may do this")


async def possible(command: Awaitable[T]) -> T:
    """Do a command. Raises Problem 409 if the state of the ticket does not allow it."""
    try:
        return await command
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error
