"""What a text comes to: its keywords, and its weightiest words in a row as a summary."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import log

import rjieba

from libs.common.city.catalogue import Catalogue, Question

KEYWORDS = 6
SUMMARY_LENGTH = 60
_TOO_COMMON = 0.05
"""A word that more of the questions share than this says nothing of any."""
_MARK = re.compile(r"⟦[^⟧]*⟧")
_CLAUSE = re.compile(r"(?:⟦[^⟧]*⟧|[^，,。；;！!？?\s])+[，,。；;！!？?\s]*")


@dataclass(frozen=True, slots=True)
class Gist:
    """What a text comes to, and all its words in their order."""

    keywords: tuple[str, ...]
    summary: str
    words: tuple[str, ...]


class Digest:
    """Weighs words by how few questions of the catalogue use them. Safe to share between threads."""

    def __init__(self, catalogue: Catalogue) -> None:
        used = Counter(word for question in catalogue for word in _telling(question))
        common = _TOO_COMMON * len(catalogue)
        self._weights: Mapping[str, float] = {
            word: log(len(catalogue) / count)
            for word, count in used.items()
            if count <= common and len(word) > 1 and word.isalpha()
        }

    def of(self, title: str | None, text: str) -> Gist:
        """Return what a text comes to.

        Its summary is the title if that says anything, else the clauses in a row that say most in 60 characters. What
        is longer is cut, but never within a mark.
        """
        text = " ".join(text.split())
        titled, words = cut(title) if title else [], cut(text)
        weights: dict[str, float] = {}
        for word in chain(titled, words):
            if weight := self._weights.get(word):
                weights[word] = weights.get(word, 0.0) - weight
        keywords = tuple(sorted(weights, key=weights.__getitem__)[:KEYWORDS])
        titles = title and not self._weights.keys().isdisjoint(titled)
        summary = shortened(title) if title and titles else self._summary(text, words)
        return Gist(keywords, summary, (*titled, *words))

    def _summary(self, text: str, words: Iterable[str]) -> str:
        if len(text) <= SUMMARY_LENGTH:
            return text.strip(" ，,；;")
        clauses = [found.span() for found in _CLAUSE.finditer(text)]
        if not clauses:
            return ""
        known: list[set[str]] = [set() for _ in clauses]
        at, end = 0, 0
        for word in words:
            while end >= clauses[at][1] and at < len(clauses) - 1:
                at += 1
            end += len(word)
            if word in self._weights:
                known[at].add(word)
        best = max(_windows(clauses), key=lambda window: self._weight(known[window.start : window.stop]))
        return shortened(text[clauses[best.start][0] : clauses[best.stop - 1][1]].strip(" ，,；;"))

    def _weight(self, words: Iterable[set[str]]) -> float:
        return sum(map(self._weights.__getitem__, set().union(*words)))


def shortened(text: str) -> str:
    """Return a text of at most 60 characters, with an ellipsis for what was cut off."""
    if len(text) <= SUMMARY_LENGTH:
        return text
    end = SUMMARY_LENGTH - 1
    within = [mark.start() for mark in _MARK.finditer(text) if mark.start() < end < mark.end()]
    return text[: within[0] if within else end] + "…"


def cut(text: str) -> list[str]:
    """Return the words of a text and what stands between them; a mark is as many blanks."""
    words: list[str] = rjieba.cut(_MARK.sub(lambda mark: " " * len(mark[0]), text) if "⟦" in text else text)
    return words


def _telling(question: Question) -> set[str]:
    """Return the words a question is told by: those of its own wording, and what more than one of its phrases says.

    What people say once in passing (a greeting, when it was) tells of nothing, however rare it is.
    """
    said = Counter(word for phrase in question.phrases for word in set(cut(phrase)))
    own = {word for text in (*question.ask, question.l3) for word in cut(text)}
    return own | {word for word, phrases in said.items() if phrases > 1}


def _windows(clauses: Sequence[tuple[int, int]]) -> list[range]:
    """Return, for each first clause, as many in a row as fit; one alone may be too long.

    A window that ends where the one before it ended is within that one, and can say no more.
    """
    windows: list[range] = []
    last = 0
    for first, (start, _) in enumerate(clauses):
        last = max(last, first + 1)
        while last < len(clauses) and clauses[last][1] - start <= SUMMARY_LENGTH:
            last += 1
        if not windows or last > windows[-1].stop:
            windows.append(range(first, last))
    return windows
