"""The trained model at work: texts in, guesses out."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from scipy.sparse import csr_matrix

from libs.common.city.catalogue import Catalogue, Question
from services.classify.domain import Guess
from services.classify.model.apart import learnt_apart
from services.classify.model.grams import Arrays, runs, unit, unpacked
from services.classify.model.keeping import kept
from services.classify.model.meaning import ARCHIVE, Meaning
from services.classify.model.training import (
    Examples,
    candidates,
    columns_of,
    confidences,
    learn,
    meant_scores,
    phrase_rows,
    prototypes_of,
    scores,
    votes,
)

LONGEST = 1000
"""Characters that are read of a text; who writes more has said by then what it is about."""
UNCLEAR = "诉求不明确"
"""What is said of a text in which there is nothing to read."""
LOOKS = 8
"""Of a batch so many texts, the least sure by their characters, are judged by what they mean as well: 4 ms each."""
SURE = 0.9
"""Who is as sure as this by characters needs no second look."""
LESSON = TypeAdapter(tuple[list[Question], Path])
"""What is learned apart: questions, and where the sentence model is."""
AT_ONCE = 50
"""Texts whose characters are judged at once: their scores stay in the cache of a core, and no other thread of the
process waits for the product of sparse matrices for more than some milliseconds."""
_GRAMS, _PIECES = 24, 3
_Row = tuple[NDArray[np.int32], NDArray[np.float64]]
"""The columns of one text and their weights."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is known of one text: its row, its likeliest questions, how sure each is, and what it means if looked at."""

    row: _Row
    near: NDArray[np.intp]
    sure: NDArray[np.float64]
    meant: NDArray[np.float32] | None = None


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
        self._stacked = prototypes_of(arrays)
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
        """Return the model of this catalogue and this code, from the folder's cache if it is there and whole.

        Raises NotLearntError if it must be learned, and the process that learns it fails.
        """
        meaning = Meaning.load(archive)
        name = fingerprint(catalogue.version, meaning)
        return kept(
            folder / f"{name}.npz",
            lambda arrays: cls(catalogue, name, arrays, meaning),
            lambda: learnt_apart("services.classify.model", LESSON.dump_json((list(catalogue), archive))),
        )

    def judge(self, texts: Sequence[str], looks: int = LOOKS, pause: Callable[[], None] = lambda: None) -> list[Guess]:
        """Return what each text is about. A first line, the title, weighs as much as all that follows.

        All are judged by their characters, and at most `looks` of them, the least sure, by what they mean as well.
        Where there is nothing to read (no character the catalogue knows) the confidence is 0. `pause` is called every
        few milliseconds, for whoever would let others go first.
        """
        texts = [text[:LONGEST] for text in texts]
        drafts: list[_Draft] = []
        for at in range(0, len(texts), AT_ONCE):
            pause()
            drafts += self._by_characters(texts[at : at + AT_ONCE])
        if self._meaning:
            unsure = [i for i, draft in enumerate(drafts) if len(draft.row[0]) and draft.sure[0] < SURE]
            for i in sorted(unsure, key=lambda i: drafts[i].sure[0])[:looks]:
                pause()
                drafts[i] = self._by_meaning(texts[i], drafts[i], self._meaning)
        guesses: list[Guess] = []
        for text, draft in zip(texts, drafts, strict=True):
            pause()
            guesses.append(self._guess(text, draft))
        return guesses

    def _by_characters(self, texts: Sequence[str]) -> list["_Draft"]:
        rows = self._rows(texts)
        near, top = candidates(scores(rows, self._stacked, self._arrays))
        sure = confidences(top, self._arrays["confidence"])
        return [_Draft(_row(rows, i), near[i], sure[i]) for i in range(len(texts))]

    def _by_meaning(self, text: str, draft: "_Draft", meaning: Meaning) -> "_Draft":
        """Judge a text once more, by both."""
        columns, weights = draft.row
        row = csr_matrix((weights, columns, [0, len(columns)]), shape=(1, len(self._arrays["idf"])))
        meant = meaning.of([text])
        found = scores(row, self._stacked, self._arrays) + meant_scores(meant, self._arrays)
        near, top = candidates(found + votes(found, meant, self._arrays, self._first))
        return _Draft(draft.row, near[0], confidences(top, self._arrays["confidence_meant"])[0], meant[0])

    def _rows(self, texts: Sequence[str]) -> Any:
        parts = [text.partition("\n") for text in texts]
        heads = self._columns.vectors([head for head, _, _ in parts])
        rests = [rest for _, _, rest in parts]
        return unit(heads + self._columns.vectors(rests)) if any(rests) else heads

    def _guess(self, text: str, draft: "_Draft") -> Guess:
        if not len(draft.row[0]):
            return Guess(self._unclear, 0.0)
        (code, confidence), *others = (
            (self._codes[i], round(share, 3)) for i, share in zip(draft.near.tolist(), draft.sure.tolist(), strict=True)
        )
        return Guess(code, confidence, tuple(others), self._why(text, draft))

    def _why(self, text: str, draft: "_Draft") -> tuple[str, ...]:
        """Return the pieces of the text that decided, and the phrase of the catalogue that is nearest to it."""
        question = int(draft.near[0])
        start, end = self._first[question : question + 2]
        said = slice(self._said.indptr[start], self._said.indptr[end])
        columns = self._said.indices[said]
        shared = _weights(draft.row, columns) * self._said.data[said]
        near: NDArray[Any] = np.bincount(self._said_by[said] - start, shared, end - start)
        if draft.meant is not None:
            near = phrase_rows(self._arrays, slice(start, end)) @ draft.meant
        nearest = int(near.argmax())
        strongest = np.argsort(-shared)[:_GRAMS]
        grams = set(self._arrays["grams"][columns[strongest[shared[strongest] > 0]]].tolist())
        pieces = _pieces(text, {gram for gram in grams if len(gram) > 1})
        told = (f"依据{'、'.join(f'“{piece}”' for piece in pieces)}",) if pieces else ()
        return (*told, f"最接近的说法“{self._phrases[start + nearest]}”")


def fingerprint(catalogue: str, meaning: Meaning | None = None) -> str:
    """Return the name of the model that a catalogue of this version, this code and this sentence model make."""
    sentence = meaning.name if meaning else ""
    return hashlib.sha256(f"{catalogue} {sentence} ".encode() + _code()).hexdigest()[:12]


@cache
def _code() -> bytes:
    return b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))


def _pieces(text: str, grams: set[str]) -> list[str]:
    """Return the longest pieces of a text that these grams cover, at most three."""
    pieces: dict[str, None] = {}
    for run in runs(text):
        start = 0
        for end in range(len(run)):
            if run[end : end + 2] not in grams:
                if end > start:
                    pieces[run[start : end + 1]] = None
                start = end + 1
        if run in grams:
            pieces[run] = None
    return sorted(pieces, key=len, reverse=True)[:_PIECES]


def _weights(row: _Row, columns: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the weights of these columns in a row, whose own columns are sorted."""
    places = np.minimum(np.searchsorted(row[0], columns), len(row[0]) - 1)
    return np.where(row[0][places] == columns, row[1][places], 0.0)


def _row(rows: Any, number: int) -> _Row:
    """Return one row of a sparse matrix; slicing it would cost more than all that is done with the row."""
    part = slice(rows.indptr[number], rows.indptr[number + 1])
    return rows.indices[part], rows.data[part]
