"""The decisions of classify: what is sure is said at once, what is not waits for a person, nothing is said twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.contracts.vocabulary import Place, Receipt
from services.classify.domain import (
    Facts,
    Guess,
    NotPossibleError,
    Reading,
    Ruled,
    Rules,
    Ruling,
    Verdict,
    correct,
    decide,
    grade,
    next_due,
    opened,
)
from tests.support.stages import CITY
from tests.support.stories import hearings, stories

TICKET = UUID("01900000-0000-7000-8000-000000000001")
START = datetime(2026, 3, 2, 4, tzinfo=UTC)
PACK = load_city(CITY)
RULES = Rules(PACK.catalogue, 0.5, timedelta(minutes=30), "test", PACK.raising)
WATER, NOISE, GAS = "water-01-01", "env-02-06", "gas-01-01"
WANGJING = Place(
    district="110105", district_name="朝阳区", street="s-110105026", street_name="望京街道", confidence=0.9
)
RECEIPT = Receipt(number="20260302-0000001", channel="web", text="家里没水", received_at=START)


def reading(confidence: float = 0.9, code: str = WATER, **more: Any) -> Reading:
    """Return what a model of this confidence read."""
    return Reading(Guess(code, confidence, ((NOISE, 0.1), ("not-in-this-release", 0.05)), ("依据",)), **more)


def verdict(confidence: float = 0.9, code: str = WATER, **more: Any) -> Verdict:
    """Return a verdict of which nothing was said yet."""
    return opened(TICKET, RECEIPT, reading(confidence, code, **more), RULES)


def after(before: Verdict, facts: Facts = Facts(), minutes: int = 0, **more: Any) -> Ruling:  # noqa: B008 frozen
    """Decide so many minutes after the start."""
    return decide(before, facts, RULES, START + timedelta(minutes=minutes), **more)


def names(ruling: Ruling) -> list[str]:
    """Return what was told."""
    return [event.name for event in ruling.events]


def said(ruling: Ruling) -> Any:
    """Return the one event that was told."""
    (event,) = ruling.events
    return event


def test_a_sure_guess_is_said_at_once_with_all_that_dispatch_needs() -> None:
    ruling = after(verdict())
    event = said(ruling)
    question = RULES.catalogue.by_code[WATER]
    assert (event.name, event.category, event.owner) == ("ticket.classified", question.category, question.owner)
    assert (event.judged_by, event.model, event.catalogue) == ("model", "test", RULES.catalogue.version)
    assert ruling.verdict.state == "classified"


def test_an_alternative_that_this_catalogue_lacks_is_not_said() -> None:
    assert [other.code for other in said(after(verdict())).alternatives] == [NOISE]


def test_an_unsure_guess_waits_for_a_person_until_the_limit_and_goes_out_then() -> None:
    held = after(verdict(0.3))
    assert (held.events, held.verdict.state) == ((), "held")
    assert next_due(held.verdict) == START + RULES.hold_limit
    event = said(after(held.verdict, minutes=30))
    assert (event.judged_by, event.code, event.confidence) == ("limit", WATER, 0.3)


def test_urgent_never_waits_however_unsure_the_question_is() -> None:
    event = said(after(verdict(0.05, NOISE, danger="着火了")))
    assert (event.urgency, event.why[0]) == ("urgent", "险情“着火了”")


def test_deciding_twice_on_the_same_facts_changes_nothing() -> None:
    first = after(verdict(0.3))
    again = after(first.verdict, minutes=10)
    assert (again.verdict, again.events) == (first.verdict, ())


def test_by_a_question_that_is_no_more_nothing_is_said_until_it_is_judged_anew() -> None:
    held = replace(after(verdict(0.3)).verdict, code="of-an-older-catalogue")
    for facts, minutes in ((Facts(), 60), (Facts(ended="linked"), 0), (Facts(support=99), 0)):
        ruling = after(held, facts, minutes)
        assert (ruling.events, ruling.verdict.state, next_due(ruling.verdict)) == ((), "held", held.held_until)
        anew = after(ruling.verdict, facts, minutes, again=reading(0.2))
        assert (len(anew.events), anew.verdict.code) == (bool(minutes or facts.ended), WATER)
    assert after(held, Facts(withdrawn=True)).verdict.state == "ended"


def test_what_was_withdrawn_leaves_the_queue_and_is_never_said() -> None:
    held = after(verdict(0.3)).verdict
    gone = after(held, Facts(withdrawn=True), minutes=60)
    assert (gone.events, gone.verdict.state, next_due(gone.verdict)) == ((), "ended", None)


@pytest.mark.parametrize("ended", ["linked", "answered"])
@pytest.mark.parametrize("confidence", [0.3, 0.9])
def test_what_was_linked_or_answered_is_said_at_once_and_bothers_nobody(ended: Any, confidence: float) -> None:
    ruling = after(verdict(confidence), Facts(ended=ended))
    assert (names(ruling), ruling.verdict.state, next_due(ruling.verdict)) == (["ticket.classified"], "ended", None)
    again = after(ruling.verdict)
    assert (again.events, again.verdict.state) == ((), "classified")


def test_what_waits_when_it_is_linked_leaves_the_queue() -> None:
    held = after(verdict(0.3)).verdict
    ruling = after(held, Facts(ended="linked"))
    assert (names(ruling), next_due(ruling.verdict)) == (["ticket.classified"], None)


def test_a_ruling_reclassifies_once_and_teaches() -> None:
    told = after(verdict()).verdict
    facts = Facts(ruled=Ruled(NOISE, "是楼上装修", START))
    ruling = after(told, facts)
    event = said(ruling)
    assert (event.name, event.code, event.previous) == ("ticket.reclassified", NOISE, WATER)
    assert event.reason == "退单裁定：是楼上装修"
    assert ruling.label is not None
    assert (ruling.label.code, ruling.label.by) == (NOISE, "ruling")
    again = after(ruling.verdict, facts)
    assert (again.events, again.label) == ((), None)


def test_a_ruling_that_agrees_only_teaches() -> None:
    ruling = after(after(verdict()).verdict, Facts(ruled=Ruled(WATER, "没错", START)))
    assert ruling.events == ()
    assert ruling.label is not None


def test_a_ruling_with_a_question_of_another_catalogue_only_teaches() -> None:
    ruling = after(after(verdict()).verdict, Facts(ruled=Ruled("no-such", "", START)))
    assert (ruling.events, ruling.verdict.code) == ((), WATER)
    assert ruling.label is not None


def by_person(before: Verdict, code: str, urgency: Any = None, note: str | None = None) -> Ruling:
    """Have a seat judge."""
    return correct(before, Facts(), RULES.catalogue.by_code[code], urgency, None, note, "seat-1", RULES, START)


def test_a_person_settles_what_waits() -> None:
    ruling = by_person(after(verdict(0.3)).verdict, NOISE, note="听录音")
    event = said(ruling)
    assert (event.name, event.judged_by, event.confidence) == ("ticket.classified", "person", 1.0)
    assert event.why == ("听录音",)
    assert ruling.label is not None
    assert (ruling.label.by, ruling.label.text) == ("seat-1", "家里没水")


def test_a_person_corrects_what_was_said_and_confirms_it_in_silence() -> None:
    told = after(verdict()).verdict
    assert names(by_person(told, NOISE)) == ["ticket.reclassified"]
    assert names(by_person(told, WATER)) == []
    assert names(by_person(told, WATER, urgency="urgent")) == ["ticket.reclassified"]


def test_what_ended_cannot_be_judged() -> None:
    gone = after(verdict(), Facts(withdrawn=True)).verdict
    with pytest.raises(NotPossibleError):
        by_person(gone, NOISE)


def test_words_added_while_it_waits_are_read_and_may_end_the_wait() -> None:
    held = after(verdict(0.3)).verdict
    assert said(after(held, again=reading(0.9, GAS))).code == GAS


def test_words_added_later_change_a_judgement_only_if_they_make_it_surer() -> None:
    told = after(verdict(0.6)).verdict
    assert after(told, again=reading(0.5, NOISE)).events == ()
    event = said(after(told, again=reading(0.8, NOISE)))
    assert (event.name, event.code, event.previous, event.reason) == (
        "ticket.reclassified", NOISE, WATER, "补充内容后重新研判",
    )  # fmt: skip


def test_words_that_say_where_it_is_are_told_and_a_place_once_found_stays() -> None:
    told = after(verdict(0.6)).verdict
    found = after(told, again=reading(0.3, NOISE, place=WANGJING))
    assert (said(found).code, said(found).place) == (WATER, WANGJING)
    elsewhere = WANGJING.model_copy(update={"street_name": "亚运村街道"})
    assert after(found.verdict, again=reading(0.3, place=elsewhere)).verdict.reading.place == WANGJING


def test_words_added_to_what_a_person_judged_are_only_listened_to_for_danger() -> None:
    judged = by_person(after(verdict(0.6)).verdict, NOISE, urgency="general").verdict
    assert after(judged, again=reading(0.99, GAS)).events == ()
    event = said(after(judged, again=reading(0.99, GAS, danger="着火了")))
    assert (event.code, event.urgency, event.judged_by) == (NOISE, "urgent", "person")
    assert (event.why, event.reason) == (("险情“着火了”",), "险情“着火了”")


def test_a_question_that_the_catalogue_lost_is_judged_anew() -> None:
    lost = replace(after(verdict(0.9)).verdict, code="no-such")
    event = said(after(lost, again=reading(0.4, NOISE)))
    assert (event.code, event.previous, event.reason) == (NOISE, "no-such", "诉求目录更新后重新研判")


def test_the_kind_is_the_reporters_then_a_cues_then_the_questions() -> None:
    question = RULES.catalogue.by_code[WATER]
    assert verdict().kind == question.kind
    assert verdict(kind="suggestion").kind == "suggestion"
    given_kind = RECEIPT.model_copy(update={"kind": "praise"})
    assert opened(TICKET, given_kind, reading(kind="suggestion"), RULES).kind == "praise"


@pytest.mark.parametrize(
    ("default", "danger", "asks", "urgency"),
    [
        ("general", None, False, "general"),
        ("general", "着火了", True, "urgent"),
        ("urgent", None, False, "urgent"),
        ("urgent", None, True, "general"),
        ("livelihood", None, True, "livelihood"),
    ],
)
def test_danger_raises_the_class_and_a_mere_question_lowers_urgent(
    default: Any, danger: str | None, asks: bool, urgency: str
) -> None:
    assert grade(default, reading(danger=danger, asks=asks)) == urgency


WORDS: dict[str, dict[str, Any]] = {
    "received": {"ended": None, "parent": None},
    "linked": {"ended": "linked", "parent": UUID(int=1)},
    "linked elsewhere": {"ended": "linked", "parent": UUID(int=2)},
    "answered": {"ended": "answered", "parent": None},
    "withdrawn": {"withdrawn": True},
    "supported": {"support": 6},
    "erased": {"erased": True},
    "wordless": {"wordless": True},
}
"""What classify remembers of intake's words; it does not listen to the rest."""


