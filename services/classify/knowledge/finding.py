"""Which passage answers a question, if any does: words bring candidates, meaning and words together judge them.

A passage is compared with the question in five ways: by the ways people are known to ask for it, by what it says as a
whole, by its nearest sentence, by how much of the question's words it has; and against it speaks how near the question
is to what the articles found are known not to answer. The weights are those of a logistic regression on questions of
the project's own (`python -m tests.bench.knowledge_quality --fit`). Without the sentence model nothing is sure enough.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
import rjieba
from numpy.typing import NDArray

from libs.common.city.catalogue import Catalogue
from services.classify.domain.knowledge import Candidate, Passage, Scored
from services.classify.knowledge.passages import sentences
from services.classify.model.meaning import WIDTH, Meaning

WEIGHTS = (12.73, 5.41, 11.9, 2.13, -9.95)
"""Of asked, whole, nearest sentence, words, elsewhere."""
BIAS = -14.44
SURE = 0.6
"""From here on a passage answers."""
UNLISTED = 0.8
"""An article that lists nothing it does not answer is held to be asked such things: only a close match is sure."""
LONGEST = 200
"""Characters that are read of a question."""
_PAIR = 0.4
"""What a pair of characters weighs beside a word: it finds what was cut otherwise."""
_IDLE = 0.3
"""A word that so many phrases of the catalogue use finds nothing: a third of all weights lies below."""
_MOST_TERMS = 16
_STEPS = 254.0
"""Numbers of a direction are kept in a byte each; they lie within a half."""
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_WORD = re.compile(r"[0-9a-z\u4e00-\u9fff]+")
Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question: the terms that bring candidates with their weights, its words, and what it means."""

    terms: tuple[str, ...]
    weights: tuple[float, ...]
    words: frozenset[str]
    direction: Rows | None


class Finder:
    """Reads passages and questions, and judges the ones by the others. Safe to share between threads."""

    def __init__(self, catalogue: Catalogue, meaning: Meaning | None) -> None:
        said = [text for q in catalogue for text in (*q.phrases, *q.ask, q.l3, q.evidence, q.out_of_scope)]
        self._counts = Counter(word for text in said for word in set(words(text)))
        self._said = len(said)
        self._meaning = meaning
        self.model = meaning.name if meaning else ""

    def read(self, title: str, passages: Sequence[Passage]) -> list[Passage]:
        """Return passages with what they mean: a row for the whole, for each way it is asked for, for each sentence."""
        return [replace(one, meant=self.meant(_told(title, one))) for one in passages]

    def meant(self, texts: Sequence[str]) -> bytes:
        """Return what texts mean, packed."""
        return _packed(self._meaning.of(texts)) if self._meaning and texts else b""

    def wanted(self, question: str) -> Wanted:
        """Return what is looked for."""
        text = question[:LONGEST]
        cut = frozenset(words(text))
        weighed = {word: self._weight(word) for word in cut}
        terms = dict.fromkeys(pairs(text), _PAIR) | {w: x for w, x in weighed.items() if x > _IDLE}
        first = sorted(terms, key=lambda term: (-terms[term], term))[:_MOST_TERMS]
        direction = self._meaning.of([text])[0] if self._meaning else None
        return Wanted(tuple(first), tuple(terms[term] for term in first), cut, direction)

    def judge(self, wanted: Wanted, candidates: Sequence[Candidate]) -> list[Scored]:
        """Return the candidates, the surest first."""
        judged = [one for one in candidates if self.model and one.model == self.model]
        if wanted.direction is None or not judged:
            return [Scored(one, None) for one in candidates]
        logits = self.features(wanted, wanted.direction, judged) @ np.array(WEIGHTS) + BIAS
        scores = 1 / (1 + np.exp(-logits))
        order = np.argsort(-scores, kind="stable")
        return [Scored(judged[at], round(float(scores[at]), 3)) for at in order]

    def features(self, wanted: Wanted, direction: Rows, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """Return how a question and each candidate compare, in the order of the weights."""
        not_here = max(_nearest(direction, _unpacked(one.elsewhere)) for one in candidates)
        against = [not_here if one.elsewhere else max(not_here, UNLISTED) for one in candidates]
        rows = [(*self._compared(wanted, direction, one), no) for one, no in zip(candidates, against, strict=True)]
        return np.array(rows, dtype=np.float64)

    def _compared(self, wanted: Wanted, direction: Rows, one: Candidate) -> tuple[float, float, float, float]:
        meant, ways = _unpacked(one.meant), len(one.asked)
        whole = _nearest(direction, meant[:1])
        asked = _nearest(direction, meant[1 : 1 + ways]) if ways else whole
        return asked, whole, _nearest(direction, meant[1 + ways :]), self._covered(wanted, one)

    def _covered(self, wanted: Wanted, one: Candidate) -> float:
        """Return how much of the weight of a question's words a passage has."""
        has = set(words(" ".join((one.title, one.heading, one.text, *one.asked))))
        total = sum(map(self._weight, wanted.words))
        return sum(self._weight(word) for word in wanted.words & has) / total if total else 0.0

    def _weight(self, word: str) -> float:
        """Return from 0 to 1 how rare a word is in what citizens say."""
        return log((self._said + 1) / (self._counts[word] + 1)) / log(self._said + 1)


def terms(title: str, passage: Passage) -> list[str]:
    """Return what a passage is found by."""
    text = " ".join((title, passage.heading, passage.text, *passage.asked))
    return sorted({*words(text), *pairs(text)})


def words(text: str) -> list[str]:
    """Return the words of a text, in small letters."""
    return [word for word in rjieba.cut(text.lower()) if _WORD.fullmatch(word)]


def pairs(text: str) -> list[str]:
    """Return each two Chinese characters in a row."""
    return [run[at : at + 2] for run in _HAN.findall(text) for at in range(len(run) - 1)]


def _told(title: str, passage: Passage) -> list[str]:
    whole = f"{title}，{passage.heading}：{passage.text}"
    return [whole, *passage.asked, *sentences(passage.text)]


def _nearest(direction: Rows, rows: Rows) -> float:
    return float((rows @ direction).max()) if len(rows) else 0.0


def _packed(rows: Rows) -> bytes:
    return np.clip(np.round(rows * _STEPS), -127, 127).astype(np.int8).tobytes()


def _unpacked(packed: bytes) -> Rows:
    return np.frombuffer(packed, dtype=np.int8).reshape(-1, WIDTH).astype(np.float32) / np.float32(_STEPS)
