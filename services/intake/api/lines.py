"""Lines of a body as it streams in: bounded, and never so many at once that nobody else is served."""

import asyncio
from collections.abc import AsyncIterator
from typing import AnyStr

from libs.common.runtime.problems import FieldError, Problem

MOST_LINES = 100_000
"""Of a request, blank ones included: what a great city receives in a day."""
LONGEST_LINE = 128 * 1024
"""Bytes, or characters of a table: the longest appeal fits in, though all of its text were escaped."""
TURN = 500
"""After so many lines others have their turn; to split that many takes about a millisecond."""


async def lines_in(stream: AsyncIterator[AnyStr], end: AnyStr) -> AsyncIterator[AnyStr]:
    """Yield the lines of a stream, without their ends. Raises Problem 413 if they are too many, or one is too long."""
    number, rest = 0, end[:0]
    async for chunk in stream:
        begin, text = 0, rest + chunk
        while (until := text.find(end, begin)) >= 0:
            number += 1
            if number > MOST_LINES:
                raise _too_large(f"must have at most {MOST_LINES} lines; send the rest as another batch")
            if number % TURN == 0:
                await asyncio.sleep(0)
            yield _bounded(text[begin:until])
            begin = until + len(end)
        rest = _bounded(text[begin:])
    if rest:
        yield rest


def _bounded(line: AnyStr) -> AnyStr:
    if len(line) > LONGEST_LINE:
        raise _too_large(f"must have no line longer than {LONGEST_LINE} bytes; is a line end missing?")
    return line


def _too_large(what: str) -> Problem:
    return Problem(413, f"the body {what}", errors=[FieldError("body", what)])
