"""Callbacks 回访: a seat takes one reporter to itself, phones, and notes how the call ended."""

from dataclasses import dataclass, replace
from datetime import datetime

from libs.common.city.callbacks import Asked, Callbacks
from libs.common.city.settings import Name
from services.feedback.domain.hours import Try, TryOutcome
from services.feedback.domain.reviews import NotPossibleError, Policy, Review, finish, require_open, timed


class WrongTimeError(ValueError):
    """A time at which nobody may be phoned; its text says which may be."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a seat says to one reporter: the questions in order, each with what it is for, and what to `mind`."""

    introduce: Name
    mind: tuple[Name, ...]
    questions: tuple[tuple[Asked, Name], ...]
    partly: Name
    no: Name
    refused: Name
    end: Name


def spoken(review: Review, callbacks: Callbacks) -> Spoken:
    """Return the words for this reporter: by the kind of appeal, and by what they need."""
    script, kind = callbacks.script, review.kind or "help"
    asked = [question for question in script.questions_for(kind) if question.code != "explained"]
    if review.asks_explained:
        asked = list(script.questions_for("consultation"))
    return Spoken(
        _filled(script.introduce, review),
        tuple(callbacks.needs[need] for need in review.needs if need in callbacks.needs),
        tuple((question.code, question.text) for question in asked),
        script.partly, script.no, script.refused, script.end,
    )  # fmt: skip


def _filled(said: Name, review: Review) -> Name:
    matter = review.category[-1] if review.category else "12345"
    known = {"{number}": review.number or "", "{matter}": matter, "{unit}": review.unit_name or "12345"}
    zh, en = said.zh, said.en
    for name, value in known.items():
        zh, en = zh.replace(name, value), en.replace(name, value)
    return Name(zh, en)


def held(review: Review, now: datetime) -> bool:
    """Say whether a seat has this reporter to itself now."""
    return review.held_until is not None and now < review.held_until


def take(review: Review, seat: str, policy: Policy, now: datetime) -> Review:
    """Give a reporter to one seat, for a while. Raises NotPossibleError unless it is time and nobody else has them."""
    _require_callback(review, now)
    if held(review, now) and review.held_by != seat:
        raise NotPossibleError("another seat has this callback")
    if not held(review, now) and review.due_at is not None and now < review.due_at:
        raise NotPossibleError(f"this reporter is to be phoned from {_local(review.due_at, policy)} on")
    return replace(review, held_by=seat, held_until=now + policy.callbacks.hold)


def release(review: Review, seat: str) -> Review:
    """Give a callback back that was not made."""
    _require_holder(review, seat)
    return replace(review, held_by=None, held_until=None)


def attempt(
    review: Review, seat: str, outcome: TryOutcome, policy: Policy, now: datetime, again_at: datetime | None = None
) -> Review:
    """Keep a call of the seat that took the callback, and let the next one wait for its time.

    The question lapses when the citizen refuses, when the number is not theirs, and after as many calls as the city
    sets; a line that was busy is none of those that nobody took. Raises WrongTimeError for an `again_at` at which
    nobody is phoned, or when the question is over.
    """
    _require_callback(review, now)
    _require_holder(review, seat)
    if again_at is not None and not (now < again_at < review.until and policy.hours.part(again_at)):
        hours = ", ".join(f"{part.begins:%H:%M}-{part.ends:%H:%M}" for part in policy.callbacks.parts)
        raise WrongTimeError(f"must lie within {hours} and before {_local(review.until, policy)}")
    tried = replace(review, tries=(*review.tries, Try(now, outcome, seat, again_at)), held_by=None, held_until=None)
    missed = sum(call.outcome == "no_answer" for call in tried.tries)
    most = policy.callbacks
    if outcome in {"refused", "wrong_number"} or missed >= most.tries or len(tried.tries) >= most.calls:
        tried = finish(tried, "lapsed", policy, now)
    return timed(tried, policy)


def _require_callback(review: Review, now: datetime) -> None:
    require_open(review, now)
    if review.method != "callback":
        raise NotPossibleError("the citizen is asked by link, not by callback")


def _require_holder(review: Review, seat: str) -> None:
    if review.held_by != seat:
        raise NotPossibleError("take this callback first, so that no two seats phone one citizen")


def _local(at: datetime, policy: Policy) -> str:
    return at.astimezone(policy.timezone).isoformat(timespec="minutes")
