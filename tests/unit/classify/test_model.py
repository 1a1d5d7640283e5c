"""The model: right on what it was taught, honest about the rest, quick, and kept as arrays."""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from pydantic import TypeAdapter

from libs.common.city.pack import load_city
from services.classify.model import Model, fingerprint, judging
from services.classify.model.apart import NotLearntError, learnt_apart
from services.classify.model.grams import Columns, grams, numbered
from services.classify.model.meaning import ARCHIVE, Meaning
from tests.support.stages import CITY

CATALOGUE = load_city(CITY).catalogue
SMALL = replace(CATALOGUE, by_code=MappingProxyType(dict(list(CATALOGUE.by_code.items())[:60])))
"""Water and power, for what does not depend on how much there is to know."""


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.train(CATALOGUE)


def test_nearly_every_phrase_it_was_taught_is_known_again(model: Model) -> None:
    taught = [(question.code, phrase) for question in CATALOGUE for phrase in question.phrases]
    guesses = model.judge([phrase for _, phrase in taught])
    assert np.mean([guess.code == code for guess, (code, _) in zip(guesses, taught, strict=True)]) > 0.95


def test_a_guess_says_what_decided_and_the_nearest_phrase(model: Model) -> None:
    (guess,) = model.judge(["我被困在电梯里出不来，楼里没有人"])
    assert CATALOGUE.by_code[guess.code].l3 == "电梯困人"
    assert "电梯" in guess.why[0]
    assert guess.why[1].startswith("最接近的说法“")
    assert len(guess.others) == 3
    assert guess.confidence > max(sure for _, sure in guess.others)


@pytest.mark.parametrize("text", ["", "  ", "12345", "hello", "⟦phone-1⟧", "！！！", "\n\n"])
def test_where_there_is_nothing_to_read_it_is_not_sure_of_anything(model: Model, text: str) -> None:
    (guess,) = model.judge([text])
    assert guess.confidence == 0
    assert CATALOGUE.by_code[guess.code].l3 == "诉求不明确"


def test_a_mark_is_no_word_of_the_text(model: Model) -> None:
    plain, marked = model.judge(["楼上漏水，联系不上", "楼上漏水，⟦phone-1⟧联系不上"])
    assert (plain.code, plain.confidence) == (marked.code, marked.confidence)


def test_a_title_weighs_as_much_as_a_long_text(model: Model) -> None:
    rambling = "您好，我们是这里的居民，住了很多年了，情况反映过很多次，希望有关部门重视。" * 8
    (guess,) = model.judge([f"电梯困人\n{rambling}"])
    assert CATALOGUE.by_code[guess.code].l2 == "电梯"


def test_no_texts_are_no_guesses(model: Model) -> None:
    assert model.judge([]) == []


def test_one_text_is_judged_as_in_a_batch(model: Model) -> None:
    texts = ["停水了", "小区门口有人摆摊", "想咨询落户"]
    assert model.judge(texts) == [guess for text in texts for guess in model.judge([text])]


def test_the_cache_gives_the_same_model(tmp_path: Path) -> None:
    trained = Model.load_or_train(SMALL, tmp_path)
    assert [path.name for path in tmp_path.glob("*.npz")] == [
        f"{fingerprint(SMALL.version, Meaning.load(ARCHIVE))}.npz"
    ]
    assert Model.load_or_train(SMALL, tmp_path).judge(["家里停电了"]) == trained.judge(["家里停电了"])


def test_a_process_that_fails_to_learn_is_told_by_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "LESSON", TypeAdapter(object))
    nothing = replace(SMALL, by_code=MappingProxyType({}), version="none")
    with pytest.raises(NotLearntError, match=r"services.classify.model ended with 1: "):
        Model.load_or_train(nothing, tmp_path)
    assert list(tmp_path.glob("*.npz*")) == []


def test_what_kills_the_process_that_learns_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(NotLearntError, match="was there memory enough"):
        learnt_apart("services.classify.model", b"")


ODD = [
    "",
    " ",
    "hello WiFi信号5G ETC坏了",
    "⟦phone-1⟧停水⟦a⟧停电",
    "Ⅷ①²水电",
    "停水停水停水，停水",
    "水_电\n水",
    "\ud800水电",
]


def test_all_texts_at_once_are_the_rows_that_their_grams_make() -> None:
    texts = [*ODD, *(phrase for question in SMALL for phrase in question.phrases)]
    known, idf = numbered(texts[1:])
    rows = Columns(known, idf).vectors(texts)
    for number, text in enumerate(texts):
        counts = Counter(gram for gram in grams(text) if gram in known)
        wanted = {known.index(gram): (1 + np.log(count)) * idf[known.index(gram)] for gram, count in counts.items()}
        length = np.sqrt(sum(weight**2 for weight in wanted.values()))
        row = rows[number]
        assert row.indices.tolist() == sorted(wanted)
        np.testing.assert_allclose(row.data, [wanted[column] / length for column in sorted(wanted)])


def _no_archive(path: Path) -> None:
    path.write_bytes(b"not an archive")


def _torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _without_most_arrays(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, idf=np.ones(3))


@pytest.mark.parametrize("damage", [_no_archive, _torn, _empty, _without_most_arrays])
def test_a_damaged_cache_is_trained_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    trained = Model.load_or_train(SMALL, tmp_path)
    (path,) = tmp_path.glob("*.npz")
    whole = path.stat().st_size
    damage(path)
    assert Model.load_or_train(SMALL, tmp_path).judge(["家里停电了"]) == trained.judge(["家里停电了"])
    assert path.stat().st_size == whole
