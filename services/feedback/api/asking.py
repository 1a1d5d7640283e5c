"""Answers by seat or by link, and callbacks to make."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from libs.common.contracts.vocabulary import Resolution, UnitRef, Urgency
from libs.common.runtime.http import Body, Cursor, Line, Note, Page, page
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import authorise
from services.feedback import handlers, store
from services.feedback.api.around import Context, Limit, Reader, Seat
from services.feedback.domain import Answer, By, Method, NotPossibleError, Review, State, TryOutcome
from services.feedback.handlers import Here

router = APIRouter()


class ReviewCommand(Body):
    """What the citizen says: is it solved, how satisfied from 1 to 5, and in their own words.

    `explained` says whether the policy was explained clearly; a callback with `asks_explained` is to ask for it.
    """

    resolved: Resolution
    satisfied: Annotated[int, Field(ge=1, le=5)]
    comment: Note | None = None
    explained: bool | None = None


class AttemptCommand(Body):
    """How a call ended. Nobody took the third, or the citizen refuses: then the question lapses."""

    outcome: TryOutcome


class TryView(BaseModel):
    """One call of a seat."""

    at: datetime
    outcome: TryOutcome


class ReviewView(BaseModel):
    """One question to the reporter, and what came of it. `contacted` and the clocks are of the round it judges."""

    ticket_id: UUID
    round: int
    method: Method
    state: State
    unit: UnitRef | None
    requested_at: datetime
    until: datetime
    tries: list[TryView]
    resolved: Resolution | None
    satisfied: int | None
    comment: str | None
    asks_explained: bool
    explained: bool | None
    by: By | None
    answered_at: datetime | None
    contacted: bool
    response_in_time: bool | None
    completion_in_time: bool | None
    excluded: bool


class CallbackView(BaseModel):
    """One reporter to phone. Whom to call, intake's contact endpoint tells a seat, and keeps that it did."""

    ticket_id: UUID
    round: int
    number: str | None
    category: tuple[str, str, str] | None
    urgency: Urgency | None
    unit: UnitRef | None
    reply: str
    asks_explained: bool
    requested_at: datetime
    until: datetime
    tries: list[TryView]


@router.post("/tickets/{ticket_id}/review")
async def post_review(
    request: Request,
    here: Context,
    ticket_id: UUID,
    command: ReviewCommand,
    token: Annotated[Line | None, Query(description="Of the citizen's link, instead of a key")] = None,
) -> ReviewView:
    """Take the citizen's answer, from a seat that called back or by the token of the link. Once for each round."""
    if token is None:
        authorise(request, "seat", "supervisor")
    given = Answer(command.resolved, command.satisfied, command.comment, command.explained)
    return _review(await _take(here, ticket_id, given, token))


async def _take(here: Here, ticket_id: UUID, given: Answer, token: str | None) -> Review:
    try:
        async with here.database.begin() as tx:
            return await handlers.review(tx, here, ticket_id, given, token)
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error


@router.get("/tickets/{ticket_id}/reviews")
async def ticket_reviews(here: Context, _: Reader, ticket_id: UUID) -> list[ReviewView]:
    """List every question the reporter of a ticket was asked, oldest round first."""
    async with here.database.begin() as tx:
        reviews = (await store.reviews_of(tx, [ticket_id]))[ticket_id]
    return [_review(review) for review in reviews]


@router.get("/callbacks")
async def list_callbacks(here: Context, _: Seat, cursor: Cursor, limit: Limit = 100) -> Page[CallbackView]:
    """List the reporters to phone, who was asked first first. There is no personal data in it."""
    reviews = await store.callbacks(here.database, cursor, limit)
    return page([_callback(review) for review in reviews], limit, lambda c: (c.requested_at, c.ticket_id))


@router.post("/callbacks/{ticket_id}/attempt")
async def post_attempt(here: Context, _: Seat, ticket_id: UUID, command: AttemptCommand) -> ReviewView:
    """Keep a call that brought no answer; one that did is posted as the review."""
    try:
        async with here.database.begin() as tx:
            return _review(await handlers.attempt(tx, here, ticket_id, command.outcome))
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error


def _review(review: Review) -> ReviewView:
    return ReviewView(
        ticket_id=review.ticket_id, round=review.round, method=review.method, state=review.state, unit=review.unit,
        requested_at=review.requested_at, until=review.until, tries=_tries(review), resolved=review.resolved,
        satisfied=review.satisfied, comment=review.comment, asks_explained=review.asks_explained,
        explained=review.explained, by=review.by, answered_at=review.answered_at,
        contacted=review.contacted, response_in_time=review.response_in_time,
        completion_in_time=review.completion_in_time, excluded=review.excluded,
    )  # fmt: skip


def _callback(review: Review) -> CallbackView:
    return CallbackView(
        ticket_id=review.ticket_id, round=review.round, number=review.number, category=review.category,
        urgency=review.urgency, unit=review.unit, reply=review.reply, asks_explained=review.asks_explained,
        requested_at=review.requested_at, until=review.until, tries=_tries(review),
    )  # fmt: skip


def _tries(review: Review) -> list[TryView]:
    return [TryView(at=call.at, outcome=call.outcome) for call in review.tries]
