"""HTTP of suggestions: what an appeal seems to be about, while a seat takes it down."""

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field

from libs.common.city.catalogue import Question
from libs.common.contracts.classify import Alternative, Details, MachineMade
from libs.common.contracts.vocabulary import Kind, Location, Urgency
from libs.common.runtime.http import Body, Line, Note
from libs.common.runtime.privacy import Redactor
from libs.common.runtime.problems import wrong_field
from services.classify import handlers
from services.classify.api.around import Asker, Category, Context
from services.classify.api.knowledge import Citation, Hint, citations, linked
from services.classify.digest import cut
from services.classify.domain import Appeal, Reading, Rules, alternatives, grade
from services.classify.facts import Said, Speaker, asked_of, told

router = APIRouter()
LONGEST_CALL = 20_000
"""Characters of a transcript: more than an hour of talk, and still read while a seat waits."""


class Turn(Body):
    """What one of the two said in a call."""

    speaker: Speaker
    text: Note


def _bounded(transcript: tuple[Turn, ...]) -> tuple[Turn, ...]:
    if sum(len(turn.text) for turn in transcript) > LONGEST_CALL:
        raise ValueError(f"must hold at most {LONGEST_CALL:,} characters in all")
    return transcript


class SuggestionQuery(Body):
    """The words of an appeal, as the citizen said or wrote them, or a call turn by turn, or both.

    A call may also be the text: lines that begin with 坐席： and 市民： (or A: and B:, A being the seat).
    """

    text: Note | None = None
    transcript: Annotated[tuple[Turn, ...], Field(max_length=500), AfterValidator(_bounded)] = ()
    title: Line | None = None
    address: Line | None = None
    location: Location | None = None
    deep: bool = False
    """Whether to wait for a language model as well, if the city has one."""
    deep_seconds: float = Field(default=5.0, gt=0, le=60)
    """How long to wait for it."""


class PlaceFields(BaseModel):
    """What an appeal's form can be filled with. District and street are codes of the city pack."""

    occurred_at: datetime | None = None

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
    facts: Details
    said: list[str]
    """What a seat must ask about this, and the words speak of already."""
    missing: list[str]
    """What is still to be asked."""
    answers: list[Answer]
    knowledge: list[Citation]
    """Of a consultation: passages of the knowledge base that answer it."""
    articles: list[Hint]
    """Articles in force that are linked to this question of the catalogue, whatever is asked of it."""
    machine_made: MachineMade | None = None
    """What a language model says of it: only when asked for `deep`, and if it answered in time."""


@router.post("/suggestions")
async def suggest(here: Context, who: Asker, asked: SuggestionQuery) -> Suggestion:
    """Say what an appeal seems to be about."""
    here.keys.admit(who)
    appeal = await asyncio.to_thread(_redacted, asked, here.clock.now())
    engine = here.engine
    reading = await asyncio.to_thread(engine.reader.read_now, appeal)
    found = await handlers.find(here, appeal.text) if reading.kind == "consultation" else []
    spoken = "\n".join((appeal.body, *(one.text for one in asked.transcript)))
    known = citations(here, found), await linked(here, reading.guess.code)
    said = await asyncio.to_thread(_suggestion, appeal, spoken, reading, engine.rules, *known)
    if not asked.deep:
        return said
    made = await handlers.deepen(here, appeal, reading.guess, asked.deep_seconds)
    return said.model_copy(update={"machine_made": made})


def _redacted(asked: SuggestionQuery, now: datetime) -> Appeal:
    """Return the appeal without personal data. Who asks with neither text nor transcript is refused."""
    redactor = Redactor()
    talk = [Said(one.speaker, redactor.redact(one.text)) for one in asked.transcript]
    texts = (asked.text and redactor.redact(asked.text), told(talk))
    text = "\n".join(part for part in texts if part)
    if not text:
        raise wrong_field("text", "must be given, or a transcript in which the citizen says something")
    title, address = (part and redactor.redact(part) for part in (asked.title, asked.address))
    return Appeal(text, title, address, asked.location, at=now)


def _suggestion(
    appeal: Appeal, spoken: str, reading: Reading, rules: Rules, knowledge: list[Citation], articles: list[Hint]
) -> Suggestion:
    guess, facts = reading.guess, reading.facts or Details()
    question = rules.catalogue.by_code[guess.code]
    located = bool(reading.place or appeal.address or appeal.location)
    answered = asked_of(question.ask, spoken, facts, located, cut)
    return Suggestion(
        category=question.category, code=question.code, alternatives=alternatives(guess, rules),
        confidence=guess.confidence, why=guess.why, urgency=grade(question.urgency, reading),
        kind=reading.kind or question.kind, keywords=reading.keywords, summary=reading.summary,
        outside=reading.outside, fields=_fields(reading, appeal.at), facts=facts,
        said=[one.ask for one in answered if one.said], missing=[one.ask for one in answered if not one.said],
        answers=_answers(question), knowledge=knowledge, articles=articles,
    )  # fmt: skip


def _fields(reading: Reading, now: datetime | None) -> PlaceFields:
    place, times = reading.place, reading.facts.times if reading.facts else ()
    began = next((when.start for when in times if when.start and now and when.start <= now), None)
    if place is None:
        return PlaceFields(occurred_at=began)
    return PlaceFields(
        occurred_at=began, district=place.district, district_name=place.district_name, street=place.street,
        street_name=place.street_name, place_text=" ".join(place.matched) or None,
    )  # fmt: skip


def _answers(question: Question) -> list[Answer]:
    guidance = {"请问清": "；".join(question.ask), "请准备": question.evidence, "不属于此类的": question.out_of_scope}
    return [Answer(title=title, text=text) for title, text in guidance.items() if text]
