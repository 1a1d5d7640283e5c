"""What work before the appeal averted: what came after it, against what was expected and against like places.

Counts are compared as ratios. Appeals come in clusters, so the spread of a ratio is that of a Poisson count times how
much more the like places differ among themselves (a quasi-Poisson model; McCullagh and Nelder, Generalized Linear
Models, 1989, chapter 6).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

NORMAL_95 = 1.96
LIKE = 3.0
"""A like place had between a third and three times as many such appeals before."""
PLACES = 12
"""So many places are compared with at most, the likest ones."""
SMALLEST = 0.5
"""Added to each count, so that none is a division by zero (Haldane 1956)."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Appeals of one place: in the time before, and in as long a time after."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What came of one piece of work. `final`: no more will be counted.

    `came` after it, `before` in as long a time before: a year earlier where the record reaches. `expected` with its
    80 % interval is of forecasts made when it was done, `foreseen` what came of what they were of; None without any.
    `ratio` is how `came` stands to what like places would have it, with 95 % interval: under 1 is fewer. `places` were
    compared; with too few appeals, or without like places, it is None.
    """

    measured_at: datetime
    final: bool
    weeks: int
    came: int
    before: int
    foreseen: int | None = None
    expected: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None
    places: int = 0
    ratio: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def proven(self) -> bool:
        """Whether there were fewer appeals beyond doubt: than in like places, or without them than was foreseen."""
        if self.high is not None:
            return self.high < 1
        return self.foreseen is not None and self.expected_low is not None and self.foreseen < self.expected_low


@dataclass(frozen=True, slots=True)
class Against:
    """A ratio of ratios with its 95 % interval, and how many places it was compared with."""

    places: int
    ratio: float
    low: float
    high: float


def against(here: Counts, elsewhere: Sequence[Counts], least: int) -> Against | None:
    """Compare a place with others where nothing was done; None if it had fewer than `least` appeals, or no like."""
    alike = [c for c in elsewhere if here.before / LIKE <= c.before <= here.before * LIKE and c.before >= least]
    alike.sort(key=lambda counts: abs(math.log(counts.before / max(here.before, 1))))
    others = alike[:PLACES]
    if here.before < least or not others:
        return None
    before, after = sum(c.before for c in others), sum(c.after for c in others)
    parts = [count + SMALLEST for count in (here.after, here.before, after, before)]
    log_ratio = math.log(parts[0] / parts[1]) - math.log(parts[2] / parts[3])
    spread = NORMAL_95 * math.sqrt(_dispersion(others, after / before) * sum(1 / part for part in parts))
    ends = [math.exp(log_ratio + step) for step in (0.0, -spread, spread)]
    return Against(len(others), *(round(end, 4) for end in ends))


def _dispersion(others: Sequence[Counts], change: float) -> float:
    """Return by how much more than Poisson counts the changes of these places differ; at least 1."""
    if len(others) < 2:
        return 1.0
    surprise = 0.0
    for counts in others:
        whole = counts.before + counts.after
        expected = whole * change / (1 + change)
        variance = max(whole * change / (1 + change) ** 2, SMALLEST)
        surprise += (counts.after - expected) ** 2 / variance
    return max(1.0, surprise / (len(others) - 1))
