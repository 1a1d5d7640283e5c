"""What a model learns of a catalogue: prototypes for each question, and how sure to be of a score.

A question has two: one of its characters, one of what its phrases mean. Arrays named `meant…` are empty without a
sentence model.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from libs.common.city.catalogue import Question
from services.classify.model.grams import Arrays, Columns, Prototypes, gathered, numbered, packed, unit, unpacked
from services.classify.model.meaning import WIDTH, Meaning, directions

CANDIDATES = 4
"""Of a text the likeliest question is told, and three others."""
_LEVEL_PULL = 0.4
"""How much each level above draws a prototype; measured between 0 and 0.8, and flat from 0.2 on."""
_MEANT_PULL = 0.3
"""The same among meanings; measured between 0 and 0.4, and flat from 0.2 on."""
_AMONG, _NEIGHBOURS = 100, 15
"""Of the phrases of the hundred likeliest questions the fifteen nearest in meaning vote for their level 1."""
_VOTE, _SHARP, _DOUBT = 0.2, 10.0, 0.01
"""What the vote weighs beside the scores, how much more the nearest say than the farther, and what nobody votes for."""
_HELD = 2
"""Which phrase of each question is held out to learn how sure to be."""
_AT_ONCE = 400

Examples = Mapping[str, Sequence[str]]
"""Texts by the code of the question that people said they are about. They teach and are never shown again."""


def learn(questions: Sequence[Question], examples: Examples, meaning: Meaning | None) -> dict[str, NDArray[Any]]:
    """Return the arrays of a model."""
    said = [question.phrases for question in questions]
    taught = [(*question.phrases, *examples.get(question.code, ())) for question in questions]
    arrays = prototypes(questions, taught)
    phrases = [phrase for some in said for phrase in some]
    meant = _read([text for some in taught for text in some], meaning)
    owner, own = _owners(taught), _is_phrase(said, taught)
    return {
        **arrays,
        **packed("phrase", columns_of(arrays).vectors(phrases)),
        **(means := meanings(questions, owner, meant)),
        **_phrases_meant(meant[own[: len(meant)]], means["meant_mean"]),
        **_fit_confidence(questions, taught, meant),
    }


def prototypes(questions: Sequence[Question], phrases: Sequence[Iterable[str]]) -> dict[str, NDArray[Any]]:
    """Return the prototypes learnt from these phrases of each question, its names, and what a seat asks about it."""
    words = [[*said, q.l3, q.l2, q.evidence, *q.ask] for q, said in zip(questions, phrases, strict=True)]
    texts = [text for said in words for text in said]
    grams, idf = numbered(texts)
    rows = Columns(grams, idf).vectors(texts)
    return {"grams": np.array(grams), "idf": idf, **_with_levels(questions, unit(gathered(_owners(words)) @ rows))}


def meanings(questions: Sequence[Question], owner: NDArray[np.intp], meant: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the prototypes of what is meant, from the rows that `_read` gave and the question each belongs to."""
    if not len(meant):
        return {"meant": np.zeros((0, WIDTH), dtype=np.float32), "meant_mean": np.zeros(WIDTH, dtype=np.float32)}
    mean = meant.mean(axis=0)
    own = _summed(directions(meant - mean), owner, len(questions))
    level2, level1 = _levels(questions)
    above = sum(_MEANT_PULL * _summed(own, level, int(level.max()) + 1)[level] for level in (level2, level1))
    return {"meant": directions(own + above), "meant_mean": mean}


def columns_of(arrays: Arrays) -> Columns:
    """Return the columns of all grams."""
    return Columns(arrays["grams"].tolist(), arrays["idf"])


def prototypes_of(arrays: Arrays) -> Prototypes:
    """Return the prototypes of all levels."""
    return Prototypes(unpacked(arrays, "prototype"))


