"""How well work goes without asking 过程质量: an index of what happened, weighted by what citizens said of such work.

What is known of each round (contact, time, returns, what came again, what the reply says and how plainly) enters a
logistic regression on the answers there are; the index is 100 times the chance of a "yes, solved" that it gives. It is
shown beside the rates with its own interval and weight, and is no part of any of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, sqrt

from libs.common.contracts.vocabulary import UnitRef

NORMAL = 1.96


@dataclass(frozen=True, slots=True)
class Metrics:
    """How well a model tells solved from not, on answers it was not fitted on.

    `auc` with the bounds of 95 %; `expected` and `found`: the mean index and the share of yes in fifths of the answers,
    from the lowest index to the highest.
    """

    auc: float
    low: float
    high: float
    expected: tuple[float, ...]
    found: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of features, fitted on `answers` up to `until`, of which the share `solved` said yes.

    A feature enters as (value - center) / scale, as 0 where it is not known; `weights` has the constant first, and so
    has `covariance`, that of the weights. `worth`: so many answers of a unit say as much of it as the index does.
    """

    version: int
    made_at: datetime
    until: datetime
    answers: int
    solved: float
    features: tuple[str, ...]
    centers: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    worth: float
    metrics: Metrics

    def parts(self, values: Mapping[str, float | None]) -> dict[str, float]:
        """Return what each feature adds to the log-odds of a yes, or takes off."""
        ways = zip(self.features, self.centers, self.scales, self.weights[1:], strict=True)
        known = ((name, center, scale, weight, values.get(name)) for name, center, scale, weight in ways)
        return {name: 0.0 if v is None else weight * (v - center) / scale for name, center, scale, weight, v in known}

    def index(self, values: Mapping[str, float | None]) -> float:
        """Return the index of one round, 0 to 100."""
        return 100 / (1 + exp(-self.weights[0] - sum(self.parts(values).values())))

    def error(self, gradient: Sequence[float]) -> float:
        """Return the standard error of a mean chance that the weights make, by its gradient (delta method)."""
        pairs = zip(gradient, self.covariance, strict=True)
        return sqrt(max(0.0, sum(one * sum(map(float.__mul__, row, gradient)) for one, row in pairs)))


@dataclass(frozen=True, slots=True)
class UnitQuality:
    """The rounds a unit resolved in a month: their mean chance of a yes, its error, and what was answered."""

    period: str
    unit_code: str
    unit_name: str
    version: int
    rounds: int
    expected: float
    error: float
    answers: int
    solved: int
    counted_at: datetime

    @property
    def unit(self) -> UnitRef:
        """Which unit."""
        return UnitRef(code=self.unit_code, name=self.unit_name)

    @property
    def bounds(self) -> tuple[float, float]:
        """The index between its bounds of 95 %, 0 to 100."""
        reach = NORMAL * self.error
        return 100 * max(0.0, self.expected - reach), 100 * min(1.0, self.expected + reach)

    @property
    def rate(self) -> float | None:
        """The share of the answers that say it is solved; None without any."""
        return self.solved / self.answers if self.answers else None

    def weight(self, worth: float) -> float:
        """How much of the two together the index has, 1 without an answer: worth / (worth + answers)."""
        return worth / (worth + self.answers) if worth + self.answers else 1.0

    def together(self, worth: float) -> float:
        """The index and the answers together, each by its weight, 0 to 100."""
        weight = self.weight(worth)
        return 100 * (weight * self.expected + (1 - weight) * (self.rate or 0.0))


def mean_error(spread: float, rounds: int, of_weights: float) -> float:
    """Return the standard error of a mean of so many chances that differ by a variance, and of the weights with it."""
    return sqrt(spread / max(rounds, 1) + of_weights**2)
