"""Indices of the seven haves and five natures 七有五性 of districts: from what people ask for, and from what there is.

    solved      s = (yes + half of partly + m p) / (answers + m), p the share of the whole city, m the strength
    volume      v = 1 / (1 + r), r = (appeals + m) / (expected + m); expected are the city's appeals on the matter,
                shared out by population. 50 where there are as many as expected, more where there are fewer.
    coverage    c = the mean worth of the figures from outside, the last ones known by the end of the month
    index       100 (w1 s + w2 v + w3 c) / (w1 + w2 + w3), of the parts that are known

The interval of 95 % has what answers and appeals owe to chance: Beta for s, Poisson on the logarithm of r for v, none
for c. Both are shrunk by m towards the city, so that a small district is not shamed by few appeals.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import NamedTuple

from libs.common.city.indices import TAGS, Indices, People
from services.feedback.domain.anonymity import hidden

NORMAL = 1.96


@dataclass(frozen=True, slots=True)
class Counts:
    """The appeals of a month on one of TAGS in a district, and their answers; `solved` counts partly as half."""

    period: str
    district: str
    tag: str
    appeals: int
    answers: int
    solved: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """A figure from outside: of an indicator in a district on a day, and who says so."""

    indicator: str
    district: str
    as_of: date
    value: float
    source: str


class Part(NamedTuple):
    """One part of an index, 0 to 1, with its standard error."""

    value: float
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class Index:
    """The index of a district on a matter, 0 to 100 between `low` and `high`; None of these where there is too little.

    `appeals` and `answers` are None where they are too few to be told, or would tell of others that are. A part is
    None where it is not known; `figures` are those that its coverage rests on.
    """

    district: str
    tag: str
    value: float | None
    low: float | None
    high: float | None
    appeals: int | None
    answers: int | None
    solved: float | None
    volume: float | None
    coverage: float | None
    figures: tuple[Coverage, ...] = ()

    @property
    def too_few(self) -> bool:
        """Whether there were too few appeals or answers for an index."""
        return self.value is None


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole city on one matter."""

    appeals: int
    answers: int
    solved: float
    hidden: frozenset[str]


def indices(
    counts: Iterable[Counts], rules: Indices, population: Mapping[str, People], coverage: Iterable[Coverage]
) -> list[Index]:
    """Return the index of each district on each matter of which anything is known, in order."""
    by_tag: dict[str, dict[str, Counts]] = defaultdict(dict)
    for one in counts:
        by_tag[one.tag][one.district] = one
    figures: dict[tuple[str, str], list[Coverage]] = defaultdict(list)
    for figure in coverage:
        if indicator := rules.by_code.get(figure.indicator):
            figures[figure.district, indicator.tag].append(figure)
    made = []
    for tag in TAGS:
        of_city = _whole(by_tag[tag], rules)
        for district in sorted({*by_tag[tag], *population, *(place for place, of in figures if of == tag)}):
            one = by_tag[tag].get(district, Counts("", district, tag, 0, 0, 0.0))
            made.append(_index(one, of_city, rules, population, tuple(figures[district, tag])))
    return made


def _whole(counts: Mapping[str, Counts], rules: Indices) -> Whole:
    every = counts.values()
    out = hidden({district: one.appeals for district, one in counts.items()}, rules.least)
    return Whole(sum(c.appeals for c in every), sum(c.answers for c in every), sum(c.solved for c in every), out)


def _index(
    one: Counts, of_city: Whole, rules: Indices, population: Mapping[str, People], figures: tuple[Coverage, ...]
) -> Index:
    few = one.appeals < rules.least or one.answers < rules.least
    covered = _coverage(rules, figures)
    parts = (
        (rules.weights.solved, None if few else _solved(one, of_city, rules)),
        (rules.weights.volume, None if few else _volume(one, of_city, rules, population)),
        (rules.weights.coverage, covered),
    )
    value, low, high = (None, None, None) if few else _together(parts)
    shown = one.appeals >= rules.least and one.district not in of_city.hidden
    solved, volume, cover = (None if part is None else round(100 * part.value, 1) for _, part in parts)
    return Index(
        one.district, one.tag, value, low, high, one.appeals if shown else None, None if few else one.answers, solved,
        volume, cover, figures,
    )  # fmt: skip


def _together(parts: Iterable[tuple[float, Part | None]]) -> tuple[float | None, float | None, float | None]:
    known = [(weight, part) for weight, part in parts if part is not None and weight]
    whole = sum(weight for weight, _ in known)
    if not whole:
        return None, None, None
    value = 100 * sum(weight * part.value for weight, part in known) / whole
    reach = 100 * NORMAL * sqrt(sum((weight * part.error) ** 2 for weight, part in known)) / whole
    return round(value, 1), round(max(0.0, value - reach), 1), round(min(100.0, value + reach), 1)


def _solved(one: Counts, of_city: Whole, rules: Indices) -> Part:
    strength = rules.strength
    share = (one.solved + strength * of_city.solved / of_city.answers) / (one.answers + strength)
    return Part(share, sqrt(share * (1 - share) / (one.answers + strength + 1)))


def _volume(one: Counts, of_city: Whole, rules: Indices, population: Mapping[str, People]) -> Part | None:
    mine = population.get(one.district)
    if mine is None:
        return None
    expected = of_city.appeals * mine.people / sum(place.people for place in population.values())
    ratio = (one.appeals + rules.strength) / (expected + rules.strength)
    value = 1 / (1 + ratio)
    return Part(value, value * (1 - value) / sqrt(one.appeals + rules.strength))


def _coverage(rules: Indices, figures: tuple[Coverage, ...]) -> Part | None:
    if not figures:
        return None
    return Part(sum(rules.by_code[figure.indicator].worth(figure.value) for figure in figures) / len(figures))