def scores(rows: Any, stacked: Prototypes, arrays: Arrays) -> NDArray[np.float64]:
    """Return the cosine of each row with each question."""
    level2, level1 = arrays["level2"], arrays["level1"]
    every = stacked.times(rows)
    size, twos = len(level2), int(level2.max()) + 1
    summed = every[:, :size] + every[:, size : size + twos][:, level2] + every[:, size + twos :][:, level1]
    return np.asarray(summed / arrays["lengths"])


def meant_scores(meant: NDArray[Any], arrays: Arrays) -> NDArray[np.float64]:
    """Return the cosine of what each text means with what each question means."""
    return np.asarray(directions(meant - arrays["meant_mean"]) @ arrays["meant"].T, dtype=np.float64)


def votes(found: NDArray[np.float64], meant: NDArray[Any], arrays: Arrays, first: NDArray[np.intp]) -> NDArray[Any]:
    """Return what the neighbours of each text add to each question's score: all of one level 1 get the same.

    `first` is the number of each question's first phrase, and behind them the number of all phrases.
    """
    level1 = arrays["level1"]
    shares = np.zeros((len(found), int(level1.max()) + 1))
    for share, scored, row in zip(shares, found, directions(meant - arrays["meant_mean"]), strict=True):
        likely = np.argpartition(-scored, min(_AMONG, len(scored)) - 1)[:_AMONG]
        phrases = np.concatenate([np.arange(first[i], first[i + 1]) for i in likely])
        near = (phrase_rows(arrays, phrases) @ row - arrays["meant_mean"] @ row) / arrays["meant_length"][phrases]
        nearest = np.argpartition(-near, min(_NEIGHBOURS, len(near)) - 1)[:_NEIGHBOURS]
        owner = np.repeat(likely, first[likely + 1] - first[likely])[nearest]
        np.add.at(share, level1[owner], np.exp(_SHARP * near[nearest]))
    shares /= shares.sum(axis=1, keepdims=True)
    return np.asarray(_VOTE * np.log(shares + _DOUBT)[:, level1])


def phrase_rows(arrays: Arrays, phrases: Any) -> NDArray[np.float32]:
    """Return what phrases mean, by their numbers or a slice."""
    return np.asarray(arrays["meant_phrase"][phrases] * arrays["meant_step"], dtype=np.float32)


