"""Danger is heard when it is now, and only then: by listed words, and by likeness to what tells of danger."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.city.problems import CityError
from services.classify.cues import load_cues
from services.classify.ear import Ear, lessons
from tests.support.stages import CITY

CUES = load_cues(CITY / "cues.toml")
LESSONS = lessons(load_city(CITY), CITY / "danger.csv")
EAR = Ear.train(CUES.alarm, LESSONS)
SETS = ("urgency_cases.csv", "urgency_blind.csv", "urgency_blind_second.csv")


def cases(name: str) -> list[tuple[bool, str]]:
    """Return the sentences of a set, and whether they tell of danger."""
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        return [(row["urgent"] == "yes", row["text"]) for row in csv.DictReader(file)]


def hears(text: str) -> str | None:
    """Return the words of danger in one text."""
    (heard,) = EAR.hear([text])
    return heard


@pytest.mark.parametrize("name", SETS)
def test_of_a_hundred_dangers_ninety_nine_are_heard(name: str) -> None:
    dangers = [text for danger, text in cases(name) if danger]
    missed = [text for text in dangers if not hears(text)]
    assert len(missed) <= len(dangers) * 0.01, missed


def test_of_what_is_taken_for_danger_six_in_seven_are() -> None:
    texts = [case for name in SETS for case in cases(name)]
    heard = [danger for danger, text in texts if hears(text)]
    assert sum(heard) / len(heard) >= 0.85


def test_no_sentence_that_measures_is_taught() -> None:
    taught = {one.text for one in LESSONS if one.weight == 1.0}
    assert not taught & {text for name in SETS for _, text in cases(name)}


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
        ("把我气炸了", False),
        ("物业公司服务差，楼道没人打扫，现在燃气泄漏了也没人管", True),
        ("跳楼价大甩卖", False),
        ("", False),
        ("。。。", False),
    ],
)
def test_a_guard_takes_the_danger_out_only_where_it_stands(text: str, heard: bool) -> None:
    assert bool(hears(text)) is heard


def test_the_clause_that_tells_of_danger_is_quoted() -> None:
    assert hears("您好，我住在三楼，绳子都准备好了，再见") == "绳子都准备好了"


@given(st.lists(st.text(max_size=60), max_size=5))
def test_each_of_many_texts_is_heard_as_alone(texts: list[str]) -> None:
    assert EAR.hear(texts) == [hears(text) for text in texts]


def test_the_filter_lets_every_listed_danger_through() -> None:
    for _, text in (case for name in SETS for case in cases(name)):
        found = [danger for danger in CUES.alarm.dangers if danger.words.search(text)]
        assert set(found) <= set(CUES.alarm.told_in(text))


def test_what_was_learned_is_kept_and_learned_again_if_damaged(tmp_path: Path) -> None:
    few = LESSONS[::20]
    first = Ear.load_or_train(CUES.alarm, few, tmp_path)
    (kept,) = tmp_path.glob("danger-*.npz")
    assert Ear.load_or_train(CUES.alarm, few, tmp_path).hear(["着火了"]) == first.hear(["着火了"])
    kept.write_bytes(b"no archive")
    assert Ear.load_or_train(CUES.alarm, few, tmp_path).hear(["着火了"]) == first.hear(["着火了"])


def test_lessons_that_are_none_are_named_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "danger.csv").write_text("danger,text\nperhaps,着火了\nyes,\n", encoding="utf-8")
    with pytest.raises(CityError, match=r"(?s)danger\.csv:2 danger.*yes, no.*danger\.csv:3 text"):
        lessons(load_city(CITY), tmp_path / "danger.csv")


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
