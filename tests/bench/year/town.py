"""A city of moderate size for a year, made from a seed: what its people appeal about, its units, and what is planted.

Four districts of the pack with their streets and towns, and the departments and companies that own the chosen
questions. How good a unit is, how hard a question is and what is wrong with either is known here alone; of all that
the service under evaluation hears nothing but events.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import accumulate
from random import Random
from typing import Literal

from libs.common.city.catalogue import Question
from libs.common.city.pack import City
from libs.common.contracts.vocabulary import UnitRef

Manner = Literal["plain", "lazy", "false", "small", "hard"]
Problem = Literal["unsolved", "growing", "coming back", "nobody's", "of a group"]
DISTRICTS = ("110101", "110102", "110105", "110106")
GROUPS, OWNED_GROUPS, OF_A_GROUP = 22, 16, 4
FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
BEGINS: dict[Problem, date] = {
    "unsolved": date(2025, 1, 1), "growing": date(2025, 6, 1), "coming back": date(2025, 3, 1),
    "nobody's": date(2025, 5, 1), "of a group": date(2025, 8, 1),
}  # fmt: skip
"""From when each problem is one."""
FALSE_SHARE = 0.3
"""Of the rounds of a false closer."""
LAZY_SKILL = -0.15


@dataclass(frozen=True, slots=True)
class Matter:
    """One question: how often it is asked beside the others, and what comes of it when a plain unit has it.

    `repeated`: so many appeals repeat an open one of the same street. `returned`: so many orders are sent back.
    `owner` is the unit whose duty it is everywhere; None where it is the street's.
    """

    question: Question
    often: float
    solved: float
    hard: bool
    repeated: float = 0.04
    returned: float = 0.03
    owner: str | None = None
    problem: Problem | None = None

    def is_problem(self, day: date) -> bool:
        """Say whether what is planted in it has begun."""
        return self.problem is not None and day >= BEGINS[self.problem]

    def often_on(self, day: date) -> float:
        """Return how often it is asked on a day: more in its season, and more and more where it grows."""
        times = 4.0 if day.month in self.question.season else 1.0
        if self.problem == "growing" and self.is_problem(day):
            times *= 1 + min(2.5, 0.5 * (day - BEGINS["growing"]).days / 30)
        if self.problem == "of a group" and self.is_problem(day):
            times *= 1.6
        return self.often * times


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: how it works, and by how much more than others it solves of the same matters."""

    ref: UnitRef
    kind: str
    district: str | None
    manner: Manner
    skill: float
    volume: float


@dataclass(frozen=True, slots=True)
class Town:
    """The city: its questions, its units by code, and its streets with what each has to do of easy and hard matters."""

    matters: tuple[Matter, ...]
    units: dict[str, Unit]
    streets: tuple[Unit, ...]
    of_easy: tuple[float, ...] = field(default=())
    of_hard: tuple[float, ...] = field(default=())

    def weights(self, day: date) -> list[float]:
        """Return the accumulated weights of the questions on a day."""
        return list(accumulate(matter.often_on(day) for matter in self.matters))

    def with_manner(self, *manners: Manner) -> set[str]:
        """Return the codes of the units that work so."""
        return {code for code, unit in self.units.items() if unit.manner in manners}


def town(city: City, seed: int) -> Town:
    """Return the city of a seed."""
    random = Random(f"town {seed}")
    matters = _planted(_matters(city, random), random)
    streets = _streets(city, random)
    owners = sorted({matter.owner for matter in matters if matter.owner})
    owned = _owners(city, owners, matters, random)
    units = {unit.ref.code: unit for unit in (*streets, *owned)}
    easy, hard = [], []
    for unit in streets:
        tilt = 5.0 if unit.manner == "hard" else 1.0
        easy.append(unit.volume * (0.35 if unit.manner == "hard" else 1.0))
        hard.append(unit.volume * tilt)
    return Town(tuple(matters), units, tuple(streets), tuple(accumulate(easy)), tuple(accumulate(hard)))


