"""The trained model at work: texts in, guesses out."""

import hashlib
import os
import zipfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from libs.common.city.catalogue import Catalogue
from services.classify.domain import Guess
from services.classify.model.grams import Arrays, runs, unit, unpacked, vectors
from services.classify.model.training import candidates, columns_of, confidences, learn, scores

LONGEST = 1000
"""Characters that are read of a text; who writes more has said by then what it is about."""
UNCLEAR = "诉求不明确"
"""What is said of a text in which there is nothing to read."""
_GRAMS, _PIECES = 24, 3
_Row = tuple[NDArray[np.int32], NDArray[np.float64]]
"""The columns of one text and their weights."""

log = structlog.get_logger(__name__)


class Model:
    """A trained model. Holds arrays only and no state between calls; safe to share between threads."""

    def __init__(self, catalogue: Catalogue, name: str, arrays: Arrays) -> None:
        questions = list(catalogue)
        self.name = name
        self._codes = [question.code for question in questions]
        self._phrases = [phrase for question in questions for phrase in question.phrases]
        self._first = np.cumsum([0, *(len(question.phrases) for question in questions)])
        self._arrays = arrays
        self._columns = columns_of(arrays)
        self._stacked = unpacked(arrays, "prototype").T.tocsr()
        self._said = unpacked(arrays, "phrase")
        self._said_by = np.repeat(np.arange(len(self._phrases)), np.diff(self._said.indptr))
        self._unclear = self._codes[-1]
        self._unclear = self.judge([UNCLEAR])[0].code

    @classmethod
    def train(cls, catalogue: Catalogue, name: str = "untracked") -> "Model":
        """Learn a catalogue; some seconds on one core."""
        return cls(catalogue, name, learn(list(catalogue)))

    @classmethod
    def load_or_train(cls, catalogue: Catalogue, folder: Path) -> "Model":
        """Return the model of this catalogue and this code, from the folder's cache if it is there and whole."""
        name = fingerprint(catalogue)
        path = folder / f"{name}.npz"
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as cached:
                return cls(catalogue, name, dict(cached))
        except FileNotFoundError:
            log.info("training the model", name=name, questions=len(catalogue))
        except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as damaged:
            log.warning("the cached model cannot be read and is trained again", path=str(path), error=repr(damaged))
        model = cls.train(catalogue, name)
        model.save(path)
        return model

    def save(self, path: Path) -> None:
        """Write the arrays, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}.new")
        with beside.open("wb") as file:
            np.savez(file, **dict(self._arrays))  # type: ignore[arg-type]  # the stub takes names for options
        beside.replace(path)

    def judge(self, texts: Sequence[str]) -> list[Guess]:
        """Return what each text is about. A first line, the title, weighs as much as all that follows.

        Where there is nothing to read (no character the catalogue knows) the confidence is 0.
        """
        if not texts:
            return []
        rows = self._rows(texts)
        near, top = candidates(scores(rows, self._stacked, self._arrays))
        sure = confidences(top, self._arrays["confidence"])
        return [self._guess(text, _row(rows, i), near[i], sure[i]) for i, text in enumerate(texts)]

    def _rows(self, texts: Sequence[str]) -> Any:
        parts = [text[:LONGEST].partition("\n") for text in texts]
        heads = vectors([head for head, _, _ in parts], self._columns, self._arrays["idf"])
        return unit(heads + vectors([rest for _, _, rest in parts], self._columns, self._arrays["idf"]))

    def _guess(self, text: str, row: _Row, near: NDArray[np.intp], sure: NDArray[np.float64]) -> Guess:
        if not len(row[0]):
            return Guess(self._unclear, 0.0)
        (code, confidence), *others = (
            (self._codes[i], round(float(share), 3)) for i, share in zip(near, sure, strict=True)
        )
        return Guess(code, confidence, tuple(others), self._why(text, row, int(near[0])))

    def _why(self, text: str, row: _Row, question: int) -> tuple[str, ...]:
        """Return the pieces of the text that decided, and the phrase of the catalogue that is nearest to it."""
        weights = np.zeros(len(self._columns))
        weights[row[0]] = row[1]
        start, end = self._first[question : question + 2]
        said = slice(self._said.indptr[start], self._said.indptr[end])
        shared = weights[self._said.indices[said]] * self._said.data[said]
        nearest = int(np.argmax(np.bincount(self._said_by[said] - start, shared, end - start)))
        strongest = [i for i in np.argsort(-shared)[:_GRAMS] if shared[i] > 0]
        grams = {str(self._arrays["grams"][self._said.indices[said][i]]) for i in strongest}
        pieces = _pieces(text, {gram for gram in grams if len(gram) > 1})
        told = (f"依据{'、'.join(f'“{piece}”' for piece in pieces)}",) if pieces else ()
        return (*told, f"最接近的说法“{self._phrases[start + nearest]}”")


def fingerprint(catalogue: Catalogue) -> str:
    """Return the name of the model that this catalogue and this code make."""
    code = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return hashlib.sha256(catalogue.version.encode() + code).hexdigest()[:12]


def _pieces(text: str, grams: set[str]) -> list[str]:
    """Return the longest pieces of a text that these grams cover, at most three."""
    pieces: dict[str, None] = {}
    for run in runs(text):
        start = 0
        for end, pair in enumerate([*pairwise(run), ("", "")]):
            if "".join(pair) not in grams:
                if end > start:
                    pieces[run[start : end + 1]] = None
                start = end + 1
        if run in grams:
            pieces[run] = None
    return sorted(pieces, key=len, reverse=True)[:_PIECES]


def _row(rows: Any, number: int) -> _Row:
    """Return one row of a sparse matrix; slicing it would cost more than all that is done with the row."""
    part = slice(rows.indptr[number], rows.indptr[number + 1])
    return rows.indices[part], rows.data[part]
