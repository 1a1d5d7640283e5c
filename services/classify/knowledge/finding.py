"""Which article answers a question, if any does: words bring candidates, what they mean decides.

An article is compared with the question by the best that its passages have: by the ways people are known to ask for
one, by what one says as a whole, by its nearest sentence. Against it speaks how near the question is to what the
articles found are known not to answer, and to what citizens say of a matter of the catalogue that the article is not
linked to. The weights are those of a logistic regression on questions of the project's own
(`python -m tests.bench.knowledge_quality --fit`). Without the sentence model nothing is sure enough.
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
from services.classify.knowledge.matters import Matters
from services.classify.knowledge.passages import sentences
from services.classify.model.meaning import WIDTH, Meaning

WEIGHTS = (22.07, 19.77, 8.78, -22.32, -19.97)
"""Of asked, whole, nearest sentence, elsewhere, besides."""
BIAS = -6.62
SURE = 0.4
"""From here on an article answers."""
VERBATIM = 0.95
"""From here on it is asked as an article lists it: then what others list as not answered does not count against it."""
UNLISTED = 0.8
"""An article that lists nothing it does not answer is held to be asked such things: only a close match is sure."""
UNLINKED = 0.75
"""How near a matter is held to be where no model knows the catalogue: as near as one is of half the questions asked."""
LONGEST = 200
"""Characters that are read of a question."""
_PAIR = 0.4
"""What a pair of characters weighs beside a word: it finds what was cut otherwise."""
_IDLE = 0.3
"""What so many phrases of the catalogue have finds nothing: a third of all words weigh less."""
_MOST_TERMS = 16
_STEPS = 254.0
"""Numbers of a direction are kept in a byte each; they lie within a half."""
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_WORD = re.compile(r"[0-9a-z\u4e00-\u9fff]+")
Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question: the terms that bring candidates with their weights, and what it means.

    `matters` are the questions of the catalogue that come nearest to it, with how near, the nearest first.
    """

    terms: tuple[str, ...]
    weights: tuple[float, ...]
    direction: Rows | None
    matters: tuple[tuple[str, float], ...] = ()


class Finder:
    """Reads passages and questions, and judges the ones by the others. Safe to share between threads."""

    def __init__(self, catalogue: Catalogue, meaning: Meaning | None, matters: Matters | None = None) -> None:
        said = [text for q in catalogue for text in (*q.phrases, *q.ask, q.l3, q.evidence, q.out_of_scope)]
        self._counts = Counter(term for text in said for term in {*words(text), *pairs(text)})
        self._said = len(said)
        self._meaning = meaning
        self._matters = matters
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
        weighed = {pair: _PAIR * self._weight(pair) for pair in pairs(text)}
        weighed |= {word: self._weight(word) for word in words(text)}
        telling = [term for term, weight in weighed.items() if self._weight(term) > _IDLE]
        first = sorted(telling, key=lambda term: (-weighed[term], term))[:_MOST_TERMS]
        direction = self._meaning.of([text])[0] if self._meaning else None
        near = self._matters.near(direction) if self._matters and direction is not None else ()
        return Wanted(tuple(first), tuple(weighed[term] for term in first), direction, near)

    def judge(self, wanted: Wanted, candidates: Sequence[Candidate]) -> list[Scored]:
        """Return the candidates, those of the surest article first, and of each article the nearest passage first.

        An article is as sure as its nearest passage is said to be; the others stand for themselves.
        """
        judged = [one for one in candidates if self.model and one.model == self.model]
        if wanted.direction is None or not judged:
            return [Scored(one, None) for one in candidates]
        rows = self.features(wanted, wanted.direction, judged)
        own = _sure(rows)
        articles = {article: _sure(rows[at].max(axis=0)) for article, at in by_article(judged).items()}
        ids = {at: one.article_id for at, one in enumerate(judged)}
        order = sorted(ids, key=lambda at: (-articles[ids[at]], -own[at]))
        first = {ids[at]: at for at in reversed(order)}
        sure = {at: articles[article] if first[article] == at else own[at] for at, article in ids.items()}
        return [Scored(judged[at], round(float(sure[at]), 3)) for at in order]

    def features(self, wanted: Wanted, direction: Rows, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """Return how a question and each candidate compare, in the order of the weights."""
        compared = [_compared(direction, one) for one in candidates]
        asked: dict[str, float] = {}
        for one, (near, _, _) in zip(candidates, compared, strict=True):
            asked[one.article_id] = max(near, asked.get(one.article_id, near))
        listed = [_nearest(direction, _unpacked(one.elsewhere)) for one in candidates]
        rows = []
        for one, found, own in zip(candidates, compared, listed, strict=True):
            against = own if asked[one.article_id] >= VERBATIM else max(listed)
            rows.append((*found, against if one.elsewhere else max(against, UNLISTED), _besides(wanted, one)))
        return np.array(rows, dtype=np.float64)

    def _weight(self, word: str) -> float:
        """Return from 0 to 1 how rare a word is in what citizens say."""
        return log((self._said + 1) / (self._counts[word] + 1)) / log(self._said + 1)


def by_article(candidates: Sequence[Candidate]) -> dict[str, list[int]]:
    """Return the places of each article's passages among candidates."""
    places: dict[str, list[int]] = {}
    for at, one in enumerate(candidates):
        places.setdefault(one.article_id, []).append(at)
    return places


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


def _compared(direction: Rows, one: Candidate) -> tuple[float, float, float]:
    near, ways = _unpacked(one.meant) @ direction, len(one.asked)
    whole = float(near[0])
    asked = float(near[1 : 1 + ways].max()) if ways else whole
    return asked, whole, float(near[1 + ways :].max()) if len(near) > 1 + ways else whole


def _besides(wanted: Wanted, one: Candidate) -> float:
    """Return how near the question is to a matter that the article is not linked to."""
    return next((near for code, near in wanted.matters if code not in one.codes), UNLINKED)


def _sure(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-(rows @ np.array(WEIGHTS) + BIAS))))


def _told(title: str, passage: Passage) -> list[str]:
    whole = f"{title}，{passage.heading}：{passage.text}"
    return [whole, *passage.asked, *sentences(passage.text)]


def _nearest(direction: Rows, rows: Rows) -> float:
    return float((rows @ direction).max()) if len(rows) else 0.0


def _packed(rows: Rows) -> bytes:
    return np.clip(np.round(rows * _STEPS), -127, 127).astype(np.int8).tobytes()


def _unpacked(packed: bytes) -> Rows:
    return np.frombuffer(packed, dtype=np.int8).reshape(-1, WIDTH).astype(np.float32) / np.float32(_STEPS)
