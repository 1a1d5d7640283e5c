"""Hears danger that no list foresees: whether a sentence is like those that tell of danger, by its characters.

A logistic regression over runs of one to four characters, learned from the pack's danger.csv, the catalogue and the
calls for help of emergencies.toml. Runs are hashed into a fixed number of columns, so that hundreds of sentences are
heard in one pass over arrays. It has the last word: listed words count only where it does not disagree clearly, for
"气炸了" is in every list and tells of nothing. Where no listed words speak, what the sentence means is asked as well:
another logistic regression, over the numbers of the sentence model.
"""

import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from scipy.sparse import csr_matrix

from libs.common.city.pack import City
from libs.common.city.problems import Problems, read_table
from services.classify.model.apart import learnt_apart
from services.classify.model.keeping import Arrays, keep, kept
from services.classify.model.meaning import ARCHIVE, Meaning
from services.classify.urgency import OPENING, Alarm, clauses

HEARD = -1.8
"""Above this a sentence tells of danger whatever its words, if nobody can be asked what it means."""
FAINT = -3.4
"""Above this it is asked what it means."""
AGREED, MEANT = -2.5, 0.75
"""Above the first it tells of danger, by its characters and so many times by what it means."""
LOOKS = 16
"""Of a batch so many sentences, the most doubtful, are asked what they mean: a millisecond each, the long ones more."""
DOUBTED = -3.2
"""Above this, in the sentence or in one of its clauses, it does if listed words say so."""
AT_LEISURE, LATER = 1.0, 2.0
"""So much surer it must be in a text that is longer than an opening, and again behind that opening, if no listed words
say so."""
_LONGEST_RUN = 4
_BITS = 18
_SHORT = 8
"""Characters below which a text says no less for being short."""
_ALONE = 20
"""Characters below which a sentence is heard together with the one before it: by itself "谢谢" tells nothing."""
_CATALOGUE_WEIGHT = 1000.0
"""All phrases of the catalogue together weigh as much as so many sentences that were written to teach danger."""
_EVERY = 8
"""Of the catalogue's phrases every so many teach what danger means."""
_APART = "\0" * (_LONGEST_RUN - 1)
_MIX = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77)


@dataclass(frozen=True, slots=True)
class Taught:
    """A sentence, whether it tells of danger now, and how much it weighs."""

    text: str
    danger: bool
    weight: float = 1.0


