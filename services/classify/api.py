"""HTTP of classify: suggestions, the catalogue, and the queue of what waits for a person."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from libs.common.city.catalogue import Question
from libs.common.contracts.classify import Alternative
from libs.common.contracts.vocabulary import Kind, Location, Urgency
from libs.common.runtime.http import Body, Cursor, Line, Note, Page, context, page
from libs.common.runtime.privacy import Redactor
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal, require
from services.classify import handlers, store
from services.classify.domain import (
    Appeal,
    JudgedBy,
    NotPossibleError,
    Reading,
    Rules,
    State,
    Verdict,
    alternatives,
    grade,
)
from services.classify.handlers import Here

router = APIRouter(prefix="/classify/v1", tags=["classify"])
Context = Annotated[Here, Depends(context)]
Asker = Annotated[Principal, Depends(require("adapter", "seat", "unit", "supervisor"))]
Judge = Annotated[Principal, Depends(require("seat", "supervisor"))]
Anyone = Annotated[
    Principal, Depends(require("adapter", "importer", "seat", "unit", "supervisor", "analyst", "operator"))
]
Category = tuple[str, str, str]


class SuggestionQuery(Body):
    """The words of an appeal, as the citizen said or wrote them."""

    text: Note
    title: Line | None = None
    address: Line | None = None
    location: Location | None = None


class PlaceFields(BaseModel):
    """What an appeal's form can be filled with. District and street are codes of the city pack."""

    district: str | None = None
    district_name: str | None = None
    street: str | None = None
    street_name: str | None = None
    place_text: str | None = None


class Answer(BaseModel):
    """Guidance of the catalogue on a question."""

    title: str
    text: str


class Suggestion(BaseModel):
    """What an appeal seems to be about, and what helps to take it down. Nothing of it is stored."""

    category: Category
    code: str
    alternatives: tuple[Alternative, ...]
    confidence: float
    why: tuple[str, ...]
    urgency: Urgency
    kind: Kind
    keywords: tuple[str, ...]
    summary: str
    outside: bool
    fields: PlaceFields
    answers: list[Answer]


class VerdictView(BaseModel):
    """A judgement. `held_until` is when the best guess goes out although no person looked."""

    ticket_id: UUID
    number: str
    state: State
    code: str
    category: Category
    confidence: float
    alternatives: tuple[Alternative, ...]
    why: tuple[str, ...]
    urgency: Urgency
    kind: Kind
    judged_by: JudgedBy
    title: str | None
    text: str
    summary: str
    received_at: datetime
    held_until: datetime | None


class ClassifyCommand(Body):
    """What a person judges a ticket to be. Class and kind follow from the question unless they are given."""

    code: Line
    urgency: Urgency | None = None
    kind: Kind | None = None
    note: Note | None = None


class QuestionView(BaseModel):
    """A question of the catalogue."""

    code: str
    category: Category
    name_en: str
    urgency: Urgency
    kind: Kind
    ask: tuple[str, ...]


class CatalogueView(BaseModel):
    """All questions in their order, with the version that judgements name."""

    version: str
    model: str
    questions: list[QuestionView]


@router.post("/suggestions")
async def suggest(here: Context, _: Asker, asked: SuggestionQuery) -> Suggestion:
    """Say what an appeal seems to be about."""
    appeal = _redacted(asked)
    (reading,) = await asyncio.to_thread(here.engine.reader.read, [appeal])
    return _suggestion(reading, here.engine.rules)


@router.get("/catalogue")
async def show_catalogue(here: Context, _: Anyone) -> CatalogueView:
    """List every question."""
    rules = here.engine.rules
    questions = [
        QuestionView(
            code=q.code, category=q.category, name_en=q.name_en, urgency=q.urgency, kind=q.kind, ask=q.ask
        )
        for q in rules.catalogue
    ]  # fmt: skip
    return CatalogueView(version=rules.catalogue.version, model=rules.model, questions=questions)


@router.get("/reviews")
async def list_reviews(
    here: Context, _: Judge, cursor: Cursor, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Page[VerdictView]:
    """List what waits for a person, soonest limit first."""
    waiting = await store.held(here.database, cursor, limit)
    views = [_view(verdict, here.engine.rules) for verdict in waiting]
    return page(views, limit, lambda view: (view.held_until or view.received_at, view.ticket_id))


@router.post("/tickets/{ticket_id}/classification")
async def classify_ticket(here: Context, who: Judge, ticket_id: UUID, said: ClassifyCommand) -> VerdictView:
    """Confirm or correct a judgement; the model learns from it later."""
    question = here.engine.rules.question(said.code)
    if question is None:
        raise wrong_field("code", "must be a question in the city's catalogue")
    note = Redactor().redact(said.note) if said.note else None
    try:
        async with here.database.begin() as tx:
            verdict = await handlers.judge(
                tx, here, ticket_id, question, said.urgency, said.kind, note, by=who.name
            )  # fmt: skip
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error
    return _view(verdict, here.engine.rules)


def _redacted(asked: SuggestionQuery) -> Appeal:
    redactor = Redactor()
    title, address = (part and redactor.redact(part) for part in (asked.title, asked.address))
    return Appeal(redactor.redact(asked.text), title, address, asked.location)


def _suggestion(reading: Reading, rules: Rules) -> Suggestion:
    guess = reading.guess
    question = rules.catalogue.by_code[guess.code]
    return Suggestion(
        category=question.category, code=question.code, alternatives=alternatives(guess, rules),
        confidence=guess.confidence, why=guess.why, urgency=grade(question.urgency, reading),
        kind=reading.kind or question.kind, keywords=reading.keywords, summary=reading.summary,
        outside=reading.outside, fields=_fields(reading), answers=_answers(question),
    )  # fmt: skip


def _fields(reading: Reading) -> PlaceFields:
    place = reading.place
    if place is None:
        return PlaceFields()
    return PlaceFields(
        district=place.district, district_name=place.district_name, street=place.street,
        street_name=place.street_name, place_text=" ".join(place.matched) or None,
    )  # fmt: skip


def _answers(question: Question) -> list[Answer]:
    guidance = {"请问清": "；".join(question.ask), "请准备": question.evidence, "不属于此类的": question.out_of_scope}
    return [Answer(title=title, text=text) for title, text in guidance.items() if text]


def _view(verdict: Verdict, rules: Rules) -> VerdictView:
    question, receipt, reading = rules.question(verdict.code), verdict.receipt, verdict.reading
    return VerdictView(
        ticket_id=verdict.ticket_id, number=receipt.number, state=verdict.state, code=verdict.code,
        category=question.category if question else ("", "", ""), confidence=verdict.confidence,
        alternatives=alternatives(reading.guess, rules), why=reading.guess.why, urgency=verdict.urgency,
        kind=verdict.kind, judged_by=verdict.judged_by, title=receipt.title, text=receipt.text,
        summary=reading.summary, received_at=receipt.received_at, held_until=verdict.held_until,
    )  # fmt: skip
