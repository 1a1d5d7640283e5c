"""Errors as clients see them: RFC 9457 problem+json that names the field and says what would be right.

What a client sent is never echoed: it may be personal data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from libs.common.messaging.retry import is_transient
from libs.common.runtime.clock import Clock, born

MEDIA_TYPE = "application/problem+json"
YOUNG = timedelta(seconds=60)
TITLES = {
    400: "The request cannot be read",
    401: "No valid key",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Not possible now",
    413: "Too large",
    415: "Unsupported media type",
    422: "Some fields are wrong",
    429: "Too many requests",
    500: "Our error",
    503: "Not available now",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field, as a dotted path into the request, and what would be right."""

    field: str
    message: str


class Problem(Exception):
    """Raise to answer with problem+json."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """Return the problem document."""
        document: dict[str, object] = {
            "type": "about:blank",
            "title": TITLES.get(self.status, "Error"),
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [{"field": e.field, "message": e.message} for e in self.errors]
        return document

    def response(self) -> JSONResponse:
        """Return the answer."""
        return JSONResponse(self.body(), self.status, self.headers, MEDIA_TYPE)


def wrong_field(field: str, message: str) -> Problem:
    """Return the problem of one wrong field."""
    return Problem(422, f"{field}: {message}", errors=[FieldError(field, message)])


def field_errors(error: ValidationError | RequestValidationError) -> list[FieldError]:
    """Return pydantic's findings as field errors, without what was sent."""
    return [FieldError(_path(found["loc"]), found["msg"]) for found in error.errors()]


def _path(loc: Sequence[object]) -> str:
    parts = [str(part) for part in loc if part not in {"body", "query", "path", "header"}]
    return ".".join(parts) or str(loc[0] if loc else "body")


def invalid(error: ValidationError | RequestValidationError) -> Problem:
    """Return the problem of a request that breaks its schema."""
    errors = field_errors(error)
    if any(found["type"] == "json_invalid" for found in error.errors()):
        return Problem(400, "the body is not valid JSON", errors=[FieldError("body", "must be valid JSON in UTF-8")])
    return Problem(422, "; ".join(f"{e.field}: {e.message}" for e in errors), errors=errors)


def unknown_ticket(ticket_id: UUID, clock: Clock) -> Problem:
    """Return what to say of a ticket this service has not heard of: not yet while its id is young, else not at all."""
    try:
        young = clock.now() - born(ticket_id) < YOUNG
    except ValueError:
        young = False
    if young:
        return Problem(409, "this stage has not heard of the ticket yet", headers={"Retry-After": "1"})
    return Problem(404, "no such ticket")


async def _problem(_: Request, error: Exception) -> JSONResponse:
    return cast(Problem, error).response()


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    return invalid(cast(RequestValidationError, error)).response()


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    raised = cast(HTTPException, error)
    return Problem(raised.status_code, str(raised.detail), headers=raised.headers).response()


async def _broken(_: Request, error: Exception) -> JSONResponse:
    if is_transient(error):
        return Problem(503, "a part of the platform is away; send it again", headers={"Retry-After": "2"}).response()
    return Problem(500, "an error of ours, which our log has; nothing was changed").response()


HANDLERS: dict[Any, Any] = {
    Problem: _problem,
    RequestValidationError: _invalid,
    HTTPException: _http_error,
    Exception: _broken,
}
"""What an app does with each kind of error: it answers with problem+json."""
