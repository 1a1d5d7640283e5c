"""Whom matters of a kind went to in the past: a linear model over what is known of an appeal when it comes.

It is learned from a city's history (`services.dispatch.routing.learning`) and kept as arrays beside the pack. What an
appeal is known by is kept as hashes only, so that no word and no address of the history stands in the file.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from libs.common.city.learning.history import road
from libs.common.contracts.vocabulary import Channel
from services.dispatch.domain import Matter

FILE = "routing.npz"
MOST_WORDS = 60
"""A long text says what it is about early; further words only cost time."""
_WORD = re.compile(r"[a-z]+|[一-鿿]+")
_CROSSING = re.compile(r"\bintersection\b|&|路口|交叉口")


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of an appeal when it comes. `district` and `area` are codes of the city pack, empty if unknown."""

    category: tuple[str, str, str]
    words: str = ""
    address: str = ""
    district: str = ""
    area: str = ""
    channel: Channel | None = None

    @classmethod
    def of(cls, matter: Matter) -> "Seen":
        """Return what a matter tells."""
        place = matter.place
        return cls(
            category=matter.category,
            words=matter.words,
            address=matter.address,
            district=place.district if place else "",
            area=place.street or "" if place else "",
            channel=matter.channel,
        )


class Learned:
    """A trained model of routing. Holds arrays only; safe to share between threads."""

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Index the arrays that `learn` made. Raises KeyError if one is missing."""
        self.arrays = arrays
        self.units: list[str] = arrays["units"].tolist()
        self._weights = arrays["weights"].astype(np.float32)
        self._scale = float(arrays["scale"])
        self._columns = {sign: i for i, sign in enumerate(arrays["signs"].tolist())}

    def __call__(self, matter: Matter) -> list[tuple[str, float]]:
        """Return the unit codes it takes for the lead, with how often such an opinion is right, the likeliest first."""
        return self.opinions([Seen.of(matter)])[0]

    def opinions(self, seen: Sequence[Seen], n: int = 3) -> list[list[tuple[str, float]]]:
        """Return of each appeal the `n` likeliest units with their probabilities."""
        if not seen:
            return []
        shares = self.shares(seen)
        best = np.argsort(-shares, axis=1, kind="stable")[:, :n]
        return [
            [(self.units[i], round(float(row[i]), 4)) for i in order] for row, order in zip(shares, best, strict=True)
        ]

    def shares(self, seen: Sequence[Seen]) -> NDArray[np.float64]:
        """Return the probability of each unit, one row an appeal."""
        return softmax(rows_of(seen, self._columns) @ self._weights, self._scale)

    def save(self, path: Path) -> None:
        """Write the arrays."""
        with path.open("wb") as file:
            np.savez_compressed(file, **self.arrays)  # type: ignore[arg-type]  # the stub takes names for options


def load(path: Path) -> Learned | None:
    """Read what `save` wrote; None if the file is not there. Raises ValueError or KeyError if it is another file."""
    if not path.is_file():
        return None
    with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
        return Learned(dict(kept))


def rows_of(seen: Sequence[Seen], columns: dict[int, int]) -> Any:
    """Return a sparse row of ones for each appeal: by which known signs it is known."""
    indices: list[int] = []
    ends = [0]
    for one in seen:
        indices += sorted({column for sign in signs(one) if (column := columns.get(sign)) is not None})
        ends.append(len(indices))
    data = np.ones(len(indices), dtype=np.float32)
    return sparse.csr_matrix((data, np.array(indices, dtype=np.int32), ends), shape=(len(seen), len(columns)))


def softmax(scores: NDArray[Any], scale: float) -> NDArray[np.float64]:
    """Return scores as probabilities, sharper with a larger scale."""
    powers = np.exp((scores - scores.max(axis=1, keepdims=True)).astype(np.float64) * scale)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def signs(seen: Seen) -> list[int]:
    """Return by what an appeal is known, as numbers."""
    return [
        int.from_bytes(blake2b("\0".join(parts).encode(), digest_size=8).digest(), "big", signed=True)
        for parts in _signs(seen)
    ]


def _signs(seen: Seen) -> Iterator[tuple[str, ...]]:
    """Yield each sign, the coarse ones beside their combinations: what was never seen together is known in part."""
    district, channel = seen.district, seen.channel or ""
    area = f"{district}/{seen.area}"
    title, words = seen.words.strip().lower(), _words(seen.words)
    where = "crossing" if _CROSSING.search(seen.address.lower()) else "road" if seen.address else ""
    way = road(seen.address)
    for level, name in zip("123", seen.category, strict=True):
        if name:
            yield from (
                (level, name),
                (level, "d", name, district),
                (level, "a", name, area),
                (level, "c", name, channel),
            )
    kind = seen.category[2]
    if kind:
        yield "3dc", kind, district, channel
        yield "3r", kind, way
        yield "3w", kind, where
        yield "3t", kind, title
        yield from (("n", word) for word in _words(kind))
        yield from (("3n", kind, word) for word in words)
    yield from (("t", title), ("td", title, district), ("ta", title, area), ("tc", title, channel))
    yield from (("d", district), ("a", area), ("c", channel), ("r", way))
    yield from (("w", word) for word in words)
    yield from (("wd", word, district) for word in words)
    yield from (("ww", one, next_) for one, next_ in pairwise(words))


def _words(text: str) -> list[str]:
    """Return Latin words and pairs of Chinese characters, each once, in order."""
    found: dict[str, None] = {}
    for run in _WORD.findall(text.lower()):
        if run.isascii():
            found[run] = None
        else:
            found.update(dict.fromkeys(map("".join, pairwise(run))))
        if len(found) >= MOST_WORDS:
            break
    return list(found)
