"""Candidates for topics: which matters deserve a rule of their own, by a score whose every part can be looked at.

Each part runs from 0 to 1 with an interval, for a share of few says little. Candidates are ranked by the lower end of
the score: what may be chance comes behind what is certain.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Literal, get_args

from libs.common.city.topics import Component, ComponentCode, Half, Topics
from services.feedback.domain.matters import Matter, Tally, added, joined, months_before, since, weeks_of
from services.feedback.domain.periods import Period, period_of

Z = 1.96
"""Both ends of an interval of 95 %."""
HOT_WEEKS = 13
Basis = Literal["last_year", "season", "trend"]


@dataclass(frozen=True, slots=True)
class Month:
    """All that is judged together: each question of a month, the weeks there is a record of, the city's streets."""

    period: Period
    matters: Sequence[Matter]
    known: frozenset[date]
    streets: int

    @property
    def weeks(self) -> tuple[date, ...]:
        """Its weeks."""
        return weeks_of(self.period)


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a score. `figure` is what was measured, `usual` what it is held against; None if not known."""

    code: ComponentCode
    half: Half
    weight: float
    value: float
    low: float
    high: float
    figure: float | None = None
    usual: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """From 0 to 100, with the ends of its interval: the geometric mean of how common a matter is and how hard."""

    value: float
    low: float
    high: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """How much faster a matter comes than it used to, as a logarithm with its standard error; by what it is held."""

    basis: Basis
    log: float
    error: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A matter with its score, since when it is so frequent, and what its growth is held against."""

    matter: Matter
    score: Score
    since: date
    basis: Basis | None


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in the city that month: appeals on a question, the shares, the change all matters have in common.

    `districts` is over how many districts of the same size the city's appeals would be as evenly spread.
    """

    tickets: float
    unsolved: float
    repetition: float
    returns: float
    change: Mapping[Basis, float]
    districts: float


def candidates(month: Month, rules: Topics) -> list[Candidate]:
    """Return the problems of a month, the most certain first: one for each group of questions at the most."""
    usual = _usual(month, rules)
    groups: dict[tuple[str, str], list[Matter]] = {}
    for matter in month.matters:
        groups.setdefault(matter.category, []).append(matter)
    found = [one for group in groups.values() if (one := _problem(group, month, usual, rules))]
    return sorted(found, key=lambda one: (-one.score.low, -one.score.value, one.matter.codes))


def _problem(group: Sequence[Matter], month: Month, usual: Usual, rules: Topics) -> Candidate | None:
    """Return what a group's problem is: its foremost question with those close to it, else all of it together."""
    many = [matter for matter in group if matter.tally.tickets >= rules.fewest]
    if many:
        lows = [scored(matter, month, usual, rules)[0].low for matter in many]
        group = [one for one, low in zip(many, lows, strict=True) if low >= rules.near * max(lows)]
    matter = joined(group)
    if matter.tally.tickets < rules.fewest:
        return None
    score, basis = scored(matter, month, usual, rules)
    return Candidate(matter, score, since(matter.weekly, month.weeks, month.known), basis)


def scored(matter: Matter, month: Month, usual: Usual, rules: Topics) -> tuple[Score, Basis | None]:
    """Return a matter's score, and what its growth was held against."""
    grown = growth(matter, month, rules.trend)
    tally = matter.tally
    shares = {
        "unsolved": (tally.answered - tally.solved, tally.answered, usual.unsolved),
        "repetition": (tally.repeated, tally.tickets, usual.repetition),
        "returns": (tally.returned, tally.tickets, usual.returns),
    }
    parts = []
    for one in rules.components:
        if one.code in shares:
            parts.append(_above(one, *shares[one.code]))
        elif one.code == "volume":
            parts.append(_volume(one, tally.tickets, usual.tickets))
        elif one.code == "growth":
            parts.append(_growth(one, grown, usual.change))
        elif one.code == "spread":
            parts.append(_spread(one, matter, month.streets, usual.districts))
        else:
            parts.append(_exact(one, len(matter.hot) / one.full, len(matter.hot), None))
    return _score(parts), grown.basis if grown else None


def _score(parts: Sequence[Part]) -> Score:
    def both(end: Callable[[Part], float]) -> float:
        halves = {half: sum(p.weight * end(p) for p in parts if p.half == half) for half in get_args(Half)}
        return 100 * math.sqrt(math.prod(halves.values()))

    return Score(both(lambda p: p.value), both(lambda p: p.low), both(lambda p: p.high), tuple(parts))


