"""Texts in the reader's language, and how that is chosen."""

import tomllib
from copy import deepcopy
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.runtime.messages import Texts, _add

TEXTS: dict[str, Any] = {
    "event": {"closed": {"zh": "{unit}已办结", "en": "Closed by {unit}"}},
    "yes": {"zh": "是", "en": "Yes"},
}


def with_japanese() -> Texts:
    """Return the catalogue with a third language that says one of its texts."""
    texts = deepcopy(TEXTS)
    _add(texts, {"event": {"closed": "{unit}が完了"}}, "ja", "messages.ja.toml")
    return Texts(texts, ("ja",))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", "市水务局已办结"), ("zh-Hant-HK", "市水务局已办结"), ("yue", "市水务局已办结"), ("bo", "市水务局已办结"),
        ("en", "Closed by 市水务局"), ("en-GB", "Closed by 市水务局"), ("fr", "Closed by 市水务局"),
        ("ja", "市水务局が完了"), ("ja-JP", "市水务局が完了"),
    ],
)  # fmt: skip
def test_a_text_is_said_in_the_readers_language_or_the_one_they_likely_read(language: str, said: str) -> None:
    assert with_japanese().say(language, "event", "closed", unit="市水务局") == said


def test_what_a_further_language_leaves_out_is_said_in_english() -> None:
    assert with_japanese().say("ja", "yes") == "Yes"


def test_a_parameter_of_several_languages_is_said_in_the_readers() -> None:
    court = {"zh": "法院", "en": "the court"}
    assert [Texts(TEXTS).say(language, "event", "closed", unit=court) for language in ("zh", "en")] == [
        "法院已办结",
        "Closed by the court",
    ]


def test_what_none_may_miss_is_said_in_the_readers_language_and_both_others() -> None:
    assert Texts(TEXTS).both("zh", "yes") == "是\nYes"
    assert Texts(TEXTS).both("fr", "yes") == "Yes\n是"
    assert with_japanese().both("ja", "event", "closed", unit="X") == "Xが完了\nX已办结\nClosed by X"


@pytest.mark.parametrize(
    "more", [{"evnt": {"closed": "x"}}, {"event": "x"}, {"yes": {"zh": "x"}}, {"event": {"x": "y"}}]
)
def test_a_text_in_the_wrong_place_is_a_mistake(more: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"messages\.ja\.toml: .* is not where messages\.toml has it"):
        _add(deepcopy(TEXTS), more, "ja", "messages.ja.toml")


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9", "en"),
        ("en;q=0.5, zh;q=0.6", "zh"),
        ("fr, zh;q=0.3", "zh"),
        ("fr;q=0.9, de", "en"),
        ("fr;q=0.9, ja;q=0.1", "ja"),
        ("yue, en;q=0.9", "zh"),
        ("*", "zh"),
        ("en;q=0, *", "zh"),
        ("en;q=0", "zh"),
        ("EN-gb", "en"),
        ("en ; q=1.0", "en"),
        ("en;q=2, zh", "zh"),
        (",,;q=,\x00", "zh"),
    ],
)
def test_the_best_liked_language_there_is_is_answered_in(accept: str, language: str) -> None:
    assert with_japanese().preferred(accept) == language


@given(st.text(max_size=600))
def test_no_header_is_too_odd(accept: str) -> None:
    assert with_japanese().preferred(accept) in {"zh", "en", "ja"}


def leaves(texts: object, path: str = "") -> list[tuple[str, dict[str, str]]]:
    """Return every text of a catalogue with its path."""
    if isinstance(texts, dict) and all(isinstance(text, str) for text in texts.values()):
        return [(path, texts)]
    assert isinstance(texts, dict), path
    return [leaf for name, below in texts.items() for leaf in leaves(below, f"{path}/{name}")]


@pytest.mark.parametrize("file", sorted(Path("services").glob("**/messages.toml")), ids=str)
def test_every_text_is_there_in_chinese_and_english_with_the_same_names_to_fill_in(file: Path) -> None:
    for path, texts in leaves(tomllib.loads(file.read_text(encoding="utf-8"))):
        assert texts.keys() >= {"zh", "en"}, path
        filled = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in texts.values()]
        assert all(names == filled[0] for names in filled), path
