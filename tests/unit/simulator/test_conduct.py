"""How people in a simulated city behave: by seed, and with every branch of the loop."""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import get_args

import pytest

from deploy.simulator.conduct import BOILERPLATE, GOOD, Seen, call, verdict, work
from libs.common.contracts.dispatch import ReturnGround
from libs.common.contracts.vocabulary import Urgency

SEEDS = range(2000)


@pytest.mark.parametrize("urgency", get_args(Urgency))
def test_equal_seeds_work_alike(urgency: Urgency) -> None:
    assert work(Random(1), urgency, 1) == work(Random(1), urgency, 1)


@pytest.mark.parametrize(
    ("urgency", "limit"),
    [("urgent", timedelta(hours=2)), ("livelihood", timedelta(hours=24)), ("general", timedelta(days=7))],
)
def test_most_units_are_in_time_and_some_are_not(urgency: Urgency, limit: timedelta) -> None:
    drawn = [work(Random(seed), urgency, 1) for seed in SEEDS]
    assert 0.01 < sum(one.whole > limit for one in drawn) / len(SEEDS) < 0.2
    assert [one.seen(urgency).late for one in drawn] == [one.whole > limit for one in drawn]


def test_units_call_return_and_hide_behind_phrases_as_people_do() -> None:
    drawn = [work(Random(seed), "general", 1) for seed in SEEDS]
    assert {one.back[0] for one in drawn if one.back} <= set(get_args(ReturnGround))
    assert 0 < sum(one.back is not None for one in drawn) < 0.1 * len(drawn)
    assert {one.reply for one in drawn} == {*GOOD, *BOILERPLATE}
    assert not all(one.contact for one in drawn)


def test_what_was_reopened_is_not_sent_back() -> None:
    assert not any(work(Random(seed), "general", 2).back for seed in SEEDS)


def solved(seen: Seen) -> float:
    said = Counter(verdict(Random(seed), seen).resolved for seed in SEEDS)
    assert {"yes", "partly", "no", None} == said.keys()
    return said["yes"] / (said.total() - said[None])


def test_a_phrase_silence_and_delay_each_solve_less_than_work_does_and_together_least() -> None:
    phrase, work_done = BOILERPLATE[0], GOOD[0]
    one_fault = [solved(Seen(phrase)), solved(Seen(work_done, contacted=False)), solved(Seen(work_done, late=True))]
    assert solved(Seen(work_done)) > 0.8 > max(one_fault) + 0.1
    assert solved(Seen(phrase, contacted=False, late=True)) < min(one_fault) - 0.1


def test_a_citizen_sees_whether_the_unit_called_and_what_it_replied() -> None:
    for seed in range(200):
        done = work(Random(seed), "general", 1)
        seen = done.seen("general")
        assert (seen.reply, seen.contacted) == (done.reply, done.contact is not None)


def test_satisfaction_follows_whether_it_is_solved() -> None:
    for seed in SEEDS:
        said = verdict(Random(seed), Seen(GOOD[0]))
        assert (
            said.resolved is None or said.satisfied in {"yes": (4, 5), "partly": (2, 3, 4), "no": (1, 2)}[said.resolved]
        )


def test_not_everybody_takes_the_call() -> None:
    assert {call(Random(seed)) for seed in SEEDS} == {None, "no_answer", "refused"}
