"""Learns the shares of what was late, and measures them on the newest clocks, which the shares measured did not see."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from services.sla.lateness.rates import PASSED, Alike, Cell, Rates

DAYS = 120
"""How far back clocks count that were due."""
HALF_LIFE_DAYS = 30.0
"""A clock that was due this long ago counts half. Measured between 20 and 90 on one city's year: best or near it."""
HELD_OUT = 0.15
FEWEST = 200
"""Clocks to measure on; of fewer a share says nothing."""
BINS = 10
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """So many clocks that are alike and were due about `at`: open at each of `PASSED`, and late."""

    at: datetime
    alike: Alike
    opened: tuple[int, ...]
    late: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Of orders whose chance was said to lie in one tenth: how many, the mean said, the share that was late."""

    n: int
    said: float
    late: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How well chances held that were said when so much of the time had `passed`.

    `brier` is the mean square of what was said less what came (0 is best), `base` the same of the plain share of them
    all; `auc` how often of two orders the late one was said to be likelier; `error` the mean difference between said
    and come over tenths of chance (expected calibration error). `auc` is None where all were late, or none.
    """

    passed: float
    n: int
    late: float
    brier: float
    base: float
    auc: float | None
    error: float
    bins: tuple[Bin, ...]


def learn(outcomes: Iterable[Outcomes], now: datetime, prior: float, version: str = "") -> Rates:
    """Return the shares of all outcomes as of now; with none of them the prior alone."""
    totals: dict[Alike, NDArray[np.float64]] = defaultdict(lambda: np.zeros(len(PASSED) + 1))
    for one in outcomes:
        age = max((now - one.at) / _DAY, 0.0)
        totals[one.alike] += 0.5 ** (age / HALF_LIFE_DAYS) * np.array([*one.opened, one.late])
    cells: dict[Cell, NDArray[np.float64]] = defaultdict(lambda: np.zeros(len(PASSED) + 1))
    for alike, counts in totals.items():
        for cell in alike.chain:
            cells[cell] += counts
    return Rates({cell: tuple(counts.tolist()) for cell, counts in cells.items()}, prior, version)


def learned(
    outcomes: Sequence[Outcomes], now: datetime, prior: float, version: str
) -> tuple[Rates, tuple[Quality, ...]]:
    """Return the shares, and how those of the earlier outcomes did on the newest; no quality of too few."""
    ordered = sorted(outcomes, key=lambda one: one.at)
    held = int(len(ordered) * HELD_OUT)
    rates = learn(ordered, now, prior, version)
    later = ordered[len(ordered) - held :]
    if sum(one.opened[0] for one in later) < FEWEST:
        return rates, ()
    earlier = learn(ordered[:-held], later[0].at, prior)
    return rates, tuple(quality for stage in (0, 2) if (quality := judge(earlier, later, stage)))


def judge(rates: Rates, outcomes: Sequence[Outcomes], stage: int) -> Quality | None:
    """Return how well shares tell outcomes, asked when `PASSED[stage]` of the time had; None if none was open then."""
    passed = PASSED[stage]
    open_then = [one for one in outcomes if one.opened[stage]]
    if not open_then:
        return None
    said = np.array([rates.chance(one.alike, passed) for one in open_then])
    n = np.array([one.opened[stage] for one in open_then], dtype=np.float64)
    late = np.array([one.late for one in open_then], dtype=np.float64)
    return measured(passed, said, n, late)


def measured(passed: float, said: NDArray[np.float64], n: NDArray[np.float64], late: NDArray[np.float64]) -> Quality:
    """Measure what was `said` of groups of `n` orders each, `late` of which were."""
    whole, share = n.sum(), late.sum() / n.sum()
    which = np.minimum((said * BINS).astype(np.intp), BINS - 1)
    sizes, means, came = (np.bincount(which, weights=part, minlength=BINS) for part in (n, n * said, late))
    return Quality(
        passed=passed,
        n=int(whole),
        late=float(share),
        brier=float((late * (1 - said) ** 2 + (n - late) * said**2).sum() / whole),
        base=float(share * (1 - share)),
        auc=_auc(said, n, late),
        error=float(np.abs(means - came).sum() / whole),
        bins=tuple(
            Bin(int(size), float(mean / size), float(come / size))
            for size, mean, come in zip(sizes, means, came, strict=True)
            if size
        ),
    )


def _auc(said: NDArray[np.float64], n: NDArray[np.float64], late: NDArray[np.float64]) -> float | None:
    """Return the area under the curve of hits and false alarms: pairs in the right order, ties half."""
    _, group = np.unique(said, return_inverse=True)
    hits, rest = np.bincount(group, weights=late), np.bincount(group, weights=n - late)
    if not hits.sum() or not rest.sum():
        return None
    below = np.cumsum(rest) - rest
    return float((hits * (below + rest / 2)).sum() / (hits.sum() * rest.sum()))