def heard(order: Sequence[str], before: Verdict) -> Verdict | None:
    """Hear of a ticket in this order and return where it ends."""
    facts, known = Facts(), None
    for word in order:
        if word.startswith("ruled "):
            facts = replace(facts, ruled=Ruled(word.split()[1], "", START))
        else:
            facts, known = replace(facts, **WORDS.get(word, {})), known or before
        if known:
            again = reading(0.95, GAS, danger="漏气了") if word == "supplemented" else None
            known = after(known, facts, again=again).verdict
            assert after(known, facts).events == (), "asked twice: rest"
    return known


def outcome(known: Verdict | None) -> object:
    """Return what must be the same whichever emitter was heard first."""
    return known and (
        known.state, known.code, known.urgency, known.kind, known.judged_by, known.ruled_at, known.parent,
    )  # fmt: skip


@settings(max_examples=300)
@given(stories(), st.sampled_from([WATER, NOISE]), st.sampled_from([0.3, 0.9]), st.data())
def test_whichever_emitter_is_heard_first_the_end_is_the_same(
    intake: list[str], code: str, confidence: float, data: st.DataObject
) -> None:
    one, other = (heard(data.draw(hearings([intake, [f"ruled {code}"]])), verdict(confidence)) for _ in range(2))
    assert outcome(one) == outcome(other)


