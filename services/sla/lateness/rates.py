"""The shares of orders that were late, the finer drawn towards the coarser, at each part of their time.

What is alike is a chain: the clock, its class, the category, the unit in it, that unit's orders of the same question.
The share of a link is the posterior mean of a beta prior that is worth `WEIGHT` cases of the link before (empirical
Bayes), so a unit without a history is taken to do as the others of its category do, and the city's own guess begins
the chain. Once part of the time has passed only those count that were not done by then, as in a life table.
"""

import hashlib
import io
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import log
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

PASSED = (0.0, 0.25, 0.5, 0.75, 0.9)
"""The parts of an order's time at which shares are kept; what lies between is interpolated, behind is the last."""
WEIGHT = 5.0
"""How many cases the link before is worth. Between 3 and 10 hardly anything changes on one city's year."""
MOST_KEPT = 50_000
"""Kinds of orders whose chain is remembered, once it was asked for."""
_BETWEEN = "\x1f"

What = Literal["kind", "category", "unit", "question", "passed"]
Cell = tuple[str, ...]
Counts = tuple[float, ...]
"""Of a cell: how many were open at each of `PASSED`, then how many were late. Weighted, so not whole."""


NOTHING: Counts = (0.0,) * (len(PASSED) + 1)


class Alike(NamedTuple):
    """What makes orders alike, the coarsest first; what is not known yet is empty, and no link of the chain.

    `kind` is the class of urgency, or `again` for an order that was opened again.
    """

    clock: str
    kind: str = ""
    category: str = ""
    unit: str = ""
    question: str = ""

    @property
    def chain(self) -> list[Cell]:
        """The cells it falls into, the coarsest first."""
        known = [self[:length] for length, part in enumerate(self, 1) if part]
        return known if self.unit else [cell for cell in known if len(cell) < len(self)]


class Step(NamedTuple):
    """What makes a chance another: from `before` to `share`, on `cases` that are alike so far (weighted by age)."""

    what: What
    before: float
    share: float
    cases: float

    @property
    def pull(self) -> float:
        """How far it moves the odds, as a difference of logarithms; above 0 towards late."""
        return _logit(self.share) - _logit(self.before)


_WHAT: tuple[What, ...] = ("kind", "category", "unit", "question")


@dataclass(frozen=True, slots=True)
class _Link:
    cell: Cell
    shares: tuple[float, ...]
    cases: float


class Rates:
    """Learned shares. Holds numbers and codes alone; safe to share between threads."""

    def __init__(self, cells: Mapping[Cell, Counts], prior: float, version: str = "") -> None:
        """Take the counts of each cell. `prior` is the share where nothing is known, `version` what it is called."""
        self.cells, self.prior, self.version = cells, prior, version
        self._chain = lru_cache(MOST_KEPT)(self._links)

    def chance(self, alike: Alike, passed: float) -> float:
        """Return how likely such an order is late that is not done after this part of its time, 0 to 1."""
        return _between(self._chain(alike)[-1].shares, passed)

    def steps(self, alike: Alike, passed: float) -> list[Step]:
        """Return what leads from the share of all such clocks to the chance of one."""
        links = self._chain(alike)[1:]
        steps = [
            Step(_WHAT[len(link.cell) - 2], before.shares[0], link.shares[0], link.cases)
            for before, link in pairwise(links)
        ]
        last = links[-1]
        return [*steps, Step("passed", last.shares[0], _between(last.shares, passed), last.cases)]

    def _links(self, alike: Alike) -> list[_Link]:
        """Return what each link says of an order of which no more is known, the prior first.

        It stands on all its cases, drawn towards what the links before say of theirs without these: none speaks twice.
        """
        prior = (self.prior,) * len(PASSED)
        links = [_Link((), prior, 0.0)]
        for cell, finer in pairwise([*alike.chain, ()]):
            mine, theirs = self.cells.get(cell, NOTHING), self.cells.get(finer, NOTHING)
            links.append(_Link(cell, _drawn(mine, prior), mine[0]))
            prior = _drawn(tuple(max(n - more, 0.0) for n, more in zip(mine, theirs, strict=True)), prior)
        return links

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The same as arrays: `cells` as UTF-8 text, a line each, `counts` a row each."""
        names = sorted(self.cells)
        counts = [self.cells[name] for name in names]
        return {
            "cells": np.frombuffer("\n".join(map(_BETWEEN.join, names)).encode(), dtype=np.uint8),
            "counts": np.array(counts, dtype=np.float32).reshape(len(names), len(PASSED) + 1),
            "passed": np.array(PASSED),
            "prior": np.array(self.prior),
        }

    def packed(self) -> bytes:
        """Return the arrays as bytes."""
        kept = io.BytesIO()
        np.savez_compressed(kept, **self.arrays)  # type: ignore[arg-type]  # the stub takes names for options
        return kept.getvalue()

    @classmethod
    def unpacked(cls, kept: bytes, version: str) -> "Rates":
        """Read what `packed` made. Raises KeyError or ValueError for something else."""
        with np.load(io.BytesIO(kept), allow_pickle=False) as arrays:
            if tuple(arrays["passed"].tolist()) != PASSED:
                raise ValueError("learned for other parts of the time; it is learned anew within a day")
            names = arrays["cells"].tobytes().decode().split("\n")
            counts = map(tuple, arrays["counts"].tolist())
            cells = {tuple(name.split(_BETWEEN)): row for name, row in zip(names, counts, strict=False)}
            return cls(cells, float(arrays["prior"]), version)

    @property
    def fingerprint(self) -> str:
        """What is the same for the same numbers."""
        said = hashlib.sha256()
        for name, array in sorted(self.arrays.items()):
            said.update(name.encode() + array.tobytes())
        return said.hexdigest()[:16]


def _drawn(counts: Counts, prior: tuple[float, ...]) -> tuple[float, ...]:
    """Return the share of late ones at each of `PASSED`, as if `WEIGHT` cases more had been as before."""
    *opened, late = counts
    return tuple((late + WEIGHT * share) / (n + WEIGHT) for n, share in zip(opened, prior, strict=True))


def _between(shares: tuple[float, ...], passed: float) -> float:
    right = bisect_right(PASSED, max(passed, 0.0))
    if right == len(PASSED):
        return shares[-1]
    left = right - 1
    part = (max(passed, 0.0) - PASSED[left]) / (PASSED[right] - PASSED[left])
    return shares[left] + part * (shares[right] - shares[left])


def _logit(share: float) -> float:
    share = min(max(share, 0.001), 0.999)
    return log(share / (1 - share))
