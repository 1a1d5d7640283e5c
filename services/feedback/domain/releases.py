"""What a month may tell of itself: its appeals in classes of at least k people, put together once and for all.

Everything that leaves the house of single appeals, extracts and the public map, is a choice of whole classes of one
release, so no two of them can be subtracted to find anybody (see anonymity.py). What tells who it was (time, place,
matter, channel) is the class; what happened to the appeal is told with it, in coarse steps.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from services.feedback.domain.anonymity import Person, classes

HOURS = (1, 4, 24, 72, 168, 360)
"""Times are told as within so many hours."""
LATER = "later"


@dataclass(frozen=True, slots=True)
class Class:
    """What an appeal is told by: its day, place, matter and channel; empty where it is told no finer."""

    day: str = ""
    district: str = ""
    street: str = ""
    category1: str = ""
    category2: str = ""
    category3: str = ""
    channel: str = ""


LADDER: Sequence[Callable[[Class], Class]] = (
    lambda one: one,
    lambda one: replace(one, day="", channel=""),
    lambda one: replace(one, day="", channel="", street=""),
    lambda one: replace(one, day="", channel="", street="", category3=""),
    lambda one: Class(district=one.district, category1=one.category1),
    lambda one: Class(category1=one.category1),
)
"""From fine to coarse: street and question of a day, of the month; the district; the group of questions; the city."""


@dataclass(frozen=True, slots=True)
class Course:
    """What happened to an appeal, each as a word, empty where it is not known or did not happen."""

    urgency: str = ""
    level: str = ""
    ended: str = ""
    resolved: str = ""
    satisfied: str = ""
    response_in_time: str = ""
    completion_in_time: str = ""
    contact_within: str = ""
    done_within: str = ""
    reopened: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """One appeal of the record: whose, by what it would be told, what happened, how many others have it too."""

    person: Person
    told_by: Class
    course: Course
    supporters: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """Appeals of one class that went alike: how many, and how many others had the same."""

    period: str
    day: str
    district: str
    street: str
    category1: str
    category2: str
    category3: str
    channel: str
    urgency: str
    level: str
    ended: str
    resolved: str
    satisfied: str
    response_in_time: str
    completion_in_time: str
    contact_within: str
    done_within: str
    reopened: str
    appeals: int
    supporters: int


@dataclass(frozen=True, slots=True)
class Release:
    """A month as it was put together: how many appeals it had, and of how many anything is told."""

    period: str
    made_at: datetime
    appeals: int
    told: int


def cells(period: str, appeals: Sequence[Told], k: int) -> list[Cell]:
    """Return the cells of a month's appeals on one level-1 category, whose classes are of at least `k` people."""
    made = classes([(one.person, one.told_by) for one in appeals], LADDER, k)
    counts: Counter[tuple[Class, Course]] = Counter()
    supporters: Counter[tuple[Class, Course]] = Counter()
    for one, told_by in zip(appeals, made, strict=True):
        if told_by is not None:
            counts[told_by, one.course] += 1
            supporters[told_by, one.course] += one.supporters
    return [
        Cell(period, **asdict(told_by), **asdict(course), appeals=count, supporters=supporters[told_by, course])
        for (told_by, course), count in counts.items()
    ]


def within(begin: datetime | None, end: datetime | None) -> str:
    """Return within how many hours something was done; empty if it was not."""
    if begin is None or end is None:
        return ""
    hours = (end - begin).total_seconds() / 3600
    return next((str(step) for step in HOURS if hours <= step), LATER)


def yes_or_no(value: bool | None) -> str:
    """Return a fact as a word."""
    return "" if value is None else "yes" if value else "no"


@dataclass(frozen=True, slots=True)
class Spot:
    """A matter in a place of the public map: how many appeals, how many solved, how many others had the same."""

    district: str
    street: str
    category: tuple[str, str, str]
    appeals: int
    solved: int
    supporters: int

    @property
    def people(self) -> int:
        """How many have it: those who appealed, and those who said so too."""
        return self.appeals + self.supporters


def public(spots: Iterable[Spot], services: Mapping[tuple[str, str, str], object]) -> list[Spot]:
    """Return the spots whose matter is of public space, those of most people first."""
    open_to_all = (spot for spot in spots if spot.category in services)
    return sorted(open_to_all, key=lambda spot: (-spot.people, spot.district, spot.street, spot.category))
