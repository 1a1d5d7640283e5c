"""What citizens say of the matters of the catalogue, to tell what a question is about besides an article's own."""

import numpy as np
from numpy.typing import NDArray

from libs.common.city.catalogue import Catalogue

MOST = 24
"""Questions of the catalogue that are looked at: an article is linked to few, and what is nearest besides counts."""


class Matters:
    """The phrases of a catalogue by what they mean. Safe to share between threads."""

    def __init__(self, catalogue: Catalogue, meant: NDArray[np.floating]) -> None:
        """`meant` has a unit row for each phrase, question by question."""
        self._codes = [question.code for question in catalogue]
        self._first = np.cumsum([0, *(len(question.phrases) for question in catalogue)])
        self._meant = meant
        self._means = np.add.reduceat(meant, self._first[:-1], axis=0, dtype=np.float32)
        self._means /= np.linalg.norm(self._means, axis=1, keepdims=True)

    @classmethod
    def of(cls, catalogue: Catalogue, meant: NDArray[np.floating]) -> "Matters | None":
        """Return the matters of a catalogue by what a model knows of its phrases; None if it does not know."""
        return cls(catalogue, meant) if len(meant) else None

    def near(self, direction: NDArray[np.float32]) -> tuple[tuple[str, float], ...]:
        """Return the questions with the nearest phrases and how near these are, the nearest first."""
        likely = np.argsort(-(self._means @ direction))[:MOST]
        found = [(self._codes[at], self._nearest(at, direction)) for at in likely.tolist()]
        return tuple(sorted(found, key=lambda pair: -pair[1]))

    def _nearest(self, at: int, direction: NDArray[np.float32]) -> float:
        start, end = self._first[at : at + 2]
        return float((self._meant[start:end].astype(np.float32) @ direction).max())
