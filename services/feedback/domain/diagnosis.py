"""A diagnosis of a unit's month: what falls short, against whom, in which categories most, and what helped others.

It is what a unit reads instead of a place in a list. A category falls short by what the unit's answers in it gave less
than others had with the same matters; its helpers are units of the kind that had more than was expected of them there.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import Literal

from libs.common.city.kpis import Kpi
from libs.common.city.scoring import Scoring
from libs.common.contracts.vocabulary import UnitRef
from services.feedback.domain.kpis import Figure
from services.feedback.domain.peers import NORMAL, Expected
from services.feedback.domain.proactive import Done
from services.feedback.domain.scores import Expectation, Score, Sums, Weights

CATEGORIES = 3
HELPERS = 3
SLOWER = 1.5
"""So many times as long as the median of its peers is what is called slower."""
RATES: tuple[Literal["responded", "solved", "satisfied", "response_in_time", "completion_in_time"], ...] = (
    "responded", "solved", "satisfied", "response_in_time", "completion_in_time",
)  # fmt: skip
OF_MAIL = ("solved", "satisfied")
"""The rates that hang on how hard the matters are that a unit is sent."""
PRACTICES = ("contacted", "contact_p50", "signing_in_time", "resolve_p50", "evidence", "whole_reply", "reopened")
"""What units do, rather than what comes of it: KPIs of the rounds they resolved."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A figure that is worse than that of others, beyond chance; `count` is on how much the unit's own rests."""

    kpi: str
    own: float
    others: float
    count: int


@dataclass(frozen=True, slots=True)
class Helper:
    """A unit that did well in a category: its answers there, their mean, and what was expected of it."""

    unit: UnitRef
    answers: int
    value: float
    expected: float


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A category in which a unit fell short. `lost`: so many answers' worth; `practices`: what helpers do better."""

    category: tuple[str, str]
    answers: int
    value: float
    expected: float
    lost: float
    helpers: tuple[Helper, ...] = ()
    practices: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What there is to say of a unit's month. `against` are its peers; `gaps` are to their median.

    `ahead` is what it did before anyone asked, None if nothing that counts.
    """

    score: Score
    ahead: Done | None
    against: tuple[UnitRef, ...]
    gaps: tuple[Gap, ...]
    categories: tuple[Shortfall, ...]


def peers_of(score: Score, scores: Iterable[Score]) -> list[Score]:
    """Return the other units of its kind in its group that have answers."""
    group = (score.level, score.peers)
    return [
        one for one in scores if (one.level, one.peers) == group and one.counted and one.unit_code != score.unit_code
    ]


def rate_gaps(score: Score, peers: Sequence[Score], weights: Weights, rules: Scoring) -> list[Gap]:
    """Return the rates in which a unit falls short of the median of its peers, the widest gap first; none of few.

    In what hangs on how hard the mail is, it may be lower by as much as its mail is harder than theirs; where that is
    not known, nothing is said of it.
    """
    if score.counted < rules.least:
        return []
    gaps, harder = [], _harder(score, peers)
    for name in RATES:
        theirs = [value for one in peers if (value := getattr(one, name)) is not None]
        own = getattr(score, name)
        if not theirs or own is None or (name in OF_MAIL and harder is None):
            continue
        allowed = (harder or 0.0) / (weights.solved + weights.satisfied) if name in OF_MAIL else 0.0
        if _falls_short(own, median(theirs) - allowed, score.counted, rules):
            gaps.append(Gap(name, own, median(theirs), score.counted))
    return sorted(gaps, key=lambda gap: gap.own - gap.others)


def _harder(score: Score, peers: Iterable[Score]) -> float | None:
    """Return by how much less is to be expected of the total of a unit than of its peers', 0 at least."""
    theirs = [one.expected for one in peers if one.expected is not None]
    return max(0.0, median(theirs) - score.expected) if theirs and score.expected is not None else None


def _falls_short(own: float, others: float, count: int, rules: Scoring) -> bool:
    """Say whether a share is lower by more than the margin and than chance would have it.

    Chance is that of a share between the two: where all others did all, one slip would else be beyond any.
    """
    between = (own + others) / 2
    reach = NORMAL * sqrt(between * (1 - between) / count) if count else 1.0
    return others - own > max(rules.margin, reach)


def shortfalls(sums: Iterable[Sums], expected: Expected, weights: Weights, rules: Scoring) -> list[Shortfall]:
    """Return the categories (levels 1 and 2) that cost a unit most against what was expected, the dearest first.

    Of a category with few answers, or short by no more than the margin, nothing is said.
    """
    rows: dict[tuple[str, str], int] = defaultdict(int)
    points: dict[tuple[str, str], float] = defaultdict(float)
    hoped: dict[tuple[str, str], float] = defaultdict(float)
    for one in sums:
        known = expected.get((one.unit_code, one.matter))
        if one.apart or known is None:
            continue
        category = one.category1, one.category2
        rows[category] += one.counted
        points[category] += one.points(weights)
        hoped[category] += known * one.counted
    found = [
        Shortfall(category, n, points[category] / n, hoped[category] / n, hoped[category] - points[category])
        for category, n in rows.items()
    ]
    short = [one for one in found if one.answers >= rules.least and one.expected - one.value > rules.margin]
    return sorted(short, key=lambda one: (-one.lost, one.category))[:CATEGORIES]


def helpers(
    had: Iterable[Expectation], names: Mapping[str, str], own: str, rules: Scoring
) -> tuple[Helper, ...]:  # fmt: skip
    """Return the units that did best in a category against what was expected of them, few answers weighing less."""
    units: dict[str, list[Expectation]] = defaultdict(list)
    for one in had:
        if one.unit_code != own:
            units[one.unit_code].append(one)
    ranked = []
    for code, of_unit in units.items():
        rows = sum(one.rows for one in of_unit)
        value = sum(one.points for one in of_unit) / rows
        hoped = sum(one.expected * one.rows for one in of_unit) / rows
        if rows >= rules.least and value - hoped > rules.margin:
            weight = (value - hoped) * rows / (rows + rules.strength)
            ranked.append((-weight, code, Helper(UnitRef(code=code, name=names[code]), rows, value, hoped)))
    return tuple(helper for _, _, helper in sorted(ranked, key=lambda one: one[:2])[:HELPERS])


def practices(
    figures: Iterable[Figure], kpis: Mapping[str, Kpi], own: str, rules: Scoring
) -> tuple[Gap, ...]:  # fmt: skip
    """Return in what the helpers' median is better than the unit; figures are by unit."""
    of_own: dict[str, Figure] = {}
    of_others: dict[str, list[float]] = defaultdict(list)
    for figure in figures:
        if figure.group[0] == own:
            of_own[figure.kpi] = figure
        elif figure.value is not None:
            of_others[figure.kpi].append(figure.value)
    gaps = []
    for code, theirs in of_others.items():
        mine = of_own.get(code)
        if mine and mine.value is not None and _is_worse(mine, median(theirs), kpis[code], rules):
            gaps.append(Gap(code, mine.value, median(theirs), mine.count))
    return tuple(gaps)


def _is_worse(own: Figure, others: float, kpi: Kpi, rules: Scoring) -> bool:
    value = own.value or 0.0
    if kpi.unit == "hours":
        return value > SLOWER * others
    if kpi.good == "low":
        return _falls_short(1 - value, 1 - others, own.count, rules)
    return _falls_short(value, others, own.count, rules)
