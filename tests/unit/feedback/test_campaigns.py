"""Campaigns and solutions: what may still be done, what is late, what is suggested first."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.feedback import TopicClosed, TopicOpened
from libs.common.contracts.vocabulary import UnitRef
from services.feedback.domain import NotPossibleError
from services.feedback.domain.campaigns import (
    MOST_MEASURES,
    Campaign,
    Measure,
    Milestone,
    Plan,
    ProgressNote,
    closed,
    found,
    fraction,
    measured,
    noted,
    opened,
    reached,
    sees,
)
from services.feedback.domain.candidates import Score
from services.feedback.domain.effects import Effect, Estimate
from services.feedback.domain.matters import Tally
from services.feedback.domain.solutions import Solution, Standing, suggested
from services.feedback.domain.topics import Topic

NOW = datetime(2026, 12, 3, 4, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
LEAD, OWNER = UnitRef(code="dept-water", name="市水务局"), UnitRef(code="dept-housing", name="市住房城乡建设委")
FIRST = Milestone(UUID(int=1), "出台办法", "2026-12-10")
MEASURE = Measure(UUID(int=2), "明确职责", OWNER, None, (FIRST,))
TOPIC = Topic(
    topic_id=UUID(int=9), period="2026-11", rank=1, state="adopted", codes=("a", "b"),
    category=("供水排水", "自来水供应"), title="突然停水", district=None,
    since="2026-09-07", first="2026-11-02", last="2026-11-23", tally=Tally(120),
    score=Score(40, 30, 50, ()), low=30, basis="trend", hot_weeks=0, streets=9, districts=(),
)  # fmt: skip


def campaign() -> Campaign:
    plan = Plan("停水专项", LEAD, (), (), (MEASURE,), date(2026, 12, 7))
    made, (said,) = opened(TOPIC, plan, "li", ZONE, NOW)
    assert isinstance(said, TopicOpened)
    assert (said.tickets, said.since) == (120, datetime(2026, 9, 6, 16, tzinfo=UTC))
    return made


def test_who_leads_or_has_a_measure_takes_part() -> None:
    made = campaign()
    assert made.units == {LEAD.code, OWNER.code}
    assert sees(made, None)
    assert sees(made, ["x", OWNER.code])
    assert not sees(made, ["x"])


@given(st.integers(-30, 30))
def test_a_milestone_is_late_once_its_day_is_over(days: int) -> None:
    today = date(2026, 12, 10) + timedelta(days=days)
    late = list(campaign().late(today))
    assert bool(late) == (days > 0)


def test_a_milestone_is_reached_once_and_late_no_more() -> None:
    made = reached(campaign(), FIRST, "zhang", "已印发", NOW)
    pair = found(made, FIRST.milestone_id)
    assert pair
    assert (pair[1].done_by, list(made.late(date(2027, 1, 1)))) == ("zhang", [])
    with pytest.raises(NotPossibleError):
        reached(made, pair[1], "zhang", None, NOW)
    assert found(made, UUID(int=77)) is None


def test_a_closed_campaign_stands_still_and_is_late_with_nothing() -> None:
    ended, (said,) = closed(campaign(), "li", "已解决", ZONE, NOW)
    assert isinstance(said, TopicClosed)
    assert (said.effect, list(ended.late(date(2027, 1, 1)))) == (None, [])
    for command in (
        lambda: closed(ended, "li", "再次", ZONE, NOW), lambda: measured(ended, MEASURE),
        lambda: noted(ended, ProgressNote(NOW, "li", "后续")), lambda: reached(ended, FIRST, "li", None, NOW),
    ):  # fmt: skip
        with pytest.raises(NotPossibleError):
            command()


def test_there_is_an_end_to_measures() -> None:
    full = replace(campaign(), measures=(MEASURE,) * MOST_MEASURES)
    with pytest.raises(NotPossibleError):
        measured(full, MEASURE)


@given(st.floats(-50, 50))
def test_an_effect_is_told_as_a_fraction_of_what_it_was(log: float) -> None:
    told = fraction(log)
    assert told is not None
    assert math.isclose(told, math.expm1(log)) or (log > 7 and told > 1000)


def done(number: int, standing: Standing, codes: tuple[str, ...] = ("a",), districts: tuple[str, ...] = ()) -> Solution:
    ends = {"proved": (-0.6, -0.2), "unproved": (-0.3, 0.2), "untold": (None, None)}[standing]
    volume = Estimate(ends[0] and sum(ends) / 2, *ends)  # type: ignore[arg-type]  # both ends or none
    effect = Effect(date(2027, 3, 1), volume, Estimate(), (40, 12))
    return Solution(
        UUID(int=number), "current", "办法", "做法", codes, ("供水排水/自来水供应",), districts, (), None, effect,
        NOW + timedelta(days=number), "li",
    )  # fmt: skip


def test_the_very_question_comes_first_then_the_district_then_what_had_an_effect() -> None:
    other, elsewhere = done(1, "proved", ("b",)), done(2, "proved", districts=("110105",))
    unproved, untold, proved, newer = done(3, "unproved"), done(4, "untold"), done(5, "proved"), done(6, "proved")
    ranked = suggested([other, elsewhere, unproved, untold, proved, newer], ["a"], "110101")
    assert ranked == [newer, proved, untold, unproved, elsewhere, other]
    assert [one.standing for one in ranked[1:4]] == ["proved", "untold", "unproved"]


def test_more_solved_is_an_effect_too_and_what_is_withdrawn_stays_so() -> None:
    better = Effect(date(2027, 3, 1), Estimate(), Estimate(0.1, 0.05, 0.15), (40, 12))
    one = replace(done(1, "untold"), effect=better)
    assert one.standing == "proved"
    assert replace(one, effect=None).standing == "untold"
    with pytest.raises(NotPossibleError):
        one.withdrawn("废止").withdrawn("废止")
