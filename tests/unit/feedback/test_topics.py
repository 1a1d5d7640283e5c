"""Topics: what a score is made of, and that planted problems are found and what only looks so is not."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import City, load_city
from libs.common.city.topics import Topics
from services.feedback.domain import NotPossibleError
from services.feedback.domain.candidates import Candidate, Month, candidates, evenly, growth, wilson
from services.feedback.domain.matters import (
    WEEK,
    HotWeeks,
    Matter,
    Tally,
    joined,
    monday_of,
    months_before,
    since,
    weeks_of,
)
from services.feedback.domain.periods import Period, period_of
from services.feedback.domain.topics import overlaps, topic_of
from tests.support.topics import appeals, judged, town

NOVEMBER = period_of("2026-11")
STREETS = 343
GROUP = ("供水排水", "自来水供应")


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(Path("deploy/cities/beijing"))


@pytest.fixture(scope="module")
def rules(city: City) -> Topics:
    return city.topics


def weekly(now: int, before: int, months: int = 6, period: Period = NOVEMBER) -> dict[date, int]:
    """Return as many appeals in each week of the month, and in those of the months before."""
    earlier = {week: before for month in months_before(period, months) for week in weeks_of(month)}
    return {**earlier, **dict.fromkeys(weeks_of(period), now)}


def matter(code: str = "a", now: int = 25, before: int = 25, solved: float = 0.8, **more: object) -> Matter:
    weeks = weekly(now, before)
    tickets = sum(weeks[week] for week in weeks_of(NOVEMBER))
    answered = tickets // 2
    tally = Tally(tickets, answered=answered, solved=round(answered * solved))
    made = Matter((code,), GROUP, tally, {"110101": tickets // 2, "110105": tickets - tickets // 2}, 9.0, weeks)
    return replace(made, **more)  # type: ignore[arg-type]  # the fields of a matter


def month(matters: Sequence[Matter], known: Iterable[date] | None = None) -> Month:
    weeks = weekly(1, 1) if known is None else known
    return Month(NOVEMBER, matters, frozenset(weeks), STREETS)


def plain(count: int = 30) -> list[Matter]:
    """Return questions like any other, each of a group of its own."""
    return [matter(f"q{number}", category=("其他", f"{number}")) for number in range(count)]


def part(candidate: Candidate, code: str) -> tuple[float, float, float]:
    found = next(one for one in candidate.score.parts if one.code == code)
    return found.low, found.value, found.high


def test_a_month_has_the_weeks_whose_thursday_lies_in_it() -> None:
    assert weeks_of(NOVEMBER) == tuple(date(2026, 11, day) for day in (2, 9, 16, 23))
    assert weeks_of(period_of("2026-01"))[0] == date(2025, 12, 29)


@given(st.integers(1950, 2150), st.integers(1, 12))
def test_every_week_belongs_to_one_month(year: int, number: int) -> None:
    this = period_of(f"{year}-{number:02}")
    (earlier,) = months_before(this, 1)
    assert weeks_of(earlier)[-1] + WEEK == weeks_of(this)[0]
    assert all(week == monday_of(week) for week in weeks_of(this))


def test_what_many_raise_and_all_are_content_with_is_behind_what_is_not_solved(rules: Topics) -> None:
    content, bad = matter("content", 200, 200, solved=0.95), matter("bad", 60, 60, solved=0.4)
    apart = [replace(content, category=("一", "一")), replace(bad, category=("二", "二")), *plain()]
    first, *_ = candidates(month(apart), rules)
    assert first.matter.codes == ("bad",)


def test_a_share_of_few_answers_counts_less_than_the_same_of_many(rules: Topics) -> None:
    few, many = matter("few", 9, 9, solved=0.4), matter("many", 90, 90, solved=0.4)
    apart = [replace(few, category=("一", "一")), replace(many, category=("二", "二")), *plain()]
    found = {one.matter.codes: one for one in candidates(month(apart), rules)}
    assert part(found["many",], "unsolved")[0] > part(found["few",], "unsolved")[0]
    assert part(found["few",], "unsolved")[2] == 1.0


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_of_a_share_holds_it_and_narrows(good: int, more: int) -> None:
    of = good + more
    low, high = wilson(good, of)
    share = good / of if of else 0.5
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1
    wider = wilson(good // 2, of // 2)
    assert high - low <= wider[1] - wider[0] + 0.05


def test_questions_of_one_group_that_stand_out_together_are_one_problem(rules: Topics) -> None:
    group = [matter("x1", 40, 40, solved=0.4), matter("x2", 38, 38, solved=0.4), matter("x3", 20, 20, solved=0.95)]
    found = [one for one in candidates(month([*group, *plain()]), rules) if one.matter.category == GROUP]
    assert [one.matter.codes for one in found] == [("x1", "x2")]
    assert found[0].matter.tally.tickets == sum(one.tally.tickets for one in group[:2])


def test_a_group_of_small_questions_is_looked_at_as_a_whole(rules: Topics) -> None:
    group = [matter(f"x{number}", 3, 3, solved=0.2) for number in range(5)]
    found = [one for one in candidates(month([*group, *plain()]), rules) if one.matter.category == GROUP]
    assert len(found[0].matter.codes) == 5
    assert candidates(month(group[:1]), rules) == []


def test_growth_is_told_against_last_year_where_there_is_a_record_of_it(rules: Topics) -> None:
    last_year = weeks_of(period_of("2025-11"))
    grown = matter("a", now=40, before=10)
    same = replace(grown, weekly={**grown.weekly, **dict.fromkeys(last_year, 40)})
    told = growth(same, month([same], [*same.weekly]), rules.trend)
    assert told
    assert (told.basis, round(told.log, 2)) == ("last_year", 0.0)
    known = growth(grown, month([grown]), rules.trend)
    assert known
    assert (known.basis, round(known.log, 1)) == ("trend", round(math.log(4), 1))


def test_what_comes_with_its_season_did_not_grow(rules: Topics) -> None:
    heating = matter("a", now=80, before=10, season=frozenset({11, 12, 1, 2, 3}))
    weeks = {**heating.weekly, **dict.fromkeys(weeks_of(period_of("2026-10")), 80)}
    early = replace(heating, weekly=weeks, season=frozenset({10, 11}))
    told = growth(early, month([early]), rules.trend)
    assert told
    assert (told.basis, round(told.log, 2)) == ("season", 0.0)


def test_what_all_matters_share_is_no_growth_of_one(rules: Topics) -> None:
    everything = [replace(one, weekly=weekly(50, 25)) for one in plain()]
    alone = replace(matter("alone", 50, 50, solved=0.5), category=("一", "一"))
    found = {one.matter.codes: one for one in candidates(month([*everything, alone]), rules)}
    assert part(found["q1",], "growth")[1] == 0.0
    assert part(found["alone",], "growth")[1] == 0.0


def test_growth_that_nothing_tells_may_be_anything_and_counts_nothing(rules: Topics) -> None:
    new = matter("new", solved=0.4)
    (found,) = candidates(month([new], weeks_of(NOVEMBER)), rules)
    assert (part(found, "growth"), found.basis) == ((0.0, 0.0, 1.0), None)


def test_it_is_as_frequent_since_the_first_week_from_which_it_never_was_below_half() -> None:
    weeks = weekly(40, 10)
    october = weeks_of(period_of("2026-10"))
    assert since(weeks, weeks_of(NOVEMBER), set(weeks)) == weeks_of(NOVEMBER)[0]
    higher = {**weeks, **dict.fromkeys(october, 30)}
    assert since(higher, weeks_of(NOVEMBER), set(higher)) == weeks_of(NOVEMBER)[0] - 4 * WEEK


def test_a_hot_event_is_of_its_question_or_of_its_whole_group() -> None:
    weeks = frozenset(weeks_of(NOVEMBER))
    assert HotWeeks("a", (*GROUP, "停水"), weeks).of("a", GROUP)
    assert not HotWeeks("b", (*GROUP, "停水"), weeks).of("a", GROUP)
    assert HotWeeks("b", GROUP, weeks).of("a", GROUP)
    assert HotWeeks("a", (), weeks).of("a", GROUP)


@given(st.lists(st.integers(0, 1000), max_size=20))
def test_evenness_is_the_number_of_places_if_all_are_alike(counts: list[int]) -> None:
    some = [count for count in counts if count]
    assert evenly(counts) <= len(some) + 1e-9
    assert math.isclose(evenly([7] * len(some)), len(some)) or not some


def test_a_topic_has_one_id_a_month_and_is_decided_on_once(rules: Topics) -> None:
    found = candidates(month([matter("bad", 60, 60, solved=0.4), *plain()]), rules)[0]
    now = datetime(2026, 12, 3, tzinfo=UTC)
    topic, again = (topic_of(month(plain()), found, 1, "停水", now) for _ in range(2))
    assert topic.topic_id == again.topic_id
    assert topic.district is None
    alone = replace(found, matter=replace(found.matter, districts={"110101": 90, "110105": 10}))
    assert topic_of(month(plain()), alone, 1, "停水", now).district == "110101"
    adopted = topic.decided("adopted", "li", None, now)
    with pytest.raises(NotPossibleError):
        adopted.decided("dismissed", "li", "不急", now)


def test_topics_with_a_question_in_common_are_of_one_problem() -> None:
    assert overlaps(["a", "b"], ["b", "c"])
    assert not overlaps(["a"], ["c"])


def test_joined_questions_count_together() -> None:
    both = joined([matter("a", 10, 10), matter("b", 30, 30)])
    assert both.codes == ("b", "a")
    assert both.tally.tickets == 160
    assert both.weekly[weeks_of(NOVEMBER)[0]] == 40


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("first", ["2025-11", "2025-12"])
def test_planted_problems_are_the_first_and_what_only_looks_so_is_not_proposed(
    city: City, rules: Topics, seed: int, first: str
) -> None:
    made, start = town(city, seed), weeks_of(period_of("2025-11"))[0]
    came = appeals(made, start, (weeks_of(NOVEMBER)[-1] - start) // WEEK + 1, seed + 100)
    found = candidates(judged(city, came, weeks_of(period_of(first))[0], NOVEMBER), rules)
    ranks = {one.matter.category: rank for rank, one in enumerate(found, 1)}
    proposed = {one.matter.category for one in found[: rules.most] if one.score.low >= rules.least}
    assert sorted(ranks[group] for group in made.planted.values()) == [1, 2, 3, 4, 5]
    assert set(made.planted.values()) <= proposed
    assert not set(made.decoys.values()) & proposed
