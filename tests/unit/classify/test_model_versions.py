"""Training with what people said, measuring, knowing a kept model again, and drift."""

from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType

import pytest

from libs.common.city.pack import load_city
from services.classify.domain import Judged, Profile, drift, first_profile, profile
from services.classify.model import Model
from services.classify.versions import Lesson, data_of, evaluated, remade, trained
from tests.support.stages import CITY

CATALOGUE = load_city(CITY).catalogue
SMALL = replace(CATALOGUE, by_code=MappingProxyType(dict(list(CATALOGUE.by_code.items())[:40])))
CODES = list(SMALL.by_code)
SAID = [Lesson(CODES[n % 2], f"琉璃{'甲' if n % 2 else '乙'}出事了{n}") for n in range(60)]


def test_a_model_learns_what_people_said_and_is_measured_on_the_newest_of_it() -> None:
    made = trained(SMALL, [*SAID, Lesson("of-no-catalogue", "别处")], None)
    model = remade(SMALL, made.name, made.arrays, None)
    assert model
    assert [guess.code for guess in model.judge(["琉璃甲", "琉璃乙"])] == [CODES[1], CODES[0]]
    assert (made.labels, made.examples, made.confirmed and made.confirmed.texts) == (60, {"供水排水": 60}, 12)
    assert (made.confirmed and made.confirmed.level3, made.phrases and made.phrases.texts) == (1.0, len(SMALL))
    later = evaluated(model, SMALL, SAID[:3])
    assert later
    assert (later.texts, later.level3, later.owner) == (3, 1.0, 1.0)


def test_the_same_data_make_the_same_model_and_other_data_another() -> None:
    assert data_of(SMALL, SAID) == data_of(SMALL, reversed(SAID)) != data_of(SMALL, SAID[1:])


def test_arrays_that_are_damaged_or_mean_another_thing_now_are_not_used() -> None:
    made = trained(SMALL, SAID, None)
    other = replace(SMALL, by_code=MappingProxyType(dict(reversed(list(SMALL.by_code.items())))))
    assert remade(SMALL, made.name, made.arrays, None)
    assert remade(SMALL, made.name, made.arrays[:-100], None) is None
    assert remade(other, made.name, made.arrays, None) is None


def test_with_few_confirmed_tickets_none_is_held_out() -> None:
    assert trained(SMALL, SAID[:5], None).confirmed is None


def test_a_model_of_the_catalogue_alone_judges_as_one_that_was_kept() -> None:
    made = trained(SMALL, (), None)
    kept = remade(SMALL, made.name, made.arrays, None)
    assert kept
    assert kept.judge(["家里停电了"]) == Model.train(SMALL).judge(["家里停电了"])


DAY = date(2026, 3, 2)


def days(
    water: int, power: int, *, sure: float = 0.8, held: int = 0, corrected: int = 0, on: date = DAY
) -> list[Judged]:
    return [
        Judged(on, "供水排水", water, water * sure, held, corrected),
        Judged(on, "供电", power, power * sure, 0, 0),
    ]


def seen(*counts: Judged) -> Profile:
    found = profile(counts)
    assert found
    return found


def test_what_comes_in_as_it_did_is_no_drift() -> None:
    told = drift(seen(*days(500, 500)), seen(*days(520, 480)))
    assert (told.drifting, told.reasons) == (False, ())
    assert told.index == pytest.approx(0.0016, abs=0.0001)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (days(100, 900), "level 1 has shifted: 供"),
        (days(500, 500, sure=0.6), "mean confidence fell from 0.80 to 0.60"),
        (days(500, 500, held=150), "held tickets rose from 0% to 15%"),
        (days(500, 500, corrected=60), "corrected tickets rose from 0% to 6%"),
    ],
)
def test_each_way_to_drift_is_told_with_its_reason(now: list[Judged], said: str) -> None:
    told = drift(seen(*days(500, 500)), seen(*now))
    assert told.drifting
    assert [reason for reason in told.reasons if reason.startswith(said)]


def test_of_few_tickets_nothing_is_said() -> None:
    assert profile(days(5, 5)) is None
    assert drift(None, seen(*days(500, 500))).index is None


def test_the_first_days_that_are_enough_are_the_reference() -> None:
    every = [count for n in range(5) for count in days(150, 50 + n, on=DAY + timedelta(days=n))]
    first = first_profile(every)
    assert first
    assert (first.since, first.until, first.tickets) == (DAY, DAY + timedelta(days=2), 603)
