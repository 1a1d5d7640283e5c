"""The weights of the index: recovered where there is something to be found, shrunk where there is not."""

from datetime import UTC, datetime

import numpy as np
import pytest

from services.feedback.quality import Answers, fitted
from services.feedback.quality.fitting import LEAST, MOST_WORTH, chances, fit, metrics, worth

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


def answers(count: int, weights: tuple[float, ...], seed: int = 1, off: float = 0.0, units: int = 20) -> Answers:
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(count, len(weights)))
    unit = draw.integers(0, units, count)
    odds = 0.5 + values @ np.array(weights) + draw.normal(0, off, units)[unit]
    solved = (draw.random(count) < 1 / (1 + np.exp(-odds))).astype(float)
    names = tuple(f"f{n}" for n in range(len(weights)))
    return Answers(names, values, solved, np.arange(count), unit)


def test_weights_come_back_as_they_were_planted() -> None:
    model = fitted(answers(8000, (1.0, -0.5, 0.0)), 1, NOW)
    assert model is not None
    assert model.weights == pytest.approx((0.5, 1.0, -0.5, 0.0), abs=0.1)
    assert model.metrics.low > 0.7
    assert model.metrics.found == pytest.approx(model.metrics.expected, abs=0.05)


def test_no_unit_gains_by_being_late() -> None:
    made = answers(4000, (-1.0, 1.0, 0.5))
    named = Answers(("completion_in_time", "contacted", "words"), made.values, made.solved, made.tickets, made.units)
    model = fitted(named, 1, NOW)
    assert model is not None
    assert model.weights[1] == 0
    assert model.weights[2] > 0.5
    assert model.covariance[1] == (0, 0, 0, 0)


def test_what_means_nothing_is_shrunk_and_tells_nothing() -> None:
    model = fitted(answers(LEAST, (0.0,) * 10), 1, NOW)
    assert model is not None
    assert max(map(abs, model.weights[1:])) < 0.5
    assert model.metrics.low < 0.5 < model.metrics.high


def test_too_few_answers_or_all_of_one_kind_make_no_model() -> None:
    few, same = answers(LEAST - 1, (1.0,)), answers(1000, (0.0,))
    same.solved[:] = 1
    assert fitted(few, 1, NOW) is fitted(same, 1, NOW) is None


def test_a_feature_that_is_not_known_or_never_differs_moves_nothing() -> None:
    made = answers(1000, (1.0, 0.0, 0.0))
    made.values[:, 1], made.values[::2, 2] = 7.0, np.nan
    model = fitted(made, 1, NOW)
    assert model is not None
    assert model.weights[2] == pytest.approx(0, abs=1e-9)
    known = {"f0": 0.3, "f1": 7.0, "f2": model.centers[2]}
    assert model.index(known) == pytest.approx(model.index({"f0": 0.3}))


def test_the_index_is_worth_less_where_units_differ_by_what_it_does_not_see() -> None:
    alike, unlike = answers(4000, (1.0,)), answers(4000, (1.0,), off=1.0)
    told = [
        worth(chances(_rows(one), fit(_rows(one), one.solved)[0]), one.solved, one.units) for one in (alike, unlike)
    ]
    assert told[1] < 20 < told[0] <= MOST_WORTH


def test_the_auc_is_that_of_pairs_with_ties_counting_half() -> None:
    chance, solved = np.tile([0.1, 0.4, 0.4, 0.8], 5), np.tile([0.0, 0.0, 1.0, 1.0], 5)
    assert metrics(chance, solved).auc == pytest.approx(3.5 / 4)


def _rows(made: Answers) -> np.ndarray:
    return np.hstack([np.ones((len(made.values), 1)), made.values])
