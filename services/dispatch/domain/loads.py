"""How much work units have, how fast they do it, and how much will come.

The pace of a unit is what it resolves on a working day: the median of the last four weeks, or the mean where that is
less than one. What will come is the level of the last two weeks times a profile of the week, which is measured over
eight and drawn towards flat by two days' worth; a public holiday counts as a Sunday, a weekend that is worked as a
Monday. Eight of ten days should lie in the interval: normal, with the variance of a Poisson law times how much more the
unit's days varied than that. All of it plain statistics and defaults of this project.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, median

from libs.common.city.days import DayKind
from libs.common.contracts.vocabulary import Urgency
from services.dispatch.domain.orders import State

PACE_DAYS, LEVEL_DAYS, PROFILE_DAYS, LEAST_DAYS = 28, 14, 56, 14
AHEAD_DAYS = 7
_FLAT = 2.0
_EIGHT_OF_TEN = 1.2816
AGES = ((1, "under_1_day"), (3, "1_to_3_days"), (7, "3_to_7_days"))
OLDEST = "over_7_days"
Kinds = Callable[[date], DayKind]
"""What kind of day a date is, where the city is."""


@dataclass(frozen=True, slots=True)
class Day:
    """What came to a unit and what it resolved on a day of the city."""

    day: date
    arrived: int
    resolved: int


@dataclass(frozen=True, slots=True)
class Open:
    """Open orders of a unit that are alike: how many, by state, class and whole days since they came to it."""

    state: State
    urgency: Urgency
    age: int
    orders: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """How many orders may come on a day, and between which numbers that lies on eight days of ten."""

    day: date
    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Work:
    """A unit's work. `per_day` is what it resolves on a working day, `days` how many such days are in hand.

    Both are None without four weeks' news of it; without two weeks there is no forecast.
    """

    open: int
    by_state: Mapping[str, int]
    by_urgency: Mapping[str, int]
    by_age: Mapping[str, int]
    per_day: float | None
    days: float | None
    forecast: tuple[Forecast, ...]


def work(open_: Sequence[Open], days: Sequence[Day], today: date, kind_of: Kinds) -> Work:
    """Put together what is known of a unit. `days` are those it had anything on, in order."""
    orders = sum(one.orders for one in open_)
    per_day = pace(days, today, kind_of)
    return Work(
        open=orders,
        by_state=_counts((one.state, one.orders) for one in open_),
        by_urgency=_counts((one.urgency, one.orders) for one in open_),
        by_age=_counts((_age(one.age), one.orders) for one in open_),
        per_day=per_day,
        days=round(orders / per_day, 1) if per_day else None,
        forecast=forecast(days, today, kind_of),
    )


def pace(days: Sequence[Day], today: date, kind_of: Kinds) -> float | None:
    """Return how many orders a unit resolves on a working day; None if it resolved none."""
    first = max(today - timedelta(days=PACE_DAYS), days[0].day if days else today)
    resolved = {one.day: one.resolved for one in days}
    counts = [resolved.get(day, 0) for day in _between(first, today) if kind_of(day) == "work"]
    if not counts or not any(counts):
        return None
    usual = median(counts)
    return round(usual if usual >= 1 else fmean(counts), 2)


def forecast(
    days: Sequence[Day], today: date, kind_of: Kinds, ahead: int = AHEAD_DAYS
) -> tuple[Forecast, ...]:  # fmt: skip
    """Return how many orders will come from today on; nothing if less than two weeks are known."""
    first = max(today - timedelta(days=PROFILE_DAYS), days[0].day if days else today)
    known = list(_between(first, today))
    arrived = {one.day: one.arrived for one in days}
    counts = [arrived.get(day, 0) for day in known]
    if len(known) < LEAST_DAYS or not any(counts):
        return ()
    weekdays = [_weekday(day, kind_of(day)) for day in known]
    shape = _profile(weekdays, counts)
    level = sum(counts[-LEVEL_DAYS:]) / sum(shape[weekday] for weekday in weekdays[-LEVEL_DAYS:])
    spread = _spread(weekdays, counts, shape)
    coming = [today + timedelta(days=step) for step in range(ahead)]
    return tuple(_expected(day, level * shape[_weekday(day, kind_of(day))], spread) for day in coming)


def _profile(weekdays: Sequence[int], counts: Sequence[int]) -> list[float]:
    """Return how much of a mean day comes on each day of the week, Monday first."""
    mean = fmean(counts)
    sums, numbers = [0.0] * 7, [0] * 7
    for weekday, count in zip(weekdays, counts, strict=True):
        sums[weekday] += count / mean
        numbers[weekday] += 1
    return [(total + _FLAT) / (number + _FLAT) for total, number in zip(sums, numbers, strict=True)]


def _spread(weekdays: Sequence[int], counts: Sequence[int], shape: Sequence[float]) -> float:
    """Return by how much days vary more than a Poisson law has it; at least as much."""
    mean = fmean(counts)
    usual = [mean * shape[weekday] for weekday in weekdays]
    return max(1.0, fmean((count - fit) ** 2 / fit for count, fit in zip(counts, usual, strict=True)))


def _expected(day: date, mean: float, spread: float) -> Forecast:
    reach = _EIGHT_OF_TEN * (mean * spread) ** 0.5
    return Forecast(day, round(mean, 1), round(max(0.0, mean - reach), 1), round(mean + reach, 1))


def _weekday(day: date, kind: DayKind) -> int:
    """Return as which day of the week a date counts, Monday as 0."""
    if kind == "holiday":
        return 6
    return 0 if kind == "work" and day.weekday() >= 5 else day.weekday()


def _between(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=step) for step in range((last - first).days))


def _age(days: int) -> str:
    return next((name for under, name in AGES if days < under), OLDEST)


def _counts(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, count in pairs:
        counts[name] = counts.get(name, 0) + count
    return counts
