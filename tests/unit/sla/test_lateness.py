"""Before the breach: shares of what was late, drawn from the coarse to the fine, and how they are measured."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla.lateness.learning import FEWEST, HALF_LIFE_DAYS, Outcomes, learn, learned, measured
from services.sla.lateness.rates import PASSED, WEIGHT, Alike, Rates

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
HEAT = Alike("completion", "general", "供热采暖", "co-heating", "heating-01-01")
PARTS = st.floats(0, 1)
KNOWN = (
    (), ("供电",), ("", "a"), ("供电", "a"), ("供电", "b"),
    ("供电", "a", "p-1"), ("供电", "a", "p-2"), ("燃气", "a", "g-1"),
)  # fmt: skip


def ended(alike: Alike, in_time: int, late: int, days: float = 0) -> Outcomes:
    """Return clocks of one kind: those in time were done at once."""
    n = in_time + late
    return Outcomes(NOW - timedelta(days=days), alike, (n, *(late for _ in PASSED[1:])), late)


@st.composite
def outcomes(draw: st.DrawFn) -> Outcomes:
    """Return some clocks that are alike; fewer and fewer are open as their time passes."""
    alike = Alike("completion", draw(st.sampled_from(["general", "again"])), *draw(st.sampled_from(KNOWN)))
    opened = sorted(draw(st.lists(st.integers(0, 40), min_size=len(PASSED), max_size=len(PASSED))), reverse=True)
    late = draw(st.integers(0, opened[-1]))
    return Outcomes(NOW - timedelta(days=draw(st.integers(0, 200))), alike, tuple(opened), late)


HISTORIES = st.lists(outcomes(), max_size=12)


def test_without_a_history_the_citys_own_guess_is_said_of_all() -> None:
    rates = learn([], NOW, 0.1)
    assert [rates.chance(HEAT, passed) for passed in (0, 0.6, 1)] == [pytest.approx(0.1)] * 3
    assert all(step.pull == pytest.approx(0) for step in rates.steps(HEAT, 0.6))


def test_a_unit_without_a_history_does_as_its_category_does() -> None:
    other = HEAT._replace(unit="dept-housing", question="heating-02-01")
    rates = learn([ended(HEAT, 100, 100)], NOW, 0.1)
    alone = rates.chance(HEAT._replace(unit="", question=""), 0)
    assert rates.chance(other, 0) == pytest.approx(alone)
    assert 0.4 < alone < 0.5


def test_cases_of_one_unit_count_once_however_many_links_they_are_in() -> None:
    rates = learn([ended(HEAT, 0, 10)], NOW, 0.1)
    assert rates.chance(HEAT, 0) == pytest.approx((10 + WEIGHT * 0.1) / (10 + WEIGHT))


def test_a_long_history_speaks_for_itself_and_a_short_one_hardly() -> None:
    others = HEAT._replace(unit="dept-water", question="")
    for cases, least, most in ((1, 0.1, 0.35), (1000, 0.99, 1.0)):
        rates = learn([ended(others, 10_000, 0), ended(HEAT, 0, cases)], NOW, 0.1)
        assert least < rates.chance(HEAT, 0) < most


def test_a_clock_that_was_due_long_ago_counts_less() -> None:
    rates = learn([ended(HEAT, 8, 0, days=HALF_LIFE_DAYS), ended(HEAT, 0, 4)], NOW, 0.5)
    assert rates.chance(Alike("completion", "general"), 0) == pytest.approx(0.5)


def test_what_is_said_names_each_link_of_the_chain() -> None:
    rates = learn([ended(HEAT, 5, 45), ended(HEAT._replace(unit="b"), 95, 5)], NOW, 0.1)
    steps = rates.steps(HEAT, 0.5)
    assert [step.what for step in steps] == ["kind", "category", "unit", "question", "passed"]
    unit = next(step for step in steps if step.what == "unit")
    assert (unit.share > unit.before, unit.cases) == (True, 50)
    assert [step.what for step in rates.steps(HEAT._replace(unit=""), 0.5)] == ["kind", "category", "passed"]


@given(HISTORIES, outcomes(), PARTS)
def test_the_steps_lead_to_the_chance(history: list[Outcomes], asked: Outcomes, passed: float) -> None:
    rates = learn(history, NOW, 0.1)
    steps = rates.steps(asked.alike, passed)
    assert all(before.share == after.before for before, after in pairwise(steps))
    assert steps[-1].share == rates.chance(asked.alike, passed)


@given(HISTORIES, outcomes(), PARTS, PARTS)
def test_a_chance_is_a_share_and_never_falls_while_nothing_is_done(
    history: list[Outcomes], asked: Outcomes, one: float, other: float
) -> None:
    rates = learn(history, NOW, 0.1)
    sooner, later = (rates.chance(asked.alike, part) for part in sorted((one, other)))
    assert 0 < sooner <= later + 1e-9 < 1


@given(HISTORIES, outcomes())
def test_each_case_speaks_once_with_the_finest_link_it_shares(history: list[Outcomes], asked: Outcomes) -> None:
    cells = [asked.alike[:length] for length in range(1, 6) if asked.alike[length - 1]]
    share = 0.1
    for cell, finer in zip(cells, [*cells[1:], None], strict=True):
        some = [one for one in history if one.alike[: len(cell)] == cell and finer != one.alike[: len(finer or ())]]
        weights = [0.5 ** ((NOW - one.at).days / HALF_LIFE_DAYS) for one in some]
        n = sum(weight * one.opened[2] for weight, one in zip(weights, some, strict=True))
        late = sum(weight * one.late for weight, one in zip(weights, some, strict=True))
        share = (late + WEIGHT * share) / (n + WEIGHT)
    assert learn(history, NOW, 0.1).chance(asked.alike, PASSED[2]) == pytest.approx(share)


@given(HISTORIES, outcomes(), PARTS)
def test_shares_are_kept_as_arrays_and_say_the_same(history: list[Outcomes], asked: Outcomes, passed: float) -> None:
    rates = learn(history, NOW, 0.1)
    kept = Rates.unpacked(rates.packed(), "v")
    assert (kept.version, kept.fingerprint) == ("v", rates.fingerprint)
    assert kept.chance(asked.alike, passed) == pytest.approx(rates.chance(asked.alike, passed), abs=1e-5)


SAID = st.lists(st.tuples(st.sampled_from([0.05, 0.2, 0.5, 0.9, 1.0]), st.booleans()), min_size=1, max_size=30)


@given(SAID)
def test_chances_are_measured_as_by_counting_pairs_and_cases(said: list[tuple[float, bool]]) -> None:
    chances, late = np.array([chance for chance, _ in said]), np.array([float(came) for _, came in said])
    quality = measured(0.0, chances, np.ones(len(said)), late)
    assert quality.brier == pytest.approx(sum((chance - came) ** 2 for chance, came in said) / len(said))
    assert quality.auc == pytest.approx(pairs(said))
    assert sum(one.n for one in quality.bins) == len(said)
    assert sum(one.n * one.late for one in quality.bins) == pytest.approx(late.sum())


def pairs(said: Sequence[tuple[float, bool]]) -> float | None:
    """Count in how many pairs of a late order and another the late one was said to be likelier; ties are half."""
    hits, rest = [chance for chance, came in said if came], [chance for chance, came in said if not came]
    if not hits or not rest:
        return None
    return sum((hit > miss) + (hit == miss) / 2 for hit in hits for miss in rest) / (len(hits) * len(rest))


def test_shares_are_measured_on_the_newest_clocks_and_not_on_too_few() -> None:
    history = [ended(HEAT, 30, 20, days=day) for day in range(40)]
    rates, quality = learned(history, NOW, 0.1, "v")
    assert [one.passed for one in quality] == [0.0, 0.5]
    assert quality[0].n == 6 * 50 >= FEWEST
    assert quality[0].error < 0.02
    assert rates.version == "v"
    assert learned(history[:3], NOW, 0.1, "v")[1] == ()
