"""Dry runs of routing."""

import httpx
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from libs.common.city.catalogue import Question
from libs.common.contracts.vocabulary import (
    Location,
    UnitRef,
)
from libs.common.runtime.http import Body, Line, Note
from libs.common.runtime.problems import Problem, wrong_field
from services.dispatch.api.around import Context, Reader
from services.dispatch.handlers import Here

CLASSIFY_SECONDS = 2.0

router = APIRouter()


class RouteQuery(Body):
    """An appeal by its category, its question's code, or its text: exactly one; and where it is."""

    category: tuple[Line, Line, Line] | None = None
    code: Line | None = None
    text: Note | None = None
    address: Line | None = None
    location: Location | None = None


class RouteView(BaseModel):
    """Where an appeal would go. `alternatives` are the units to try next, the likeliest first."""

    model_config = ConfigDict(from_attributes=True)
    unit: UnitRef
    co_handlers: list[UnitRef]
    rule: str
    why: list[str]
    alternatives: list[UnitRef]
    desk: bool


@router.post("/routes")
async def try_route(here: Context, _: Reader, request: Request, asked: RouteQuery) -> RouteView:
    """Say where an appeal would go, and why; nothing is stored."""
    if sum(given is not None for given in (asked.category, asked.code, asked.text)) != 1:
        raise wrong_field("category", "send exactly one of category, code and text")
    question = await _question(here, request, asked)
    words = " ".join(part for part in (asked.address, asked.text) if part)
    matter = here.engine.router.matter(question, words, asked.location)
    return RouteView.model_validate(here.engine.router.route(matter))


async def _question(here: Here, request: Request, asked: RouteQuery) -> Question:
    routing = here.engine.router
    if asked.text:
        question = routing.question_of(await _suggested(here, request, asked))
        if question is None:
            raise _unavailable("classify answered from another catalogue than this city's")
        return question
    question = routing.question(asked.code) if asked.code else routing.question_of(asked.category or ("", "", ""))
    if question is None:
        raise wrong_field("code" if asked.code else "category", "must be a question in the city's catalogue")
    return question


async def _suggested(here: Here, request: Request, asked: RouteQuery) -> tuple[str, str, str]:
    """Ask classify what a text is about, with the caller's own key: the one synchronous hop between services."""
    url = f"{here.settings.classify_url or here.settings.base_url}/classify/v1/suggestions"
    headers = {"Authorization": request.headers["authorization"]}
    sent = asked.model_dump(include={"text", "address"}, exclude_none=True)
    try:
        # Not through a proxy of the environment: classify is a neighbour, and the text stays in the house.
        async with httpx.AsyncClient(timeout=CLASSIFY_SECONDS, trust_env=False) as client:
            answer = await client.post(url, json=sent, headers=headers)
    except httpx.TransportError as error:
        raise _unavailable("classify cannot be reached; send category or code instead of text") from error
    if answer.is_client_error:
        raise Problem(answer.status_code, "classify did not accept the question")
    if not answer.is_success:
        raise _unavailable("classify has a failure of its own; send category or code instead of text")
    l1, l2, l3 = answer.json()["category"]
    return l1, l2, l3


def _unavailable(detail: str) -> Problem:
    return Problem(503, detail, headers={"Retry-After": "5"})
