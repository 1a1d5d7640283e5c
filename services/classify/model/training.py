"""What a model learns of a catalogue: a prototype for each question, and how sure to be of a score."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

from libs.common.city.catalogue import Question
from services.classify.model.grams import Arrays, gathered, numbered, packed, unit, unpacked, vectors

CANDIDATES = 4
"""Of a text the likeliest question is told, and three others."""
_LEVEL_PULL = 0.4
"""How much each level above draws a prototype; measured between 0 and 0.8, and flat from 0.2 on."""
_FOLDS = 3


def learn(questions: Sequence[Question]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a model."""
    arrays = prototypes(questions, [question.phrases for question in questions])
    phrases = vectors([p for q in questions for p in q.phrases], columns_of(arrays), arrays["idf"])
    return {**arrays, **packed("phrase", phrases), "confidence": _fit_confidence(questions)}


def prototypes(questions: Sequence[Question], phrases: Sequence[Iterable[str]]) -> dict[str, NDArray[Any]]:
    """Return the prototypes learnt from these phrases of each question, its names, and what a seat asks about it."""
    words = [[*said, q.l3, q.l2, q.evidence, *q.ask] for q, said in zip(questions, phrases, strict=True)]
    texts = [text for said in words for text in said]
    grams, idf = numbered(texts)
    rows = vectors(texts, {gram: column for column, gram in enumerate(grams)}, idf)
    owner = np.repeat(np.arange(len(questions)), [len(said) for said in words])
    return {"grams": np.array(grams), "idf": idf, **_with_levels(questions, unit(gathered(owner) @ rows))}


def columns_of(arrays: Arrays) -> dict[str, int]:
    """Return the column of each gram."""
    return {gram: column for column, gram in enumerate(arrays["grams"].tolist())}


def scores(rows: Any, stacked: Any, arrays: Arrays) -> NDArray[np.float64]:
    """Return the cosine of each row with each question; `stacked` are the transposed prototypes of all levels."""
    level2, level1 = arrays["level2"], arrays["level1"]
    every = (rows @ stacked).toarray()
    size, twos = len(level2), int(level2.max()) + 1
    summed = every[:, :size] + every[:, size : size + twos][:, level2] + every[:, size + twos :][:, level1]
    return np.asarray(summed / arrays["lengths"])


def candidates(found: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the likeliest questions of each row and their scores, best first."""
    some = np.argpartition(-found, min(CANDIDATES, found.shape[1] - 1), axis=1)[:, :CANDIDATES]
    order = np.argsort(-np.take_along_axis(found, some, axis=1), axis=1, kind="stable")
    near = np.take_along_axis(some, order, axis=1)
    return near, np.take_along_axis(found, near, axis=1)


def confidences(top: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how often candidates with such scores are right: by the score, and by its lead over the best other."""
    return np.asarray(1 / (1 + np.exp(-(weights[0] + weights[1] * top + weights[2] * _leads(top)))))


def _with_levels(questions: Sequence[Question], rows: Any) -> dict[str, NDArray[Any]]:
    """Stack the prototypes of both levels below: summed into each question's own they would be a hundred MB."""
    level2, level1 = _numbers((q.l1, q.l2) for q in questions), _numbers(q.l1 for q in questions)
    above2, above1 = (_LEVEL_PULL * unit(gathered(level) @ rows) for level in (level2, level1))
    drawn = rows + above2[level2] + above1[level1]
    lengths = np.sqrt(np.asarray(drawn.multiply(drawn).sum(axis=1)).ravel())
    stacked = sparse.vstack([rows, above2, above1])
    return {"level2": level2, "level1": level1, "lengths": lengths, **packed("prototype", stacked)}


def _numbers(names: Iterable[object]) -> NDArray[np.intp]:
    known: dict[object, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names])


def _fit_confidence(questions: Sequence[Question]) -> NDArray[np.float64]:
    """Fit how sure to be, on phrases held out in turn."""
    tops: list[NDArray[np.float64]] = []
    right: list[NDArray[np.bool_]] = []
    for fold in range(_FOLDS):
        arrays = prototypes(questions, [q.phrases[:fold] + q.phrases[fold + 1 :] for q in questions])
        unseen = vectors([q.phrases[fold] for q in questions], columns_of(arrays), arrays["idf"])
        near, top = candidates(scores(unseen, unpacked(arrays, "prototype").T.tocsr(), arrays))
        tops.append(top)
        right.append(near == np.arange(len(questions))[:, None])
    return _logistic(np.concatenate(tops), np.concatenate(right))


def _leads(top: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(top - np.where(np.arange(top.shape[1]) == 0, top[:, 1:2], top[:, :1]))


def _logistic(top: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    def loss(weights: NDArray[np.float64]) -> float:
        sure = np.clip(confidences(top, weights), 1e-9, 1 - 1e-9)
        return float(-np.log(np.where(right, sure, 1 - sure)).mean())

    return np.asarray(minimize(loss, np.array([-2.0, 4.0, 20.0]), method="Nelder-Mead").x)
