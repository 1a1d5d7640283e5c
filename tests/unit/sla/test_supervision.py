"""Supervision by rule: what opens a case, who owns it, how it rises and ends, and that it always has one owner."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.city.settings import Name
from libs.common.city.units import Unit, UnitKind
from libs.common.contracts.vocabulary import UnitRef
from services.sla.domain import Again, Facts, Led, NotPossibleError, Received, Returned
from services.sla.domain.cases import Case, Check, Ground, Meeting, kept
from services.sla.domain.joint import call_meeting, find, order_check
from services.sla.domain.overseeing import accept, answered, close
from services.sla.domain.owners import Rules, owner_of
from services.sla.domain.supervision import (
    Hot,
    HotFacts,
    Seen,
    follow,
    lapse,
    minded,
    opened,
    raised,
    seen_of_hotspot,
    seen_of_ticket,
    settled,
    taken_up,
)
from services.sla.domain.tickets import decide
from services.sla.service import book_of
from tests.support.stages import CITY

TICKET = UUID("01900000-0000-7000-8000-000000000001")
START = datetime(2026, 3, 2, 4, tzinfo=UTC)
PACK = load_city(CITY)
BOOK = book_of(PACK)
RULES = Rules(PACK.supervision, PACK.units, ZoneInfo("Asia/Shanghai"))
STREET = next(unit for unit in PACK.units.values() if unit.kind == "street")
UNIT = UnitRef(code=STREET.code, name=STREET.name.zh)
WATER = UnitRef(code="dept-water", name="市水务局")
HOURS = timedelta(hours=1)


def facts(unit: UnitRef = UNIT, **more: Any) -> Facts:
    """Return what is known of a general ticket that this unit leads."""
    return Facts(Received(START, number="20260302-0000001"), dispatched=Led(unit, START), **more)


def seen(known: Facts, now: datetime) -> Seen:
    """Return what calls for supervision after so long without a word of the unit."""
    clocks = decide(TICKET, known, decide(TICKET, known, (), BOOK, START).clocks, BOOK, now).clocks
    return seen_of_ticket(TICKET, known, clocks, BOOK, RULES, now)


def watched(known: Facts, now: datetime, case: Case | None = None) -> tuple[Case | None, list[str]]:
    """Follow a ticket once, from where its case was left."""
    case, events = follow(case, seen(known, now), RULES, now)
    return case, [event.name for event in events]


def overdue(days: float = 8) -> Case:
    """Return the case of a ticket of seven days."""
    case, _ = watched(facts(), START + timedelta(days=days))
    assert case
    return case


def test_overdue_work_of_a_street_comes_under_its_district_for_the_street_cannot_supervise_itself() -> None:
    case = overdue()
    assert (case.level, case.state, case.unit, case.owner_code) == (1, "open", UNIT, STREET.parent)
    assert case.answer_due_at == START + timedelta(days=9)


def test_overdue_work_rises_to_district_and_city_and_its_owner_with_it() -> None:
    case, told = watched(facts(), START + timedelta(days=11), overdue())
    assert case
    assert (case.level, case.owner_code, told) == (
        2, STREET.parent, ["supervision.raised", "deduction.proposed"],
    )  # fmt: skip
    case, _ = watched(facts(), START + timedelta(days=14), case)
    assert case
    assert (case.level, case.owner_code, len(case.proposals)) == (3, "centre", 2)


def test_a_case_of_overdue_work_ends_by_itself_when_the_work_is_in_time_again_or_fell_away() -> None:
    late = overdue()
    case, told = watched(facts(), START + timedelta(days=1), late)
    assert case
    assert (case.outcome, told) == ("done", ["supervision.closed"])
    case, _ = watched(facts(withdrawn=True), START + timedelta(days=8), late)
    assert case
    assert case.outcome == "void"


def test_a_level_is_never_lowered_while_the_work_is_overdue() -> None:
    high, _ = raised(overdue(), 3, RULES, START + timedelta(days=8))
    case, told = watched(facts(), START + timedelta(days=8, hours=1), high)
    assert case
    assert (case.level, told) == (3, [])


def test_the_second_reopening_opens_a_case_that_ends_when_the_round_is_closed() -> None:
    known = facts(reopened=Again(3, START))
    case, told = watched(known, START + HOURS)
    assert case
    assert ([ground.code for ground in case.grounds], case.level) == (["reopened"], 2)
    assert told == ["supervision.opened"]
    case, _ = watched(replace(known, closed=3), START + 2 * HOURS, case)
    assert case
    assert case.outcome == "done"
    assert watched(facts(reopened=Again(2, START)), START + HOURS) == (None, [])


def test_a_case_stays_as_it_is_while_nothing_new_is_known() -> None:
    known = facts(reopened=Again(3, None), returned=Returned(2, START))
    case, _ = watched(known, START + timedelta(days=8))
    assert watched(known, START + timedelta(days=8, hours=1), case) == (case, [])


def test_a_case_survives_a_reopening_and_has_one_ground_more() -> None:
    known = facts(reopened=Again(3, START))
    case, _ = watched(known, START + timedelta(days=8), overdue())
    assert case
    assert (case.turn, [ground.code for ground in case.grounds], case.level) == (1, ["overdue", "reopened"], 2)


def test_the_second_return_is_a_dispute_until_it_is_ruled_on() -> None:
    known = facts(returned=Returned(2, START))
    case, _ = watched(known, START + HOURS)
    assert case
    assert [ground.code for ground in case.grounds] == ["dispute"]
    case, told = watched(replace(known, ruled=START + HOURS), START + 2 * HOURS, case)
    assert told == ["supervision.closed"]
    assert watched(replace(known, ruled=START + HOURS), START + 3 * HOURS, case)[1] == []


def test_what_an_owner_closed_is_not_opened_again_on_the_same_ground() -> None:
    known = facts(reopened=Again(3, START))
    case, _ = watched(known, START + HOURS)
    assert case
    ended = replace(case, state="closed", closed_at=START + HOURS, outcome="explained")
    assert watched(known, START + 2 * HOURS, ended) == (ended, [])
    again, told = watched(facts(reopened=Again(4, START)), START + 3 * HOURS, ended)
    assert again
    assert (again.turn, told) == (2, ["supervision.opened"])


def test_a_grave_hot_event_is_the_citys_and_a_lesser_one_nobodys() -> None:
    hot = Hot("望京停暖", "high", 1, START, place=STREET.code, district=STREET.district, first_ticket=TICKET)
    case, _ = follow(None, seen_of_hotspot(TICKET, HotFacts(hot), RULES, START), RULES, START)
    assert case
    assert (case.about, case.level, case.owner_code, case.tickets, case.answer_due_at) == (
        "hotspot", 3, "centre", (TICKET,), None,
    )  # fmt: skip
    mild = seen_of_hotspot(TICKET, HotFacts(replace(hot, risk="medium")), RULES, START)
    assert follow(None, mild, RULES, START) == (None, [])


def test_what_a_person_of_rank_asks_for_is_one_more_ground_and_costs_nobody_points() -> None:
    asked = Ground("rank", 3, START, note="请市级督办")
    before = overdue(7.5)
    case, events = taken_up(before, asked, seen(facts(), START + timedelta(days=7.5)), RULES, START)
    assert ([ground.code for ground in case.standing], case.level) == (["overdue", "rank"], 3)
    fresh, events = taken_up(None, asked, Seen(TICKET, "ticket", "1", unit=UNIT), RULES, START)
    assert [event.name for event in events] == ["supervision.opened"]
    kept, told = follow(fresh, Seen(TICKET, "ticket", "1", unit=UNIT), RULES, START + HOURS)
    assert (kept, told) == (fresh, []), "only its owner ends it"


def test_an_answer_that_does_not_come_raises_the_case_and_is_proposed_to_cost_points() -> None:
    case = overdue()
    case, events = lapse(case, RULES, START + timedelta(days=9))
    assert [event.name for event in events] == [
        "supervision.stepped", "deduction.proposed", "supervision.raised", "deduction.proposed",
    ]  # fmt: skip
    top, _ = raised(case, 3, RULES, START + timedelta(days=9))
    top, _ = lapse(top, RULES, START + timedelta(days=10))
    assert (top.level, top.next_due) == (3, None)
    assert lapse(top, RULES, START + timedelta(days=11)) == (top, [])


def test_another_lead_is_supervised_instead_and_asked_anew() -> None:
    moved = facts(reassigned=Led(WATER, START + HOURS))
    case, told = watched(moved, START + timedelta(days=8, hours=1), overdue())
    assert case
    assert (case.unit, case.owner_code, told) == (WATER, PACK.units["dept-water"].parent, ["supervision.stepped"])


def test_work_that_is_done_needs_no_answer_though_somebody_owes_a_check() -> None:
    check = Check(TICKET, WATER, "看现场", START, START + timedelta(days=20))
    case, _ = order_check(overdue(), check, START + timedelta(days=8))
    done, told = watched(facts(), START + timedelta(days=1), case)
    assert done
    assert (done.open, done.awaited, done.next_due, told) == (True, False, check.due_at, [])
    found, _ = find(done, TICKET, "修好了", START + timedelta(days=9), holds=True)
    assert settled(found)


def test_a_case_nobody_answers_for_is_closed_by_its_owner_and_any_other_once_its_answer_is_accepted() -> None:
    hot = seen_of_hotspot(TICKET, HotFacts(Hot("停暖", "high", 1, START)), RULES, START)
    case, _ = close(opened(None, hot, RULES, START)[0], "explained", "已恢复", START)
    assert case.outcome == "explained"
    asked = opened(None, replace(hot, unit=WATER), RULES, START)[0]
    with pytest.raises(NotPossibleError, match="has to answer"):
        close(asked, "explained", "好", START)
    lapsed, _ = lapse(asked, RULES, START + timedelta(days=1))
    assert lapsed.unanswered_at
    assert close(lapsed, "unfounded", "好", START + timedelta(days=1))[0].state == "closed"


def test_an_answer_nobody_judges_goes_to_the_level_above_as_it_is_and_costs_nobody_points() -> None:
    fresh, _ = taken_up(None, Ground("hand", 1, START), Seen(TICKET, "ticket", "1", unit=UNIT), RULES, START)
    assert minded(fresh, RULES, START) == fresh, "its unit is awaited"
    case = minded(answered(fresh, "在办", START + HOURS)[0], RULES, START + HOURS)
    assert case.next_due == case.owner_due_at == START + HOURS + timedelta(days=3)
    case, events = lapse(case, RULES, START + timedelta(days=4))
    assert [event.name for event in events] == ["supervision.stepped", "supervision.raised"]
    assert (case.level, case.state, case.proposals) == (2, "answered", ())
    accepted = minded(accept(case, "好", START + timedelta(days=5))[0], RULES, START + timedelta(days=5))
    assert accepted.next_due == START + timedelta(days=7), "and what was accepted is to be ended"


def test_a_case_on_top_that_nobody_answers_for_comes_to_its_owner_again_and_again() -> None:
    hot = seen_of_hotspot(TICKET, HotFacts(Hot("停暖", "high", 1, START)), RULES, START)
    case, now = minded(opened(None, hot, RULES, START)[0], RULES, START), START
    for _ in range(3):
        now += timedelta(days=1)
        assert case.next_due == now
        case, events = lapse(case, RULES, now)
        assert [event.name for event in events] == ["supervision.stepped"]
        case = minded(case, RULES, now)
    meeting = Meeting(TICKET, (UNIT, WATER), now, now + timedelta(days=9), "供热")
    assert minded(call_meeting(case, meeting, now)[0], RULES, now).next_due == now + timedelta(days=10)


def test_an_owner_is_not_due_while_work_is_overdue_that_was_answered_for() -> None:
    case = minded(accept(answered(overdue(), "在办", START)[0], "抓紧", START)[0], RULES, START)
    assert case.next_due is None


def test_a_city_where_only_an_owner_ends_overdue_work_is_refused_for_no_owner_may() -> None:
    grounds = tuple(replace(one, by_itself=False) for one in PACK.supervision.grounds)
    with pytest.raises(ValueError, match="by_itself"):
        replace(PACK.supervision, grounds=grounds)


def test_whose_owner_ended_a_case_is_the_next_ones_and_whose_is_there_it_stays() -> None:
    case = overdue()
    assert kept(case, RULES, START) == (case, [])
    gone = {**PACK.units, case.owner_code: replace(PACK.units[case.owner_code], until=date(2026, 3, 1))}
    moved, events = kept(case, replace(RULES, units=gone), START)
    assert (moved.owner_code, [event.name for event in events]) == ("centre", ["supervision.stepped"])


def test_evidence_holds_facts_and_no_words() -> None:
    case = taken_up(overdue(), Ground("hand", 1, START, note="王某某"), Seen(TICKET, "ticket", "1"), RULES, START)[0]
    _, events = raised(case, 2, RULES, START + timedelta(days=9))
    proposal: Any = events[-1]
    assert {fact.what for fact in proposal.evidence} >= {"opened", "ground.overdue", "clock_due", "answer_due"}
    assert "王某某" not in proposal.model_dump_json()


TOLD: tuple[list[tuple[str, Any]], ...] = (
    [("received", Received(START, number="1"))],
    [
        ("dispatched", Led(UNIT, START)), ("returned", Returned(1, START)), ("ruled", START + HOURS),
        ("reassigned", Led(WATER, START + HOURS)), ("returned", Returned(2, START + 2 * HOURS)),
        ("ruled", START + 3 * HOURS),
    ],
    [("reopened", Again(2, START)), ("closed", 2), ("reopened", Again(3, START)), ("closed", 3)],
)  # fmt: skip


@given(st.lists(st.integers(0, 2), min_size=20, max_size=20), st.tuples(*(st.integers(0, len(one)) for one in TOLD)))
def test_in_whatever_order_the_stages_are_heard_the_case_comes_to_stand_on_the_same(
    turns: list[int], told: tuple[int, ...]
) -> None:
    queues = [list(one[:count]) for one, count in zip(TOLD, told, strict=True)]
    known, case, now = Facts(), None, START + 5 * HOURS
    for turn in [*turns, *(number for number in range(3) for _ in range(6))]:
        if queues[turn]:
            known = replace(known, **dict([queues[turn].pop(0)]))
            case, _ = follow(case, seen_of_ticket(TICKET, known, (), BOOK, RULES, now), RULES, now)
    straight, _ = follow(None, seen_of_ticket(TICKET, known, (), BOOK, RULES, now), RULES, now)
    assert standing(case) == standing(straight)


def standing(case: Case | None) -> tuple[set[str], UnitRef | None] | None:
    """Return what an open case stands on and who is supervised."""
    return ({ground.code for ground in case.standing}, case.unit) if case and case.open else None


KINDS: st.SearchStrategy[UnitKind] = st.sampled_from(["district", "street", "town", "department", "company"])


@st.composite
def cities(draw: st.DrawFn) -> dict[str, Unit]:
    """Units in a tree under a centre; some of them ended, with or without a successor."""
    name = Name("名", "name")
    units = {"centre": Unit("centre", name, "名", "centre", None, None, None, "24h")}
    for number in range(draw(st.integers(0, 8))):
        code, parent = f"u{number}", draw(st.sampled_from(sorted(units)))
        until = draw(st.sampled_from([None, None, date(2026, 3, 1), date(2026, 6, 1)]))
        since = draw(st.sampled_from([None, None, date(2026, 4, 1)]))
        successor = draw(st.sampled_from([None, *sorted(units)])) if until else None
        units[code] = Unit(code, name, "名", draw(KINDS), parent, None, None, "24h", (), since, until, successor)
    return units


@given(cities(), st.data())
def test_there_is_always_exactly_one_owner_who_exists_and_is_not_supervised(
    units: dict[str, Unit], data: st.DataObject
) -> None:
    code = data.draw(st.sampled_from([*sorted(units), "gone", None]))
    place = data.draw(st.sampled_from([*sorted(units), None]))
    day = data.draw(st.dates(date(2026, 1, 1), date(2026, 12, 31)))
    for level in (1, 2, 3):
        owner = owner_of(units, level, code, place, day)
        assert owner.exists(day)
        assert owner.code != code or code == "centre"
        assert level < 3 or owner.kind == "centre"


@given(cities(), st.lists(st.tuples(st.integers(1, 90 * 24), st.sampled_from(["lapse", "raise", "move"])), max_size=12))
def test_an_open_case_keeps_one_owner_whatever_happens_to_units_and_levels(
    units: dict[str, Unit], story: list[tuple[int, str]]
) -> None:
    rules = Rules(PACK.supervision, MappingProxyType(units), ZoneInfo("Asia/Shanghai"))
    names = [UnitRef(code=code, name="名") for code in units]
    now, levels = START, [1]
    start = Seen(TICKET, "ticket", "1", (Ground("hand", 1, now),), unit=names[-1])
    case = opened(None, start, rules, now)[0]
    for hours, what in story:
        now += timedelta(hours=hours)
        case, _ = kept(case, rules, now)
        if what == "lapse":
            case, _ = lapse(case, rules, now)
        elif what == "raise" and case.level < 3:
            case, _ = raised(case, case.level + 1, rules, now)
        elif what == "move":
            followed, _ = follow(case, replace(start, unit=names[hours % len(names)]), rules, now)
            assert followed
            case = followed
        case = minded(case, rules, now)
        assert case.next_due, "somebody is always due"
        levels.append(case.level)
        day = now.astimezone(rules.zone).date()
        assert case.open
        assert units[case.owner_code].exists(day)
        assert case.owner_code != case.unit_code or case.unit_code == "centre"
    assert levels == sorted(levels)
