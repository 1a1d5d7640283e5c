"""Finding what an appeal repeats: among those known, and among those that came with it."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID
from zlib import crc32

import numpy as np

from libs.common.city.pack import City
from services.intake.domain import Likely
from services.intake.repeats import evidence
from services.intake.repeats.judging import Judge, Scores
from services.intake.repeats.knowledge import load_knowledge
from services.intake.repeats.reader import Read, Reader, Said
from services.intake.repeats.sketches import unpacked

FOUND = 5
"""So many of the likeliest are kept of each appeal."""
_LAST = 20
"""An appeal is compared with so many of those before it in its batch under each key."""
_PAIRS = 4_000
"""So many pairs are compared at a time, for the memory's sake."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the keys of some appeals led to: tickets under each key, and the sketch of each as it is stored."""

    under: Mapping[int, Sequence[UUID]] = field(default_factory=dict)
    sketches: Mapping[UUID, bytes] = field(default_factory=dict)


class Repeats:
    """What intake knows about repeats. Safe to share between threads."""

    def __init__(self, city: City, folder: Path) -> None:
        """Read the pack's repeats.toml and its catalogue. Raises CityError."""
        path = folder / "repeats.toml"
        knowledge = load_knowledge(path)
        self.rules = city.repeats
        self.model = _fingerprint(city, path)
        self._reader = Reader(city, knowledge)
        self.matters = self._reader.matters
        self.judge = Judge(self.matters, knowledge.weights, city.repeats)

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, city: City, folder: Path) -> "Repeats":
        """Return the one of a city in this process: it takes a second or two to learn, and never changes."""
        return cls(city, folder)

    def read(self, appeals: Sequence[Said]) -> Read:
        """Return appeals as read: some 0.1 ms for each, so never on the event loop for many."""
        return self._reader.read(appeals)

    def among(self, read: Read, known: Known) -> list[list[Likely]]:
        """Return of each appeal the tickets it probably repeats, likeliest first."""
        ids = list(known.sketches)
        rows = {ticket_id: row for row, ticket_id in enumerate(ids)}
        under = {key: [rows[id_] for id_ in some if id_ in rows] for key, some in known.under.items()}
        pairs = [
            (at, row)
            for at, keys in enumerate(read.keys)
            for row in sorted({row for key in keys.looked_for for row in under.get(key, ())})
        ]
        found: list[list[Likely]] = [[] for _ in read.spots]
        for at, _, likely in self._likely(pairs, read, unpacked(list(known.sketches.values())), ids):
            found[at].append(likely)
        return [sorted(some, key=lambda one: (-one.score, one.ticket_id))[:FOUND] for some in found]

    def within(self, read: Read, ids: Sequence[UUID], open_: Sequence[int]) -> dict[int, Likely]:
        """Return which of the appeals `open_`, in the order of their time, repeat which before them in the same batch.

        What repeats another is none that others repeat: all of an event belong to its first.
        """
        turn = {at: number for number, at in enumerate(open_)}
        pairs = sorted(_neighbours(read, open_), key=lambda pair: (turn[pair[0]], turn[pair[1]]))
        linked: dict[int, Likely] = {}
        for at, before, likely in self._likely(pairs, read, read.sketches, ids):
            better = at not in linked or likely.score > linked[at].score
            if likely.score >= self.rules.link and before not in linked and better:
                linked[at] = likely
        return linked

    def _likely(
        self, pairs: Sequence[tuple[int, int]], read: Read, sketches: Any, ids: Sequence[UUID]
    ) -> Iterable[tuple[int, int, Likely]]:
        for start in range(0, len(pairs), _PAIRS):
            part = pairs[start : start + _PAIRS]
            mine, yours = read.sketches[[at for at, _ in part]], sketches[[row for _, row in part]]
            # A key leads to many names that merely end alike; most pairs are done with after this one look.
            met = np.flatnonzero(evidence.touching(mine, yours))
            part, mine, yours = [part[k] for k in met.tolist()], mine[met], yours[met]
            scores = self.judge.score(mine, yours)
            for k in np.flatnonzero(scores.total >= self.rules.suggest).tolist():
                at, row = part[k]
                yield at, row, self._told(scores, k, mine[k], yours[k], ids[row], read, at)

    def _told(self, scores: Scores, k: int, mine: Any, yours: Any, id_: UUID, read: Read, at: int) -> Likely:
        reasons = self.judge.reasons(scores, k, mine, yours, read.spots[at])
        return Likely(id_, round(float(scores.total[k]), 3), reasons)


def _neighbours(read: Read, open_: Sequence[int]) -> set[tuple[int, int]]:
    """Return each appeal with some of those before it that share a key."""
    under: dict[int, deque[int]] = defaultdict(lambda: deque(maxlen=_LAST))
    first: dict[int, list[int]] = defaultdict(list)
    pairs: set[tuple[int, int]] = set()
    for at in open_:
        keys = read.keys[at]
        for key in keys.looked_for:
            pairs.update((at, before) for before in (*first[key], *under[key]))
        for key in keys.kept:
            (first[key] if len(first[key]) < _LAST else under[key]).append(at)
    return pairs


def _fingerprint(city: City, path: Path) -> int:
    """Return the number of the model: sketches of another are compared with none of this one's."""
    folder = Path(__file__).parent
    code = b"".join(file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file())
    return crc32(city.catalogue.version.encode() + path.read_bytes() + code) >> 1
