"""The trained model at work: texts in, guesses out."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libs.common.city.catalogue import Catalogue
from services.classify.domain import Guess
from services.classify.model.grams import Arrays, runs, unit, unpacked, vectors
from services.classify.model.keeping import kept
from services.classify.model.meaning import ARCHIVE, Meaning
from services.classify.model.training import (
    Examples,
    candidates,
    columns_of,
    confidences,
    learn,
    meant_scores,
    scores,
)

LONGEST = 1000
"""Characters that are read of a text; who writes more has said by then what it is about."""
UNCLEAR = "诉求不明确"
"""What is said of a text in which there is nothing to read."""
LOOKS = 16
"""Of a batch so many texts, the least sure by their characters, are judged by what they mean as well: 4 ms each."""
SURE = 0.9
"""Who is as sure as this by characters needs no second look."""
_GRAMS, _PIECES = 24, 3
_Row = tuple[NDArray[np.int32], NDArray[np.float64]]
"""The columns of one text and their weights."""
_Meant = NDArray[np.float32]
"""What one text means."""


class Model:
    """A trained model. Holds arrays only and no state between calls; safe to share between threads."""

    def __init__(self, catalogue: Catalogue, name: str, arrays: Arrays, meaning: Meaning | None = None) -> None:
        questions = list(catalogue)
        self.name = name
        self._meaning = meaning if len(arrays["meant"]) else None
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

    @property
    def meaning(self) -> Meaning | None:
        """The sentence model, for whoever else must know what texts mean: there is memory for one of them."""
        return self._meaning

    @property
    def arrays(self) -> Arrays:
        """All that it is made of beside the catalogue."""
        return self._arrays

    @classmethod
    def train(
        cls,
        catalogue: Catalogue,
        meaning: Meaning | None = None,
        examples: Examples = MappingProxyType({}),
        name: str = "untracked",
    ) -> "Model":
        """Learn a catalogue, and what people said of real appeals; half a minute with a sentence model."""
        return cls(catalogue, name, learn(list(catalogue), examples, meaning), meaning)

    @classmethod
    def load_or_train(cls, catalogue: Catalogue, folder: Path, archive: Path = ARCHIVE) -> "Model":
        """Return the model of this catalogue and this code, from the folder's cache if it is there and whole."""
        meaning = Meaning.load(archive)
        name = fingerprint(catalogue, meaning)
        return kept(
            folder / f"{name}.npz",
            lambda arrays: cls(catalogue, name, arrays, meaning),
            lambda: learn(list(catalogue), {}, meaning),
        )

    def judge(self, texts: Sequence[str], looks: int = LOOKS) -> list[Guess]:
        """Return what each text is about. A first line, the title, weighs as much as all that follows.

        All are judged by their characters, and at most `looks` of them, the least sure, by what they mean as well.
        Where there is nothing to read (no character the catalogue knows) the confidence is 0.
        """
        if not texts:
            return []
        rows = self._rows(texts)
        found = scores(rows, self._stacked, self._arrays)
        near, top = candidates(found)
        sure = confidences(top, self._arrays["confidence"])
        meant = self._look(texts, rows, sure, looks)
        if meant:
            again = list(meant)
            found = found[again] + meant_scores(np.array(list(meant.values())), self._arrays)
            near[again], top = candidates(found)
            sure[again] = confidences(top, self._arrays["confidence_meant"])
        return [self._guess(text, _row(rows, i), near[i], sure[i], meant.get(i)) for i, text in enumerate(texts)]

    def _look(self, texts: Sequence[str], rows: Any, sure: NDArray[np.float64], looks: int) -> dict[int, _Meant]:
        """Return what the least sure of the texts mean, by their number."""
        if self._meaning is None:
            return {}
        legible = np.diff(rows.indptr) > 0
        unsure = np.argsort(sure[:, 0], kind="stable")
        again = unsure[legible[unsure] & (sure[unsure, 0] < SURE)][:looks].tolist()
        return dict(zip(again, self._meaning.of([texts[i] for i in again]), strict=True)) if again else {}

    def _rows(self, texts: Sequence[str]) -> Any:
        parts = [text[:LONGEST].partition("\n") for text in texts]
        heads = vectors([head for head, _, _ in parts], self._columns, self._arrays["idf"])
        return unit(heads + vectors([rest for _, _, rest in parts], self._columns, self._arrays["idf"]))

    def _guess(
        self, text: str, row: _Row, near: NDArray[np.intp], sure: NDArray[np.float64], meant: _Meant | None
    ) -> Guess:
        if not len(row[0]):
            return Guess(self._unclear, 0.0)
        (code, confidence), *others = (
            (self._codes[i], round(float(share), 3)) for i, share in zip(near, sure, strict=True)
        )
        return Guess(code, confidence, tuple(others), self._why(text, row, int(near[0]), meant))

    def _why(self, text: str, row: _Row, question: int, meant: _Meant | None) -> tuple[str, ...]:
        """Return the pieces of the text that decided, and the phrase of the catalogue that is nearest to it."""
        weights = np.zeros(len(self._columns))
        weights[row[0]] = row[1]
        start, end = self._first[question : question + 2]
        said = slice(self._said.indptr[start], self._said.indptr[end])
        shared = weights[self._said.indices[said]] * self._said.data[said]
        near: NDArray[Any] = np.bincount(self._said_by[said] - start, shared, end - start)
        if meant is not None:
            near = self._arrays["meant_phrase"][start:end].astype(np.float32) @ meant
        nearest = int(np.argmax(near))
        strongest = [i for i in np.argsort(-shared)[:_GRAMS] if shared[i] > 0]
        grams = {str(self._arrays["grams"][self._said.indices[said][i]]) for i in strongest}
        pieces = _pieces(text, {gram for gram in grams if len(gram) > 1})
        told = (f"依据{'、'.join(f'“{piece}”' for piece in pieces)}",) if pieces else ()
        return (*told, f"最接近的说法“{self._phrases[start + nearest]}”")


def fingerprint(catalogue: Catalogue, meaning: Meaning | None = None) -> str:
    """Return the name of the model that this catalogue, this code and this sentence model make."""
    code = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    sentence = meaning.name if meaning else ""
    return hashlib.sha256(f"{catalogue.version} {sentence} ".encode() + code).hexdigest()[:12]


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
