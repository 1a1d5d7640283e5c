"""The life of a hot event: what is counted, when it began, how grave it is, when it is told anew, when it cools."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.vocabulary import Place, Receipt
from services.classify.domain import (
    Facts,
    Guess,
    Hotspot,
    Matter,
    Pulse,
    Reading,
    Verdict,
    graded,
    onset,
    settled,
    sighted,
    sorted_out,
)

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
TICKET = UUID("01900000-0000-7000-8000-000000000001")
LEAK = ("住房物业", "房屋质量", "邻里漏水")
STREET = Matter("housing-02-03", LEAK, ("housing-02-03",), "110105", "s-110105026", "望京街道")
DISTRICT = replace(STREET, street=None, place="朝阳区")
WORD = Matter("other-01-01", ("其他", "无法归类", "表述不清"), (), word="紫冠卡", grams=("紫冠", "冠卡"))
RECEIPT = Receipt(number="20260302-0000001", channel="web", text="漏水", reporter="somebody", received_at=NOON)
WANGJING = Place(district="110105", district_name="朝阳区", street="s-110105026", confidence=0.9)


def hotspot(matter: Matter = STREET, told: int = 10, number: int = 1, **more: object) -> Hotspot:
    """Return a hot event, raised at noon."""
    event = Hotspot(
        UUID(int=number), "hot", matter, 900.0, 0.1, NOON, NOON, NOON, Pulse(), "low", (), told_voices=told
    )  # fmt: skip
    return replace(event, **more)  # type: ignore[arg-type]  # the fields of a hotspot


def verdict(**more: object) -> Verdict:
    """Return a verdict on a leak in Wangjing."""
    reading = Reading(Guess("housing-02-03", 0.9), place=WANGJING, words=("紫冠",))
    made = Verdict(TICKET, "held", "housing-02-03", 0.9, "urgent", "help", "model", RECEIPT, reading)
    return replace(made, **more)  # type: ignore[arg-type]  # the fields of a verdict


def test_a_ticket_counts_where_it_is_even_while_it_waits_for_a_person() -> None:
    seen = sighted(verdict(), Facts())
    assert seen
    assert (seen.code, seen.street, seen.urgent, seen.words) == ("housing-02-03", "s-110105026", True, ("紫冠",))


@pytest.mark.parametrize("facts", [Facts(withdrawn=True), Facts(discounted=True)])
def test_what_was_taken_back_or_is_no_appeal_does_not_count(facts: Facts) -> None:
    assert sighted(verdict(), facts) is None


def test_one_person_is_one_voice_and_nobody_s_name_is_in_it() -> None:
    one, other = (sighted(replace(verdict(), ticket_id=UUID(int=i)), Facts()) for i in (1, 2))
    assert one
    assert other
    assert one.voice == other.voice
    nameless = [
        sighted(replace(verdict(receipt=RECEIPT.model_copy(update={"reporter": None})), ticket_id=UUID(int=i)), Facts())
        for i in (1, 2)
    ]
    assert len({seen.voice for seen in nameless if seen}) == 2


def test_an_event_begins_where_its_tickets_thicken() -> None:
    background = [NOON - timedelta(hours=hours) for hours in (20, 15, 10, 5)]
    burst = [NOON - timedelta(minutes=minutes) for minutes in (9, 7, 5, 3, 1)]
    assert onset([*background, *burst], NOON, expected_an_hour=0.2) == burst[0]


@given(st.lists(st.floats(0, 1000), min_size=1), st.floats(0, 10))
def test_an_event_begins_with_one_of_its_tickets(minutes: list[float], expected: float) -> None:
    times = sorted(NOON - timedelta(minutes=minute) for minute in minutes)
    assert onset(times, NOON, expected) in times


def test_what_is_new_is_raised_and_what_a_known_event_covers_is_its_own() -> None:
    known = hotspot(DISTRICT)
    assert sorted_out([known], [hotspot(STREET, number=2)]) == ([], [])
    new, changed = sorted_out([known], [hotspot(WORD, number=3)])
    assert ([one.hotspot_id for one in new], changed) == ([UUID(int=3)], [])


def test_what_spreads_stays_the_oldest_event_and_the_others_end_in_it() -> None:
    first, second = hotspot(number=1), hotspot(replace(STREET, street="s-110105001"), number=2)
    new, changed = sorted_out([first, second], [hotspot(DISTRICT, number=3)])
    assert new == []
    assert {(one.hotspot_id.int, one.state, one.matter.street) for one in changed} == {
        (1, "hot", None), (2, "cooled", "s-110105001"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("matter", "name"),
    [
        (STREET, "望京街道：邻里漏水"),
        (replace(STREET, district=None, street=None, place=""), "全市：邻里漏水"),
        (replace(DISTRICT, category=("住房物业", "房屋质量", ""), mostly="邻里漏水"), "朝阳区：邻里漏水等房屋质量问题"),
        (replace(DISTRICT, category=("住房物业", "", "")), "朝阳区：住房物业"),
        (WORD, "“紫冠卡”"),
        (replace(WORD, place="朝阳区", mostly="预付卡纠纷"), "朝阳区：“紫冠卡”（预付卡纠纷等）"),
    ],
)
def test_an_event_is_called_by_its_place_and_by_what_its_tickets_mostly_are(matter: Matter, name: str) -> None:
    assert matter.name == name


def cooled(matter: Matter = STREET, number: int = 1) -> Hotspot:
    """Return an event that ten people raised and that cooled."""
    ended = hotspot(matter, number=number, state="cooled", cooled_at=NOON, quiet_since=NOON)
    return replace(ended, pulse=Pulse(tickets=10, voices=10))


def test_what_flares_up_again_is_the_same_affair_in_its_next_round() -> None:
    later = NOON + timedelta(days=2)
    found = hotspot(number=2, told=0, first_at=later, raised_at=later)
    new, (again,) = sorted_out([], [found], [cooled()])
    assert new == []
    assert (again.hotspot_id, again.state, again.round, again.cooled_at) == (UUID(int=1), "hot", 2, None)
    assert (again.first_at, again.reheated_at, again.raised_at) == (NOON, later, later)
    told, news = settled(again, Pulse(tickets=20, voices=20, recent=10), 0.1, later)
    assert (news, told.reasons) == ("raised", ("平息后再次升温（第2轮）",))
    assert settled(told, Pulse(voices=29, recent=19), 0.1, later)[1] is None
    assert settled(told, Pulse(voices=30, recent=20), 0.1, later)[1] == "updated"


@pytest.mark.parametrize(
    "other",
    [
        replace(STREET, codes=("env-02-06",)), replace(STREET, street="s-110105001"), DISTRICT,
        replace(WORD, word="白鹭湾", grams=("白鹭", "鹭湾")),
    ],
)  # fmt: skip
def test_another_matter_or_another_place_is_another_affair(other: Matter) -> None:
    new, changed = sorted_out([], [hotspot(STREET, number=2)], [cooled(other)])
    assert ([one.hotspot_id.int for one in new], changed) == ([2], [])


def test_a_word_is_the_same_with_more_of_its_letters() -> None:
    longer = replace(WORD, word="紫冠卡会员", grams=("会员", "冠卡", "卡会", "紫冠"))
    new, (again,) = sorted_out([], [hotspot(longer, number=2)], [cooled(WORD)])
    assert (new, again.hotspot_id.int, again.matter) == ([], 1, WORD)


def test_a_past_affair_comes_back_once_however_many_are_like_it() -> None:
    narrower = replace(STREET, category=("住房物业", "房屋质量", ""), codes=("housing-02-03", "housing-02-04"))
    found = [hotspot(STREET, number=3), hotspot(STREET, number=4)]
    new, changed = sorted_out([], found, [cooled(narrower, 2), cooled(STREET, 1)])
    assert ([one.hotspot_id.int for one in changed], new) == ([2], [])


def test_what_spreads_is_not_taken_for_a_past_affair() -> None:
    _, changed = sorted_out([hotspot(number=1)], [hotspot(DISTRICT, number=3)], [cooled(DISTRICT, 2)])
    assert [(one.hotspot_id.int, one.round) for one in changed] == [(1, 1)]


def test_an_event_whose_tickets_were_all_taken_back_is_over_and_told_so() -> None:
    event, news = settled(hotspot(), Pulse(), 0.1, NOON)
    assert (event.state, event.cooled_at, news) == ("cooled", NOON, "cooled")


def test_an_event_is_told_once_then_when_it_doubles() -> None:
    raised, news = settled(hotspot(told=0), Pulse(voices=10, recent=10), 0.1, NOON)
    assert (news, raised.told_voices) == ("raised", 10)
    assert settled(raised, Pulse(voices=19, recent=19), 0.1, NOON)[1] is None
    assert settled(raised, Pulse(voices=20, recent=20), 0.1, NOON)[1] == "updated"


def test_an_event_cools_only_after_it_was_quiet_for_long() -> None:
    event, news = settled(hotspot(), Pulse(voices=12, recent=1), 0.1, NOON)
    assert (news, event.quiet_since) == (None, NOON)
    later = NOON + timedelta(minutes=59)
    assert settled(event, Pulse(voices=12, recent=1), 0.1, later)[0].state == "hot"
    again, _ = settled(event, Pulse(voices=17, recent=5), 0.1, later)
    assert again.quiet_since is None
    cooled, news = settled(event, Pulse(voices=12, recent=1), 0.1, NOON + timedelta(hours=1))
    assert (cooled.state, cooled.cooled_at, news) == ("cooled", NOON + timedelta(hours=1), "cooled")


def test_an_event_of_a_common_matter_is_quiet_when_no_more_come_than_usual() -> None:
    event, _ = settled(hotspot(), Pulse(voices=500, recent=100), 98.0, NOON)
    assert event.quiet_since == NOON


def test_a_graver_event_is_told_anew_with_its_reasons() -> None:
    pulse = Pulse(tickets=12, voices=12, urgent=6, safety=9, vulnerable=4, recent=12, mood=-0.5)
    event, news = settled(hotspot(), pulse, 0.1, NOON)
    assert (news, event.risk) == ("updated", "high")
    assert event.reasons == ("其中6件紧急", "9件提到安全风险", "4件涉及老幼病残等群体", "情绪激烈（-0.50）")


def test_an_event_without_anything_grave_says_how_many_raise_it() -> None:
    assert graded(Pulse(tickets=7, voices=7, last_hour=2, hour_before=2)) == ("low", ("7人反映",))


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.floats(-1, 1))
def test_more_of_what_is_grave_never_makes_an_event_less_grave(
    urgent: int, more: int, safety: int, mood: float
) -> None:
    order = ("low", "medium", "high")
    one = Pulse(tickets=100, voices=100, urgent=urgent, safety=safety, mood=mood)
    risk, worse = graded(one)[0], graded(replace(one, urgent=urgent + more, mood=-1.0))[0]
    assert order.index(worse) >= order.index(risk)
