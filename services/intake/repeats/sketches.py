"""A sketch: the little that two appeals are compared by, of fixed size, so that thousands are compared at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAMES, TAILS, NUMBERS, QUESTIONS, HASHES, SENSES = 4, range(2, 7), 4, 16, 48, 64

SKETCH = np.dtype(
    [
        ("received", "<i8"),
        ("reporter", "<i8"),
        ("device", "<i8"),
        ("fault", "<u4"),
        ("lat", "<f4"),
        ("lon", "<f4"),
        ("district", "<u4"),
        ("street", "<u4"),
        # Of each place name: hashes of its last 2 to 6 characters, so that what stands before a name does no harm.
        ("tails", "<u4", (NAMES, len(TAILS))),
        ("lengths", "u1", NAMES),
        ("kinds", "u1", NAMES),
        # What tells neighbours of one name apart: 东里 or 西里, and 三区 or 五区.
        ("wings", "u1", NAMES),
        ("zones", "u1", NAMES),
        ("numbers", "<u2", NUMBERS),
        ("number_kinds", "u1", NUMBERS),
        ("questions", "<u2", QUESTIONS),
        ("shares", "u1", QUESTIONS),
        ("concepts", "u1", 24),
        ("words", "u1", HASHES),
        ("grams", "<u2"),
        ("sense", "i1", SENSES),
        ("personal", "u1"),
        ("building", "u1"),
    ]
)
"""`received` in seconds since 1970; a hash of 0 stands for what is not known; `lat` is NaN without a point; shares and
scopes are out of 255."""

Sketches = NDArray[np.void]


def unpacked(packed: Sequence[bytes]) -> Any:
    """Return sketches as stored, as one array."""
    return np.frombuffer(b"".join(packed), dtype=SKETCH)
