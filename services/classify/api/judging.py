"""HTTP of judgements: the queue of what waits for a person, and a person's word."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.common.contracts.classify import Alternative, MachineMade
from libs.common.contracts.vocabulary import Kind, Urgency
from libs.common.runtime.http import Body, Cursor, Line, Page, Redacted, page
from libs.common.runtime.problems import wrong_field
from services.classify import handlers, store
from services.classify.api.around import Category, Context, Judge, commanding
from services.classify.domain import JudgedBy, Rules, State, Verdict, alternatives

router = APIRouter()


class VerdictView(BaseModel):
    """A judgement. `held_until` is when the best guess goes out although no person looked.

    `machine_made` is what a language model suggests, if one was asked and answered.
    """

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
    machine_made: MachineMade | None


class ClassifyCommand(Body):
    """What a person judges a ticket to be. Class and kind follow from the question unless they are given."""

    code: Line
    urgency: Urgency | None = None
    kind: Kind | None = None
    note: Redacted | None = None


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
    async with commanding(here) as tx:
        verdict = await handlers.judge(
            tx, here, ticket_id, question, said.urgency, said.kind, said.note, by=who.name
        )  # fmt: skip
    return _view(verdict, here.engine.rules)


def _view(verdict: Verdict, rules: Rules) -> VerdictView:
    question, receipt, reading = rules.question(verdict.code), verdict.receipt, verdict.reading
    return VerdictView(
        ticket_id=verdict.ticket_id, number=receipt.number, state=verdict.state, code=verdict.code,
        category=question.category if question else ("", "", ""), confidence=verdict.confidence,
        alternatives=alternatives(verdict.guess, rules), why=verdict.guess.why, urgency=verdict.urgency,
        kind=verdict.kind, judged_by=verdict.judged_by, title=receipt.title, text=receipt.text,
        summary=reading.summary, received_at=receipt.received_at, held_until=verdict.held_until,
        machine_made=verdict.machine_made,
    )  # fmt: skip
