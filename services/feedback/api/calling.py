"""Callbacks to make: seats take them one by one, each with its script, and say how calls ended."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, model_validator

from libs.common.city.callbacks import Asked
from libs.common.city.settings import Name
from libs.common.contracts.vocabulary import AccessNeed, Kind, UnitRef, Urgency
from libs.common.messaging.transaction import Tx
from libs.common.runtime.http import Body, Cursor, Moment, Page, page
from libs.common.runtime.problems import wrong_field
from services.feedback import handlers, store
from services.feedback.api.around import Context, Limit, Seat, commanding
from services.feedback.api.asking import ReviewView, TryView, review_view, tries_view
from services.feedback.domain import Review, TryOutcome, WrongTimeError, held, spoken
from services.feedback.handlers import Here, Task

router = APIRouter(prefix="/callbacks")


class AttemptCommand(Body):
    """How a call ended that brought no answer; `again_at` goes with call_back, and only with it."""

    outcome: TryOutcome
    again_at: Moment | None = None

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if (self.outcome == "call_back") != (self.again_at is not None):
            raise ValueError("again_at goes with call_back, and only with it")
        return self


class CallbackView(BaseModel):
    """One reporter to phone. Whom to call, intake's contact endpoint tells a seat, and keeps that it did.

    It is to be phoned from `due_at` on; `held`: a seat has it now. `language` is an ISO 639 code.
    """

    ticket_id: UUID
    round: int
    number: str | None
    kind: Kind | None
    category: tuple[str, str, str] | None
    urgency: Urgency | None
    unit: UnitRef | None
    reply: str
    asks_explained: bool
    requested_at: datetime
    until: datetime
    due_at: datetime | None
    held: bool
    needs: list[AccessNeed]
    language: str
    tries: list[TryView]


class SaidView(BaseModel):
    """A text of the script."""

    zh: str
    en: str


class QuestionView(SaidView):
    """A question, and what it is for: `contacted` is answered by a reason, the others by the fields of a review."""

    asks: Asked


class ScriptView(BaseModel):
    """What to say: first `introduce`, then the questions in order; `mind` is for the seat alone."""

    introduce: SaidView
    mind: list[SaidView]
    questions: list[QuestionView]
    partly: SaidView
    no: SaidView
    refused: SaidView
    end: SaidView


class OtherView(BaseModel):
    """Something else that the same person is to be phoned about."""

    ticket_id: UUID
    round: int


class TaskView(BaseModel):
    """A callback that is yours until `held_until`. `others` may be asked in the same call."""

    callback: CallbackView
    held_until: datetime
    script: ScriptView
    others: list[OtherView]


@asynccontextmanager
async def _commanding(here: Here) -> AsyncIterator[Tx]:
    """Run a command in a transaction. Raises Problem 409 if it is not possible now, 422 for an impossible time."""
    try:
        async with commanding(here) as tx:
            yield tx
    except WrongTimeError as error:
        raise wrong_field("again_at", str(error)) from error


@router.get("")
async def list_callbacks(
    here: Context, _: Seat, cursor: Cursor, limit: Limit = 100,
    due: Annotated[bool, Query(description="Only those that may be phoned now and that no seat has")] = False,
) -> Page[CallbackView]:  # fmt: skip
    """List the reporters to phone, who was asked first first. There is no personal data in it."""
    now = here.clock.now()
    reviews = await store.callbacks(here.database, cursor, limit, now if due else None)
    return page([_callback(review, now) for review in reviews], limit, lambda c: (c.requested_at, c.ticket_id))


@router.post("/next")
async def post_next(here: Context, seat: Seat) -> TaskView | None:
    """Take the callback that is due first and that nobody has, or get the one you have; null if there is none.

    What urges is not how long ago the ticket is, but when its reporter may be phoned.
    """
    async with _commanding(here) as tx:
        task = await handlers.take_next(tx, here, seat.name)
        return _task(here, task) if task else None


@router.post("/{ticket_id}/take")
async def post_take(here: Context, seat: Seat, ticket_id: UUID) -> TaskView:
    """Take one callback. No other seat gets this person, for any ticket, until you give it back or time is up."""
    async with _commanding(here) as tx:
        return _task(here, await handlers.take(tx, here, ticket_id, seat.name))


@router.post("/{ticket_id}/release")
async def post_release(here: Context, seat: Seat, ticket_id: UUID) -> CallbackView:
    """Give a callback back that you did not make."""
    async with _commanding(here) as tx:
        return _callback(await handlers.release(tx, here, ticket_id, seat.name), tx.now)


@router.post("/{ticket_id}/attempt")
async def post_attempt(here: Context, seat: Seat, ticket_id: UUID, command: AttemptCommand) -> ReviewView:
    """Keep a call of yours that brought no answer; one that did is posted as the review.

    Who took no call is tried at another part of the day, at most as often as the city sets. Then, and when the number
    is not theirs, or they refuse, the question lapses: that is no praise.
    """
    async with _commanding(here) as tx:
        tried = await handlers.attempt(tx, here, ticket_id, seat.name, command.outcome, command.again_at)
        return review_view(tried)


def _callback(review: Review, now: datetime) -> CallbackView:
    return CallbackView(
        ticket_id=review.ticket_id, round=review.round, number=review.number, kind=review.kind,
        category=review.category, urgency=review.urgency, unit=review.unit, reply=review.reply,
        asks_explained=review.asks_explained, requested_at=review.requested_at, until=review.until,
        due_at=review.due_at, held=held(review, now), needs=list(review.needs), language=review.language,
        tries=tries_view(review),
    )  # fmt: skip


def _task(here: Here, task: Task) -> TaskView:
    said = spoken(task.review, here.engine.policy.callbacks)
    now = here.clock.now()
    script = ScriptView(
        introduce=_said(said.introduce), mind=[_said(one) for one in said.mind],
        questions=[QuestionView(asks=code, zh=text.zh, en=text.en) for code, text in said.questions],
        partly=_said(said.partly), no=_said(said.no), refused=_said(said.refused), end=_said(said.end),
    )  # fmt: skip
    others = [OtherView(ticket_id=id_, round=round_) for id_, round_ in task.others]
    return TaskView(
        callback=_callback(task.review, now), held_until=task.review.held_until or now, script=script, others=others
    )


def _said(name: Name) -> SaidView:
    return SaidView(zh=name.zh, en=name.en)
