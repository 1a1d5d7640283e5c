"""What citizens say of the matters of the catalogue, to tell what a question is about besides an article's own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from libs.common.city.catalogue import Catalogue
from services.classify.model.grams import Arrays

MOST = 24
"""Questions of the catalogue that are looked at: an article is linked to few, and what is nearest besides counts."""


class Matters:
    """The phrases of a catalogue by what they mean. Safe to share between threads."""

    def __init__(self, catalogue: Catalogue, meant: NDArray[Any], step: float = 1.0) -> None:
        """`meant` has a row for each phrase, question by question; `step` times a row is of length 1."""
        self._codes = [question.code for question in catalogue]
        self._first = np.cumsum([0, *(len(question.phrases) for question in catalogue)])
        self._meant = meant
        self._step = step
        self._means = np.add.reduceat(meant, self._first[:-1], axis=0, dtype=np.float32)
        self._means /= np.linalg.norm(self._means, axis=1, keepdims=True)

    @classmethod
    def of(cls, catalogue: Catalogue, arrays: Arrays) -> "Matters | None":
        """Return the matters of a catalogue by what its model knows of its phrases; None if it does not know."""
        meant = arrays["meant_phrase"]
        return cls(catalogue, meant, float(arrays["meant_step"])) if len(meant) else None

    def near(self, direction: NDArray[np.float32]) -> tuple[tuple[str, float], ...]:
        """Return the questions with the nearest phrases and how near these are, the nearest first."""
        likely = np.argsort(-(self._means @ direction))[:MOST]
        found = [(self._codes[at], self._nearest(at, direction)) for at in likely.tolist()]
        return tuple(sorted(found, key=lambda pair: -pair[1]))

    def _nearest(self, at: int, direction: NDArray[np.float32]) -> float:
        start, end = self._first[at : at + 2]
        return self._step * float((self._meant[start:end].astype(np.float32) @ direction).max())
