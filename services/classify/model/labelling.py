"""Any closed list of labels, learned from texts that people labelled: another system's categories, a city's history.

A linear model over characters, pairs and triples of characters, words and pairs of words (support vectors, one label
against the others). With hundreds of texts a label it is right more often than prototypes, and a sentence model adds
nothing to it; with eight a label it is the other way round.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import rjieba
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize_scalar

from services.classify.model.grams import runs, unit

FOLDS = 5
_PENALTY = 0.6
"""What an error weighs against a simple model; measured between 0.3 and 1, and flat."""
_SEEN_TWICE = 2
_FEATURES = 400_000
"""The most features that are kept, those of most texts; of ten thousand letters there are fewer."""
_PIECES = 5
_CUT = re.compile(r"(?<=[^\x00-\x7f])\s+(?=[^\x00-\x7f])")


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a text was labelled as, how often such a label is right, the next likely ones, and what decided."""

    label: str
    confidence: float
    others: tuple[tuple[str, float], ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Metrics:
    """How well labels were found: shares, and per label (precision, recall, F1, texts)."""

    accuracy: float
    macro_f1: float
    labels: dict[str, tuple[float, float, float, int]]


class Labeller:
    """A trained model of labels. Holds arrays only; safe to share between threads."""

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._arrays = arrays
        self.labels: list[str] = arrays["labels"].tolist()
        self._columns = {feature: i for i, feature in enumerate(arrays["features"].tolist())}

    @classmethod
    def train(cls, texts: Sequence[str], labels: Sequence[str]) -> "Labeller":
        """Learn; a minute for ten thousand letters and seven labels. Raises ValueError for less than two labels."""
        known = sorted(set(labels))
        if len(known) < 2:  # one label is no choice
            raise ValueError("needs texts of at least two labels")
        # The same words under the same label are learned once, by how often they come.
        lessons = {pair: i for i, pair in enumerate(dict.fromkeys(zip(texts, labels, strict=True)))}
        lesson = np.array([lessons[pair] for pair in zip(texts, labels, strict=True)])
        number = {label: i for i, label in enumerate(known)}
        wanted = np.array([number[label] for _, label in lessons])
        said = [list(_features(text)) for text, _ in lessons]
        features, idf = _known(said, np.bincount(lesson))
        rows = _rows(said, {feature: i for i, feature in enumerate(features)}, idf)
        held = _held_out(rows, wanted, lesson)
        weights, bias = _fit(rows, wanted, np.bincount(lesson), len(known))
        wanted = wanted[lesson]
        return cls(
            {
                "labels": np.array(known),
                "features": np.array(features),
                "idf": idf,
                "weights": weights.astype(np.float32),
                "bias": bias,
                "scale": np.array(_scale(held, wanted)),
                "metrics": np.array(json.dumps(_told(measure(wanted, held.argmax(axis=1), known)))),
            }
        )

    @property
    def metrics(self) -> Metrics:
        """How well it did on its own texts, each held out in one of five folds."""
        told = json.loads(str(self._arrays["metrics"]))
        return Metrics(told["accuracy"], told["macro_f1"], {name: tuple(row) for name, row in told["labels"].items()})

    def judge(self, texts: Sequence[str]) -> list[Labelled]:
        """Return the label of each text."""
        if not texts:
            return []
        said = [list(_features(text)) for text in texts]
        rows = _rows(said, self._columns, self._arrays["idf"])
        shares = _shares(np.asarray(rows @ self._arrays["weights"].T) + self._arrays["bias"], self._arrays["scale"])
        return [self._labelled(rows, i, share) for i, share in enumerate(shares)]

    def save(self, path: Path) -> None:
        """Write the arrays."""
        with path.open("wb") as file:
            np.savez_compressed(file, **self._arrays)  # type: ignore[arg-type]  # the stub takes names for options

    @classmethod
    def load(cls, path: Path) -> "Labeller":
        """Read what `save` wrote. Raises OSError, ValueError, KeyError or zipfile.BadZipFile for anything else."""
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return cls(dict(kept))

    def _labelled(self, rows: Any, number: int, share: NDArray[np.float64]) -> Labelled:
        order = np.argsort(-share, kind="stable")
        (label, sure), *others = ((self.labels[i], round(float(share[i]), 3)) for i in order[:4])
        columns = rows.indices[rows.indptr[number] : rows.indptr[number + 1]]
        weighed = rows.data[rows.indptr[number] : rows.indptr[number + 1]] * self._arrays["weights"][order[0], columns]
        named = (str(self._arrays["features"][columns[i]]) for i in np.argsort(-weighed) if weighed[i] > 0)
        pieces = dict.fromkeys(piece for feature in named if len(piece := feature.replace("/", "")) > 1)
        return Labelled(label, sure, tuple(others), tuple(pieces)[:_PIECES])


def measure(wanted: NDArray[np.intp], found: NDArray[np.intp], labels: Sequence[str]) -> Metrics:
    """Compare labels by their number."""
    table = {}
    for i, label in enumerate(labels):
        hits, said, are = (int(np.sum(s)) for s in ((wanted == i) & (found == i), found == i, wanted == i))
        precision, recall = hits / max(said, 1), hits / max(are, 1)
        table[label] = (precision, recall, 2 * precision * recall / max(precision + recall, 1e-9), are)
    scored = [row[2] for row in table.values() if row[3]]
    return Metrics(float(np.mean(wanted == found)), float(np.mean(scored)) if scored else 0.0, table)


def _told(metrics: Metrics) -> dict[str, Any]:
    return {"accuracy": metrics.accuracy, "macro_f1": metrics.macro_f1, "labels": metrics.labels}


def _features(text: str) -> Iterator[str]:
    """Yield what a text is known by. A space between Chinese characters is none of it: some are cut into words."""
    latin: list[str] = []
    for run in runs(_CUT.sub("", text)):
        if run.isascii():
            latin.append(run)
            continue
        yield from run
        yield from map("".join, pairwise(run))
        yield from (run[i : i + 3] for i in range(len(run) - 2))
        words = rjieba.cut(run)
        yield from (f"/{word}" for word in words if len(word) > 1)
        yield from (f"/{one}/{next_}" for one, next_ in pairwise(words))
    yield from latin
    yield from map("/".join, pairwise(latin))


def _known(said: Sequence[Sequence[str]], times: NDArray[np.intp]) -> tuple[list[str], NDArray[np.float64]]:
    frequency: Counter[str] = Counter()
    for some, count in zip(said, times.tolist(), strict=True):
        frequency.update(dict.fromkeys(some, count))
    kept = sorted(f for f, count in frequency.most_common(_FEATURES) if count >= _SEEN_TWICE)
    return kept, np.log((1 + times.sum()) / (1 + np.array([frequency[f] for f in kept], dtype=np.float64))) + 1


def _rows(said: Sequence[Sequence[str]], columns: dict[str, int], idf: NDArray[np.float64]) -> Any:
    indices: list[int] = []
    counts: list[int] = []
    ends = [0]
    for some in said:
        found = Counter(column for feature in some if (column := columns.get(feature)) is not None)
        indices += found.keys()
        counts += found.values()
        ends.append(len(indices))
    at = np.array(indices, dtype=np.int32)
    data = (1 + np.log(np.array(counts, dtype=np.float64))) * idf[at]
    return unit(sparse.csr_matrix((data, at, ends), shape=(len(said), len(idf))))


def _fit(
    rows: Any, wanted: NDArray[np.intp], times: NDArray[np.intp], labels: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Takes a second to import, and only who trains needs it.
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    fitted = LinearSVC(C=_PENALTY, random_state=0).fit(rows, wanted, np.log2(1 + times))
    weights, bias = np.zeros((labels, rows.shape[1])), np.full(labels, -2.0)
    if len(fitted.classes_) == 2:
        weights[fitted.classes_], bias[fitted.classes_] = (
            np.vstack([-fitted.coef_, fitted.coef_]),
            (
                -fitted.intercept_[0],
                fitted.intercept_[0],
            ),
        )
    else:
        weights[fitted.classes_], bias[fitted.classes_] = fitted.coef_, fitted.intercept_
    return weights, bias


def _held_out(rows: Any, wanted: NDArray[np.intp], lesson: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the margins of every text by a model that did not see it; the i-th text of a label is in fold i mod 5."""
    label_of = wanted[lesson]
    fold = np.zeros(len(lesson), dtype=np.intp)
    for label in np.unique(wanted):
        mine = np.flatnonzero(label_of == label)
        fold[mine] = np.arange(len(mine)) % FOLDS
    margins = np.zeros((len(lesson), int(wanted.max()) + 1))
    for number in range(FOLDS):
        times = np.bincount(lesson[fold != number], minlength=len(wanted))
        seen, unseen = np.flatnonzero(times), np.flatnonzero(fold == number)
        if len(unseen) and len(set(wanted[seen])) > 1:
            weights, bias = _fit(rows[seen], wanted[seen], times[seen], margins.shape[1])
            margins[unseen] = (np.asarray(rows @ weights.T) + bias)[lesson[unseen]]
    return margins


def _shares(margins: NDArray[np.float64], scale: Any) -> NDArray[np.float64]:
    powers = np.exp((margins - margins.max(axis=1, keepdims=True)) * scale)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _scale(margins: NDArray[np.float64], wanted: NDArray[np.intp]) -> float:
    """Fit how sharply margins become shares, so that of the labels given 0.7 some 7 in 10 are right."""

    def loss(scale: float) -> float:
        shares = _shares(margins, scale)[np.arange(len(wanted)), wanted]
        return float(-np.log(np.maximum(shares, 1e-9)).mean())

    return float(minimize_scalar(loss, bounds=(0.1, 50), method="bounded").x)
