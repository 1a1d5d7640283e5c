"""What every service's routes share: clean text, cursors, pages, and the context."""

import base64
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    TypeAdapter,
)
from starlette.requests import HTTPConnection, Request

from libs.common.runtime.privacy import Redactor
from libs.common.runtime.problems import wrong_field

T = TypeVar("T")


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def _no_control(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("must not contain NUL or other control characters")
    return text


Clean = AfterValidator(_no_control)
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Clean]
"""A short text from outside: stripped, at most 200 characters, without control characters."""
Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5000), Clean]
"""A long one, at most 5,000 characters."""
Redacting = AfterValidator(lambda text: Redactor().redact(text))
"""What would name or find anybody does not get past this border."""
RedactedLine = Annotated[Line, Redacting]
Redacted = Annotated[Note, Redacting]
YEARS = range(1900, 2200)


def _written(at: object) -> object:
    # A bare number, 20260302 say, would be taken for seconds since 1970.
    if str(at)[4:5] != "-":
        raise ValueError("must be written like 2026-03-02T12:00:00+08:00")
    return at


def _within_reach(at: datetime) -> datetime:
    if at.year not in YEARS:
        raise ValueError(f"must lie in the years {YEARS.start} to {YEARS.stop - 1}")
    return at


Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_within_reach)]
"""An instant from outside. At the ends of the calendar another time zone or a span more is no date any more."""


class Body(BaseModel):
    """Base of request bodies: a field we do not know is an error, for a typing mistake must not lose anything."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(BaseModel, Generic[T]):
    """Part of a list. `next` is the cursor of the rest, null at the end."""

    items: list[T]
    next: str | None


Place = tuple[datetime, UUID]
_PLACE: TypeAdapter[Place] = TypeAdapter(tuple[Moment, UUID])
START: Place = (datetime.min.replace(tzinfo=UTC), UUID(int=0))


async def _asked(cursor: Annotated[str | None, Query(description="`next` of the page before")] = None) -> Place:
    return _cursor(cursor)


def _cursor(cursor: str | None) -> Place:
    if cursor is None:
        return START
    try:
        return _PLACE.validate_json(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError as error:
        raise wrong_field("cursor", "must be the `next` of a page of this list") from error


Cursor = Annotated[Place, Depends(_asked)]


def page(items: Sequence[T], limit: int, place: Callable[[T], Place]) -> Page[T]:
    """Return a page of `items`, with the cursor behind its last if it is full."""
    full = len(items) == limit
    return Page(items=list(items), next=_encode(place(items[-1])) if full and items else None)


def _encode(place: Place) -> str:
    return base64.urlsafe_b64encode(_PLACE.dump_json(place)).decode()


async def context(request: HTTPConnection) -> Any:
    """Return the context of the service a route belongs to. A coroutine: FastAPI would send a function to a thread."""
    return request.app.state.context


def header(request: HTTPConnection, name: bytes) -> str | None:
    """Return a header by its name in lower case. Where each request asks, Starlette's way takes four times as long."""
    for key, value in request.scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return None


async def body_of(request: Request) -> bytes:
    """Return the body. Nearly always it comes in one piece, for which Starlette's reader does too much."""
    message = await request.receive()
    body: bytes = message.get("body", b"")
    return body + await request.body() if message.get("more_body") else body
