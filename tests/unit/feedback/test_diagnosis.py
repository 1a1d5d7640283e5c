"""What a diagnosis calls short: what is worse than with like units, beyond chance, and nothing of a few answers."""

from dataclasses import replace
from pathlib import Path

import pytest

from libs.common.city.problems import Problems
from libs.common.city.scoring import load_scoring
from services.feedback.domain.diagnosis import rate_gaps
from services.feedback.domain.scores import Score, Weights

RULES = load_scoring(Path(), Problems())
ALL_IN_TIME = Score("2026-03", 1, "s-0", "街道", "street", 0, 40, solved=0.8, completion_in_time=1.0, expected=0.85)
PEERS = [replace(ALL_IN_TIME, unit_code=f"s-{number}") for number in range(1, 12)]


WEIGHTS = Weights(0.3, 0.4, 0.3)


def gaps(unit: Score) -> list[str]:
    assert RULES
    return [gap.kpi for gap in rate_gaps(unit, PEERS, WEIGHTS, RULES)]


def named(counted: int, late: int) -> list[str]:
    return gaps(replace(ALL_IN_TIME, counted=counted, completion_in_time=1 - late / counted))


@pytest.mark.parametrize("counted", [10, 20, 40])
def test_one_slip_of_a_small_unit_is_chance_although_no_peer_has_any(counted: int) -> None:
    assert named(counted, 1) == []


@pytest.mark.parametrize(("counted", "late"), [(12, 4), (20, 6), (40, 8)])
def test_what_is_late_often_is_named(counted: int, late: int) -> None:
    assert named(counted, late) == ["completion_in_time"]


def test_of_fewer_answers_than_a_score_needs_nothing_is_named() -> None:
    assert RULES
    assert named(RULES.least - 1, RULES.least - 1) == []


def test_what_harder_mail_explains_is_no_shortfall_and_what_it_does_not_is_one() -> None:
    short = replace(ALL_IN_TIME, counted=100, solved=0.6)
    assert gaps(short) == ["solved"]
    assert gaps(replace(short, expected=0.72)) == []
    assert gaps(replace(short, solved=0.4, expected=0.72)) == ["solved"]
    assert gaps(replace(short, expected=0.95)) == ["solved"]


def test_of_who_has_nobody_to_compare_with_only_is_said_what_no_mail_explains() -> None:
    alone = replace(ALL_IN_TIME, counted=100, solved=0.4, completion_in_time=0.5, expected=None)
    assert gaps(alone) == ["completion_in_time"]
