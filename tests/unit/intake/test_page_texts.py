"""The pages' catalogue: whole in every language, found by what a browser asks for, safe in what it is filled with."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.pages.texts import TEXTS, around

CATALOGUES = (Path("services/intake/pages/messages.toml"), Path("services/intake/messages.toml"))


def texts(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    if any(isinstance(value, str) for value in tree.values()):
        yield path, tree
    else:
        for name, branch in tree.items():
            yield from texts(branch, (*path, name))


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=str)
def test_every_text_is_there_in_chinese_and_english_with_the_same_names_to_fill(catalogue: Path) -> None:
    for path, said in texts(tomllib.loads(catalogue.read_text(encoding="utf-8"))):
        assert said.keys() >= {"zh", "en"}, path
        names = {
            language: {name for _, name, _, _ in Formatter().parse(text)} - {None} for language, text in said.items()
        }
        assert names["zh"] == names["en"], path


def test_every_text_that_a_template_names_is_there() -> None:
    for template in Path("services/intake/templates").glob("*.html"):
        for path in re.findall(r'say\(((?:"[a-z_0-9]+"(?:, )?)+)(?=[,)])', template.read_text(encoding="utf-8")):
            names = re.findall(r'"([a-z_0-9]+)"', path)
            tree: Any = TEXTS.texts
            for name in names:
                assert name in tree, (template.name, names)
                tree = tree[name]


@given(st.text())
def test_what_fills_a_text_stays_text(value: str) -> None:
    filled = str(around(TEXTS, "zh", ("ticket", "title"), {"number": value + "<script>{number}"}))
    assert "<script>" not in filled
    assert "{number}" in filled


def test_chinese_in_an_english_sentence_is_marked_as_such() -> None:
    said = str(around(TEXTS, "en", ("ticket", "title"), {"number": "市水务局"}))
    assert said == 'Appeal <span lang="zh-CN">市水务局</span>'
