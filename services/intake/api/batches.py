"""Many appeals at once: NDJSON, or a spreadsheet's CSV."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal
from services.intake.api.around import Context, IdempotencyKey, Sender
from services.intake.api.lines import lines_in
from services.intake.api.receiving import receive
from services.intake.api.tables import appeals_in
from services.intake.handlers import Here

router = APIRouter()
AHEAD = 500
"""How many appeals of a batch are under way at once."""
SLICE = 16
"""After so many appeals others have their turn; to look at that many takes one or two milliseconds."""
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
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Receive many appeals; answers one line for each, in order, when all are received.

    The body is NDJSON, a line for each body of a single POST, or, if the Content-Type says text/csv, a table whose
    first row names the columns. A line of the answer has the number of its line (its row, as a spreadsheet counts) and
    either what a single POST answers or a `problem`. After a break send the batch again: what has an `external_ref` is
    not received twice, nor, with an `Idempotency-Key`, is a line of the same batch. A batch has at most 100,000 lines:
    where it has more, or cannot be read on, the last line of the answer has the number of the first that was not
    received, and says why.
    """
    table = request.headers.get("content-type", "").startswith("text/csv")
    rows = appeals_in(request.stream()) if table else _lines(request.stream())
    answers: list[str] = []
    waiting: list[Row] = []
    number = 0
    try:
        async for number, appeal in rows:
            waiting.append((number, appeal))
            if len(waiting) == AHEAD:
                answers += await _receive(here, sender, waiting, idempotency_key)
                waiting.clear()
    except Problem as problem:
        # What stands before it is received all the same, and must be answered for.
        if not answers and not waiting:
            raise
        waiting.append((number + 1, problem))
    answers += await _receive(here, sender, waiting, idempotency_key)
    return StreamingResponse(_in_pieces(answers), media_type="application/x-ndjson")


async def _lines(stream: AsyncIterator[bytes]) -> AsyncIterator[Row]:
    """Yield the lines that are not blank, with their numbers."""
    number = 0
    async for line in lines_in(stream, b"\n"):
        number += 1
        if line.strip():
            yield number, line


async def _receive(here: Here, sender: Principal, rows: Sequence[Row], key: str | None) -> list[str]:
    """Receive these together; return a line of the answer for each."""
    under_way = []
    for row in rows:
        under_way.append(asyncio.create_task(_answer(here, sender, row, key)))
        if len(under_way) % SLICE == 0:
            await asyncio.sleep(0)
    return await asyncio.gather(*under_way)


async def _answer(here: Here, sender: Principal, row: Row, key: str | None) -> str:
    number, appeal = row
    told: dict[str, Any] = {"line": number}
    try:
        if isinstance(appeal, Problem):
            raise appeal
        told |= await receive(here, sender, appeal, key and f"{key}\0{number}")
    except Problem as problem:
        told["problem"] = problem.body()
    return json.dumps(told, ensure_ascii=False) + "\n"


async def _in_pieces(answers: Sequence[str]) -> AsyncIterator[str]:
    for first in range(0, len(answers), AHEAD):
        yield "".join(answers[first : first + AHEAD])
