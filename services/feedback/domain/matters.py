"""What is counted of a matter: appeals on one question in one week and district, and what that comes to.

Weeks begin on Monday in the city's time. A month has the weeks whose Thursday lies in it, as in ISO 8601, so that
months are compared by whole weeks.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import TypeVar

from services.feedback.domain.periods import Period, before

K = TypeVar("K")
WEEK = timedelta(days=7)
_TO_THURSDAY = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Tally:
    """Appeals, how many of them had it happen, and what their reporters said last; ruled-out ones count nowhere.

    `linked` repeat another, `supported` have the same trouble of others with them, `again` came back after their end
    though nobody had said that it was not solved; `repeated` is any of these. `returned`: a unit gave it back.
    """

    tickets: int = 0
    linked: int = 0
    supported: int = 0
    again: int = 0
    repeated: int = 0
    returned: int = 0
    answered: int = 0
    solved: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Return both together."""
        return Tally(*(getattr(self, name) + getattr(other, name) for name in _TALLIED))


_TALLIED = [field.name for field in fields(Tally)]


@dataclass(frozen=True, slots=True)
class Matter:
    """A question, or several of one group, in a month. `category` is its group, levels 1 and 2.

    `districts` are appeals by district, `streets` how many streets and towns it came from in a week, in the mean,
    `weekly` appeals of each week before and in the month, `season` the months it gathers in, `hot` the weeks in which
    it was a hot event.
    """

    codes: tuple[str, ...]
    category: tuple[str, str]
    tally: Tally
    districts: Mapping[str, int] = field(default_factory=dict)
    streets: float = 0.0
    weekly: Mapping[date, int] = field(default_factory=dict)
    season: frozenset[int] = frozenset()
    hot: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class HotWeeks:
    """The weeks of a hot event. `levels` go as far down as it does; of one question, or of a new word, `code` tells."""

    code: str
    levels: tuple[str, ...]
    weeks: frozenset[date]

    def of(self, code: str, category: tuple[str, str]) -> bool:
        """Say whether it was of this question."""
        if len(self.levels) in {1, 2}:
            return category[: len(self.levels)] == self.levels
        return code == self.code


def joined(matters: Collection[Matter]) -> Matter:
    """Return questions of one group as one matter, the one that most raise first; its season is that of the first."""
    ranked = sorted(matters, key=lambda one: -one.tally.tickets)
    return Matter(
        codes=tuple(code for one in ranked for code in one.codes), category=ranked[0].category,
        tally=sum((one.tally for one in ranked), Tally()), districts=added(one.districts for one in ranked),
        # They may come from the same streets: as many as the widest has, at least.
        streets=max(one.streets for one in ranked), weekly=added(one.weekly for one in ranked), season=ranked[0].season,
        hot=frozenset().union(*(one.hot for one in ranked)),
    )  # fmt: skip


def added(counts: Iterable[Mapping[K, int]]) -> dict[K, int]:
    """Return counts by the same keys together."""
    sums: dict[K, int] = {}
    for some in counts:
        for key, count in some.items():
            sums[key] = sums.get(key, 0) + count
    return sums


def weeks_of(month: Period) -> tuple[date, ...]:
    """Return the Mondays of the weeks of a month."""
    first = monday_of(month.first)
    if first + _TO_THURSDAY < month.first:
        first += WEEK
    weeks = [first]
    while weeks[-1] + WEEK + _TO_THURSDAY < month.after:
        weeks.append(weeks[-1] + WEEK)
    return tuple(weeks)


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def months_before(month: Period, count: int) -> list[Period]:
    """Return so many months before one, the latest first."""
    found = [month]
    for _ in range(count):
        found.append(before(found[-1]))
    return found[1:]


def since(weekly: Mapping[date, int], weeks: Iterable[date], known: Collection[date]) -> date:
    """Return the first week from which on a matter was about as frequent as now: never below half of it, by fours."""
    judged = sorted(weeks)
    half = sum(weekly.get(week, 0) for week in judged) / len(judged) / 2
    first = judged[0]
    while True:
        block = [first - WEEK * number for number in range(1, 5)]
        if not all(week in known for week in block) or sum(weekly.get(week, 0) for week in block) < 4 * half:
            return first
        first = block[-1]
