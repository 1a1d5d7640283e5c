"""How people in a simulated city behave: by seed, and with every branch of the loop."""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import get_args

import pytest

from deploy.simulator.conduct import BOILERPLATE, GOOD, Work, call, verdict, work
from libs.common.contracts.dispatch import ReturnGround
from libs.common.contracts.vocabulary import Urgency

SEEDS = range(2000)


@pytest.mark.parametrize("urgency", get_args(Urgency))
def test_equal_seeds_work_alike(urgency: Urgency) -> None:
    assert work(Random(1), urgency, 1) == work(Random(1), urgency, 1)


def _whole(done: Work) -> timedelta:
    parts = (done.begin, done.contact, done.progress[0] if done.progress else None, done.resolve)
    return sum((part for part in parts if part), timedelta())


@pytest.mark.parametrize(
    ("urgency", "limit"),
    [("urgent", timedelta(hours=2)), ("livelihood", timedelta(hours=24)), ("general", timedelta(days=7))],
)
def test_most_units_are_in_time_and_some_are_not(urgency: Urgency, limit: timedelta) -> None:
    late = sum(_whole(work(Random(seed), urgency, 1)) > limit for seed in SEEDS) / len(SEEDS)
    assert 0.01 < late < 0.2


def test_units_call_return_and_hide_behind_phrases_as_people_do() -> None:
    drawn = [work(Random(seed), "general", 1) for seed in SEEDS]
    assert {one.back[0] for one in drawn if one.back} <= set(get_args(ReturnGround))
    assert 0 < sum(one.back is not None for one in drawn) < 0.1 * len(drawn)
    assert {one.reply for one in drawn} == {*GOOD, *BOILERPLATE}
    assert not all(one.contact for one in drawn)


def test_what_was_reopened_is_not_sent_back() -> None:
    assert not any(work(Random(seed), "general", 2).back for seed in SEEDS)


def test_a_phrase_solves_less_than_work_does() -> None:
    def solved(reply: str) -> float:
        said = Counter(verdict(Random(seed), reply).resolved for seed in SEEDS)
        return said["yes"] / (said.total() - said[None])

    assert solved(BOILERPLATE[0]) < 0.5 < solved(GOOD[0])


def test_satisfaction_follows_whether_it_is_solved() -> None:
    for seed in SEEDS:
        said = verdict(Random(seed), GOOD[0])
        assert (
            said.resolved is None or said.satisfied in {"yes": (4, 5), "partly": (2, 3, 4), "no": (1, 2)}[said.resolved]
        )


def test_not_everybody_takes_the_call() -> None:
    assert {call(Random(seed)) for seed in SEEDS} == {None, "no_answer", "refused"}
