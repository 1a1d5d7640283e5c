"""seasons.toml: what comes back every year, what can be done before it, by whom; and how such work is proposed.

未诉先办, to act before anyone appeals. A pack without the file has the one beside this module, which knows no seasons.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass as plain
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self

from holidays import country_holidays
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from libs.common.city.catalogue import Catalogue, Question
from libs.common.city.problems import Problems, read_toml
from libs.common.city.settings import Name, Span
from libs.common.city.units import Unit

FILE = "seasons.toml"
GENERAL = Path(__file__).with_name(FILE)
OWNER, DISTRICT, STREET = "owner", "district", "street"
_STRICT = ConfigDict(extra="forbid")
_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_NEW_YEAR = "Chinese New Year (Spring Festival)"

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Points = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1, le=10**6)]


def _of_a_year(text: str) -> str:
    # A year without a 29 February, so that the day is there in each.
    if not _DAY.fullmatch(text) or not _exists(f"2001-{text}"):
        raise ValueError("should be a month and a day that every year has, such as 11-15")
    return text


def _exists(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


DayOfYear = Annotated[str, AfterValidator(_of_a_year)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Work:
    """What can be done before a season, by whom, and in how many weeks before.

    `by` is a unit's code; or `owner`, who owns the questions by the catalogue; or `district` or `street`, each one that
    had enough such appeals last year.
    """

    by: str
    what: Name
    weeks_before: Annotated[int, Field(ge=1, le=26)]

    @property
    def lead(self) -> timedelta:
        """How long before the season it is time for it."""
        return timedelta(weeks=self.weeks_before)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Season:
    """A time of the year and the questions that gather in it: names of any level, or the beginnings of codes.

    It runs from `begins` to `ends`, over the turn of the year if need be; or `around` the first day of the Spring
    Festival, from so many days before it to so many behind.
    """

    id: Id
    name: Name
    categories: Annotated[tuple[str, ...], Field(min_length=1)]
    work: Annotated[tuple[Work, ...], Field(min_length=1)]
    begins: DayOfYear | None = None
    ends: DayOfYear | None = None
    around: tuple[Annotated[int, Field(ge=0, le=60)], Annotated[int, Field(ge=0, le=60)]] | None = None

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if (self.around is None) is not (self.begins is not None and self.ends is not None):
            raise ValueError("should have begins and ends, or around")
        return self

    def span(self, year: int) -> tuple[date, date]:
        """Return the first and the last day of the season that begins in a year; around a festival, of its year."""
        if self.around:
            first = _spring_festival(year)
            return first - timedelta(days=self.around[0]), first + timedelta(days=self.around[1])
        first = date.fromisoformat(f"{year}-{self.begins}")
        last = date.fromisoformat(f"{year}-{self.ends}")
        return first, last if last >= first else date.fromisoformat(f"{year + 1}-{self.ends}")

    def coming(self, day: date) -> tuple[date, date]:
        """Return the span of the season that is under way or comes next."""
        return next(span for year in range(day.year - 1, day.year + 3) if (span := self.span(year))[1] >= day)


@lru_cache(maxsize=256)
def _spring_festival(year: int) -> date:
    named = country_holidays("CN", years=year, language="en_US")
    return min(day for day, name in named.items() if name == _NEW_YEAR)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Rules:
    """When work is proposed; seasons.toml says what each number is."""

    surge_above: Annotated[float, Field(gt=1, le=100)] = 1.5
    surge_least: Count = 20
    surge_by: Span = timedelta(days=5)
    places_least: Count = 6
    places_weeks: Annotated[int, Field(ge=1, le=60)] = 3
    places_within: Annotated[Span, Field(le=timedelta(days=180))] = timedelta(days=28)
    places_by: Span = timedelta(days=14)
    season_least: Count = 10
    again: Span = timedelta(days=60)
    most: Annotated[int, Field(ge=1, le=1000)] = 20


@dataclass(frozen=True, slots=True, config=_STRICT)
class Effect:
    """For how many weeks after the work its appeals are counted, and from how many before on something is said."""

    weeks: Annotated[int, Field(ge=2, le=26)] = 8
    least: Count = 10


@dataclass(frozen=True, slots=True, config=_STRICT)
class Bonus:
    """Points for work done before anyone asked: in time, with evidence; more where its effect is proven."""

    done: Points = 0.2
    evidence: Annotated[int, Field(ge=0, le=100)] = 1
    proven: Points = 0.3
    most: Points = 2.0


@dataclass(frozen=True, slots=True, config=_STRICT)
class _File:
    season: tuple[Season, ...] = ()
    rules: Rules = Rules()
    effect: Effect = Effect()
    bonus: Bonus = Bonus()


@plain(frozen=True, slots=True)
class Seasons:
    """The whole of seasons.toml; `questions` has those of each season by its id, in the order of the catalogue."""

    seasons: tuple[Season, ...]
    questions: Mapping[str, tuple[Question, ...]]
    rules: Rules
    effect: Effect
    bonus: Bonus


_FILE = TypeAdapter(_File)


def load_seasons(
    folder: Path, units: Mapping[str, Unit], catalogue: Catalogue, problems: Problems
) -> Seasons | None:  # fmt: skip
    """Read the file of a pack; None when it cannot be used, with the reasons noted."""
    path = folder / FILE
    read = read_toml(path if path.is_file() else GENERAL, _FILE, problems)
    if read is None:
        return None
    questions = {season.id: _questions(season, catalogue, problems) for season in read.season}
    if len(questions) < len(read.season):
        problems.add(FILE, "a season should stand here once; ids are unique")
    for season in read.season:
        for work in season.work:
            if work.by not in {OWNER, DISTRICT, STREET} and work.by not in units:
                problems.add(
                    f"{FILE} {season.id} by", f"{work.by!r} should be owner, district, street or a unit's code"
                )
    return Seasons(read.season, questions, read.rules, read.effect, read.bonus)


def _questions(season: Season, catalogue: Catalogue, problems: Problems) -> tuple[Question, ...]:
    for said in season.categories:
        if not any(_is_about(said, question) for question in catalogue):
            problems.add(
                f"{FILE} {season.id} categories", f"{said!r} should be a name of the catalogue, or begin a code"
            )
    return tuple(question for question in catalogue if any(_is_about(said, question) for said in season.categories))


def _is_about(said: str, question: Question) -> bool:
    return said in question.category or question.code == said or question.code.startswith(f"{said}-")
