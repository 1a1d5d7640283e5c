"""Texts as sparse rows over the characters, pairs of characters and Latin words of a catalogue."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Arrays = Mapping[str, NDArray[Any]]
_MARK = re.compile(r"⟦[^⟧]*⟧")
# A pair of Latin letters says nothing: 5G, ETC and WiFi are read whole.
_RUN = re.compile(r"[a-z]+|[^\W\d_a-z]+")


def grams(text: str) -> Iterator[str]:
    """Yield every character, pair of neighbours and Latin word; digits, punctuation and marks only part them."""
    for run in runs(text):
        if run.isascii():
            yield run
        else:
            yield from run
            yield from map("".join, pairwise(run))


def runs(text: str) -> list[str]:
    """Return the stretches of a text that hold letters only."""
    return _RUN.findall(_MARK.sub(" ", text).lower())


def numbered(texts: Sequence[str]) -> tuple[list[str], NDArray[np.float64]]:
    """Return the grams of some texts, sorted, and how much each says by being rare (inverse document frequency)."""
    frequency = Counter(gram for text in texts for gram in set(grams(text)))
    known = sorted(frequency)
    return known, np.log((1 + len(texts)) / (1 + np.array([frequency[gram] for gram in known]))) + 1


def vectors(texts: Sequence[str], columns: Mapping[str, int], idf: NDArray[np.float64]) -> Any:
    """Return unit rows of weighted counts: the first of a gram counts whole, what repeats it little."""
    indices: list[int] = []
    counts: list[int] = []
    ends = [0]
    for text in texts:
        found = Counter(column for gram in grams(text) if (column := columns.get(gram)) is not None)
        indices += found.keys()
        counts += found.values()
        ends.append(len(indices))
    data = (1 + np.log(np.array(counts, dtype=np.float64))) * idf[np.array(indices, dtype=np.int32)]
    return unit(sparse.csr_matrix((data, np.array(indices, dtype=np.int32), ends), shape=(len(texts), len(idf))))


def unit(rows: Any) -> Any:
    """Return the rows with length 1; an empty row stays empty."""
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(1 / np.where(lengths > 0, lengths, 1)) @ rows)


def gathered(group: NDArray[np.intp]) -> Any:
    """Return the matrix that sums rows by their group."""
    return sparse.csr_matrix((np.ones(len(group)), (group, np.arange(len(group)))))


def packed(name: str, rows: Any) -> dict[str, NDArray[Any]]:
    """Return a sparse matrix as the plain arrays that a file keeps."""
    kept = sparse.csr_matrix(rows)
    return {
        f"{name}_data": kept.data.astype(np.float32),
        f"{name}_columns": kept.indices.astype(np.int32),
        f"{name}_ends": kept.indptr.astype(np.int32),
        f"{name}_shape": np.array(kept.shape),
    }


def unpacked(arrays: Arrays, name: str) -> Any:
    """Return a sparse matrix that `packed` took apart."""
    parts = (arrays[f"{name}_data"], arrays[f"{name}_columns"], arrays[f"{name}_ends"])
    return sparse.csr_matrix(parts, shape=tuple(arrays[f"{name}_shape"]))
