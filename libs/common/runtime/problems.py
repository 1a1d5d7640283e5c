"""Errors as clients see them: RFC 9457 problem+json that names the field and says what would be right.

What a client sent is never echoed: it may be personal data.
"""

import re
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
MOST_ERRORS = 20
"""How many wrong fields an answer names: nobody reads more, and a body may hold a hundred thousand."""
_WORD = re.compile("[A-Za-z_]{1,40}")
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
    """Return the first of pydantic's findings as field errors, without what was sent."""
    return [
        FieldError(_path(_ours(found)), found["msg"].removeprefix("Value error, "))
        for found in error.errors()[:MOST_ERRORS]
    ]


def _ours(found: Mapping[str, Any]) -> Sequence[object]:
    """Return where a finding is. The name of a field we do not know was sent too: it stays only if it is a word."""
    loc: Sequence[object] = found["loc"]
    if found["type"] != "extra_forbidden" or _WORD.fullmatch(str(loc[-1])):
        return loc
    return (*loc[:-1], "unknown")


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
    if isinstance(raised.__cause__, Problem):  # FastAPI wraps what reading a body raises
        return raised.__cause__.response()
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

_STRING = {"type": "string"}
_DOCUMENT = {
    "type": "object",
    "properties": {
        "type": _STRING,
        "title": _STRING,
        "status": {"type": "integer"},
        "detail": _STRING,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": _STRING, "message": _STRING},
                "required": ["field", "message"],
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    codes: {"description": what, "content": {MEDIA_TYPE: {"schema": _DOCUMENT}}}
    for codes, what in (("4XX", "What is wrong with the request"), ("5XX", "What is wrong with us"))
}
"""What OpenAPI says of every path's errors."""
