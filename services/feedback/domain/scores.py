"""Scores of a month, published version by version: the three rates of each unit, and beside them a fair score.

A publication is numbered. One that is made from the record (`base` is its own number) sets what all units are held to;
one that a ruling makes changes one unit and is held to the standards of its base, so that nothing else moves.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.city.seasons import Bonus
from libs.common.contracts.feedback import ScorePublished, Standing
from libs.common.contracts.vocabulary import UnitRef
from services.feedback.domain.peers import Cell, Matter, Standard

Reason = Literal["due", "hand", "appeal", "exclusion", "deduction"]
"""Why a version was published: the month was over, a person asked for the record as it is by now, or a ruling: on an
appeal of the unit, on what enters no rate, on points."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What each of the three rates gives to the total, 1 together."""

    responded: float
    solved: float
    satisfied: float


@dataclass(frozen=True, slots=True)
class Publication:
    """One version of a month's scores, and all that its figures hang on beside the answers that it counts."""

    period: str
    version: int
    base: int
    reason: Reason
    at: datetime
    by: str
    weights: Weights
    standards: tuple[Standard, ...]
    bonus: Bonus

    def standard(self, level: str) -> Standard | None:
        """Return what units of a kind are held to."""
        return next((one for one in self.standards if one.level == level), None)


@dataclass(frozen=True, slots=True)
class Sums:
    """A unit's counted answers of one matter, set apart or not. `squares` is the sum of the squares of their points."""

    unit_code: str
    category1: str
    category2: str
    urgency: str
    district: str
    apart: bool
    counted: int
    responded: int
    solved: int
    satisfied: int
    squares: float
    response_known: int
    response_in_time: int
    completion_known: int
    completion_in_time: int

    @property
    def matter(self) -> Matter:
        """What the answers are about."""
        return Matter(self.category1, self.category2, self.urgency, self.district)

    def points(self, weights: Weights) -> float:
        """Return what the answers give to the total, together."""
        of = ((weights.responded, self.responded), (weights.solved, self.solved), (weights.satisfied, self.satisfied))
        return sum(weight * rows for weight, rows in of)

    def cell(self, weights: Weights) -> Cell:
        """Return them as a fair score takes them."""
        return Cell(self.unit_code, self.matter, self.counted, self.points(weights), self.squares)


@dataclass(frozen=True, slots=True)
class Counted:
    """One answer that is counted."""

    ticket_id: UUID
    round: int
    responded: bool
    solved: bool
    satisfied: bool
    response_in_time: bool | None
    completion_in_time: bool | None
    apart: bool


@dataclass(frozen=True, slots=True)
class Score:
    """A unit's figures of a month since a version, as shares; None where nothing counts.

    `peers` numbers its group among its kind (`level`). `usual` answers make the fair score, of which `expected` is what
    others would have had with the same matters, `low` and `high` the bounds of 95 %, `error` its error. `apart`
    answers have a total of their own. `growth` is that of the fair score since the month before, with its bounds.
    Points out of 100: `earned` by work before the appeal, `deducted` by rulings.
    """

    period: str
    version: int
    unit_code: str
    unit_name: str
    level: str
    peers: int
    counted: int
    responded: float | None = None
    solved: float | None = None
    satisfied: float | None = None
    total: float | None = None
    response_in_time: float | None = None
    completion_in_time: float | None = None
    usual: int = 0
    expected: float | None = None
    fair: float | None = None
    low: float | None = None
    high: float | None = None
    error: float | None = None
    standing: Standing = "few"
    apart: int = 0
    apart_total: float | None = None
    growth: float | None = None
    growth_low: float | None = None
    growth_high: float | None = None
    earned: float = 0.0
    deducted: float = 0.0

    @property
    def unit(self) -> UnitRef:
        """Whose score it is."""
        return UnitRef(code=self.unit_code, name=self.unit_name)

    @property
    def points(self) -> float | None:
        """The total out of 100 with what was earned and what was deducted, 0 at least; None without a total."""
        return None if self.total is None else max(0.0, 100 * self.total + self.earned - self.deducted)

    @property
    def told(self) -> ScorePublished:
        """What is said of it."""
        return ScorePublished(
            unit=self.unit, period=self.period, version=self.version, responded=self.responded, solved=self.solved,
            satisfied=self.satisfied, total=self.total, counted=self.counted, fair=self.fair, standing=self.standing,
            earned=self.earned, deducted=self.deducted, points=self.points,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Beside:
    """Points out of 100 that stand beside a unit's total: earned by work before the appeal, deducted by rulings."""

    earned: float = 0.0
    deducted: float = 0.0


@dataclass(frozen=True, slots=True)
class Unit:
    """A scored unit: its name, its kind, and the number of its group of peers."""

    name: str
    level: str
    peers: int = 0


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was expected of an answer of a unit in a matter, how many it had of it, and what they gave together."""

    period: str
    base: int
    unit_code: str
    category1: str
    category2: str
    urgency: str
    district: str
    expected: float
    rows: int
    points: float

    @property
    def matter(self) -> Matter:
        """What the answers are about."""
        return Matter(self.category1, self.category2, self.urgency, self.district)


def changed(scores: Sequence[Score], earlier: Mapping[str, Score], version: int) -> list[Score]:
    """Return the scores whose figures are not those of an earlier version, empty ones of units that lost all."""
    of_none = [
        Score(old.period, version, old.unit_code, old.unit_name, old.level, old.peers, 0, deducted=old.deducted)
        for code, old in earlier.items()
        if code not in {one.unit_code for one in scores}
    ]
    now = {one.unit_code: one for one in (*scores, *of_none)}
    return [one for code, one in now.items() if code not in earlier or one != replace(earlier[code], version=version)]


def ranked(scores: Iterable[Score]) -> dict[str, int]:
    """Return the place of each unit in its group of peers by its fair score; one with too few answers has none."""
    groups: dict[tuple[str, int], list[Score]] = defaultdict(list)
    for one in scores:
        if one.standing != "few":
            groups[one.level, one.peers].append(one)
    return {
        one.unit_code: 1 + sum((other.fair or 0.0) > (one.fair or 0.0) for other in group)
        for group in groups.values()
        for one in group
    }
