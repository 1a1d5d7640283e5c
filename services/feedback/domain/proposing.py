"""Which work is proposed before anyone appeals, by rule: a season comes, a forecast is high, a street has it again.

Every number is the city's, from seasons.toml. Who is to act is whoever an appeal would be sent to: the owner of the
question by the catalogue, or the district or street where the place decides.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from libs.common.city.catalogue import Question
from libs.common.city.seasons import DISTRICT, OWNER, STREET, Season, Seasons, Work
from libs.common.city.units import Unit
from services.feedback.domain.forecasts import Forecast
from services.feedback.domain.proactive import Rule

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ground:
    """What the rules stand on: the city's units, questions and seasons, and where its days begin."""

    units: Mapping[str, Unit]
    questions: Mapping[str, Question]
    seasons: Seasons
    zone: ZoneInfo

    def end_of(self, day: date) -> datetime:
        """Return the last moment of a day in the city."""
        return self.start_of(day + DAY) - timedelta(seconds=1)

    def start_of(self, day: date) -> datetime:
        """Return the first moment of a day in the city."""
        return datetime.combine(day, time(), tzinfo=self.zone)

    def district_unit(self, district: str) -> Unit | None:
        """Return the unit of a district by its six digits."""
        return next((u for u in self.units.values() if u.kind == "district" and u.district == district), None)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Work that a rule asks for; the gravest have the greatest `weight`."""

    rule: Rule
    theme: str
    unit: Unit
    codes: tuple[str, ...]
    what: Mapping[str, str]
    why: Mapping[str, Any]
    by_day: date
    weight: float
    begins: date | None = None
    district: str | None = None
    street: str | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """How often one question came from one street, in how many different weeks."""

    code: str
    street: str
    appeals: int
    weeks: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """One piece of work before one season whose time has come: the season runs from `first` to `last`."""

    season: Season
    work: Work
    first: date
    last: date


def ahead(seasons: Seasons, day: date) -> list[Ahead]:
    """Return the work whose season begins in no more weeks than it takes, and has not begun."""
    found = []
    for season in seasons.seasons:
        # A season under way says nothing yet of the next: its turn comes when it is over.
        first, last = season.coming(day)
        found += [Ahead(season, w, first, last) for w in season.work if _due(first, w, day)]
    return found


def _due(first: date, work: Work, day: date) -> bool:
    return day < first <= day + work.lead


def season_work(ground: Ground, one: Ahead, last_year: Mapping[str, int]) -> Iterator[Proposal]:
    """Propose one piece of work to each unit that is to do it.

    `last_year` says how often its questions came from each district (six digits) and street (a unit's code) in the
    first weeks of the last such season; without any, every district acts, and no street.
    """
    questions = ground.seasons.questions[one.season.id]
    for unit, appeals in _actors(ground, one.work, questions, last_year):
        yield Proposal(
            "season", f"season/{one.season.id}/{one.first.year}/{one.season.work.index(one.work)}/{unit.code}", unit,
            tuple(question.code for question in questions), _both(one.work.what),
            {"season": _both(one.season.name), "begins": one.first.isoformat(), "appeals": appeals,
             "weeks": ground.seasons.effect.weeks},
            one.first - DAY, appeals, one.first,
            unit.district if one.work.by in {DISTRICT, STREET} else None,
            unit.code if one.work.by == STREET else None,
        )  # fmt: skip


def _actors(
    ground: Ground, work: Work, questions: Sequence[Question], last_year: Mapping[str, int]
) -> Iterator[tuple[Unit, int]]:
    least = ground.seasons.rules.season_least
    whole = sum(appeals for place, appeals in last_year.items() if place not in ground.units)
    if work.by == OWNER:
        owners = Counter(question.owner for question in questions if question.owner)
        yield from ((ground.units[owner], whole) for owner, _ in owners.most_common(1))
    elif work.by == DISTRICT:
        for unit in ground.units.values():
            appeals = last_year.get(unit.district or "", 0)
            if unit.kind == "district" and (appeals >= least or not last_year):
                yield unit, appeals
    elif work.by == STREET:
        found = ((ground.units.get(place), appeals) for place, appeals in last_year.items() if appeals >= least)
        yield from ((unit, appeals) for unit, appeals in found if unit and unit.kind in {"street", "town"})
    else:
        yield ground.units[work.by], whole


def surges(ground: Ground, forecasts: Iterable[Forecast], day: date) -> Iterator[Proposal]:
    """Propose work where the coming week is well above the usual one, by question, in a district.

    What is usual is the median of the weeks before; where the question's owner is a department or company, it acts.
    """
    rules = ground.seasons.rules
    for forecast in forecasts:
        week = forecast.weeks[0]
        if week < max(rules.surge_least, rules.surge_above * forecast.usual) or week <= forecast.usual:
            continue
        question, place = ground.questions.get(forecast.code), ground.district_unit(forecast.district)
        unit = _owner(ground, question, place) if question else None
        if question and place and unit:
            yield Proposal(
                "surge", f"surge/{question.code}/{forecast.district}", unit, (question.code,), {},
                {"matter": {"zh": question.l3, "en": question.name_en}, "place": _both(place.name),
                 "expected": round(week), "usual": round(forecast.usual)},
                (ground.start_of(day) + rules.surge_by).date(), week / max(forecast.usual, 1.0),
                district=forecast.district,
            )  # fmt: skip


def places(ground: Ground, troubles: Iterable[Trouble], day: date, *, last_year: bool) -> Iterator[Proposal]:
    """Propose work where one street has one trouble again and again: now, or a year ago in the weeks to come."""
    rules = ground.seasons.rules
    for trouble in troubles:
        question, place = ground.questions.get(trouble.code), ground.units.get(trouble.street)
        unit = _owner(ground, question, place) if question else None
        if question and place and unit:
            yield Proposal(
                "places", f"places/{question.code}/{place.code}", unit, (question.code,), {},
                {"matter": {"zh": question.l3, "en": question.name_en}, "place": _both(place.name),
                 "appeals": trouble.appeals, "weeks": trouble.weeks, "last_year": int(last_year)},
                (ground.start_of(day) + rules.places_by).date(), trouble.appeals,
                district=place.district, street=place.code,
            )  # fmt: skip


def _owner(ground: Ground, question: Question, place: Unit | None) -> Unit | None:
    """Return who acts on a question at a place: its owner, or the district or street; nobody for the centre's own."""
    if question.owner_kind in {"department", "company"}:
        return ground.units.get(question.owner or "")
    if question.owner_kind == "district" and place:
        return ground.district_unit(place.district or "")
    return place if question.owner_kind == "street" else None


def gravest(proposals: Iterable[Proposal], most: int) -> list[Proposal]:
    """Return so many proposals of each rule, the gravest of them; of those of one theme the gravest alone."""
    kept: dict[str, Proposal] = {}
    by_rule: Counter[Rule] = Counter()
    for one in sorted(proposals, key=lambda proposal: (-proposal.weight, proposal.theme)):
        # A season concerns who it concerns: its work is not cut off after the first.
        if one.theme not in kept and (one.rule == "season" or by_rule[one.rule] < most):
            kept[one.theme] = one
            by_rule[one.rule] += 1
    return list(kept.values())


def _both(name: Any) -> dict[str, str]:
    return {"zh": name.zh, "en": name.en}
