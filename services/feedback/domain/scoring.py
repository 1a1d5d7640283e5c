"""How a month is scored: every unit by what is counted, and by what others had of the same.

From the record all units are scored together, which sets what they are held to; a ruling has one scored anew by that.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

from libs.common.city.scoring import Scoring
from libs.common.contracts.feedback import Standing
from services.feedback.domain.peers import (
    NORMAL,
    Cell,
    Expected,
    Fair,
    Matter,
    bands,
    expectations,
    fair,
    standard_of,
)
from services.feedback.domain.scores import Beside, Expectation, Publication, Score, Sums, Unit, Weights


@dataclass(frozen=True, slots=True)
class Edition:
    """What a publication from the record comes to."""

    publication: Publication
    expectations: list[Expectation]
    scores: list[Score]


def publish(
    publication: Publication,
    sums: Sequence[Sums],
    units: Mapping[str, Unit],
    before: Mapping[str, Score],
    beside: Mapping[str, Beside],
    rules: Scoring,
) -> Edition:
    """Score every unit that has counted answers, or earned points: where nobody had to ask there are no answers.

    `before` are the scores of the month before, by unit.
    """
    levels: dict[str, list[Cell]] = defaultdict(list)
    for one in sums:
        if not one.apart:
            levels[units[one.unit_code].level].append(one.cell(publication.weights))
    expected: dict[tuple[str, Matter], float] = {}
    standards = []
    period, version = publication.period, publication.version
    for level, cells in sorted(levels.items()):
        of_level = expectations(cells, rules.strength)
        standards.append(standard_of(level, cells, of_level, rules.strength, rules.margin))
        expected |= of_level
    publication = replace(publication, standards=tuple(standards))
    grouped, mine = _grouped(units, sums, rules.peers), _of_unit(sums)
    scores = [
        score(
            publication, (code, grouped.get(code, units[code])), mine.get(code, ()), expected, before.get(code),
            beside.get(code, Beside()), rules,
        )
        for code in sorted({*mine, *(code for code, points in beside.items() if points.earned)})
    ]  # fmt: skip
    kept = [
        Expectation(period, version, cell.unit, *cell.matter, expected[cell.unit, cell.matter], cell.rows, cell.points)
        for cells in levels.values()
        for cell in cells
        if (cell.unit, cell.matter) in expected
    ]
    return Edition(publication, kept, scores)


def _of_unit(sums: Iterable[Sums]) -> dict[str, list[Sums]]:
    units: dict[str, list[Sums]] = defaultdict(list)
    for one in sums:
        units[one.unit_code].append(one)
    return units


def _grouped(units: Mapping[str, Unit], sums: Iterable[Sums], size: int) -> dict[str, Unit]:
    """Return the units with the group of peers each is in, by how much they had to do."""
    volumes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in sums:
        volumes[units[one.unit_code].level][one.unit_code] += one.counted
    numbers = {code: number for of_level in volumes.values() for code, number in bands(of_level, size).items()}
    return {code: replace(units[code], peers=number) for code, number in numbers.items()}


def score(
    publication: Publication,
    unit: tuple[str, Unit],
    sums: Sequence[Sums],
    expected: Expected,
    before: Score | None,
    beside: Beside,
    rules: Scoring,
) -> Score:
    """Score one unit by its counted answers; `unit` is its code and what it is."""
    (code, what), weights = unit, publication.weights
    usual = [one.cell(weights) for one in sums if not one.apart]
    standard = publication.standard(what.level)
    judged = fair(usual, expected, standard) if standard else None
    made = Score(
        publication.period, publication.version, code, what.name, what.level, what.peers, **_rates(sums, weights),
        apart=sum(one.counted for one in sums if one.apart), apart_total=_total(sums, weights, apart=True),
        earned=beside.earned, deducted=beside.deducted,
    )  # fmt: skip
    if judged is None:
        return made
    made = replace(
        made, usual=judged.rows, expected=judged.expected, fair=judged.score, low=judged.low, high=judged.high,
        error=judged.error, standing=_standing(judged, rules),
    )  # fmt: skip
    return _grown(made, before)


def _rates(sums: Sequence[Sums], weights: Weights) -> dict[str, Any]:
    """Return the three rates over all that counts, and the shares in time of those whose clock is known."""
    counted = sum(one.counted for one in sums)
    if not counted:
        return {"counted": 0}
    named = ("responded", "solved", "satisfied")
    in_time = {
        f"{clock}_in_time": _share(
            sum(getattr(one, f"{clock}_in_time") for one in sums), sum(getattr(one, f"{clock}_known") for one in sums)
        )
        for clock in ("response", "completion")
    }
    rates = {name: sum(getattr(one, name) for one in sums) / counted for name in named}
    total = sum(getattr(weights, name) * rate for name, rate in rates.items())
    return {"counted": counted, **rates, "total": total, **in_time}


def _total(sums: Iterable[Sums], weights: Weights, *, apart: bool) -> float | None:
    mine = [one for one in sums if one.apart is apart]
    return _share(sum(one.points(weights) for one in mine), sum(one.counted for one in mine))


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _standing(judged: Fair, rules: Scoring) -> Standing:
    if judged.rows < rules.least:
        return "few"
    reach = NORMAL * judged.error
    if judged.excess + reach < -rules.margin:
        return "below"
    return "above" if judged.excess - reach > rules.margin else "usual"


def _grown(made: Score, before: Score | None) -> Score:
    """Put beside the level how it moved since the month before; a city that improves takes all its units along."""
    if before is None or None in {made.fair, before.fair}:
        return made
    growth = _number(made.fair) - _number(before.fair)
    reach = NORMAL * sqrt(sum(_number(one.error) ** 2 for one in (made, before)))
    return replace(made, growth=growth, growth_low=growth - reach, growth_high=growth + reach)


def _number(value: float | None) -> float:
    return value or 0.0
