"""How often appeals are rightly joined, on labelled pairs, most of themes that the weights were not fitted on.

    python -m tests.bench.repeats_quality

The weights are fitted on `training` and `blind`; all the others were looked at, too, after they had been measured
once. docs/decisions/0023-repeats.md has what was found at first sight. Intervals are 95 %, by drawing
themes anew (bootstrap), for pairs of one theme share their words.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.intake.repeats import Repeats
from tests.bench.repeats_pairs import Pairs, city_and_repeats, read_pairs, sketches_of

FILES = ("training", "blind", "heldout", "fresh", "second", "third")
DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Quality:
    """Of the pairs that are joined how many should be, and of those that should be how many are; with intervals."""

    precision: float
    recall: float
    precision_from: tuple[float, float]
    recall_from: tuple[float, float]
    pairs: int
    same: int


def likenesses(repeats: Repeats, pairs: Pairs) -> NDArray[np.float64]:
    """Return how likely each pair is one event."""
    return repeats.judge.score(*sketches_of(repeats, pairs)).total


def measure(repeats: Repeats, name: str, threshold: float | None = None) -> Quality:
    """Measure the pairs of one file at a threshold, by default the city's for joining without asking."""
    pairs = read_pairs(name)
    joined = likenesses(repeats, pairs) >= (repeats.rules.link if threshold is None else threshold)
    same = np.array(pairs.same)
    counts: dict[str, NDArray[np.int64]] = defaultdict(lambda: np.zeros(3, dtype=np.int64))
    for theme, is_joined, is_same in zip(pairs.themes, joined, same, strict=True):
        counts[theme] += (is_joined and is_same, is_joined, is_same)
    table = np.array(list(counts.values()))
    draws = np.random.default_rng(1).integers(0, len(table), (DRAWS, len(table)))
    right, found, wanted = table[draws].sum(axis=1).T
    hits = int((joined & same).sum())
    return Quality(
        precision=hits / max(int(joined.sum()), 1),
        recall=hits / int(same.sum()),
        precision_from=_interval(right / np.maximum(found, 1)),
        recall_from=_interval(right / np.maximum(wanted, 1)),
        pairs=len(same),
        same=int(same.sum()),
    )


def _interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(low), float(high)


def main() -> None:
    """Print the table."""
    _, repeats = city_and_repeats()
    print("pairs         all  one event   at     precision              recall")
    for name in FILES:
        for threshold in (repeats.rules.link, repeats.rules.suggest):
            found = measure(repeats, name, threshold)
            print(
                f"{name:10} {found.pairs:6} {found.same:10} {threshold:5.2f}"
                f"     {found.precision:.3f} ({found.precision_from[0]:.3f}-{found.precision_from[1]:.3f})"
                f"    {found.recall:.3f} ({found.recall_from[0]:.3f}-{found.recall_from[1]:.3f})"
            )


if __name__ == "__main__":
    main()
