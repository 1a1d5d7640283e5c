"""What texts mean: near without a shared word, only for the unsure, and never needed."""

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from libs.common.city.pack import load_city
from services.classify.model import Model
from services.classify.model.judging import LOOKS
from services.classify.model.meaning import WIDTH, Meaning
from tests.support.stages import CITY

CATALOGUE = load_city(CITY).catalogue
SMALL = replace(
    CATALOGUE,
    by_code=MappingProxyType(
        {code: q for code, q in CATALOGUE.by_code.items() if q.l1 in {"供水排水", "医疗卫生", "教育", "民政养老"}}
    ),
)
UNSEEN = "打开龙头只有空气声，洗漱都没法弄"


class Counted:
    """The sentence model, and how many texts it was asked for."""

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        self.name = meaning.name
        self.asked = 0

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += len(texts)
        return self._meaning.of(texts)

    def of_many(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._meaning.of_many(texts)


@pytest.fixture(scope="module")
def counted(meaning: Meaning) -> Any:
    return Counted(meaning)


@pytest.fixture(scope="module")
def model(counted: Any) -> Model:
    return Model.train(SMALL, counted)


def test_rows_are_directions_in_the_order_of_the_texts_however_they_are_read(meaning: Meaning) -> None:
    texts = ["停水了", "小区门口的路灯坏了很久没有人来修，晚上走路很不安全" * 9, "", "想咨询落户"] * 20
    rows = meaning.of(texts)
    assert rows.shape == (80, WIDTH)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    np.testing.assert_array_equal(rows[:4], np.vstack([meaning.of([text]) for text in texts[:4]]))
    np.testing.assert_array_equal(rows, meaning.of_many(texts))


def test_what_is_remembered_is_not_read_again(meaning: Meaning, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["停水了", "路灯坏了", "停水了"]
    wanted = meaning.of(texts)
    monkeypatch.setattr(meaning, "_reading", meaning._reading)
    meaning.remember()
    np.testing.assert_array_equal(meaning.of(texts), wanted)
    monkeypatch.setattr(meaning, "_session", None)
    np.testing.assert_array_equal(meaning.of_many(texts), wanted)


def test_what_was_not_taught_is_right_more_often_by_what_it_means(meaning: Meaning) -> None:
    taught = {code: replace(q, phrases=q.phrases[:-1]) for code, q in SMALL.by_code.items()}
    model = Model.train(replace(SMALL, by_code=MappingProxyType(taught)), meaning)
    unseen = [(q.phrases[-1], code) for code, q in SMALL.by_code.items()]

    def right(looks: int) -> float:
        guesses = model.judge([text for text, _ in unseen], looks)
        return float(np.mean([guess.code == code for guess, (_, code) in zip(guesses, unseen, strict=True)]))

    assert right(len(unseen)) > right(0) + 0.03


def test_only_the_least_sure_of_a_batch_are_looked_at_again(counted: Any, model: Model) -> None:
    unsure = [f"{UNSEEN}{'，真的' * i}" for i in range(LOOKS + 8)]
    before = counted.asked
    guesses = model.judge([*unsure, *(question.phrases[0] for question in list(SMALL)[:20])])
    assert counted.asked - before == LOOKS
    assert len(guesses) == LOOKS + 8 + 20


def test_what_cannot_be_read_is_not_looked_at(counted: Any, model: Model) -> None:
    before = counted.asked
    assert [guess.confidence for guess in model.judge(["", "12345", "！！"])] == [0, 0, 0]
    assert counted.asked == before


def test_without_the_archive_the_characters_decide(tmp_path: Path) -> None:
    model = Model.load_or_train(SMALL, tmp_path, tmp_path / "nowhere.jar")
    (guess,) = model.judge(["家里突然停水了"])
    assert SMALL.by_code[guess.code].l1 == "供水排水"


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_a_damaged_archive_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jar").write_bytes(content)
    assert Meaning.load(tmp_path / "a.jar") is None


def test_an_archive_of_something_else_is_none(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.jar", "w") as archive:
        archive.writestr("readme", "nothing")
    assert Meaning.load(tmp_path / "a.jar") is None


def test_examples_teach_and_are_never_shown(meaning: Meaning) -> None:
    code = next(iter(SMALL.by_code))
    said = "阿尔法贝塔伽马的那件事又来了"
    taught = Model.train(SMALL, meaning, {code: [said] * 4})
    (guess,) = taught.judge(["阿尔法贝塔伽马"])
    assert guess.code == code
    assert said not in "".join(guess.why)
