"""Dry runs of routing, with all that led to them, and the decisions that were made."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

import httpx
from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field

from libs.common.city.catalogue import Question
from libs.common.contracts.vocabulary import (
    AccessNeed,
    Channel,
    Kind,
    Location,
    ReporterType,
    UnitRef,
    Urgency,
)
from libs.common.runtime.http import Body, Line, Moment, Note
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.versions import UnknownVersionError
from libs.common.versions.http import Hash
from services.dispatch.api.around import Context, Reader
from services.dispatch.domain import Matter
from services.dispatch.handlers import Here, rules, seeing
from services.dispatch.routing import Index
from services.dispatch.routing.router import Account
from services.dispatch.routing.telling import TELLING
from services.dispatch.store.deciding import decisions_of

CLASSIFY_SECONDS = 2.0

router = APIRouter()


class RouteQuery(Body):
    """An appeal by its category, its question's code, or its text: exactly one; where it is, and whose, if that counts.

    `urgency` and `kind` are those of the question if left out. `rules` asks another version than the one in force, and
    `at` another moment than now.
    """

    category: tuple[Line, Line, Line] | None = None
    code: Line | None = None
    text: Note | None = None
    address: Line | None = None
    location: Location | None = None
    urgency: Urgency | None = None
    kind: Kind | None = None
    channel: Channel | None = None
    reporter_type: ReporterType | None = None
    access_needs: Annotated[tuple[AccessNeed, ...], Field(max_length=20)] = ()
    rules: Hash | None = None
    at: Moment | None = None


class TriedView(BaseModel):
    """A rule that was tried, in order, and what speaks against it, a sentence each; the last one applies."""

    rule: str
    applies: bool
    why_not: list[str]


class OpinionView(BaseModel):
    """What a model that learned from the city's history takes for the lead; `probability` is 0 to 1."""

    model_config = ConfigDict(from_attributes=True)
    unit: UnitRef
    probability: float


class RouteView(BaseModel):
    """Where an appeal would go. `alternatives` are the units to try next, the likeliest first.

    `rules` is the version that decided, `tried` are its rules up to the one that applied. `opinions` are those of a
    model that learned from history, if the city has one; `agrees` says whether its first names the lead that the rules
    name. Where the city lets it lead, `rule` is `learned`.
    """

    model_config = ConfigDict(from_attributes=True)
    unit: UnitRef
    co_handlers: list[UnitRef]
    rule: str
    why: list[str]
    alternatives: list[UnitRef]
    desk: bool
    rules: str
    tried: list[TriedView]
    opinions: list[OpinionView]
    agrees: bool | None


class DecisionView(BaseModel):
    """Why an order got its lead: the rule and the version of the rules (empty if a person decided), and what judged."""

    model_config = ConfigDict(from_attributes=True)
    at: datetime
    round: int
    unit: str
    previous: str | None
    rule: str
    rules: str
    catalogue: str
    model: str
    why: list[str]


@router.post("/routes")
async def try_route(
    here: Context,
    _: Reader,
    request: Request,
    asked: RouteQuery,
    accept_language: Annotated[str, Header()] = "",
) -> RouteView:
    """Say where an appeal would go, and why, and why not by the rules before; nothing is stored."""
    if sum(given is not None for given in (asked.category, asked.code, asked.text)) != 1:
        raise wrong_field("category", "send exactly one of category, code and text")
    question = await _question(here, request, asked)
    words = " ".join(part for part in (asked.address, asked.text) if part)
    matter = _asked(here.engine.router.matter(question, words, asked.location), asked)
    matter = here.engine.router.called(matter, asked.text, asked.address)
    account = here.engine.router.account(matter, asked.at or here.clock.now(), await _index(here, asked.rules))
    return _view(here, account, TELLING.preferred(accept_language))


@router.get("/orders/{ticket_id}/decisions")
async def list_decisions(here: Context, who: Reader, ticket_id: UUID) -> list[DecisionView]:
    """List why the order of a ticket got each of its leads, the first one first."""
    async with here.database.begin() as tx:
        await seeing.show(tx, here, who, ticket_id)
        return [DecisionView.model_validate(one) for one in await decisions_of(tx.connection, ticket_id)]


def _asked(matter: Matter, asked: RouteQuery) -> Matter:
    """Return a matter with what is said of it besides its question and place."""
    return replace(
        matter, urgency=asked.urgency or matter.urgency, kind=asked.kind or matter.kind, channel=asked.channel,
        reporter_type=asked.reporter_type, access_needs=asked.access_needs, words=asked.text or "",
        address=asked.address or "",
    )  # fmt: skip


async def _index(here: Here, version: str | None) -> Index | None:
    try:
        return await rules.compiled(here, version) if version else None
    except UnknownVersionError as error:
        raise wrong_field("rules", str(error)) from error


def _view(here: Here, account: Account, language: str) -> RouteView:
    route, names = account.route, here.engine.router.names
    tried = [
        TriedView(
            rule=t.rule, applies=t.applies, why_not=[TELLING.obstacle(language, one, names) for one in t.obstacles]
        )
        for t in account.tried
    ]
    return RouteView(
        unit=route.unit, co_handlers=list(route.co_handlers), rule=route.rule, why=list(route.why),
        alternatives=list(route.alternatives), desk=route.desk, rules=route.rules, tried=tried,
        opinions=[OpinionView.model_validate(one) for one in account.opinions], agrees=account.route.agrees,
    )  # fmt: skip


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
