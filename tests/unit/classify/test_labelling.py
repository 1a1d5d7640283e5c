"""Labels learned from labelled texts: found again, explained, measured on what was not seen, and kept as arrays."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from libs.common.city.pack import load_city
from services.classify.model.labelling import Labeller, measure
from services.cli.__main__ import app
from services.cli.lessons import LessonsError, read_lessons
from tests.support.stages import CITY

CATALOGUE = load_city(CITY).catalogue
LESSONS = [(phrase, q.l1) for q in CATALOGUE if q.l1 in {"供热采暖", "教育", "劳动社保"} for phrase in q.phrases]
TEXTS, LABELS = [text for text, _ in LESSONS], [label for _, label in LESSONS]


@pytest.fixture(scope="module")
def labeller() -> Labeller:
    return Labeller.train(TEXTS, LABELS)


def test_what_it_learned_from_is_known_again(labeller: Labeller) -> None:
    found = labeller.judge(TEXTS)
    assert np.mean([one.label == label for one, label in zip(found, LABELS, strict=True)]) > 0.97


def test_other_words_are_labelled_with_what_decided(labeller: Labeller) -> None:
    (one,) = labeller.judge(["单位拖着工资不发，社保也断了"])
    assert one.label == "劳动社保"
    assert any("工资" in piece for piece in one.why)
    assert one.confidence > sum(share for _, share in one.others)


def test_it_is_measured_on_texts_held_out_and_not_on_what_it_saw(labeller: Labeller) -> None:
    told = labeller.metrics
    assert 0.7 < told.macro_f1 < 0.99
    assert sum(row[3] for row in told.labels.values()) == len(TEXTS)


def test_of_the_labels_given_a_confidence_about_that_share_is_right() -> None:
    half = Labeller.train(TEXTS[::2], LABELS[::2])
    found = half.judge(TEXTS[1::2])
    right = np.mean([one.label == label for one, label in zip(found, LABELS[1::2], strict=True)])
    assert abs(np.mean([one.confidence for one in found]) - right) < 0.08


def test_texts_cut_into_words_are_read_like_whole_ones(labeller: Labeller) -> None:
    whole, cut = labeller.judge(["家里暖气不热", "家里 暖气 不 热 "])
    assert whole == cut


def test_what_was_saved_judges_the_same(labeller: Labeller, tmp_path: Path) -> None:
    labeller.save(tmp_path / "m.npz")
    again = Labeller.load(tmp_path / "m.npz")
    assert again.judge(TEXTS[:20]) == labeller.judge(TEXTS[:20])
    assert again.metrics == labeller.metrics


def test_one_label_is_no_choice() -> None:
    with pytest.raises(ValueError, match="at least two labels"):
        Labeller.train(["一", "二"], ["甲", "甲"])


def test_two_labels_and_labels_of_one_text_can_be_learned() -> None:
    two = Labeller.train(["家里停水了", "没有自来水", "工资不发", "拖欠工资", "讨薪"], ["水", "水", "薪", "薪", "薪"])
    assert [one.label for one in two.judge(["停水", "欠工资"])] == ["水", "薪"]
    lone = Labeller.train(
        ["家里停水了", "没有自来水", "工资不发", "拖欠工资", "暖气不热"], ["水", "水", "薪", "薪", "暖"]
    )
    assert set(lone.labels) == {"水", "薪", "暖"}


def test_measures_are_those_of_the_field() -> None:
    told = measure(np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0]), ["a", "b"])
    assert told.accuracy == pytest.approx(0.6)
    assert told.labels["a"] == (0.5, 0.5, 0.5, 2)
    assert told.labels["b"][2] == pytest.approx(2 / 3)
    assert told.macro_f1 == pytest.approx((0.5 + 2 / 3) / 2)


def _write(path: Path, header: str, rows: list[str]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join((header, *rows)))
    return path


def test_files_of_different_columns_teach_together(tmp_path: Path) -> None:
    one = _write(tmp_path / "one.csv.gz", "subject,body,label", ["停水,家里没水,水", "欠薪,,薪", ",,薪"])
    two = _write(tmp_path / "two.csv.gz", "tokens,label", ["工资 不 发,薪", "没 字,"])
    texts, labels = read_lessons([one, two], ["subject", "body", "tokens"], "label")
    assert texts == ["停水\n家里没水", "欠薪", "工资 不 发"]
    assert labels == ["水", "薪", "薪"]


def test_a_file_without_the_named_columns_is_refused_with_those_it_has(tmp_path: Path) -> None:
    path = _write(tmp_path / "one.csv.gz", "a,b", ["1,2"])
    with pytest.raises(LessonsError, match="has the columns a, b"):
        read_lessons([path], ["text"], "label")


def test_the_commands_train_and_evaluate_and_say_what_was_wrong_and_why(tmp_path: Path) -> None:
    rows = [f"{text.replace(',', '，')},{label}" for text, label in LESSONS]
    lessons = _write(tmp_path / "lessons.csv.gz", "text,label", rows)
    unseen = _write(tmp_path / "unseen.csv.gz", "text,label", ["暖气冰凉,供热采暖", "=1+1老师补课,劳动社保"])
    model, errors = str(tmp_path / "m.npz"), tmp_path / "errors.csv"
    options = ["--text", "text", "--label", "label", "--model", model]
    taught = CliRunner().invoke(app, ["train", str(lessons), *options], catch_exceptions=False)
    assert "macro-F1" in taught.output
    told = CliRunner().invoke(app, ["evaluate", str(unseen), *options, "--errors", str(errors)], catch_exceptions=False)
    assert "accuracy 0.500" in told.output
    (_, wrong) = errors.read_text(encoding="utf-8-sig").splitlines()
    assert wrong.startswith("劳动社保,教育,")
    assert ",'=1+1" in wrong


def test_a_file_that_is_no_model_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "m.npz").write_bytes(b"nothing")
    rows = _write(tmp_path / "rows.csv.gz", "text,label", ["a,b"])
    with pytest.raises(LessonsError, match="is no model that `train` wrote"):
        CliRunner().invoke(
            app,
            ["evaluate", str(rows), "--text", "text", "--label", "label", "--model", str(tmp_path / "m.npz")],
            catch_exceptions=False,
        )
