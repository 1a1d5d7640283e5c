"""Callbacks: hours, tries, and seats, whatever they do in whichever order."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.city.callbacks import PartOfDay
from libs.common.contracts.vocabulary import Kind
from services.feedback.domain import (
    Hours,
    NotPossibleError,
    Review,
    Try,
    TryOutcome,
    WrongTimeError,
    attempt,
    held,
    release,
    spoken,
    take,
)
from tests.support.desk import POLICY, Desk, received, resolved
from tests.support.stages import NOON

CITY = ZoneInfo("Asia/Shanghai")
HOURS = POLICY.hours
SEATS = ("one", "two", "three")
MOMENTS = st.integers(0, 7 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))
OUTCOMES: st.SearchStrategy[TryOutcome] = st.sampled_from([o for o in get_args(TryOutcome) if o != "call_back"])
ENDS: st.SearchStrategy[TryOutcome] = st.sampled_from(["no_answer", "busy", "reached"])


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a time of Beijing, `day` days after the Monday of NOON."""
    return datetime(2026, 3, 2 + day, hour, minute, tzinfo=CITY)


def asked(*, elderly: bool = False) -> Review:
    """Return a question that a seat is to ask."""
    return Desk().hear(received(access_needs=("elderly",) if elderly else ()), resolved()).review()


@pytest.mark.parametrize(
    ("at", "elderly", "due"),
    [
        (local(0, 12), False, local(0, 12)),
        (local(0, 12), True, local(0, 14)),
        (local(0, 20, 30), False, local(1, 8, 30)),
        (local(0, 3), True, local(0, 8, 30)),
    ],
)
def test_the_first_call_waits_for_the_day_and_for_the_elderly_to_have_rested(
    at: datetime, elderly: bool, due: datetime
) -> None:
    assert HOURS.due(at, (), elderly=elderly) == due


def test_whom_nobody_reached_in_one_part_of_the_day_is_tried_in_the_others_before_it_comes_again() -> None:
    tries: tuple[Try, ...] = ()
    for due in (local(0, 12), local(0, 14), local(0, 18), local(1, 8, 30), local(1, 11, 30)):
        assert HOURS.due(local(0, 12), tries, elderly=False) == due
        tries = (*tries, Try(due, "no_answer"))


def test_a_city_with_one_part_of_the_day_tries_again_the_next_day() -> None:
    office = PartOfDay(code="office", begins=time(9), ends=time(17))
    hours = Hours(replace(POLICY.callbacks, parts=(office,)), CITY)
    assert hours.due(local(0, 9), (Try(local(0, 10), "no_answer"),), elderly=False) == local(1, 9)


@settings(max_examples=300, deadline=None)
@given(calls=st.lists(st.tuples(OUTCOMES, MOMENTS), max_size=6), elderly=st.booleans())
def test_nobody_is_due_at_night_nor_the_elderly_at_noon_nor_twice_in_one_part_of_a_day(
    calls: list[tuple[TryOutcome, datetime]], elderly: bool
) -> None:
    tries = tuple(Try(at, outcome) for outcome, at in sorted(calls, key=lambda call: call[1]))
    due = HOURS.due(NOON, tries, elderly=elderly)
    part = next(part for part in POLICY.callbacks.parts if part.code == HOURS.part(due))
    assert part.elderly or not elderly
    if not tries:
        return
    assert due >= tries[-1].at
    if tries[-1].outcome != "busy":
        same_day = due.astimezone(CITY).date() == tries[-1].at.astimezone(CITY).date()
        assert not (same_day and HOURS.part(tries[-1].at) == part.code)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), elderly=st.booleans())
def test_seats_in_any_order_never_phone_one_reporter_at_once_at_night_or_once_it_is_over(
    data: st.DataObject, elderly: bool
) -> None:
    """Seats take, give back and call at drawn moments; whoever got to call had the callback, and it was time."""
    review, now, has = asked(elderly=elderly), NOON, None
    for _ in range(data.draw(st.integers(1, 25))):
        now += timedelta(minutes=data.draw(st.integers(1, 600)))
        seat, deed = data.draw(st.sampled_from(SEATS)), data.draw(st.sampled_from(["take", "release", "attempt"]))
        before = review
        try:
            if deed == "take":
                review = take(review, seat, POLICY, now)
                assert before.held_by == seat or not held(before, now)
                assert held(before, now) or before.due_at is None or before.due_at <= now
                has = seat
            elif deed == "release":
                review = release(review, seat)
                assert has == seat
                has = None
            else:
                review = attempt(review, seat, data.draw(ENDS), POLICY, now)
                assert has == seat
                has = None
        except NotPossibleError:
            assert review is before
        if review.state != "requested":
            assert (review.state, review.held_by, review.due_at) == ("lapsed", None, None)
            assert review.resolved is None, "silence is no praise"
            break
    assert len(review.tries) <= POLICY.callbacks.calls
    assert sum(call.outcome == "no_answer" for call in review.tries) <= POLICY.callbacks.tries


def test_a_line_that_is_always_busy_is_not_called_for_ever() -> None:
    desk = Desk().hear(received(), resolved())
    for _ in range(POLICY.callbacks.calls - 1):
        assert desk.calls("busy").outcome() is None
    assert desk.calls("busy").outcome() == "no_answer"


@pytest.mark.parametrize("again_at", [local(0, 11), local(1, 3), local(9, 9)])
def test_a_call_is_promised_for_a_later_day_within_hours_while_the_question_stands(again_at: datetime) -> None:
    taken = take(asked(), "one", POLICY, NOON)
    with pytest.raises(WrongTimeError, match="08:30-11:30"):
        attempt(taken, "one", "call_back", POLICY, NOON, again_at)
    assert attempt(taken, "one", "call_back", POLICY, NOON, local(1, 9)).due_at == local(1, 9)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_of_appeal_is_asked_whether_it_is_solved_and_how_satisfied_they_are(kind: Kind) -> None:
    said = spoken(replace(asked(), kind=kind, asks_explained=kind == "consultation"), POLICY.callbacks)
    asks = [code for code, _ in said.questions]
    assert {"solved", "satisfied"} <= set(asks)
    assert len(asks) == len(set(asks))
    assert ("explained" in asks) == (kind == "consultation")
    assert "{" not in said.introduce.zh + said.introduce.en
