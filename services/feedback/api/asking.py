"""Answers by seat or by link."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from libs.common.contracts.vocabulary import Resolution, UnitRef
from libs.common.runtime.http import Body, Line, Note
from libs.common.runtime.problems import wrong_field
from libs.common.runtime.security import authorise
from services.feedback import handlers, store
from services.feedback.api.around import Context, Reader, commanding
from services.feedback.domain import Answer, By, Method, Review, State, TryOutcome
from services.feedback.handlers import Here
from services.feedback.handlers.seeing import seen_units

router = APIRouter()


class ReviewCommand(Body):
    """What the citizen says: is it solved, how satisfied from 1 to 5, and in their own words.

    `explained` says whether the policy was explained clearly; a callback with `asks_explained` is to ask for it.
    `reasons` are codes of GET /feedback/v1/reasons; those that do not go with the answer are left out.
    """

    resolved: Resolution
    satisfied: Annotated[int, Field(ge=1, le=5)]
    comment: Note | None = None
    explained: bool | None = None
    reasons: Annotated[list[Line], Field(max_length=20)] = Field(default_factory=list)


class ReasonView(BaseModel):
    """Why it went well or badly, as a citizen may say."""

    code: str
    good: bool
    zh: str
    en: str


class TryView(BaseModel):
    """One call of a seat. `again_at` is when the citizen asked to be called back."""

    at: datetime
    outcome: TryOutcome
    again_at: datetime | None


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
    reasons: list[str]
    by: By | None
    answered_at: datetime | None
    contacted: bool
    response_in_time: bool | None
    completion_in_time: bool | None
    excluded: bool


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
    known = {reason.code for reason in here.engine.policy.callbacks.reasons}
    if not known.issuperset(command.reasons):
        raise wrong_field("reasons", f"must be among {', '.join(sorted(known))}")
    given = Answer(command.resolved, command.satisfied, command.comment, command.explained, tuple(command.reasons))
    return review_view(await _take(here, ticket_id, given, token))


@router.get("/reasons")
async def list_reasons(here: Context) -> list[ReasonView]:
    """List why it may have gone well or badly, in the order in which citizens read it. Needs no key."""
    reasons = here.engine.policy.callbacks.reasons
    return [ReasonView(code=one.code, good=one.good, zh=one.name.zh, en=one.name.en) for one in reasons]


async def _take(here: Here, ticket_id: UUID, given: Answer, token: str | None) -> Review:
    async with commanding(here) as tx:
        return await handlers.review(tx, here, ticket_id, given, token)


@router.get("/tickets/{ticket_id}/reviews")
async def ticket_reviews(here: Context, who: Reader, ticket_id: UUID) -> list[ReviewView]:
    """List every question about units in sight that the reporter of a ticket was asked, oldest round first."""
    seen = seen_units(here, who)
    async with here.database.begin() as tx:
        reviews = (await store.reviews_of(tx, [ticket_id]))[ticket_id]
    return [review_view(review) for review in reviews if seen is None or review.unit_code in seen]


def review_view(review: Review) -> ReviewView:
    """Return a question and what came of it, as routes show it."""
    return ReviewView(
        ticket_id=review.ticket_id, round=review.round, method=review.method, state=review.state, unit=review.unit,
        requested_at=review.requested_at, until=review.until, tries=tries_view(review), resolved=review.resolved,
        satisfied=review.satisfied, comment=review.comment, asks_explained=review.asks_explained,
        explained=review.explained, reasons=list(review.reasons), by=review.by, answered_at=review.answered_at,
        contacted=review.contacted, response_in_time=review.response_in_time,
        completion_in_time=review.completion_in_time, excluded=review.excluded,
    )  # fmt: skip


def tries_view(review: Review) -> list[TryView]:
    """Return the calls of seats, as routes show them."""
    return [TryView(at=call.at, outcome=call.outcome, again_at=call.again_at) for call in review.tries]
