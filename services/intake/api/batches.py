"""Many appeals at once: NDJSON, or a spreadsheet's CSV."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal
from services.intake.api.around import Context, Sender
from services.intake.api.receiving import receive
from services.intake.api.tables import appeals_in
from services.intake.handlers import Here

router = APIRouter()
AHEAD = 500
"""How many appeals of a batch are under way at once."""
_TEXT = {"schema": {"type": "string"}}
_BODY = {"requestBody": {"required": True, "content": {"application/x-ndjson": _TEXT, "text/csv": _TEXT}}}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "A line of JSON for each appeal", "content": {"application/x-ndjson": _TEXT}}
}
Row = tuple[int, bytes | Problem]


@router.post("/tickets/batch", response_class=Response, responses=_ANSWER, openapi_extra=_BODY)
async def post_batch(
    request: Request,
    here: Context,
    sender: Sender,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> Response:
    """Receive many appeals; answers one line for each, in order, when all are received.

    The body is NDJSON, a line for each body of a single POST, or, if the Content-Type says text/csv, a table whose
    first row names the columns. A line of the answer has the number of its line (its row, as a spreadsheet counts) and
    either what a single POST answers or a `problem`. After a break send the batch again: what has an `external_ref` is
    not received twice, nor, with an `Idempotency-Key`, is a line of the same batch.
    """
    table = request.headers.get("content-type", "").startswith("text/csv")
    rows = appeals_in(request.stream()) if table else _lines(request.stream())
    answers: list[dict[str, Any]] = []
    waiting: list[Row] = []
    try:
        async for row in rows:
            waiting.append(row)
            if len(waiting) == AHEAD:
                answers += await _receive(here, sender, waiting, idempotency_key)
                waiting.clear()
    except Problem as problem:
        # What stands before it is received all the same, and must be answered for.
        if not answers and not waiting:
            raise
        waiting.append((waiting[-1][0] + 1 if waiting else answers[-1]["line"] + 1, problem))
    answers += await _receive(here, sender, waiting, idempotency_key)
    told = "".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers)
    return Response(told, media_type="application/x-ndjson")


async def _lines(stream: AsyncIterator[bytes]) -> AsyncIterator[Row]:
    """Yield the lines that are not blank, with their numbers."""
    number, rest = 0, b""
    async for chunk in stream:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            number += 1
            if line.strip():
                yield number, line
    if rest.strip():
        yield number + 1, rest


async def _receive(here: Here, sender: Principal, rows: Sequence[Row], key: str | None) -> list[dict[str, Any]]:
    return await asyncio.gather(*(_answer(here, sender, row, key) for row in rows))


async def _answer(here: Here, sender: Principal, row: Row, key: str | None) -> dict[str, Any]:
    number, appeal = row
    try:
        if isinstance(appeal, Problem):
            raise appeal
        return {"line": number, **await receive(here, sender, appeal, key and f"{key}\0{number}")}
    except Problem as problem:
        return {"line": number, "problem": problem.body()}
