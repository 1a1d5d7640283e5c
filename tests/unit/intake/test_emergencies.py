"""Danger is heard when it is of this minute, with its number, and only then."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from services.intake.domain import emergencies_in
from services.intake.domain.emergencies import BEGINNING
from services.intake.messages import Messages
from tests.support.stages import CITY

KNOWN = load_city(CITY).emergencies
CASES = Path(__file__).with_name("emergency_cases.csv")
MESSAGES = Messages.load()


def cases() -> list[tuple[str, list[str]]]:
    """Return sentences, each with the numbers it calls for, the most urgent first."""
    with CASES.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["numbers"].split("|") if row["numbers"] else []) for row in csv.DictReader(file)]


def numbers(text: str) -> list[str]:
    """Return what a text calls for."""
    return [emergency.number for emergency in emergencies_in(text, KNOWN)]


def test_of_those_in_danger_hardly_anyone_is_missed() -> None:
    calls = [(text, wanted) for text, wanted in cases() if wanted]
    missed = [text for text, _ in calls if not numbers(text)]
    wrong = [text for text, wanted in calls if numbers(text) not in ([], wanted)]
    assert len(calls) >= 200
    assert len(missed) + len(wrong) <= len(calls) * 0.02, (missed, wrong)


def test_past_feared_denied_drilled_and_told_danger_is_hardly_ever_taken_for_one() -> None:
    harmless = [text for text, wanted in cases() if not wanted]
    false = [text for text in harmless if numbers(text)]
    assert len(harmless) >= 200
    assert len(false) <= len(harmless) * 0.02, false


def test_all_words_together_find_what_those_of_any_number_find() -> None:
    texts = [text for text, _ in cases()] + [said.upper() for emergency in KNOWN.numbers for said in emergency.said]
    for text in texts:
        apart = any(emergency.words.search(text) for emergency in KNOWN.numbers)
        assert (KNOWN.words.Match(text) is not None) == apart, text


@pytest.mark.parametrize(
    ("number", "said"), [(emergency.number, said) for emergency in KNOWN.numbers for said in emergency.said]
)
def test_what_the_pack_gives_as_examples_is_heard(number: str, said: str) -> None:
    assert number in numbers(said)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("去年楼下着火了，到现在没修", []),
        ("去年着过一次火，今天又着火了", ["119"]),
        ("去年买的电动车着火了", ["119"]),
        ("着火了", ["119"]),
        ("尊敬的市长，着火了", []),
        ("尊敬的市长，现在着火了", ["119"]),
        ("不是演习，着火了", ["119"]),
        ("演习，着火了", []),
    ],
)
def test_a_guard_takes_the_danger_out_only_where_it_stands(text: str, wanted: list[str]) -> None:
    assert numbers(text) == wanted


def test_who_is_in_danger_says_so_first() -> None:
    assert numbers("字" * (BEGINNING - 3) + "着火了") == ["119"]
    assert numbers("字" * BEGINNING + "着火了") == []
    assert numbers("word " * 50 + "there is a fire") == ["119"]


def test_several_numbers_are_all_named_in_both_languages_the_most_urgent_first() -> None:
    called = emergencies_in("出车祸了，司机昏迷，车还着火了", KNOWN)
    english, chinese = MESSAGES.emergency(called, "fr").splitlines()
    assert "call 119 (fire and rescue), then 120 (medical emergency), then 122 (traffic accident) now" in english
    assert "请立即拨打119（火警与救援），再拨打120（医疗急救），再拨打122（交通事故报警）。" in chinese


@given(st.text(max_size=400))
def test_whatever_is_written_is_read_without_failing(text: str) -> None:
    assert numbers(text.encode(errors="replace").decode()) is not None
