"""One question to one reporter: how it is put, answered, tried by phone, and how it ends.

A review in state `closed` is a question that fell away: whether it was put at all may depend on what was heard first,
and it counts nowhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.common.city.callbacks import Callbacks
from libs.common.contracts.envelope import Event
from libs.common.contracts.feedback import ReviewRequested, ReviewSubmitted
from libs.common.contracts.vocabulary import AccessNeed, Kind, Resolution, UnitRef, Urgency
from services.feedback.domain.facts import Facts, Method, OnTime
from services.feedback.domain.hours import Hours, Try

State = Literal["requested", "answered", "lapsed", "closed"]
By = Literal["citizen", "seat"]


class NotPossibleError(Exception):
    """A command that the state of the review does not allow; its text says why."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How long an answer is waited for, how many rounds may be reopened, where months begin, how people are phoned."""

    window: timedelta
    reopen_limit: int
    timezone: ZoneInfo
    callbacks: Callbacks

    @property
    def hours(self) -> Hours:
        """When people are phoned."""
        return Hours(self.callbacks, self.timezone)

    def period(self, at: datetime) -> str:
        """Return the month of a moment, as YYYY-MM in the city's time."""
        return f"{at.astimezone(self.timezone):%Y-%m}"


@dataclass(frozen=True, slots=True)
class Word:
    """What the citizen is asked about: a unit's word in a round of `about`, or an answer given at once (no unit).

    `final`: the answer was an emergency's number, or a transfer outward.
    """

    about: UUID
    round: int
    reply: str
    contacted: bool = False
    unit: UnitRef | None = None
    final: bool = False

    @property
    def without_words(self) -> "Word":
        """What was said of it without how."""
        return replace(self, reply="")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the citizen says. `satisfied` runs from 1 to 5; `comment` is redacted.

    `explained`: whether the policy was explained clearly; None if the citizen was not asked, or did not say. `reasons`
    are codes of the city's list.
    """

    resolved: Resolution
    satisfied: int
    comment: str | None = None
    explained: bool | None = None
    reasons: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the reasons beside it are of praise."""
        return self.resolved == "yes" and self.satisfied > 2


GOOD, PARTLY, BAD = Answer("yes", 5), Answer("partly", 3), Answer("no", 1)
"""The answers of one tap."""


@dataclass(frozen=True, slots=True)
class Review:
    """One question to one reporter, and what came of it. `about` is the ticket whose handling it judges.

    `period` is the month in which the question ended. `excluded` takes an answer out of the rates. `asks_explained`: it
    asks whether the policy was explained clearly too, as of a consultation and of what was answered on the spot.
    """

    ticket_id: UUID
    round: int
    about: UUID
    method: Method
    state: State
    requested_at: datetime
    until: datetime
    reply: str
    contacted: bool
    unit_code: str | None = None
    unit_name: str | None = None
    number: str | None = None
    category: tuple[str, str, str] | None = None
    urgency: Urgency | None = None
    kind: Kind | None = None
    response_in_time: bool | None = None
    completion_in_time: bool | None = None
    tries: tuple[Try, ...] = ()
    resolved: Resolution | None = None
    satisfied: int | None = None
    comment: str | None = None
    by: By | None = None
    answered_at: datetime | None = None
    period: str | None = None
    excluded: bool = False
    asks_explained: bool = False
    explained: bool | None = None
    reasons: tuple[str, ...] = ()
    needs: tuple[AccessNeed, ...] = ()
    language: str = "zh"
    due_at: datetime | None = None
    held_by: str | None = None
    held_until: datetime | None = None

    @property
    def unit(self) -> UnitRef | None:
        """Whose word it is."""
        return UnitRef(code=self.unit_code, name=self.unit_name or "") if self.unit_code else None

    @property
    def answer(self) -> Answer | None:
        """What the citizen said."""
        if not (self.resolved and self.satisfied):
            return None
        return Answer(self.resolved, self.satisfied, self.comment, self.explained, self.reasons)

    @property
    def without_words(self) -> "Review":
        """The review without what anybody wrote: what was asked and answered, of whom, and when."""
        return replace(self, reply="", comment=None)

    def open(self, now: datetime) -> bool:
        """Say whether an answer is still taken."""
        return self.state == "requested" and now < self.until


def next_due(reviews: Iterable[Review]) -> datetime | None:
    """Return when `decide` must be asked again if no fact comes: when a question lapses."""
    return min((review.until for review in reviews if review.state == "requested"), default=None)