def _matters(city: City, random: Random) -> list[Matter]:
    """Return questions in whole groups: those of streets, and those of some departments and companies."""
    groups: dict[tuple[str, str, str], list[Question]] = {}
    for question in city.catalogue:
        # What belongs to a district's own offices is left out: sixteen units of a kind of their own tell little.
        if question.owner_kind in {"street", "department", "company"} and question.kind != "praise":
            groups.setdefault((question.l1, question.l2, question.owner or ""), []).append(question)
    whole = [group for group in groups.values() if len(group) >= OF_A_GROUP]
    of_streets = [group for group in whole if group[0].owner is None]
    of_owners = [group for group in whole if group[0].owner]
    chosen = random.sample(of_streets, min(GROUPS, len(of_streets))) + random.sample(of_owners, OWNED_GROUPS)
    level1 = sorted({group[0].l1 for group in chosen if group[0].owner is None})
    hard = set(random.sample(level1, max(2, len(level1) // 4)))
    made = []
    for group in chosen:
        base = random.gauss(0.55, 0.03) if group[0].l1 in hard else random.gauss(0.79, 0.04)
        for question in random.sample(group, OF_A_GROUP):
            share = 1.0 if question.owner is None else 0.75
            made.append(
                Matter(question, share * random.lognormvariate(0, 0.5), min(0.93, base + random.gauss(0, 0.02)),
                       question.l1 in hard, random.uniform(0.01, 0.06), random.uniform(0.01, 0.05), question.owner)
            )  # fmt: skip
    return made


def _planted(matters: Sequence[Matter], random: Random) -> list[Matter]:
    """Return the questions with five class problems in them, each in a group of easy ones, none of a season."""
    groups: dict[tuple[str, str], list[int]] = {}
    for number, matter in enumerate(matters):
        groups.setdefault((matter.question.l1, matter.question.l2), []).append(number)
    plain = [
        numbers
        for numbers in groups.values()
        if not any(matters[n].hard or matters[n].question.season or matters[n].owner for n in numbers)
    ]
    made = list(matters)
    for problem, numbers in zip(BEGINS, random.sample(plain, len(BEGINS)), strict=True):
        for number in numbers[: 3 if problem == "of a group" else 1]:
            often = {"unsolved": 2.4, "growing": 1.5, "coming back": 2.0, "nobody's": 2.0, "of a group": 1.2}[problem]
            made[number] = replace(made[number], often=often, problem=problem)
    return made


def _streets(city: City, random: Random) -> list[Unit]:
    """Return the streets and towns: five lazy, four false closers, eight with hard mail, fourteen small."""
    found = [u for u in city.units.values() if u.kind in {"street", "town"} and u.district in DISTRICTS]
    planted: dict[Manner, int] = {"lazy": 5, "false": 4, "hard": 8, "small": 14}
    manners = [manner for manner, count in planted.items() for _ in range(count)]
    manners += ["plain"] * (len(found) - len(manners))
    random.shuffle(manners)
    return [
        Unit(
            UnitRef(code=u.code, name=u.name.zh), u.kind, u.district, manner, _skill(manner, random),
            0.22 if manner == "small" else random.lognormvariate(0, 0.3),
        )
        for u, manner in zip(found, manners, strict=True)
    ]  # fmt: skip


def _skill(manner: Manner, random: Random) -> float:
    if manner == "lazy":
        return LAZY_SKILL
    return random.gauss(0.02, 0.01) if manner in {"hard", "small"} else random.gauss(0, 0.02)


def _owners(city: City, codes: Sequence[str], matters: Sequence[Matter], random: Random) -> list[Unit]:
    """Return the departments and companies: one lazy, one a false closer; hard mail is what their duty brings."""
    hard = {code for code in codes if all(matter.hard for matter in matters if matter.owner == code)}
    lazy, false = random.sample([code for code in codes if code not in hard], 2)
    made, special = [], dict[str, Manner]({lazy: "lazy", false: "false"})
    for code in codes:
        known = city.units[code]
        manner = special.get(code, "hard" if code in hard else "plain")
        made.append(Unit(UnitRef(code=code, name=known.name.zh), known.kind, None, manner, _skill(manner, random), 1.0))
    return made
