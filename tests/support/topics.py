"""The record of a city that does not exist: class problems are in it that topics should be, and what only looks so.

Appeals on 300 questions of the pack's catalogue, week by week, made from a seed. Five problems are planted, one of them
as three questions of one group; beside them are questions of a season, in the pack's list of seasons or not, a burst in
one district, a question that many ask and nearly all are content with, and one of few appeals with the worst answers.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

from libs.common.city.pack import City
from services.feedback.domain import Case, Review
from services.feedback.domain.candidates import Month
from services.feedback.domain.matters import WEEK, Matter, Tally, monday_of, weeks_of
from services.feedback.domain.periods import Period
from services.feedback.store.cases import CASES
from services.feedback.store.reviews import REVIEWS

OF_A_GROUP = 5
LARGE = 50.0
BATCH = 5_000
NOON = time(4)
"""In Beijing, by UTC."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How a question comes: appeals a week, times as many in months of its season, and what becomes of them.

    `evenness`: 1 is like the city, 0 in one district. `grows`: times as many at the end, from half of the time on.
    """

    code: str
    weekly: float
    season: frozenset[int] = frozenset()
    seasonal: float = 1.0
    grows: float = 1.0
    burst: float = 1.0
    evenness: float = 1.0
    solved: float = 0.8
    linked: float = 0.08
    again: float = 0.02
    returned: float = 0.06


@dataclass(frozen=True, slots=True)
class Came:
    """One appeal: when and where it came, what it was part of, what its reporter said; None without an answer."""

    day: date
    code: str
    district: str
    street: str
    linked: bool
    again: bool
    returned: bool
    solved: bool | None


@dataclass(frozen=True, slots=True)
class Town:
    """Its questions' habits, which groups the planted problems are in by what they are like, and the decoys' groups."""

    habits: tuple[Habit, ...]
    planted: dict[str, tuple[str, str]]
    decoys: dict[str, tuple[str, str]]
    districts: tuple[tuple[str, tuple[str, ...]], ...]


def town(city: City, seed: int = 1, questions: int = 300) -> Town:
    """Return a town with its problems. Each planted problem, and each decoy, has a group of questions to itself.

    What becomes of a decoy's appeals is what becomes of the city's, but for the one of few.
    """
    random = Random(seed)
    groups = _groups(city, random, questions)
    habits = {code: _plain(code, random) for codes in groups.values() for code in codes}
    seasonal = [name for name, codes in groups.items() if any(city.catalogue.by_code[c].season for c in codes)]
    always = [name for name in groups if name not in seasonal]
    chosen = random.sample(always, 9)
    planted = dict(zip(("unsolved", "growing", "coming back", "nobody's", "of a group"), chosen, strict=False))
    decoys = dict(zip(("hidden season", "burst", "content", "few"), chosen[5:], strict=True))
    _plant(habits, {name: groups[group] for name, group in planted.items()})
    _decoy(habits, {name: groups[group] for name, group in decoys.items()})
    for number, name in enumerate(seasonal):
        decoys[f"season {number}"] = name
        for code in groups[name]:
            season = city.catalogue.by_code[code].season
            habits[code] = Habit(code, habits[code].weekly, season, 8.0)
    return Town(tuple(habits.values()), planted, decoys, _districts(city))


def _groups(city: City, random: Random, questions: int) -> dict[tuple[str, str], list[str]]:
    """Return groups with their questions: those that begin in November, the others of the whole year."""
    winter: dict[tuple[str, str], list[str]] = {}
    always: dict[tuple[str, str], list[str]] = {}
    for question in city.catalogue:
        if 11 in question.season and 10 not in question.season:
            winter.setdefault((question.l1, question.l2), []).append(question.code)
        elif not question.season:
            always.setdefault((question.l1, question.l2), []).append(question.code)
    found = {name: codes[:OF_A_GROUP] for name, codes in winter.items() if len(codes) > 1}
    more = [name for name, codes in always.items() if len(codes) >= OF_A_GROUP and name not in found]
    for name in random.sample(more, len(more)):
        if sum(map(len, found.values())) < questions:
            found[name] = random.sample(always[name], OF_A_GROUP)
    return found


def _plain(code: str, random: Random) -> Habit:
    return Habit(
        code, weekly=random.lognormvariate(2.5, 0.6), evenness=random.choice((1.0, 1.0, 0.7, 0.4)),
        solved=min(0.95, max(0.6, random.gauss(0.8, 0.05))), linked=random.uniform(0.04, 0.12),
        again=random.uniform(0.0, 0.04), returned=random.uniform(0.02, 0.12),
    )  # fmt: skip


def _plant(habits: dict[str, Habit], groups: dict[str, list[str]]) -> None:
    def put(name: str, number: int = 0, **change: Any) -> None:
        code = groups[name][number]
        habits[code] = replace(habits[code], evenness=1.0, **change)

    put("unsolved", weekly=60, solved=0.45)
    put("growing", weekly=25, grows=3.0, solved=0.6)
    put("coming back", weekly=40, again=0.2, linked=0.25, solved=0.65)
    put("nobody's", weekly=35, returned=0.35, solved=0.55)
    for number in range(3):
        put("of a group", number, weekly=20, grows=1.6, linked=0.2, solved=0.5)


def _decoy(habits: dict[str, Habit], groups: dict[str, list[str]]) -> None:
    for code in groups["hidden season"]:
        habits[code] = Habit(code, habits[code].weekly, frozenset({11, 12, 1}), 5.0)
    burst, content, few = (groups[name][0] for name in ("burst", "content", "few"))
    habits[burst] = Habit(burst, weekly=20, burst=8.0, evenness=0.0)
    habits[content] = Habit(content, weekly=120, solved=0.9)
    habits[few] = replace(habits[few], weekly=6, solved=0.5, evenness=0.0)


def _districts(city: City) -> tuple[tuple[str, tuple[str, ...]], ...]:
    streets: dict[str, list[str]] = {}
    for unit in city.units.values():
        if unit.kind in {"street", "town"} and unit.district:
            streets.setdefault(unit.district, []).append(unit.code)
    return tuple((district, tuple(codes)) for district, codes in sorted(streets.items()))


def appeals(of: Town, first: date, weeks: int, seed: int = 2) -> Iterator[Came]:
    """Yield the appeals of so many weeks from a Monday on. All of the city grows by a tenth in that time."""
    random = Random(seed)
    weights = {habit.code: _weights(of, habit, random) for habit in of.habits}
    for number in range(weeks):
        monday, passed = first + number * WEEK, number / weeks
        for habit in of.habits:
            mean = habit.weekly * (1 + 0.1 * passed) * _times(habit, monday, passed, number == weeks - 2)
            for _ in range(poisson(mean * random.lognormvariate(0, 0.1), random)):
                yield _came(of, habit, monday, weights[habit.code], random)


def _times(habit: Habit, monday: date, passed: float, burst: bool) -> float:
    seasonal = habit.seasonal if (monday + timedelta(days=3)).month in habit.season else 1.0
    grown = math.pow(habit.grows, max(0.0, 2 * passed - 1))
    return seasonal * grown * (habit.burst if burst else 1.0)


def _weights(of: Town, habit: Habit, random: Random) -> list[float]:
    """Return how likely each district is: by its streets, or drawn towards some of them."""
    tilt = [random.random() ** (6 * (1 - habit.evenness)) if habit.evenness else 0.0 for _ in of.districts]
    if not habit.evenness:
        tilt[random.randrange(len(tilt))] = 1.0
    return [t * len(streets) for t, (_, streets) in zip(tilt, of.districts, strict=True)]


def _came(of: Town, habit: Habit, monday: date, weights: Sequence[float], random: Random) -> Came:
    ((district, streets),) = random.choices(of.districts, weights)
    return Came(
        day=monday + timedelta(days=random.randrange(7)), code=habit.code, district=district,
        street=random.choice(streets), linked=random.random() < habit.linked, again=random.random() < habit.again,
        returned=random.random() < habit.returned,
        solved=random.random() < habit.solved if random.random() < 0.6 else None,
    )  # fmt: skip


def poisson(mean: float, random: Random) -> int:
    """Return a count of such a mean; of a large one by the bell curve, which is as good there."""
    if mean > LARGE:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    count, left, product = 0, math.exp(-mean), random.random()
    while product > left:
        count, product = count + 1, product * random.random()
    return count


def judged(city: City, came: Iterable[Came], first: date, period: Period) -> Month:
    """Return what is judged of a month by a record that begins with a week."""
    weeks, counted = set(weeks_of(period)), dict[str, list[Came]]()
    for one in came:
        if one.day >= first:
            counted.setdefault(one.code, []).append(one)
    last = max(weeks)
    known = frozenset(first + number * WEEK for number in range((last - first) // WEEK + 1))
    streets = sum(unit.kind in {"street", "town"} for unit in city.units.values())
    return Month(period, [_counted(city, code, some, weeks) for code, some in counted.items()], known, streets)


def _counted(city: City, code: str, came: Sequence[Came], weeks: set[date]) -> Matter:
    question, now = city.catalogue.by_code[code], [one for one in came if monday_of(one.day) in weeks]
    series, districts = dict[date, int](), dict[str, int]()
    for one in came:
        series[monday_of(one.day)] = series.get(monday_of(one.day), 0) + 1
    for one in now:
        districts[one.district] = districts.get(one.district, 0) + 1
    tally = Tally(
        len(now), sum(one.linked for one in now), 0, sum(one.again for one in now),
        sum(one.linked or one.again for one in now), sum(one.returned for one in now),
        sum(one.solved is not None for one in now), sum(one.solved is True for one in now),
    )  # fmt: skip
    streets = len({(monday_of(one.day), one.street) for one in now}) / len(weeks)
    return Matter((code,), question.category[:2], tally, districts, streets, series, question.season)


async def keep(pool: Any, city: City, came: Iterable[Came]) -> int:
    """Write appeals into the record, with what became of each, and return how many."""
    count, cases, reviews = 0, list[Case](), list[Review]()
    for count, one in enumerate(came, 1):
        ticket = UUID(int=count)
        cases += _rounds(city, ticket, one)
        if one.solved is not None:
            reviews.append(_review(ticket, 2 if one.again else 1, one))
        if len(cases) >= BATCH:
            await _save(pool, cases, reviews)
    await _save(pool, cases, reviews)
    return count


async def _save(pool: Any, cases: list[Case], reviews: list[Review]) -> None:
    await CASES.save(pool, cases)
    await REVIEWS.save(pool, reviews)
    cases.clear()
    reviews.clear()


def _rounds(city: City, ticket: UUID, one: Came) -> list[Case]:
    question, unit = city.catalogue.by_code[one.code], city.units[one.street]
    case = Case(
        ticket, 1, number=str(ticket.int), channel="phone", kind="complaint", code=one.code,
        category=question.category, district=one.district, street=one.street,
        received_at=datetime.combine(one.day, NOON, UTC), parent=UUID(int=0) if one.linked else None,
        unit_code=unit.code, unit_name=unit.name.zh, returns=int(one.returned), ended="reopened" if one.again else None,
    )  # fmt: skip
    return [case, replace(case, round=2, ended=None)] if one.again else [case]


def _review(ticket: UUID, round_: int, one: Came) -> Review:
    at = datetime.combine(one.day, NOON, UTC)
    return Review(
        ticket, round_, ticket, "callback", "answered", at, at, "", contacted=True,
        resolved="yes" if one.solved else "no", satisfied=5 if one.solved else 1, answered_at=at, period=f"{at:%Y-%m}",
    )  # fmt: skip
