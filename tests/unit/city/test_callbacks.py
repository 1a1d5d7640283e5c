"""callbacks.toml and closing.toml: what a pack may set, and how its editor hears of a mistake."""

from pathlib import Path

import pytest

from libs.common.city import callbacks, closing
from libs.common.city.problems import Problems


def test_a_pack_without_the_files_asks_and_doubts_by_those_of_the_project(tmp_path: Path) -> None:
    problems = Problems()
    asked, doubted = callbacks.load_callbacks(tmp_path, problems), closing.load_closing(tmp_path, problems)
    assert (problems.found, asked is not None, doubted is not None) == ([], True, True)
    assert asked is not None
    assert {reason.good for reason in asked.reasons} == {True, False}
    assert asked.fitting(["slow", "quick", "slow", "none"], good=False) == ("slow",)


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("ends = 11:30:00", "ends = 12:30:00", "follow each other"),
        ("calls = 6", "calls = 2", "no fewer than tries"),
        ('code = "noon"', 'code = "morning"', "stand here once"),
        ('kinds = ["report"]', 'kinds = ["complaint"]', "nothing twice"),
        ('code = "satisfied"', 'code = "explained"', "solved and satisfied"),
        ("tries = 3", "trys = 3", "tries"),
    ],
)
def test_a_mistake_in_how_people_are_asked_is_named(tmp_path: Path, wrong: str, right: str, said: str) -> None:
    text = callbacks.GENERAL.read_text(encoding="utf-8")
    assert wrong in text
    (tmp_path / callbacks.FILE).write_text(text.replace(wrong, right, 1), encoding="utf-8")
    problems = Problems()
    assert callbacks.load_callbacks(tmp_path, problems) is None
    assert any(said in problem for problem in problems.found), problems.found


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("again = 0.3", "", "weights should hold each"),
        ("unsolved = 0.5", "unsolved = 1.0", "less than 1"),
        ("chance = 0.001", "chance = 0.5", "0.01"),
        ("share = 0.02", "share = 0.9", "less than 0.5"),
    ],
)
def test_a_mistake_in_what_is_doubted_is_named(tmp_path: Path, wrong: str, right: str, said: str) -> None:
    text = closing.GENERAL.read_text(encoding="utf-8")
    assert wrong in text
    (tmp_path / closing.FILE).write_text(text.replace(wrong, right, 1), encoding="utf-8")
    problems = Problems()
    assert closing.load_closing(tmp_path, problems) is None
    assert any(said in problem for problem in problems.found), problems.found
