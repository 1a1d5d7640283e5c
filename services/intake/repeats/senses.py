"""What words mean: a vector for each word and pair of characters, so that 没亮 and 一片漆黑 lie close.

They were learned from a multilingual sentence encoder (Yang et al., 2020), which takes a millisecond for a text: a sum
of vectors takes microseconds and lies close to what the encoder says, in the directions that tell the questions of a
catalogue apart. `python -m tests.bench.repeats_fit` learns them anew.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

PATH = Path(__file__).with_name("senses.npz")
_LATIN = 1 << 63
Grams = Sequence[tuple[NDArray[np.uint64], NDArray[np.int64]]]


class Senses:
    """The vectors. Holds arrays only; safe to share between threads."""

    def __init__(self, keys: NDArray[np.uint64], vectors: NDArray[np.float32]) -> None:
        self._keys = keys
        self._vectors = vectors

    @classmethod
    def load(cls, path: Path = PATH) -> "Senses":
        """Read what the fit wrote."""
        with np.load(path) as arrays:
            return cls(arrays["keys"], arrays["vectors"] * arrays["scales"][:, None])

    def save(self, path: Path = PATH) -> None:
        """Write the vectors, each number in a byte."""
        scales = np.maximum(np.abs(self._vectors).max(axis=1), 1e-9) / 127
        vectors = np.round(self._vectors / scales[:, None]).astype(np.int8)
        np.savez_compressed(path, keys=self._keys, vectors=vectors, scales=scales.astype(np.float32))

    def counted(self, grams: Grams, latin: Sequence[Sequence[str]]) -> Any:
        """Return which known words each text has: a sparse row for each, of length 1."""
        words = [(latin_key(word), at) for at, some in enumerate(latin) for word in some]
        keys = np.concatenate([keys for keys, _ in grams] + [np.array([k for k, _ in words], dtype=np.uint64)])
        owner = np.concatenate([of for _, of in grams] + [np.array([at for _, at in words], dtype=np.int64)])
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        hit = self._keys[at] == keys
        shape = (len(latin), len(self._keys))
        found = sparse.csr_matrix((np.ones(hit.sum(), dtype=np.float32), (owner[hit], at[hit])), shape=shape)
        found.sum_duplicates()
        found.data[:] = 1 / np.sqrt(np.repeat(np.diff(found.indptr), np.diff(found.indptr)))
        return found

    def of(self, grams: Grams, latin: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """Return the directions of texts, of length 1; 0 for one without a known word."""
        sums = np.asarray(self.counted(grams, latin) @ self._vectors)
        return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9))


def latin_key(word: str) -> int:
    """Return under which key a word of a language with spaces stands."""
    return _LATIN | crc32(word.encode())