def answer(review: Review, given: Answer, by: By, policy: Policy, now: datetime) -> tuple[Review, list[Event]]:
    """Take the citizen's word, once: the same again changes nothing. Raises NotPossibleError for another."""
    if review.state == "answered" and review.answer == given:
        return review, []
    require_open(review, now)
    answered = replace(
        finish(review, "answered", policy, now), resolved=given.resolved, satisfied=given.satisfied,
        comment=given.comment, by=by, answered_at=now, explained=given.explained, reasons=given.reasons,
    )  # fmt: skip
    told = ReviewSubmitted(
        resolved=given.resolved, satisfied=given.satisfied, comment=given.comment, by=by, round=review.round, at=now,
        unit=review.unit, explained=given.explained, reasons=given.reasons,
    )  # fmt: skip
    return timed(answered, policy), [told]


def ask(
    review: Review | None, ticket_id: UUID, facts: Facts, word: Word, policy: Policy, now: datetime
) -> tuple[Review, list[Event]]:
    """Put the question, once for each round; while it stands it follows the word, and how the citizen is reached.

    A review that is there follows the facts already.
    """
    standing = review if review and review.state != "closed" else None
    if standing and standing.state != "requested":
        return standing, []
    until = now + policy.window
    new = Review(ticket_id, word.round, word.about, facts.method, "requested", now, until, word.reply, word.contacted)
    asked = standing or follow(new, facts)
    asked = replace(
        # What was deleted of the ticket it judges, its own reporter was told all the same.
        asked, method=facts.method, reply=word.reply or asked.reply,
        asks_explained=asked.kind == "consultation" or (word.unit is None and not word.final),
        unit_code=word.unit.code if word.unit else None, unit_name=word.unit.name if word.unit else None,
    )  # fmt: skip
    if standing and standing.method == asked.method:
        return asked, []
    return asked, [ReviewRequested(method=asked.method, round=asked.round, at=now, until=asked.until)]


def follow(review: Review, facts: Facts) -> Review:
    """Keep beside the answer what is known and was ruled of the appeal, and what its own unit did in that round."""
    judged, appeal = facts.classified, facts.appeal
    own = review.about == review.ticket_id
    return replace(
        review,
        number=appeal.number if appeal else None,
        category=judged.category if judged else None,
        urgency=judged.urgency if judged else None,
        kind=judged.kind if judged else appeal.kind if appeal else None,
        excluded=facts.excluded,
        needs=facts.needs,
        language=appeal.language if appeal else "zh",
        contacted=review.contacted or (own and facts.contacted == review.round),
        response_in_time=_in_time(review.response_in_time, facts.response, review, own),
        completion_in_time=_in_time(review.completion_in_time, facts.completion, review, own),
    )


def drop(review: Review, word: Word | None, linked: bool, policy: Policy, now: datetime) -> Review:
    """Let a question fall away when its word no longer stands, and an answer about a ticket this one never repeated."""
    stands = word is not None and (word.about, word.round) == (review.about, review.round)
    strayed = review.about != review.ticket_id and not linked
    if review.state == "closed" or not (strayed or (review.state == "requested" and not stands)):
        return review
    return finish(review, "closed", policy, now)


def lapse(review: Review, policy: Policy, now: datetime) -> Review:
    """Give up waiting. Silence is never counted as praise: it enters no rate."""
    late = review.state == "requested" and review.until <= now
    return finish(review, "lapsed", policy, now) if late else review


def timed(review: Review, policy: Policy) -> Review:
    """Say when to phone next where that is awaited; what is over, or asked by link, no seat holds any more."""
    if review.state != "requested" or review.method != "callback":
        phoned = review.due_at or review.held_by or review.held_until
        return replace(review, due_at=None, held_by=None, held_until=None) if phoned else review
    due = policy.hours.due(review.requested_at, review.tries, elderly="elderly" in review.needs)
    return review if review.due_at == due else replace(review, due_at=due)


def _in_time(kept: bool | None, clock: OnTime | None, review: Review, own: bool) -> bool | None:
    return clock.in_time if own and clock and clock.round == review.round else kept


def require_open(review: Review, now: datetime) -> None:
    """Raise NotPossibleError unless an answer is still taken: by the clock, whether or not the timer fired yet."""
    if review.state == "answered":
        raise NotPossibleError(f"round {review.round} was answered already, and an answer is not changed")
    if not review.open(now):
        raise NotPossibleError(f"the question of round {review.round} is over, no answer is taken any more")


def finish(review: Review, state: State, policy: Policy, now: datetime) -> Review:
    """End a question, in the month of now."""
    return replace(review, state=state, period=policy.period(now))