_LESSON = TypeAdapter(tuple[list[Taught], Path])
"""What is learned apart: sentences, and where the sentence model is."""


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A sentence that may tell of danger: the number of its text, the clause to quote, and its log odds."""

    text: int
    clause: str
    sentence: str
    odds: float


class Ear:
    """Listens to texts. Holds arrays only and no state between calls; safe to share between threads."""

    def __init__(self, alarm: Alarm, arrays: Arrays, meaning: Meaning | None = None) -> None:
        self._alarm = alarm
        self.arrays = arrays
        """All that was learned."""
        self._meaning = meaning if len(arrays["meant"]) else None

    @classmethod
    def train(cls, alarm: Alarm, taught: Sequence[Taught], meaning: Meaning | None = None) -> "Ear":
        """Learn from sentences; some seconds on one core."""
        return cls(alarm, learned(taught, meaning), meaning)

    @classmethod
    def load_or_train(cls, alarm: Alarm, taught: Sequence[Taught], folder: Path, archive: Path = ARCHIVE) -> "Ear":
        """Return the ear of these sentences and this code, from the folder's cache if it is there and whole."""
        meaning = Meaning.load(archive)
        return kept(
            folder / f"danger-{_fingerprint(taught, meaning)}.npz",
            lambda arrays: cls(alarm, arrays, meaning),
            lambda: learnt_apart("services.classify.ear", _LESSON.dump_json((list(taught), archive))),
        )

    def hear(self, texts: Sequence[str], looks: int = LOOKS) -> list[str | None]:
        """Return of each text the words that tell of danger now, None if none do."""
        pieces = [(i, *piece) for i, text in enumerate(texts) for piece in _joined(self._alarm.sentences(text))]
        likeness = self._likeness([piece for _, piece, _ in pieces])
        slow = [AT_LEISURE * (len(texts[i]) > OPENING) + LATER * (not early) for i, _, early in pieces]
        worst = self._worst([piece for _, piece, _ in pieces])
        heard: dict[int, str] = {}
        doubts: list[_Doubt] = []
        for (i, piece, _), like, more, (clause, like_clause) in zip(pieces, likeness, slow, worst, strict=True):
            # Listed words in a clause that tells of danger are not outweighed by what else the sentence complains of.
            if i not in heard and max(like, like_clause) > DOUBTED and (words := self._alarm.hears(piece)):
                heard[i] = words
            elif like > FAINT + more:
                doubts.append(_Doubt(i, clause, piece, float(like - more)))
        alike = self._settled([doubt for doubt in doubts if doubt.text not in heard], looks)
        return [heard.get(i, alike.get(i)) for i in range(len(texts))]

    def _settled(self, doubts: Sequence[_Doubt], looks: int) -> dict[int, str]:
        """Return the clauses that tell of danger by likeness, by the number of their texts."""
        ordered = sorted(doubts, key=lambda doubt: abs(doubt.odds - HEARD))
        asked, others = (ordered[:looks], ordered[looks:]) if self._meaning else ([], ordered)
        found = [doubt for doubt in others if doubt.odds > HEARD]
        if asked and self._meaning:
            rows = self._meaning.of([doubt.sentence for doubt in asked])
            meant = rows @ self.arrays["meant"] + self.arrays["meant_bias"]
            found += [d for d, more in zip(asked, meant.tolist(), strict=True) if d.odds + MEANT * more > AGREED]
        return {doubt.text: doubt.clause for doubt in sorted(found, key=lambda doubt: doubt.odds)}

    def _worst(self, sentences: Sequence[str]) -> list[tuple[str, float]]:
        """Return of each sentence the clause that tells most of danger, and the log odds that it does."""
        parts = [clauses(sentence) or [sentence.strip()] for sentence in sentences]
        ends = np.cumsum([0, *map(len, parts)]).tolist()
        likeness = self._likeness([clause for some in parts for clause in some]).tolist()
        found = [max(zip(likeness[i:j], some, strict=True)) for some, i, j in zip(parts, ends, ends[1:], strict=False)]
        return [(clause, like) for like, clause in found]

    def _likeness(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the log odds that each of the texts tells of danger."""
        if not texts:
            return np.zeros(0)
        characters, lengths = _characters(texts)
        told = np.sum([self.arrays["weights"][columns] for columns in _columns(characters)], axis=0)
        sums = np.add.reduceat(told, np.cumsum(lengths) - lengths, dtype=np.float64)
        return np.asarray(sums / _scale(lengths) + self.arrays["bias"])


def learned(taught: Sequence[Taught], meaning: Meaning | None) -> Arrays:
    """Return the arrays that sentences teach; `meant` is empty without a sentence model."""
    # Takes 60 MB, which only who learns needs.
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    characters, lengths = _characters([one.text for one in taught])
    columns = np.concatenate(list(_columns(characters)))
    rows = np.tile(np.repeat(np.arange(len(taught)), lengths), _LONGEST_RUN)
    counts = csr_matrix((1 / _scale(lengths)[rows], (rows, columns)), shape=(len(taught), 1 << _BITS))
    fitted = LogisticRegression(C=30.0, solver="liblinear")
    fitted.fit(counts, [one.danger for one in taught], [one.weight for one in taught])
    arrays = {"weights": fitted.coef_[0].astype(np.float32), "bias": np.array(fitted.intercept_[0])}
    if meaning is None:
        return {**arrays, "meant": np.zeros(0, dtype=np.float32), "meant_bias": np.zeros(())}
    some = _sampled(taught)
    fitted = LogisticRegression(C=10.0, max_iter=500)
    fitted.fit(meaning.of_many([one.text for one in some]), [one.danger for one in some], [one.weight for one in some])
    return {**arrays, "meant": fitted.coef_[0].astype(np.float32), "meant_bias": np.array(fitted.intercept_[0])}


def _sampled(taught: Sequence[Taught]) -> list[Taught]:
    """Return the sentences written to teach danger, and a few of the others for all of them: each takes its time."""
    written = [one for one in taught if one.weight == 1]
    others = [one for one in taught if one.weight != 1]
    return [*written, *(replace(one, weight=one.weight * _EVERY) for one in others[::_EVERY])]


def lessons(city: City, path: Path) -> list[Taught]:
    """Return all that teaches danger in a city: danger.csv at `path`, calls for help, and the catalogue's phrases.

    Raises CityError with every problem found.
    """
    problems = Problems()
    told = [
        Taught(row.filled("text"), row.choice("danger", ("yes", "no")) == "yes")
        for row in read_table(path, ("danger", "text"), problems)
    ]
    problems.raise_if_any()
    calls = [Taught(said, True) for number in city.emergencies.numbers for said in number.said]
    phrases = [(phrase, q.urgency == "urgent") for q in city.catalogue for phrase in q.phrases]
    weight = _CATALOGUE_WEIGHT / max(1, len(phrases))
    return [*told, *calls, *(Taught(text, danger, weight) for text, danger in phrases)]


def _joined(sentences: Iterable[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Put a sentence behind the one before it if that one is too short to be heard alone, and no title or turn."""
    pieces: list[tuple[str, bool]] = []
    for sentence, early in sentences:
        if pieces and len(pieces[-1][0]) < _ALONE and not pieces[-1][0].endswith("\n"):
            pieces[-1] = (pieces[-1][0] + sentence, early)
        else:
            pieces.append((sentence, early))
    return pieces


def _characters(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """Return the characters of all texts in a row, and their lengths. Blanks keep every run within one text."""
    plain = [_APART + " ".join(clauses(text.lower())) for text in texts]
    lengths = np.array([len(text) for text in plain], dtype=np.intp)
    return np.frombuffer(("".join(plain) + _APART).encode("utf-32-le", "replace"), dtype=np.uint32), lengths


def _columns(characters: NDArray[np.uint32]) -> Iterator[NDArray[np.uint32]]:
    """Yield for each length of run the column of every run, by its first character."""
    count = len(characters) - len(_APART)
    hashed = np.zeros(count, dtype=np.uint32)
    for length in range(_LONGEST_RUN):
        hashed = hashed * _MIX[0] + characters[length : count + length]
        hashed ^= hashed >> np.uint32(15)
        yield hashed * _MIX[1] >> np.uint32(32 - _BITS)


def _scale(lengths: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return what the sum over a text is divided by: a longer one says more, but not so many times more."""
    return np.asarray(np.sqrt(_LONGEST_RUN * np.maximum(lengths, _SHORT)))


def _fingerprint(taught: Sequence[Taught], meaning: Meaning | None) -> str:
    """Return what names the state of the lessons, of the code that learns from them and of the sentence model."""
    digest = hashlib.sha256(Path(__file__).read_bytes() + (meaning.name if meaning else "").encode())
    for one in taught:
        digest.update(f"{one.text}\0{one.danger}\0{one.weight}\n".encode())
    return digest.hexdigest()[:12]


if __name__ == "__main__":
    lesson, place = _LESSON.validate_json(sys.stdin.buffer.read())
    keep(Path(sys.argv[1]), learned(lesson, Meaning.load(place)))
