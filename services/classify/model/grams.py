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
_LATIN = re.compile("[a-z]+")
_OFTEN = 400
"""Prototypes of which a gram is part, from which on its row is kept whole; 400 take 3 MB, 100 would take 15."""


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


class Columns:
    """Where the grams of a catalogue stand, and the texts it is asked of as rows over them.

    All texts are read in one pass over arrays: gram by gram it took three times as long. What a catalogue knows of a
    text are its known characters, pairs of these side by side, and Latin words.
    """

    def __init__(self, grams: Sequence[str], idf: NDArray[np.float64]) -> None:
        """Take the grams, sorted, and what each says by being rare."""
        self._idf = idf
        column = {gram: i for i, gram in enumerate(grams)}
        self._latin = {gram: i for gram, i in column.items() if gram.isascii()}
        single = [gram for gram in grams if len(gram) == 1 and not gram.isascii()]
        self._count = len(single) + 1
        number = {character: i for i, character in enumerate(single, 1)}
        self._number = np.zeros(max(map(ord, single), default=0) + 2, dtype=np.int32)
        self._number[[ord(character) for character in single]] = np.arange(1, self._count)
        self._single = np.array([0, *(column[character] for character in single)], dtype=np.int32)
        pairs = [gram for gram in grams if len(gram) == 2 and not gram.isascii()]
        keys = np.array([number[pair[0]] * self._count + number[pair[1]] for pair in pairs], dtype=np.int32)
        order = np.argsort(keys)
        # One behind the last key that no pair has, so that a look-up always ends on some key.
        self._pairs = np.append(keys[order], np.int32(-1))
        self._pair = np.array([column[gram] for gram in pairs], dtype=np.int32)[order]

    def vectors(self, texts: Sequence[str]) -> Any:
        """Return unit rows of weighted counts: the first of a gram counts whole, what repeats it little."""
        plain = [(_MARK.sub(" ", text) if "⟦" in text else text).lower() for text in texts]
        joined = "\n".join(plain)
        row = np.repeat(np.arange(len(plain)), [len(text) + 1 for text in plain])
        number = self._numbers(joined)
        known = np.flatnonzero(number)
        at, pair = self._pairs_in(number)
        words, latin = self._latin_in(joined)
        places = np.concatenate([known, at, words])
        columns = np.concatenate([self._single[number[known]], pair, latin])
        return self._weighed(row[places] * len(self._idf) + columns, len(plain))

    def _numbers(self, text: str) -> NDArray[np.int32]:
        """Return the number of each known character, 0 for any other."""
        codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32)
        return self._number[np.minimum(codes, len(self._number) - 1)]

    def _pairs_in(self, number: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        """Return where known pairs stand, and their columns."""
        at = np.flatnonzero((number[:-1] > 0) & (number[1:] > 0))
        keys = number[at] * np.int32(self._count) + number[at + 1]
        places = np.searchsorted(self._pairs[:-1], keys)
        found = self._pairs[places] == keys
        return at[found], self._pair[places[found]]

    def _latin_in(self, text: str) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        """Return where known Latin words begin, and their columns."""
        found = [(word.start(), self._latin[word[0]]) for word in _LATIN.finditer(text) if word[0] in self._latin]
        return np.array([at for at, _ in found], dtype=np.intp), np.array([i for _, i in found], dtype=np.int32)

    def _weighed(self, cells: NDArray[np.intp], count: int) -> Any:
        """Return unit rows from the cell, row by row, of each gram as often as it stands there."""
        width = len(self._idf)
        cells, times = np.unique(cells, return_counts=True)
        rows, columns = np.divmod(cells, max(width, 1))
        data = (1 + np.log(times)) * self._idf[columns]
        ends = np.searchsorted(rows, np.arange(count + 1)).astype(np.int32)
        return unit(sparse.csr_matrix((data, columns.astype(np.int32), ends), shape=(count, width)))


class Prototypes:
    """The prototypes of all questions and levels, gram by gram.

    Some 240 grams stand in most of them and make for half of the products. A row of theirs is added whole, at a tenth
    of what it takes cell by cell.
    """

    def __init__(self, rows: Any) -> None:
        often = np.flatnonzero(np.diff(rows.indptr) >= _OFTEN)
        self._rows = rows
        self._often = rows[often].toarray()
        self._number = np.full(rows.shape[0], -1, dtype=np.int32)
        self._number[often] = np.arange(len(often))

    def times(self, texts: Any) -> NDArray[np.float64]:
        """Return the product of each text's row with each prototype."""
        number = self._number[texts.indices]
        often = number >= 0
        ends = np.append(np.int32(0), np.cumsum(often, dtype=np.int32))[texts.indptr]
        data, count = texts.data[often].astype(np.float32), len(self._often)
        common = sparse.csr_matrix((data, number[often], ends), shape=(texts.shape[0], count))
        rest = sparse.csr_matrix((texts.data[~often], texts.indices[~often], texts.indptr - ends), shape=texts.shape)
        return np.asarray((rest @ self._rows).toarray() + common @ self._often)


def unit(rows: Any) -> Any:
    """Return the rows with length 1, their columns in the order they were; an empty row stays empty."""
    number = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    lengths = np.sqrt(np.bincount(number, rows.data * rows.data, rows.shape[0]))
    data = rows.data / np.where(lengths > 0, lengths, 1)[number]
    return sparse.csr_matrix((data, rows.indices, rows.indptr), shape=rows.shape)


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
