"""The language of an appeal, where its sender names none."""

import csv
from pathlib import Path

import pytest

from services.intake.domain import candidates
from services.intake.languages import Languages

LANGUAGES = Languages("zh")
CASES = Path(__file__).with_name("language_cases.csv")


def cases() -> list[tuple[str, str]]:
    """Return texts, each with its language."""
    with CASES.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["language"]) for row in csv.DictReader(file)]


def test_languages_are_told_apart_also_in_few_words() -> None:
    wrong = [text for text, language in cases() if LANGUAGES.of(text) != language]
    assert len({language for _, language in cases()}) >= 18
    assert len(wrong) <= len(cases()) * 0.02, wrong


@pytest.mark.parametrize("text", [text for text, language in cases() if language == "zh"])
def test_chinese_is_chinese_in_any_dialect_and_with_foreign_words_in_it(text: str) -> None:
    assert candidates(text) == ("zh",)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The street lamp at 望京西园四区 is broken", "en"),
        ("iPhone进水", "zh"),
        ("鲜の每日超市占道", "zh"),
        ("ゴミ収集が来ない", "ja"),
        ("12345 !!! ¿?", "zh"),
        ("", "zh"),
        ("😡😡", "zh"),
        ("ⵜⵉⴼⵉⵏⴰⵖ", "zh"),
    ],
)
def test_names_of_the_place_and_signs_do_not_mislead(text: str, language: str) -> None:
    assert LANGUAGES.of(text) == language
