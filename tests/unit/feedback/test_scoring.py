"""How a month is scored: by what is counted and nothing else, and what a ruling may take off."""

from dataclasses import replace
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.problems import Problems
from libs.common.city.scoring import Penalty, load_scoring
from libs.common.city.seasons import Bonus
from libs.common.city.settings import Name
from services.feedback.domain import NotPossibleError
from services.feedback.domain.appeals import ScoreAppeal
from services.feedback.domain.appeals import rule as rule_on_appeal
from services.feedback.domain.deductions import Deduction, rule
from services.feedback.domain.scores import Publication, Score, Sums, Unit, Weights, changed, ranked
from services.feedback.domain.scoring import publish
from tests.support.stages import NOON

RULES = load_scoring(Path(), Problems())
WEIGHTS = Weights(0.3, 0.4, 0.3)
PUBLICATION = Publication("2026-03", 1, 1, "due", NOON, "clock", WEIGHTS, (), Bonus())
UNITS = {f"s-{n}": Unit(f"街道{n}", "street") for n in range(6)} | {"co-water": Unit("自来水集团", "company")}
SUMS = st.builds(
    lambda unit, category, apart, counted, shares: sums(unit, category, counted, shares, apart=apart),
    st.sampled_from(sorted(UNITS)), st.sampled_from(["停水", "漏水", "噪声"]), st.booleans(), st.integers(1, 60),
    st.tuples(*[st.floats(0, 1)] * 3),
)  # fmt: skip
MONTHS = st.lists(SUMS, min_size=1, unique_by=lambda one: (one.unit_code, one.category2, one.apart))


def sums(unit: str, category: str, counted: int, shares: tuple[float, ...], *, apart: bool = False) -> Sums:
    """So many answers, each giving all of what its share says or nothing."""
    responded, solved, satisfied = (round(counted * share) for share in shares)
    squares = 0.09 * responded + 0.16 * solved + 0.09 * satisfied
    return Sums(
        unit, "一级", category, "general", "110105", apart, counted, responded, solved, satisfied, squares, 0, 0, 0, 0
    )


def scored(month: list[Sums], before: dict[str, Score] | None = None) -> dict[str, Score]:
    assert RULES
    edition = publish(PUBLICATION, month, UNITS, before or {}, {}, RULES)
    return {one.unit_code: one for one in edition.scores}


@given(MONTHS, st.randoms(use_true_random=False))
def test_a_score_hangs_on_what_is_counted_and_not_on_the_order_it_comes_in(month: list[Sums], random: Random) -> None:
    shuffled = random.sample(month, len(month))
    first, second = scored(month), scored(shuffled)
    assert first.keys() == second.keys() == {one.unit_code for one in month}
    for unit, one in first.items():
        assert one.total == pytest.approx(second[unit].total)
        assert one.fair == pytest.approx(second[unit].fair)
        assert (one.standing, one.peers, one.counted) == (
            second[unit].standing, second[unit].peers, second[unit].counted,
        )  # fmt: skip


@given(MONTHS)
def test_rates_are_shares_and_what_stands_apart_is_in_the_total_and_not_in_the_fair_score(month: list[Sums]) -> None:
    for unit, one in scored(month).items():
        mine = [part for part in month if part.unit_code == unit]
        assert one.usual + one.apart <= one.counted == sum(part.counted for part in mine)
        assert one.total == pytest.approx(sum(part.points(WEIGHTS) for part in mine) / one.counted)
        for share in (one.responded, one.solved, one.satisfied, one.total, one.fair, one.expected):
            assert share is None or -1e-9 <= share <= 1 + 1e-9
        assert (one.fair is None) is (one.usual == 0)


def test_only_what_differs_from_the_version_before_is_told_and_who_lost_all_is_told_so() -> None:
    before = scored([sums("s-1", "停水", 30, (1, 1, 1)), sums("s-2", "停水", 30, (1, 0.5, 0.5))])
    same = [replace(one, version=2) for one in before.values()]
    assert changed(same, before, 2) == []
    (gone,) = changed([one for one in same if one.unit_code == "s-1"], before, 2)
    assert (gone.unit_code, gone.version, gone.counted, gone.total) == ("s-2", 2, 0, None)


def test_growth_is_told_with_its_bounds_and_places_are_given_within_peers() -> None:
    month = [sums(f"s-{n}", "停水", 200, (1, 0.5 + n / 20, 0.5)) for n in range(6)] + [
        sums("co-water", "停水", 9, (1, 1, 1))
    ]
    first = scored(month)
    again = scored(month, first)
    alone = again.pop("co-water")
    assert (alone.fair, alone.growth, alone.total) == (None, None, 1)
    assert {one.growth for one in again.values()} == {0.0}
    assert all((one.growth_low or 0) < 0 < (one.growth_high or 0) for one in again.values())
    assert ranked(first.values()) == {f"s-{n}": 6 - n for n in range(6)}
    assert first["co-water"].standing == "few"


def test_points_grow_with_how_often_from_a_number_on_and_up_to_a_bound() -> None:
    buck = Penalty("passed_on", Name("推诿", "Passing the buck"), times=3, each=0.2, at_most=1.0)
    assert [buck.points(times) for times in (0, 2, 3, 4, 5, 100)] == [0, 0, 0.6, 0.8, 1, 1]


def test_nobody_rules_twice_nor_takes_more_than_was_proposed() -> None:
    proposal = Deduction(UUID(int=1), "2026-03", "s-1", "街道1", "passed_on", "", 0.8, (), "rule", NOON)
    dropped = rule(proposal, 0, "城市督办", "情有可原", NOON, 1)
    assert (dropped.state, dropped.imposed) == ("dropped", 0)
    for of, points in ((proposal, 0.9), (dropped, 0.1)):
        with pytest.raises(NotPossibleError):
            rule(of, points, "城市督办", "", NOON, 1)
    appeal = ScoreAppeal(
        UUID(int=1), "2026-03", UUID(int=2), (1,), "s-1", "街道1", "malicious", "", "open", NOON, "街道1"
    )  # fmt: skip
    refused, _ = rule_on_appeal(appeal, "城市督办", "应计入", NOON, None)
    with pytest.raises(NotPossibleError):
        rule_on_appeal(refused, "城市督办", "再看", NOON, 2)
