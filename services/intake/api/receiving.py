"""The front door for channel adapters."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from starlette.responses import Response
from starlette.routing import Route

from libs.common.contracts.vocabulary import Status
from libs.common.runtime.http import body_of, header
from libs.common.runtime.problems import Problem, invalid, wrong_field
from libs.common.runtime.security import Principal, Role, authorise
from services.intake import handlers
from services.intake.appeal import Appeal
from services.intake.handlers import Accepted, Here

router = APIRouter()
SENDERS: tuple[Role, ...] = ("adapter", "seat", "importer")
GRASSROOTS = frozenset({"district", "street", "town"})
"""Kinds of units that may handle themselves what they meet."""


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
    sender = authorise(request, *SENDERS, "unit")
    key = header(request, b"idempotency-key")
    if key is not None and not 1 <= len(key) <= 200:
        raise wrong_field("Idempotency-Key", "must have 1 to 200 characters")
    body = await body_of(request)
    here.engine.crowd += 1
    try:
        received = await receive(here, sender, body, key)
    finally:
        here.engine.crowd -= 1
    return Response(to_json(received), 202, media_type="application/json")


async def receive(here: Here, sender: Principal, body: bytes, key: str | None) -> dict[str, Any]:
    """Receive one appeal as it was sent; return what to answer once it is committed. Raises Problem."""
    try:
        appeal = Appeal.model_validate_json(body)
    except ValidationError as error:
        raise invalid(error) from None
    here.keys.admit(sender, appeal.channel)
    _may_register(here, sender, appeal)
    if appeal.received_at and not sender.may("importer"):
        raise wrong_field("received_at", "only the role importer may set it; leave it out")
    for name, at in (("received_at", appeal.received_at), ("occurred_at", appeal.occurred_at)):
        if at and (at - here.clock.now()).total_seconds() > 300:
            raise wrong_field(name, "must not lie in the future")
    return _received(here, await handlers.accept(here, sender.name, appeal, key, body), appeal)


def _may_register(here: Here, sender: Principal, appeal: Appeal) -> None:
    """Let grassroots register what they handle themselves 基层直办, and nothing else. Raises Problem 403 or 422."""
    unit = appeal.handled_by
    if unit is None:
        if not sender.may(*SENDERS):
            raise Problem(403, "handled_by: a unit registers what it handles itself, and says as which unit")
        return
    # Not `acts_for`: a supervisor sees after units, and does not register for them.
    if not sender.may("unit") or (sender.units and unit not in sender.units):
        raise Problem(403, "handled_by: this key does not act for that unit")
    known = here.engine.city.units.get(unit)
    if known is None or known.kind not in GRASSROOTS:
        raise wrong_field("handled_by", "must be the code of a district, a street or a town")
    if appeal.channel != "walk_in":
        raise wrong_field("channel", "must be walk_in where a unit registers what it met on the spot")


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
