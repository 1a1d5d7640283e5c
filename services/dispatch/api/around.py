"""What the routes of dispatch share: who asks, what they find around them, and an order as they show it."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Header
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.dispatch import ReturnGround
from libs.common.contracts.vocabulary import (
    AccessNeed,
    Kind,
    ReporterType,
    UnitRef,
    Urgency,
)
from libs.common.messaging.transaction import Tx
from libs.common.runtime.http import context
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal, require
from services.dispatch.domain import (
    TRANSITIONS,
    NotPossibleError,
    Order,
    State,
    WrongTimeError,
)
from services.dispatch.handlers import Here

T = TypeVar("T")
Context = Annotated[Here, Depends(context)]
Reader = Annotated[Principal, Depends(require("unit", "seat", "supervisor", "analyst"))]
Worker = Annotated[Principal, Depends(require(*TRANSITIONS["accept"].roles))]
Returner = Annotated[Principal, Depends(require(*TRANSITIONS["return"].roles))]
Ruler = Annotated[Principal, Depends(require(*TRANSITIONS["rule"].roles))]
Mover = Annotated[Principal, Depends(require(*TRANSITIONS["reassign"].roles))]


class OrderView(BaseModel):
    """One order. `unit` leads; `why` is in the city's language; `contacted_at` is the first contact of this round."""

    model_config = ConfigDict(from_attributes=True)
    ticket_id: UUID
    number: str
    round: int
    state: State
    unit: UnitRef
    co_handlers: list[UnitRef]
    district: str | None
    rule: str
    rules: str
    why: list[str]
    desk: bool
    code: str
    category: tuple[str, str, str]
    urgency: Urgency
    kind: Kind
    title: str | None
    text: str
    summary: str
    address: str | None
    district_name: str | None
    street_name: str | None
    reporter_type: ReporterType
    access_needs: list[AccessNeed]
    dispatched_at: datetime
    accepted_at: datetime | None
    contacted_at: datetime | None
    resolved_at: datetime | None
    reply: str | None
    returns: int
    return_ground: ReturnGround | None
    return_note: str | None


@asynccontextmanager
async def commanding(here: Here) -> AsyncIterator[Tx]:
    """Run a command in a transaction. Raises Problem 409 if a state does not allow it, 422 for an impossible `at`."""
    try:
        async with here.database.begin() as tx:
            yield tx
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error
    except WrongTimeError as error:
        raise wrong_field("at", str(error)) from error


async def possible(command: Awaitable[T]) -> T:
    """Do a command that has transactions of its own. Raises Problem 409 if a state does not allow it."""
    try:
        return await command
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error


async def _reading(here: Context, accept_language: Annotated[str, Header()] = "") -> str:
    return here.engine.messages.preferred(accept_language)


Reading = Annotated[str, Depends(_reading)]
"""The language to answer in, of those there are."""


def view(order: Order) -> OrderView:
    """Return an order as routes show it."""
    return OrderView.model_validate(order)
