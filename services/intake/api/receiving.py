"""The front door for channel adapters: one appeal, or many as NDJSON."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ValidationError
from starlette.responses import Response
from starlette.routing import Route

from libs.common.contracts.vocabulary import Status
from libs.common.runtime.http import body_of
from libs.common.runtime.problems import Problem, invalid, wrong_field
from libs.common.runtime.security import Principal, authorise
from services.intake import handlers
from services.intake.api.around import Context, Sender
from services.intake.appeal import Appeal
from services.intake.handlers import Accepted, Here

router = APIRouter()
BATCH_AHEAD = 500
"""How many lines of a batch are under way at once."""


class CallNow(BaseModel):
    """Life is in danger: the number to call, whose it is, and what to tell the citizen, in both languages."""

    number: str
    name: str
    text: str


class Received(BaseModel):
    """What the sender of an appeal gets. The query code lets the citizen look the ticket up.

    `emergency` is there only where the words call for one: tell the citizen before anything else.
    """

    ticket_id: UUID
    number: str
    query_code: str
    status: Status
    emergency: CallNow | None = None


async def post_ticket(request: Request) -> Response:
    """Receive one appeal: `POST /intake/v1/tickets`. Answers 202 once it is committed."""
    here: Here = request.app.state.context
    sender = authorise(request, "adapter", "seat", "importer")
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= 200:
        raise wrong_field("Idempotency-Key", "must have 1 to 200 characters")
    received = await _receive(here, sender, await body_of(request), key)
    return Response(json.dumps(received), 202, media_type="application/json")


async def _receive(here: Here, sender: Principal, body: bytes, key: str | None) -> dict[str, Any]:
    try:
        appeal = Appeal.model_validate_json(body)
    except ValidationError as error:
        raise invalid(error) from None
    here.keys.admit(sender, appeal.channel)
    now = here.clock.now()
    if appeal.received_at and not sender.may("importer"):
        raise wrong_field("received_at", "only the role importer may set it; leave it out")
    for name, at in (("received_at", appeal.received_at), ("occurred_at", appeal.occurred_at)):
        if at and (at - now).total_seconds() > 300:
            raise wrong_field(name, "must not lie in the future")
    return _received(here, await handlers.accept(here, sender.name, appeal, key), appeal)


def _received(here: Here, accepted: Accepted, appeal: Appeal) -> dict[str, Any]:
    received: dict[str, Any] = {
        "ticket_id": str(accepted.ticket_id),
        "number": accepted.number,
        "query_code": here.engine.codes.of(accepted.ticket_id),
        "status": "received",
    }
    if call := handlers.call_now(here.engine, appeal):
        received["emergency"] = asdict(call)
    return received


@router.post("/tickets/batch", status_code=200, response_class=Response)
async def post_batch(request: Request, here: Context, sender: Sender) -> Response:
    """Receive many appeals as NDJSON; answers one line for each line, in order, when all are received.

    A line's answer has its number and either what a single POST answers or a `problem`. Send the batch again after a
    break: what has an `external_ref` is not received twice.
    """
    answers: list[dict[str, Any] | None] = []
    waiting: list[bytes] = []
    async for line in _lines(request.stream()):
        waiting.append(line)
        if len(waiting) == BATCH_AHEAD:
            answers += await asyncio.gather(*(_answer(here, sender, line) for line in waiting))
            waiting.clear()
    answers += await asyncio.gather(*(_answer(here, sender, line) for line in waiting))
    numbered = ({"line": i, **answer} for i, answer in enumerate(answers, 1) if answer is not None)
    told = "".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in numbered)
    return Response(told, media_type="application/x-ndjson")


async def _lines(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in stream:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
    if rest:
        yield rest


async def _answer(here: Here, sender: Principal, line: bytes) -> dict[str, Any] | None:
    if not line.strip():
        return None
    try:
        return await _receive(here, sender, line, None)
    except Problem as problem:
        return {"problem": problem.body()}


ROUTES = (Route("/intake/v1/tickets", post_ticket, methods=["POST"]),)
"""The hot POST goes past FastAPI's layers, which would cost more than all it does itself."""

_BODY = "#/paths/~1intake~1v1~1tickets/post/requestBody/content/application~1json/schema/$defs/{model}"
_KEY = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 1, "maxLength": 200}}
# Answered before FastAPI by ROUTES; declared here, it is in the schema, and other methods get their 405.
router.add_api_route(
    "/tickets", post_ticket, methods=["POST"], status_code=202, response_model=Received,
    openapi_extra={
        "parameters": [_KEY],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": Appeal.model_json_schema(ref_template=_BODY)}},
        },
    },
)  # fmt: skip