def candidates(found: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the likeliest questions of each row and their scores, best first."""
    some = np.argpartition(-found, min(CANDIDATES, found.shape[1] - 1), axis=1)[:, :CANDIDATES]
    order = np.argsort(-np.take_along_axis(found, some, axis=1), axis=1, kind="stable")
    near = np.take_along_axis(some, order, axis=1)
    return near, np.take_along_axis(found, near, axis=1)


def confidences(top: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how often candidates with such scores are right: by the score, and by its lead over the best other."""
    return np.asarray(1 / (1 + np.exp(-(weights[0] + weights[1] * top + weights[2] * _leads(top)))))


def _read(texts: Sequence[str], meaning: Meaning | None) -> NDArray[np.float32]:
    return meaning.of_many(texts) if meaning else np.zeros((0, WIDTH), dtype=np.float32)


def _phrases_meant(meant: NDArray[Any], mean: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return what phrases mean in eight bits, for they are the most that a model holds.

    With it come the size of a step and how far each phrase lies from the mean of all.
    """
    step = np.float32(np.abs(meant).max() / 127 if len(meant) else 1)
    rows = np.round(meant / step).astype(np.int8)
    lengths = np.linalg.norm(rows * step - mean, axis=1).astype(np.float32)
    return {"meant_phrase": rows, "meant_step": np.array(step), "meant_length": np.where(lengths > 0, lengths, 1)}


def _owners(words: Sequence[Sequence[str]]) -> NDArray[np.intp]:
    return np.repeat(np.arange(len(words)), [len(some) for some in words])


def _is_phrase(said: Sequence[Sequence[str]], taught: Sequence[Sequence[str]]) -> NDArray[np.bool_]:
    """Say of each text that taught whether it is a phrase of the catalogue, which stand first in each question."""
    return np.array(
        [i < len(own) for own, some in zip(said, taught, strict=True) for i in range(len(some))], dtype=bool
    )


def _summed(rows: NDArray[Any], group: NDArray[np.intp], groups: int) -> NDArray[np.float32]:
    """Return the mean direction of the rows of each group."""
    which = sparse.csr_matrix(
        (np.ones(len(group), dtype=np.float32), (group, np.arange(len(group)))), (groups, len(rows))
    )
    return directions(which @ rows)


def _with_levels(questions: Sequence[Question], rows: Any) -> dict[str, NDArray[Any]]:
    """Stack the prototypes of both levels below: summed into each question's own they would be a hundred MB."""
    level2, level1 = _levels(questions)
    above2, above1 = (_LEVEL_PULL * unit(gathered(level) @ rows) for level in (level2, level1))
    drawn = rows + above2[level2] + above1[level1]
    lengths = np.sqrt(np.asarray(drawn.multiply(drawn).sum(axis=1)).ravel())
    # Gram by gram, as they are multiplied: to turn them later would be another copy.
    stacked = sparse.vstack([rows, above2, above1]).T
    return {"level2": level2, "level1": level1, "lengths": lengths, **packed("prototype", stacked)}


def _levels(questions: Sequence[Question]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return _numbers((q.l1, q.l2) for q in questions), _numbers(q.l1 for q in questions)


def _numbers(names: Iterable[object]) -> NDArray[np.intp]:
    known: dict[object, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names])


def _fit_confidence(
    questions: Sequence[Question], taught: Sequence[Sequence[str]], meant: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """Fit how sure to be of characters alone, and of all together, on a phrase of each question held out."""
    first = np.cumsum([0, *map(len, taught[:-1])])
    owner, plain, both = _owners(taught), _Held(), _Held()
    arrays = prototypes(questions, [(*some[:_HELD], *some[_HELD + 1 :]) for some in taught])
    rest = np.setdiff1d(np.arange(len(owner)), first + _HELD)
    left = meant[rest] if len(meant) else meant
    arrays |= meanings(questions, owner[rest], left)
    arrays |= _phrases_meant(left, arrays["meant_mean"])
    begins = np.searchsorted(owner[rest], np.arange(len(taught) + 1))
    unseen = columns_of(arrays).vectors([some[_HELD] for some in taught])
    stacked = prototypes_of(arrays)
    # In parts: all scores of a large catalogue at once are some hundred MB.
    for at in range(0, len(taught), _AT_ONCE):
        found = scores(unseen[at : at + _AT_ONCE], stacked, arrays)
        plain.add(found, at)
        if len(meant):
            rows = meant[first[at : at + _AT_ONCE] + _HELD]
            found = found + meant_scores(rows, arrays)
            both.add(found + votes(found, rows, arrays, begins), at)
    return {"confidence": plain.fitted(), "confidence_meant": both.fitted() if len(meant) else np.zeros(3)}


class _Held:
    """Scores of held-out texts: what is added at `at` are those of the question of this number and of those behind."""

    def __init__(self) -> None:
        self._tops: list[NDArray[np.float64]] = []
        self._right: list[NDArray[np.bool_]] = []

    def add(self, found: NDArray[np.float64], at: int) -> None:
        near, top = candidates(found)
        self._tops.append(top)
        self._right.append(near == np.arange(at, at + len(found))[:, None])

    def fitted(self) -> NDArray[np.float64]:
        return _logistic(np.concatenate(self._tops), np.concatenate(self._right))


def _leads(top: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(top - np.where(np.arange(top.shape[1]) == 0, top[:, 1:2], top[:, :1]))


def _logistic(top: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    # Takes 20 MB, which only who trains needs.
    from scipy.optimize import minimize  # noqa: PLC0415

    def loss(weights: NDArray[np.float64]) -> float:
        sure = np.clip(confidences(top, weights), 1e-9, 1 - 1e-9)
        return float(-np.log(np.where(right, sure, 1 - sure)).mean())

    return np.asarray(minimize(loss, np.array([-2.0, 4.0, 20.0]), method="Nelder-Mead").x)
