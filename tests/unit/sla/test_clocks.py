"""The decisions of sla: clocks follow the facts in whatever order they come, and never lose a second."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.contracts.vocabulary import UnitRef
from services.sla.domain import (
    Again,
    Classified,
    Clock,
    Done,
    Facts,
    Led,
    NotPossibleError,
    Received,
    Ruling,
    decide,
    pause,
    resume,
)
from services.sla.service import book_of
from tests.support.stages import CITY

TICKET = UUID("01900000-0000-7000-8000-000000000001")
START = datetime(2026, 3, 2, 4, tzinfo=UTC)
BOOK = book_of(load_city(CITY))
RECEIVED = Received(START)
UNIT = UnitRef(code="dept-water", name="市水务局")
LED = Led(UNIT, START, "livelihood")


def after(facts: Facts, now: datetime, before: Ruling | None = None) -> Ruling:
    """Decide once, from where an earlier decision left things."""
    return decide(TICKET, facts, before.clocks if before else (), BOOK, now)


def names(ruling: Ruling) -> list[str]:
    """Return what was told."""
    return [event.name for event in ruling.events]


def classified(urgency: Any, elderly: bool = False) -> Classified:
    """Return a classification that carries the same receipt."""
    return Classified(urgency, elderly, RECEIVED)


@pytest.mark.parametrize(
    ("urgency", "response", "completion"),
    [
        ("urgent", timedelta(minutes=30), timedelta(hours=2)),
        ("livelihood", timedelta(hours=2), timedelta(hours=24)),
        ("general", timedelta(hours=24), timedelta(days=7)),
        ("complex", timedelta(hours=24), timedelta(days=15)),
    ],
)
def test_the_class_sets_both_limits_from_receipt(urgency: Any, response: timedelta, completion: timedelta) -> None:
    ruling = after(Facts(RECEIVED, classified(urgency)), START + timedelta(seconds=1))
    assert {clock.name: clock.due_at - START for clock in ruling.clocks} == {
        "response": response,
        "completion": completion,
    }


def test_a_judgement_alone_starts_no_clock_for_it_may_be_of_an_appeal_nobody_must_act_on() -> None:
    assert after(Facts(classified=classified("urgent")), START).clocks == ()


def test_what_was_handed_over_is_timed_from_receipt_although_the_receipt_is_not_here() -> None:
    ruling = after(Facts(classified=classified("general"), dispatched=LED), START + timedelta(hours=1))
    assert {clock.started_at for clock in ruling.clocks} == {START}


def test_deciding_twice_on_the_same_facts_changes_nothing() -> None:
    first = after(Facts(RECEIVED), START)
    again = after(Facts(RECEIVED), START, first)
    assert (again.clocks, again.events) == (first.clocks, ())


def test_a_tighter_class_that_is_overdue_already_warns_and_breaches_at_once() -> None:
    first = after(Facts(RECEIVED), START)
    later = after(Facts(RECEIVED, classified("urgent"), LED), START + timedelta(hours=5), first)
    assert names(later).count("clock.breached") == 4
    assert all(clock.light == "red" for clock in later.clocks)


def test_a_looser_class_takes_a_light_back_that_is_no_longer_true() -> None:
    first = after(Facts(RECEIVED, classified("urgent")), START)
    overdue = after(Facts(RECEIVED, classified("urgent")), START + timedelta(hours=3), first)
    relaxed = after(Facts(RECEIVED, classified("general")), START + timedelta(hours=3), overdue)
    assert {clock.light for clock in relaxed.clocks} == {"green"}


def test_every_mark_takes_effect_exactly_once_however_often_we_look() -> None:
    ruling = after(Facts(RECEIVED, dispatched=LED), START)
    told = names(ruling)
    for hours in range(0, 24 * 16, 7):
        ruling = after(Facts(RECEIVED, dispatched=LED), START + timedelta(hours=hours), ruling)
        told += names(ruling)
    counts = {name: told.count(name) for name in told}
    assert counts == {
        "clock.started": 2,
        "clock.warned": 6,
        "clock.breached": 4,
    }


def test_a_mark_found_late_says_so() -> None:
    first = after(Facts(RECEIVED), START)
    late = after(Facts(RECEIVED), START + timedelta(hours=13), first)
    warned: Any = late.events[0]
    assert (warned.grade, warned.late) == (1, True)


def test_a_unit_that_resolves_without_contact_leaves_the_response_clock_unmet() -> None:
    facts = Facts(RECEIVED, resolved=Done(1, START + timedelta(hours=1)))
    states = {c.name: c.state for c in after(facts, START + timedelta(hours=1), after(Facts(RECEIVED), START)).clocks}
    assert states == {"response": "stopped", "completion": "met"}


def test_completion_after_the_limit_is_met_but_not_in_time() -> None:
    done = START + timedelta(days=8)
    ruling = after(Facts(RECEIVED, resolved=Done(1, done)), done, after(Facts(RECEIVED), START))
    (met,) = [event for event in ruling.events if event.name == "clock.met"]
    assert not met.in_time  # type: ignore[attr-defined]  # a ClockMet


def test_a_reopening_starts_new_clocks_and_keeps_the_old_record() -> None:
    done, again = START + timedelta(hours=2), START + timedelta(days=1)
    facts = Facts(RECEIVED, contacted=Done(1, done), resolved=Done(1, done))
    first = after(facts, done, after(Facts(RECEIVED), START))
    second = after(replace(facts, reopened=Again(2, again)), again, first)
    assert [(clock.round, clock.state) for clock in second.clocks] == [
        (1, "met"),
        (1, "met"),
        (2, "running"),
        (2, "running"),
    ]
    assert second.clocks[-1].started_at == again


def test_a_later_rounds_work_ends_the_clocks_of_a_round_whose_word_was_lost() -> None:
    begun = after(Facts(received=RECEIVED), START)
    again = START + timedelta(days=1)
    lost = Facts(
        received=RECEIVED, reopened=Again(2, again), contacted=Done(2, again + timedelta(minutes=1)),
        resolved=Done(2, again + timedelta(minutes=2)),
    )  # fmt: skip
    assert not [clock for clock in after(lost, again + timedelta(hours=1), begun).clocks if clock.open]


def test_a_contact_that_is_heard_of_in_a_pause_begun_after_it_takes_nothing_off_the_limit() -> None:
    begun = after(Facts(received=RECEIVED), START)
    paused = [pause(c, "weather", None, BOOK, START + timedelta(hours=1))[0] for c in begun.clocks]
    contact = Done(1, START + timedelta(minutes=30))
    heard = after(
        Facts(received=RECEIVED, contacted=contact), START + timedelta(hours=2), replace(begun, clocks=tuple(paused))
    )
    assert [c.due_at for c in heard.clocks] == [c.due_at for c in begun.clocks]


def test_a_looser_class_in_a_pause_counts_only_the_time_used_before_it() -> None:
    tight = Facts(received=RECEIVED, classified=classified("livelihood"))
    used, later = START + timedelta(hours=13), START + timedelta(days=5)
    begun = after(tight, used)
    paused = replace(begun, clocks=tuple(pause(c, "weather", None, BOOK, used)[0] for c in begun.clocks))
    looser = after(replace(tight, classified=classified("general")), later, paused)
    completion = next(c for c in looser.clocks if c.name == "completion")
    assert (completion.fired, completion.state) == (0, "paused")


def test_a_pause_is_bounded_and_ends_by_itself_at_its_limit() -> None:
    clock = after(Facts(RECEIVED), START).clocks[1]
    paused, _ = pause(clock, "weather", START + timedelta(days=2), BOOK, START)
    ruling = decide(TICKET, Facts(RECEIVED), [paused], BOOK, START + timedelta(days=5))
    (woken,) = ruling.clocks
    assert (woken.state, woken.due_at - clock.due_at) == ("running", timedelta(days=2))


def test_only_a_running_clock_is_paused_and_only_a_paused_one_resumed() -> None:
    clock = after(Facts(RECEIVED), START).clocks[0]
    with pytest.raises(NotPossibleError, match="running, only a paused"):
        resume(clock, BOOK, START)
    paused, _ = pause(clock, "weather", None, BOOK, START)
    with pytest.raises(NotPossibleError, match="paused, only a running"):
        pause(paused, "weather", None, BOOK, START)


def test_an_elderly_caller_is_answered_within_a_day_whatever_the_class() -> None:
    facts = Facts(Received(START, elderly=True), classified("complex"))
    response = after(facts, START).clocks[0]
    assert response.due_at - START <= timedelta(hours=24)


SAYINGS: dict[str, list[dict[str, Any]]] = {
    "intake": [{"received": RECEIVED}],
    "classify": [{"classified": classified("livelihood")}],
    "dispatch": [
        {"dispatched": LED},
        {"contacted": Done(1, START + timedelta(minutes=10))},
        {"resolved": Done(1, START + timedelta(minutes=20))},
    ],
    "feedback": [{"reopened": Again(2, START + timedelta(minutes=30))}],
}


@given(st.data())
def test_the_same_facts_in_any_order_end_in_the_same_clocks(data: st.DataObject) -> None:
    now = START + timedelta(hours=1)
    waiting = {emitter: list(sayings) for emitter, sayings in SAYINGS.items()}
    facts, ruling = Facts(), None
    while any(waiting.values()):
        emitter = data.draw(st.sampled_from([name for name, left in waiting.items() if left]))
        facts = replace(facts, **waiting[emitter].pop(0))
        ruling = after(facts, now, ruling)
    assert ruling
    final = sorted(_outcome(clock) for clock in ruling.clocks)
    assert final == [
        (1, "completion", "met", START + timedelta(hours=24)),
        (1, "response", "met", START + timedelta(hours=2)),
        (2, "completion", "running", START + timedelta(minutes=30, hours=24)),
        (2, "response", "running", START + timedelta(minutes=30, hours=2)),
    ]


def _outcome(clock: Clock) -> tuple[Any, ...]:
    return clock.round, clock.name, clock.state, clock.due_at


def test_a_clock_stands_still_on_a_ground_as_often_as_the_city_has_it_and_then_no_more() -> None:
    clock, now = after(Facts(RECEIVED, classified("complex")), START).clocks[1], START
    for _ in range(3):
        paused, _ = pause(clock, "weather", None, BOOK, now)
        now += timedelta(hours=1)
        clock, _ = resume(paused, BOOK, now)
    with pytest.raises(NotPossibleError, match="3 times"):
        pause(clock, "weather", None, BOOK, now)
    assert pause(clock, "force_majeure", None, BOOK, now)[0].state == "paused"


@given(st.lists(st.tuples(st.integers(1, 3 * 86_400), st.integers(1, 86_400)), max_size=6))
def test_pauses_move_the_due_time_by_exactly_their_sum(spans: list[tuple[int, int]]) -> None:
    clock = after(Facts(RECEIVED, classified("complex")), START).clocks[1]
    now, ran, stood = START, timedelta(), timedelta()
    for (running, standing), ground in zip(spans, cycle(["weather", "legal_procedure"]), strict=False):
        now += timedelta(seconds=running)
        ran += timedelta(seconds=running)
        clock, _ = pause(clock, ground, None, BOOK, now)
        now += timedelta(seconds=standing)
        clock, _ = resume(clock, BOOK, now)
        # A pause that begins when the limit is over gives no more time.
        stood += timedelta(seconds=standing) if ran < timedelta(days=15) else timedelta()
    assert clock.due_at == START + timedelta(days=15) + stood
    assert clock.reaches(BOOK.marks["completion"][3], BOOK.calendar) == clock.due_at
