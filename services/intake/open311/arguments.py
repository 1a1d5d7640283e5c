"""What a client sent, however it did: in the query, as a form, as multipart. An empty argument was not sent."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from starlette.datastructures import UploadFile
from starlette.requests import Request

from libs.common.runtime.http import YEARS
from libs.common.runtime.problems import FieldError, Problem
from services.intake.domain import MOST_AT_ONCE

MOST_FIELDS = 500
LONGEST_FIELD = 64 * 1024
"""Bytes of a part that is no file: it is kept in memory, and there may be many."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NAME = re.compile(r"[A-Za-z_]{1,40}(?:\[[A-Za-z0-9_.\-]{1,60}\](?:\[\])?)?")
# Whoever does not escape it sends the plus of a time zone as a space.
_LOST_PLUS = re.compile(r"(T\S+) (?=\d\d:?\d\d$)")


class Arguments:
    """The arguments of one call by name; the body's stand before the query's."""

    def __init__(self, pairs: Iterable[tuple[str, str]], files: Sequence[UploadFile] = ()) -> None:
        """Take what was sent. Raises Problem 400 for control characters."""
        self.files = files
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            if _NAME.fullmatch(name) and (text := value.strip()):
                if _CONTROL.search(text):
                    raise wrong(name, "must not contain NUL or other control characters")
                self._values.setdefault(name, []).append(text)

    def get(self, name: str) -> str | None:
        """Return an argument, the first if it came more than once."""
        values = self._values.get(name)
        return values[0] if values else None

    def many(self, name: str) -> list[str] | None:
        """Return the parts of an argument that may hold several, separated by commas; None if it was not sent."""
        parts = [part.strip() for value in self._values.get(name, ()) for part in value.split(",")]
        return [part for part in parts if part] or None

    def attributes(self) -> Mapping[str, list[str]]:
        """Return what was sent as attribute[code]=value or attribute[code][]=value, by code."""
        found: dict[str, list[str]] = {}
        for name, values in self._values.items():
            if name.startswith("attribute["):
                found.setdefault(name.removeprefix("attribute[").partition("]")[0], []).extend(values)
        return found

    def everything(self) -> list[tuple[str, list[str]]]:
        """Return all of it but the key, in an order of its own: equal for equal calls."""
        return sorted((name, values) for name, values in self._values.items() if name != "api_key")


@asynccontextmanager
async def reading(request: Request) -> AsyncIterator[Arguments]:
    """Read the arguments of a call, whose files are there until the block ends.

    Raises:
        Problem: 400 for what is no form, or not in UTF-8.
        HTTPException: 400 for what is no multipart.
    """
    pairs = _pairs(request.scope["query_string"], "the query")
    if request.method != "POST":
        yield Arguments(pairs)
    elif request.headers.get("content-type", "").lower().startswith("multipart/"):
        async with request.form(max_files=MOST_AT_ONCE, max_fields=MOST_FIELDS, max_part_size=LONGEST_FIELD) as form:
            parts = form.multi_items()
            texts = [(name, part) for name, part in parts if isinstance(part, str)]
            yield Arguments([*texts, *pairs], [p for _, p in parts if isinstance(p, UploadFile) and p.size])
    else:
        yield Arguments([*_pairs(await request.body(), "the body"), *pairs])


def _pairs(sent: bytes, what: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(sent.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Problem(400, f"{what} must be form-urlencoded UTF-8 with at most {MOST_FIELDS} fields") from error


def moment(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the instant in a W3C date and time, or None. What names no time zone is meant as the city's."""
    try:
        at = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+", text))
    except ValueError:
        return None
    # At the ends of the calendar another time zone is no date any more.
    return (at if at.tzinfo else at.replace(tzinfo=zone)) if at.year in YEARS else None


def wrong(name: str, message: str) -> Problem:
    """Return the problem of one wrong argument."""
    return Problem(400, f"{name}: {message}", errors=[FieldError(name, message)])
