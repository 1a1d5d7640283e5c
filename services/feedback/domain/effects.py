"""Whether what was done had an effect: difference in differences against what was alike before.

A series is compared with the few others that moved most like it before; what all of them have in common, a season say,
is no effect. How far off such a comparison may be by chance is not assumed but seen: the same is done to each of the
others, on which nothing acted (placebo permutation, Abadie and others 2010), in units of each one's own noise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from libs.common.city.topics import EffectRules

FEWEST_PLACEBOS = 19
"""With fewer, no interval of 95 % follows from ranks."""
BLOCK = 4
"""Weeks that are looked at together when likeness is judged, so that the noise of single weeks is not."""
WhyNot = Literal["too_early", "too_short_before", "too_few", "no_peers", "trend"]


@dataclass(frozen=True, slots=True)
class Series:
    """One value a week, what each weighs, and the variance it has by chance alone."""

    name: str
    values: tuple[float, ...]
    weights: tuple[float, ...]
    noise: tuple[float, ...]

    def mean(self, weeks: range) -> float:
        """Return the weighted mean of some weeks; 0 if they weigh nothing."""
        total = sum(self.weights[week] for week in weeks)
        return sum(self.weights[week] * self.values[week] for week in weeks) / total if total else 0.0

    def chance(self, weeks: range) -> float:
        """Return the variance that mean has by chance."""
        total = sum(self.weights[week] for week in weeks)
        return sum(self.weights[week] ** 2 * self.noise[week] for week in weeks) / total**2 if total else 0.0


def of_counts(name: str, counts: Sequence[int]) -> Series:
    """Return counts of weeks as logarithms."""
    return Series(
        name, tuple(math.log(n + 0.5) for n in counts), (1.0,) * len(counts), tuple(1 / (n + 0.5) for n in counts)
    )


def of_shares(name: str, good: Sequence[int], of: Sequence[int]) -> Series:
    """Return shares of weeks; each weighs as much as it rests on."""
    shares = [(g + 0.5) / (n + 1) for g, n in zip(good, of, strict=True)]
    noise = tuple(p * (1 - p) / (n + 1) for p, n in zip(shares, of, strict=True))
    return Series(name, tuple(shares), tuple(map(float, of)), noise)


@dataclass(frozen=True, slots=True)
class Difference:
    """What a series changed more than its peers, and the size that has by chance and by its own restlessness."""

    value: float
    error: float
    peers: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """How many times its error the difference is."""
        return self.value / self.error if self.error else 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """An effect with its interval of 95 %, in the units of the series; None where it cannot be told, and why.

    `placebos`: on so many others nothing acted. `chance` is the share of all that differ as much or more.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    peers: tuple[str, ...] = ()
    placebos: int = 0
    why_not: WhyNot | None = None


@dataclass(frozen=True, slots=True)
class Weeks:
    """What came in week by week: appeals, answers, and how many of these said that it is solved."""

    name: str
    tickets: Sequence[int]
    answered: Sequence[int]
    solved: Sequence[int]


@dataclass(frozen=True, slots=True)
class Span:
    """The weeks that are compared, by their place in a series: `before` of them at first, and those from `begin` on.

    Weeks between the two count for neither: in them the matter was picked for being high, and would fall by itself.
    """

    before: int
    begin: int
    length: int

    @property
    def then(self) -> range:
        """The weeks before."""
        return range(self.before)

    @property
    def now(self) -> range:
        """The weeks since."""
        return range(self.begin, self.length)


@dataclass(frozen=True, slots=True)
class Effect:
    """What appeals and answers came to since the measures act, with all weeks before the Monday `until`.

    `volume` is a difference of logarithms of weekly appeals, `solving` one of shares; the plain means beside them are
    what came in, without any comparison. Lists of two are before and since.
    """

    until: date
    volume: Estimate
    solving: Estimate
    weeks: tuple[int, int]
    weekly: tuple[float | None, float | None] = (None, None)
    solved: tuple[float | None, float | None] = (None, None)


def effect(treated: Weeks, others: Sequence[Weeks], span: Span, until: date, rules: EffectRules) -> Effect:
    """Return what is known of an effect, held beside as many others as have enough appeals, or answers, a week."""
    volume = _why_not(treated.tickets, span, rules) or estimate(
        of_counts(treated.name, treated.tickets),
        [of_counts(one.name, one.tickets) for one in others if not _why_not(one.tickets, span, rules)],
        span, rules,
    )  # fmt: skip
    solving = _why_not(treated.answered, span, rules) or estimate(
        of_shares(treated.name, treated.solved, treated.answered),
        [of_shares(one.name, one.solved, one.answered) for one in others if not _why_not(one.answered, span, rules)],
        span, rules,
    )  # fmt: skip
    then, now = span.then, span.now
    return Effect(
        until, volume, solving, (len(then), len(now)),
        (_mean(treated.tickets, then), _mean(treated.tickets, now)),
        (_share(treated, then), _share(treated, now)),
    )  # fmt: skip


