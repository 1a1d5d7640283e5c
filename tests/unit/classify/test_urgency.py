"""Danger is heard when it is now, and only then."""

import csv
from pathlib import Path

import pytest

from libs.common.city.problems import CityError
from services.classify.cues import load_cues
from tests.support.stages import CITY

CUES = load_cues(CITY / "cues.toml")
CASES = Path(__file__).with_name("urgency_cases.csv")


def cases(urgent: str) -> list[str]:
    """Return the sentences that are, or are not, of danger."""
    with CASES.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file) if row["urgent"] == urgent]


@pytest.mark.parametrize("text", cases("yes"))
def test_danger_is_heard(text: str) -> None:
    assert CUES.alarm.hears(text)


def test_little_else_is_taken_for_danger() -> None:
    harmless = cases("no")
    false = [text for text in harmless if CUES.alarm.hears(text)]
    assert len(false) <= len(harmless) * 0.05, false


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("没有漏气", False),
        ("去年着过火", False),
        ("会不会爆炸", False),
        ("去年漏过，今天又漏气了", True),
        ("没人管，楼上着火了", True),
        ("高压危险 当心触电", False),
        ("禁止攀登，小心触电", False),
        ("孩子不小心掉进井里了", True),
    ],
)
def test_a_guard_takes_the_danger_out_only_where_it_stands(text: str, heard: bool) -> None:
    assert bool(CUES.alarm.hears(text)) is heard


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("表扬三号线的乘务员", "praise"),
        ("感谢李师傅帮我修好了水管", "praise"),
        ("请问居住证怎么办理", "consultation"),
        ("建议在路口增设红绿灯", "suggestion"),
        ("我要举报一家黑作坊", "report"),
        ("投诉物业态度恶劣", "complaint"),
        ("求助，老人行动不便", "help"),
        ("家里没水了", None),
        ("请问到底有没有人管管噪声", None),
    ],
)
def test_a_cue_tells_the_kind(text: str, kind: str | None) -> None:
    assert CUES.kinds.of(text) == kind


def test_a_pattern_that_is_none_is_named_with_its_place(tmp_path: Path) -> None:
    text = (CITY / "cues.toml").read_text(encoding="utf-8").replace("[kinds.help]", "[kinds.help]\nunless = '('", 1)
    (tmp_path / "cues.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CityError, match=r"kinds\.help\.unless.*regular expression"):
        load_cues(tmp_path / "cues.toml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CityError, match=r"cues\.toml: is missing"):
        load_cues(tmp_path / "cues.toml")