WHOSE = RECEIPT.model_copy(update={"reporter": "p_somebody", "address": "花家地西里3号楼"})
TOLD = reading(
    summary="花家地没水",
    keywords=("花家地",),
    words=("花家", "家地", "花家地"),
    danger="水管炸到花家地了",
    place=WANGJING.model_copy(update={"matched": ("花家地",)}),
)


@settings(max_examples=200)
@given(stories(), st.sampled_from(["erased", "wordless"]), st.data())
def test_whatever_comes_before_or_after_an_erasure_only_what_it_took_is_missing(
    intake: list[str], taken: str, data: st.DataObject
) -> None:
    before = opened(TICKET, WHOSE, TOLD, RULES)
    one = heard(intake, before)
    other = heard(data.draw(hearings([intake, [taken]])), before)
    assert other
    assert one
    assert outcome(other) == outcome(one)
    assert "p_somebody" not in str(other)
    assert ("花家地" in str(other)) == (taken == "erased")


def test_what_is_said_after_the_words_were_deleted_does_not_say_them() -> None:
    told = after(opened(TICKET, WHOSE, TOLD, RULES)).verdict
    gone = Facts(wordless=True, ruled=Ruled(NOISE, "", START))
    ruling = after(told, gone)
    event = said(ruling)
    assert (event.code, event.urgency, ruling.label) == (NOISE, "urgent", None)
    assert "花家地" not in event.model_dump_json()
    assert "p_somebody" not in event.model_dump_json()


def test_what_a_person_saw_raises_nothing_anew_when_its_words_were_deleted() -> None:
    judged = by_person(after(opened(TICKET, WHOSE, TOLD, RULES)).verdict, WATER, urgency="general").verdict
    ruling = after(judged, Facts(wordless=True))
    assert (ruling.events, ruling.verdict.urgency) == ((), "general")
    assert "花家地" not in str(ruling.verdict)
