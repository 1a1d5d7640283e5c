"""What may be chance: intervals of changes, of shares and of their differences, for several groups at once.

All intervals of one table hold together with 95 %: each is as wide as the number of its rows asks for (Bonferroni).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist, fmean

SURE = 0.95
SEVEN = 7


@dataclass(frozen=True, slots=True)
class Change:
    """A count now and before, each over so many days, and how the daily rate changed, as a fraction of the one before.

    The true change lies between `low` and `high`; all three are None where nothing was counted before, or not all.
    """

    now: int
    before: int
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def rose(self) -> bool:
        """Whether it rose beyond chance."""
        return self.low is not None and self.low > 0

    @property
    def fell(self) -> bool:
        """Whether it fell beyond chance."""
        return self.high is not None and self.high < 0


def quantile(rows: int) -> float:
    """How many standard errors an interval reaches to each side, if there are so many in its table."""
    return NormalDist().inv_cdf(1 - (1 - SURE) / 2 / max(rows, 1))


def changed(now: int, before: int, days: tuple[float, float], wobble: float, rows: int = 1) -> Change:
    """Return how a count changed from one span to another, of so many days each.

    Days differ more than chance would have it: `wobble` is the squared coefficient of variation of a day's count beyond
    Poisson's. Source: the variance of a negative binomial count, mean + wobble * mean², over independent days.
    """
    if not before or not days[1]:
        return Change(now, before)
    rate = (now / days[0]) / (before / days[1])
    error = math.sqrt(1 / (now + 0.5) + 1 / (before + 0.5) + wobble * (1 / days[0] + 1 / days[1]))
    middle = ((now + 0.5) / days[0]) / ((before + 0.5) / days[1])
    reach = math.exp(quantile(rows) * error)
    return Change(now, before, rate - 1, min(middle / reach, rate) - 1, max(middle * reach, rate) - 1)


def wobble_of(days: Mapping[date, int]) -> float:
    """How much a day's count differs from that of other days of its weekday, beyond chance; 0 where nothing tells."""
    by_weekday = [[count for day, count in days.items() if day.weekday() == weekday] for weekday in range(SEVEN)]
    several = [counts for counts in by_weekday if len(counts) > 1]
    freedom = sum(len(counts) - 1 for counts in several)
    mean = fmean(days.values()) if days else 0.0
    if not freedom or not mean:
        return 0.0
    squares = sum((count - fmean(counts)) ** 2 for counts in several for count in counts)
    return max(0.0, (squares / freedom - mean) / mean**2)


def wilson(of_them: float, count: int, rows: int = 1) -> tuple[float, float]:
    """Return the interval of a share (Wilson 1927), which never leaves 0 to 1; all of that without a count."""
    if not count:
        return 0.0, 1.0
    z2, share = quantile(rows) ** 2, of_them / count
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    reach = math.sqrt(z2 * (share * (1 - share) / count + z2 / (4 * count**2))) / (1 + z2 / count)
    return max(0.0, min(middle - reach, share)), min(1.0, max(middle + reach, share))


@dataclass(frozen=True, slots=True)
class Step:
    """A share now and before, and its difference with an interval, in percentage points; None where one lacks."""

    now: float | None
    before: float | None
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def rose(self) -> bool:
        """Whether it rose beyond chance."""
        return self.low is not None and self.low > 0

    @property
    def fell(self) -> bool:
        """Whether it fell beyond chance."""
        return self.high is not None and self.high < 0


def stepped(now: tuple[float, int], before: tuple[float, int], rows: int = 1, undecided: int = 0) -> Step:
    """Return how a share changed; each is how many of how many. The interval is Newcombe's (1998), of Wilson's two.

    So many of now are `undecided` and not in it: the interval holds whether none of them turns out well or all do.
    """
    if not now[1] or not before[1]:
        return Step(now[0] / now[1] if now[1] else None, before[0] / before[1] if before[1] else None)
    first, second = now[0] / now[1], before[0] / before[1]
    whole = now[1] + undecided
    low1, high1 = wilson(now[0], whole, rows)[0], wilson(now[0] + undecided, whole, rows)[1]
    low2, high2 = wilson(*before, rows)
    down = math.hypot(first - low1, high2 - second)
    up = math.hypot(high1 - first, second - low2)
    gap = first - second
    return Step(first, second, gap * 100, (gap - down) * 100, (gap + up) * 100)


def pooled(parts: Iterable[tuple[float, int]]) -> tuple[float, int]:
    """Return shares taken together."""
    known: Sequence[tuple[float, int]] = list(parts)
    return sum(part for part, _ in known), sum(count for _, count in known)
