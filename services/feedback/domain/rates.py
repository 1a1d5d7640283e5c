"""The three rates 三率 of a unit in a month: responded, solved, satisfied, out of the answers that count.

What counts is an answered review, of every round, that no ruling excluded: a unit that says "done" too soon answers
for it in that round as well. Silence, withdrawn appeals, sensors and what a seat answered at once count for no unit.
"""

from dataclasses import dataclass

from libs.common.city.settings import Rates as Weights
from libs.common.contracts.vocabulary import UnitRef


@dataclass(frozen=True, slots=True)
class Tally:
    """A unit's answers of one month. `counted` of them count; the shares in time are of those whose clock is known.

    `responded`: the record says the unit spoke with the citizen. `solved`: the citizen says yes; partly is not solved.
    `satisfied`: 4 or 5 of 5.
    """

    unit: UnitRef
    counted: int
    responded: int
    solved: int
    satisfied: int
    response_in_time: float | None = None
    completion_in_time: float | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """The three rates and their weighted total, as fractions; None where nothing counts."""

    responded: float | None
    solved: float | None
    satisfied: float | None
    total: float | None


def rates(tally: Tally, weights: Weights) -> Rates:
    """Return the rates of a tally, the total weighted as the city sets."""
    if not tally.counted:
        return Rates(None, None, None, None)
    responded, solved, satisfied = (n / tally.counted for n in (tally.responded, tally.solved, tally.satisfied))
    total = weights.responded * responded + weights.solved * solved + weights.satisfied * satisfied
    return Rates(responded, solved, satisfied, total)