def _why_not(counts: Sequence[int], span: Span, rules: EffectRules) -> Estimate | None:
    """Return an estimate that says why there is none, where the weeks are too few or have too little in them."""
    if len(span.then) < rules.before:
        return Estimate(why_not="too_short_before")
    if len(span.now) < rules.after:
        return Estimate(why_not="too_early")
    mean = _mean(counts, span.then)
    return Estimate(why_not="too_few") if mean is None or mean < rules.weekly else None


def _mean(counts: Sequence[int], weeks: range) -> float | None:
    return sum(counts[week] for week in weeks) / len(weeks) if weeks else None


def _share(one: Weeks, weeks: range) -> float | None:
    answered = sum(one.answered[week] for week in weeks)
    return sum(one.solved[week] for week in weeks) / answered if answered else None


def estimate(treated: Series, others: Sequence[Series], span: Span, rules: EffectRules) -> Estimate:
    """Return what changed in `treated` more than in the peers it has among `others`."""
    if len(others) < FEWEST_PLACEBOS:
        return Estimate(why_not="no_peers", placebos=len(others))
    told = _told(treated, others, span.then, span.then, span.now, rules)
    # The same as if it had begun in the middle of the time before: it had a way of its own already if that shows.
    middle = span.before // 2
    early = _told(treated, others, span.then, range(middle), range(middle, span.before), rules)
    if early.low is not None and early.high is not None and not early.low <= 0 <= early.high:
        return Estimate(why_not="trend", peers=told.peers, placebos=told.placebos)
    return told


def _told(
    treated: Series, others: Sequence[Series], like: range, then: range, now: range, rules: EffectRules
) -> Estimate:
    everyone = [treated, *others]
    shapes = [_shape(series, like) for series in everyone]
    told = [
        _difference(index, everyone, _peers(index, shapes, rules.peers), like, then, now)
        for index in range(len(everyone))
    ]
    own, placebos = told[0], sorted(abs(one.ratio) for one in told[1:])
    # The smallest of them that 95 of 100, the treated one among them, do not pass.
    widest = placebos[min(math.ceil(0.95 * (len(placebos) + 1)), len(placebos)) - 1] * own.error
    passed = sum(ratio >= abs(own.ratio) for ratio in placebos)
    return Estimate(
        own.value, own.value - widest, own.value + widest, (1 + passed) / (1 + len(placebos)), own.peers, len(placebos)
    )


def _shape(series: Series, weeks: range) -> list[float]:
    """Return how a series moved: means of four weeks, without its level."""
    level = series.mean(weeks)
    return [series.mean(weeks[at : at + BLOCK]) - level for at in range(0, len(weeks), BLOCK)]


def _peers(index: int, shapes: Sequence[Sequence[float]], count: int) -> list[int]:
    """Return which others moved most like one; never the treated one, which is first."""
    own = shapes[index]
    others = [other for other in range(1, len(shapes)) if other != index]
    return sorted(others, key=lambda other: math.dist(own, shapes[other]))[:count]


def _difference(
    index: int, everyone: Sequence[Series], peers: Sequence[int], like: range, then: range, now: range
) -> Difference:
    own, group = everyone[index], [everyone[peer] for peer in peers]
    value = _change(own, then, now) - sum(_change(peer, then, now) for peer in group) / len(group)
    chance = _chance(own, then, now) + sum(_chance(peer, then, now) for peer in group) / len(group) ** 2
    restless = _restless(own, group, like) * (1 / len(then) + 1 / len(now))
    return Difference(value, math.sqrt(chance + restless), tuple(peer.name for peer in group))


def _change(series: Series, then: range, now: range) -> float:
    return series.mean(now) - series.mean(then)


def _chance(series: Series, then: range, now: range) -> float:
    return series.chance(then) + series.chance(now)


def _restless(own: Series, group: Sequence[Series], weeks: range) -> float:
    """Return by how much a series strays from its peers from week to week beyond chance, as a variance."""
    gaps = [own.values[week] - sum(peer.values[week] for peer in group) / len(group) for week in weeks]
    middle = sum(gaps) / len(gaps)
    seen = sum((gap - middle) ** 2 for gap in gaps) / (len(gaps) - 1)
    chance = [own.noise[week] + sum(peer.noise[week] for peer in group) / len(group) ** 2 for week in weeks]
    return max(0.0, seen - sum(chance) / len(chance))
