"""How grave an appeal is: its own class, and what else raises it and lets it fall again."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.contracts.vocabulary import Kind, Receipt, Urgency
from services.classify.domain import Facts, Guess, Reading, Rules, Ruling, Verdict, correct, decide, opened
from tests.support.stages import CITY

START = datetime(2026, 3, 2, 4, tzinfo=UTC)
PACK = load_city(CITY)
RULES = Rules(PACK.catalogue, 0.25, timedelta(minutes=30), "test", PACK.raising)
NOISE, BURST, OUTAGE, ESTATE, LEAK, LIGHT = (
    "env-02-06", "water-01-03", "water-01-01", "housing-02-09", "gas-01-01", "facil-03-01",
)  # fmt: skip
ALARM = "关联诉求20260302-0000007：险情“漏气了”"


def judged(code: str, kind: Kind = "complaint", **read: Any) -> Verdict:
    """Return a verdict that was said."""
    receipt = Receipt(number="20260302-0000001", channel="web", kind=kind, text="…", received_at=START)
    reading = Reading(Guess(code, 0.9, why=("依据",)), **read)
    return decide(opened(UUID(int=1), receipt, reading, RULES), Facts(), RULES, START).verdict


def supported(by: int, before: Verdict) -> Ruling:
    """Return what so many others with the same trouble make of it."""
    return decide(before, Facts(support=by), RULES, START)


@pytest.mark.parametrize(
    ("code", "support", "urgency"),
    [
        (NOISE, 4, "general"),
        (NOISE, 5, "livelihood"),
        (NOISE, 5000, "livelihood"),
        (OUTAGE, 5000, "livelihood"),
        (BURST, 19, "livelihood"),
        (BURST, 20, "urgent"),
        (ESTATE, 5000, "complex"),
        (LEAK, 5, "urgent"),
    ],
)
def test_how_many_others_raise_a_class(code: str, support: int, urgency: Urgency) -> None:
    assert supported(support, judged(code)).verdict.urgency == urgency


def test_a_raised_class_is_told_with_its_reason() -> None:
    (event,) = supported(5, judged(NOISE)).events
    assert (event.name, event.urgency, event.previous) == ("ticket.reclassified", "livelihood", NOISE)  # type: ignore[attr-defined]
    assert (event.reason, event.why) == ("另有5人反映同一问题", ("另有5人反映同一问题", "依据"))  # type: ignore[attr-defined]


def test_one_more_of_the_same_is_not_told() -> None:
    assert supported(6, supported(5, judged(NOISE)).verdict).events == ()


def test_a_class_falls_when_nothing_holds_it_up_any_more_and_not_before() -> None:
    raised = supported(20, judged(BURST)).verdict
    both = decide(raised, Facts(support=20), RULES, START, alarm=ALARM)
    assert both.events == ()
    assert decide(both.verdict, Facts(support=3), RULES, START, alarm=ALARM).events == ()
    (event,) = decide(both.verdict, Facts(support=3), RULES, START).events
    assert (event.urgency, event.reason) == ("livelihood", "升级的理由已不存在")  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["consultation", "suggestion", "praise"])
def test_many_who_ask_suggest_or_praise_are_in_no_trouble(kind: Kind) -> None:
    assert supported(100, judged(NOISE, kind)).verdict.urgency == "general"


def test_a_repeat_that_tells_of_danger_makes_what_it_repeats_urgent() -> None:
    (event,) = decide(judged(NOISE), Facts(), RULES, START, alarm=ALARM).events
    assert (event.urgency, event.why[0], event.reason) == ("urgent", ALARM, ALARM)  # type: ignore[attr-defined]


def test_a_repeat_says_what_it_repeats_and_alarms_it_only_when_urgent() -> None:
    parent = UUID(int=9)
    calm, grave = (decide(judged(code), Facts(ended="linked", parent=parent), RULES, START) for code in (NOISE, LEAK))
    assert (calm.verdict.alarms, grave.verdict.alarms) == (None, parent)
    gone = decide(grave.verdict, Facts(ended="linked", parent=parent, withdrawn=True), RULES, START)
    assert (gone.verdict.alarms, decide(grave.verdict, Facts(), RULES, START).verdict.alarms) == (None, None)


def named(before: Verdict, urgency: Urgency | None, facts: Facts = Facts()) -> Verdict:  # noqa: B008 frozen
    """Have a seat confirm the question and name a class, or none."""
    question = PACK.catalogue.by_code[before.code]
    return correct(before, facts, question, urgency, None, None, "seat-1", RULES, START).verdict


def test_a_class_that_a_person_named_stands_against_what_they_saw_and_yields_to_what_comes_after() -> None:
    many = Facts(support=5)
    calm = named(decide(judged(NOISE), many, RULES, START).verdict, "general", many)
    assert decide(calm, Facts(support=50), RULES, START).verdict.urgency == "general"
    assert decide(calm, many, RULES, START, alarm=ALARM).verdict.urgency == "urgent"


def test_a_class_that_a_person_named_does_not_climb_on_by_a_step_that_was_reached_then() -> None:
    many = Facts(support=20)
    assert named(judged(LIGHT), "livelihood", many).urgency == "livelihood"


def test_a_person_who_names_no_class_leaves_it_to_the_rule() -> None:
    many = Facts(support=5)
    assert named(decide(judged(NOISE), many, RULES, START).verdict, None, many).urgency == "livelihood"


def test_a_danger_that_a_person_heard_and_set_aside_comes_back_only_with_another() -> None:
    calm = named(judged(NOISE, danger="着火了"), "general")
    assert decide(calm, Facts(), RULES, START).verdict.urgency == "general"
    assert decide(calm, Facts(), RULES, START, alarm=ALARM).verdict.urgency == "urgent"


@given(
    st.sampled_from([NOISE, BURST, OUTAGE, ESTATE, LEAK]),
    st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=6),
)
def test_the_class_is_that_of_what_is_known_now_whatever_was_known_before(
    code: str, known: list[tuple[int, bool]]
) -> None:
    verdict = judged(code)
    for support, alarmed in known:
        verdict = decide(verdict, Facts(support=support), RULES, START, alarm=ALARM if alarmed else None).verdict
    support, alarmed = known[-1]
    at_once = decide(judged(code), Facts(support=support), RULES, START, alarm=ALARM if alarmed else None).verdict
    assert verdict == at_once