def _usual(month: Month, rules: Topics) -> Usual:
    tally = sum((matter.tally for matter in month.matters), Tally())
    changes: dict[Basis, list[float]] = {}
    for matter in month.matters:
        if matter.tally.tickets >= rules.fewest and (grown := growth(matter, month, rules.trend)):
            changes.setdefault(grown.basis, []).append(grown.log)
    raised = sum(matter.tally.tickets > 0 for matter in month.matters)
    return Usual(
        tickets=tally.tickets / max(raised, 1),
        unsolved=1 - tally.solved / tally.answered if tally.answered else 0.0,
        repetition=tally.repeated / max(tally.tickets, 1),
        returns=tally.returned / max(tally.tickets, 1),
        change={basis: median(logs) for basis, logs in changes.items()},
        districts=evenly(added(matter.districts for matter in month.matters).values()),
    )


def growth(matter: Matter, month: Month, trend: int) -> Growth | None:
    """Return how a matter grew against the same month last year, else against the months before; None if unknown.

    A matter of some months of the year is held only against months on the same side of its season: that heating is
    asked for in November is no growth.
    """
    last_year = weeks_of(period_of(f"{month.period.first.year - 1}-{month.period.first.month:02}"))
    if month.known.issuperset(last_year):
        return _grown("last_year", matter.weekly, month.weeks, last_year)
    inside = month.period.first.month in matter.season
    before = [p for p in months_before(month.period, trend) if month.known.issuperset(weeks_of(p))]
    like = [p for p in before if not matter.season or (p.first.month in matter.season) == inside]
    weeks = [week for period in like for week in weeks_of(period)]
    return _grown("season" if matter.season else "trend", matter.weekly, month.weeks, weeks) if weeks else None


def _grown(basis: Basis, weekly: Mapping[date, int], now: Sequence[date], then: Sequence[date]) -> Growth:
    present, past = ([weekly.get(week, 0) for week in weeks] for weeks in (now, then))
    log = math.log((sum(present) + 0.5) / len(present)) - math.log((sum(past) + 0.5) / len(past))
    more = _dispersion(present, past)
    return Growth(basis, log, math.sqrt(more * (1 / (sum(present) + 0.5) + 1 / (sum(past) + 0.5))))


def _dispersion(*spans: Sequence[int]) -> float:
    """Return how much more weeks differ than by chance alone, which would be 1."""
    off = sum((n - mean) ** 2 / mean for span in spans if (mean := sum(span) / len(span)) for n in span)
    free = sum(len(span) - 1 for span in spans)
    return max(1.0, off / free) if free else 1.0


def _volume(one: Component, tickets: int, usual: float) -> Part:
    def value(count: float) -> float:
        return math.log1p(max(count, 0) / usual) / math.log1p(one.full) if usual else 0.0

    off = Z * math.sqrt(tickets)
    return _part(one, value(tickets), value(tickets - off), value(tickets + off), tickets, usual)


def _growth(one: Component, grown: Growth | None, change: Mapping[Basis, float]) -> Part:
    """Return the part of growth; not known, it could be anything and counts nothing."""
    if grown is None:
        return Part(one.code, one.half, one.weight, 0.0, 0.0, 1.0)
    common, full = change.get(grown.basis, 0.0), math.log(one.full)
    log, off = grown.log - common, Z * grown.error
    return _part(one, log / full, (log - off) / full, (log + off) / full, math.exp(grown.log), math.exp(common))


def _spread(one: Component, matter: Matter, streets: int, usual: float) -> Part:
    wide = min(1.0, evenly(matter.districts.values()) / usual) if usual else 0.0
    touched = matter.streets / streets if streets else 0.0
    return _exact(one, (wide + min(1.0, touched / one.full)) / 2, touched, None)


def _above(one: Component, count: int, of: int, usual: float) -> Part:
    low, high = wilson(count, of)
    share = count / of if of else None
    value = ((share if share is not None else usual) - usual) / one.full
    return _part(one, value, (low - usual) / one.full, (high - usual) / one.full, share, usual)


def _exact(one: Component, value: float, figure: float, usual: float | None) -> Part:
    return _part(one, value, value, value, figure, usual)


def _part(one: Component, value: float, low: float, high: float, figure: float | None, usual: float | None) -> Part:
    value, low, high = (min(1.0, max(0.0, x)) for x in (value, low, high))
    return Part(one.code, one.half, one.weight, value, low, high, figure, usual)


def wilson(count: int, of: int) -> tuple[float, float]:
    """Return Wilson's interval of 95 % for a share; all is possible where there is nothing."""
    if not of:
        return 0.0, 1.0
    share, z2 = count / of, Z * Z / of
    middle, half = share + z2 / 2, Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of))
    return max(0.0, (middle - half) / (1 + z2)), min(1.0, (middle + half) / (1 + z2))


def evenly(counts: Iterable[int]) -> float:
    """Return over how many places of the same size the same unevenness would be none: the exponent of the entropy."""
    some = [count for count in counts if count]
    total = sum(some)
    return math.exp(-sum(n / total * math.log(n / total) for n in some)) if total else 0.0
