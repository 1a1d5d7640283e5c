"""What a text comes to: its keywords, and its weightiest words in a row as a summary."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from math import log

import rjieba

from libs.common.city.catalogue import Catalogue

KEYWORDS = 6
SUMMARY_LENGTH = 60
_TOO_COMMON = 0.05
"""A word that more of the questions share than this says nothing of any."""
_MARK = re.compile(r"⟦[^⟧]*⟧")
_CLAUSE = re.compile(r"(?:⟦[^⟧]*⟧|[^，,。；;！!？?\s])+[，,。；;！!？?\s]*")


class Digest:
    """Weighs words by how few questions of the catalogue use them. Safe to share between threads."""

    def __init__(self, catalogue: Catalogue) -> None:
        used = Counter(word for q in catalogue for word in {w for t in (*q.phrases, *q.ask, q.l3) for w in _words(t)})
        common = _TOO_COMMON * len(catalogue)
        self._weights: Mapping[str, float] = {
            word: log(len(catalogue) / count) for word, count in used.items() if count <= common
        }

    def keywords(self, text: str) -> tuple[str, ...]:
        """Return the words that say most of a text, weightiest first."""
        counts = Counter(word for word in _words(text) if word in self._weights)
        return tuple(sorted(counts, key=lambda word: -counts[word] * self._weights[word])[:KEYWORDS])

    def summary(self, title: str | None, text: str) -> str:
        """Return the title if it says anything, else the clauses in a row that say most in 60 characters.

        What is longer is cut, but never within a mark.
        """
        if title and self._weight([self._known(title)]):
            return shortened(title)
        clauses = _CLAUSE.findall(" ".join(text.split()))
        if not clauses:
            return ""
        known = [self._known(clause) for clause in clauses]
        best = max(_windows(clauses), key=lambda window: self._weight(known[window.start : window.stop]))
        return shortened("".join(clauses[best.start : best.stop]).strip(" ，,；;"))

    def _known(self, text: str) -> set[str]:
        return {word for word in _words(text) if word in self._weights}

    def _weight(self, words: Iterable[set[str]]) -> float:
        return sum(self._weights[word] for word in set().union(*words))


def shortened(text: str) -> str:
    """Return a text of at most 60 characters, with an ellipsis for what was cut off."""
    if len(text) <= SUMMARY_LENGTH:
        return text
    cut = SUMMARY_LENGTH - 1
    within = [mark.start() for mark in _MARK.finditer(text) if mark.start() < cut < mark.end()]
    return text[: within[0] if within else cut] + "…"


def _windows(clauses: list[str]) -> list[range]:
    """Return, for each first clause, as many in a row as fit; one alone may be too long."""
    windows = []
    for first in range(len(clauses)):
        last, length = first + 1, len(clauses[first])
        while last < len(clauses) and length + len(clauses[last]) <= SUMMARY_LENGTH:
            length += len(clauses[last])
            last += 1
        windows.append(range(first, last))
    return windows


def _words(text: str) -> list[str]:
    return [word for word in rjieba.cut(_MARK.sub(" ", text)) if len(word) > 1 and word.isalpha()]
