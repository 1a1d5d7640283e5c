"""Whose work an appeal is: the rules of routing in force, tried in order, over an index of the city's units.

Source of the order: Beijing's practice of 接诉即办. A duty that is clear goes straight to its department or company, a
neighbourhood matter to the street where it happens, what has no clear owner to the district, the rest to a person.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from libs.common.city.catalogue import Question
from libs.common.city.pack import City, Unit
from libs.common.city.places import PlaceResolver
from libs.common.contracts.vocabulary import Location, Place, UnitRef
from services.dispatch.domain import Load, Matter, Opinion, Route, Tried
from services.dispatch.routing.rules import Index, Schedule

_START = datetime.min.replace(tzinfo=UTC)
_SAID = {"zh": ("协办：", "地点依据：", "、"), "en": ("Co-handlers: ", "Known by: ", ", ")}
"""What comes before the co-handlers and the words that told the place, and what joins either."""
_LED = {
    "zh": "按本市以往同类诉求的最终承办单位，由{unit}主办（把握{sure:.0%}）",
    "en": "What was like it went to {unit} in the end: it leads (sure by {sure:.0%})",
}
LEARNED = "learned"
"""What stands for a rule where the second opinion leads."""


class SecondOpinion(Protocol):
    """What learned from a city's history whom matters went to: it is asked beside the rules, and only shown."""

    def __call__(self, matter: Matter) -> Sequence[tuple[str, float]]:
        """Return unit codes with their probabilities, the likeliest first; none if it has no opinion."""


@dataclass(frozen=True, slots=True)
class Account:
    """A route with what led to it: the rules that were tried, and what a second opinion takes for the lead."""

    route: Route
    tried: tuple[Tried, ...]
    opinions: tuple[Opinion, ...]


class Router:
    """Routes appeals in one city; safe to share. What is in force, and how busy units are, jobs put in as a whole."""

    def __init__(self, city: City) -> None:
        """Index the units, questions, places and rules of the city once; some milliseconds."""
        self.city = city
        self.schedule = Schedule([(_START, Index(city.rules, city))])
        self.loads: Mapping[str, Load] = {}
        self.learned: SecondOpinion | None = None
        language = "zh" if city.default_language == "zh" else "en"
        self._joint_work, self._known_by, self._comma = _SAID[language]
        self._led = _LED[language]
        self._centre = next(unit for unit in city.units.values() if unit.kind == "centre")
        self._refs = {code: UnitRef(code=code, name=unit.name.zh) for code, unit in city.units.items()}
        self.names = {code: {"zh": unit.name.zh, "en": unit.name.en} for code, unit in city.units.items()}
        self._by_code = city.catalogue.by_code
        self._by_category = {question.category: question for question in city.catalogue}
        self._places = PlaceResolver(city)

    def route(self, matter: Matter, at: datetime | None = None, index: Index | None = None) -> Route:
        """Return where an appeal goes at a moment, by the first rule that applies, of those in force or of `index`.

        Without a moment, rules that are bound to a time do not apply.
        """
        rules = index or self.schedule.at(at)
        choice = rules.choose(matter, at, self.loads)
        drawn = tuple(unit.code for unit in choice.co_handlers)
        if drawn:
            matter = replace(matter, co_handlers=tuple(dict.fromkeys((*matter.co_handlers, *drawn))))
        why = list(self._reasons(choice.why, matter.place))
        ruled = self._route(choice.lead, choice.rule.id, why, matter, rules.version)
        opinions = self.opinions(matter)
        if not opinions:
            return ruled
        ruled = replace(ruled, agrees=opinions[0].unit == ruled.unit)
        return self._learned_route(ruled, choice.lead, matter, opinions) or ruled

    def _learned_route(self, ruled: Route, lead: Unit, matter: Matter, opinions: Sequence[Opinion]) -> Route | None:
        """Return the route by the second opinion where the city lets it lead; what the rules name is tried next."""
        best = opinions[0]
        if ruled.agrees or matter.outside or lead is self._centre or not self._may_lead(best, lead):
            return None
        unit = self.city.units[best.unit.code]
        why = [self._led.format(unit=best.unit.name, sure=best.probability), *ruled.why]
        route = self._route(unit, LEARNED, why, replace(matter, co_handlers=()), ruled.rules)
        others = (ruled.unit, *(opinion.unit for opinion in opinions[1:]), *route.alternatives)
        alternatives = tuple(other for other in dict.fromkeys(others) if other != route.unit)
        co_handlers = tuple(other for other in ruled.co_handlers if other != route.unit)
        return replace(route, co_handlers=co_handlers, alternatives=alternatives, agrees=False)

    def _may_lead(self, opinion: Opinion, lead: Unit) -> bool:
        """Whether the city lets it lead instead: any unit, or one that stands below the one the rules name."""
        routing = self.city.routing
        if routing.learned_leads == "never" or opinion.probability < routing.learned_sure:
            return False
        above = self.city.units[opinion.unit.code].parent
        while routing.learned_leads == "below" and above and above != lead.code:
            above = self.city.units[above].parent
        return bool(above)

    def account(self, matter: Matter, at: datetime, index: Index | None = None) -> Account:
        """Return a route with the rules that were tried on the way, and the second opinion on it."""
        tried = (index or self.schedule.at(at)).tried(matter, at, self.loads)
        return Account(self.route(matter, at, index), tuple(tried), self.opinions(matter))

    def opinions(self, matter: Matter) -> tuple[Opinion, ...]:
        """Return what a second opinion takes for the lead, if there is one, of units the city has."""
        found = self.learned(matter) if self.learned else ()
        return tuple(Opinion(self._refs[code], probability) for code, probability in found if code in self._refs)

    def chosen(self, code: str, rule: str, why: str, matter: Matter) -> Route | None:
        """Return the route to a unit that a person chose, or None if the city has no such unit."""
        unit = self.city.units.get(code)
        return self._route(unit, rule, [why], matter) if unit else None

    def next_unit(self, matter: Matter, tried: Collection[str], at: datetime | None = None) -> str:
        """Return the code of the likeliest unit that has not been tried; the centre's when none is left."""
        route = self.route(matter, at)
        return next((u.code for u in (route.unit, *route.alternatives) if u.code not in tried), self._centre.code)

    def unit(self, code: str) -> UnitRef | None:
        """Return a unit of the city by its code."""
        return self._refs.get(code)

    def question(self, code: str) -> Question | None:
        """Return the question of the city's catalogue with this code."""
        return self._by_code.get(code)

    def question_of(self, category: tuple[str, str, str]) -> Question | None:
        """Return the question of the city's catalogue with these three levels."""
        return self._by_category.get(category)

    def matter(self, question: Question, words: str, location: Location | None) -> Matter:
        """Return what a question amounts to at the place that `words` (address, text) or a point tell."""
        found = self._places.resolve(words, (location.lat, location.lon) if location else None)
        place = found.told if found else None
        return matter_at(question, place, outside=found is not None and found.outside)

    def called(self, matter: Matter, *words: str | None) -> Matter:
        """Return a matter with the units that title, text and address, as far as there are any, call by name."""
        found = self.city.named.called(matter.code, "\n".join(filter(None, words)))
        return replace(matter, named=found.unit, venue=found.venue) if found.unit or found.venue else matter

    def _route(self, lead: Unit, rule: str, why: list[str], matter: Matter, rules: str = "") -> Route:
        co_handlers = self._known(code for code in matter.co_handlers if code != lead.code)
        if co_handlers:
            why.append(self._joint_work + self._comma.join(unit.name for unit in co_handlers))
        return Route(
            unit=self._refs[lead.code],
            co_handlers=co_handlers,
            rule=rule,
            why=tuple(why),
            alternatives=self._alternatives(lead, matter),
            desk=lead is self._centre,
            district=lead.district or (matter.place.district or None if matter.place else None),
            rules=rules,
        )

    def _alternatives(self, lead: Unit, matter: Matter) -> tuple[UnitRef, ...]:
        """Return who else may be right: above the lead, by the catalogue, who shares the duty, place and centre."""
        above = [lead.parent] if lead.parent and lead.parent != self._centre.code else []
        place = matter.place
        local = [place.street or "", f"d-{place.district}"] if place else []
        owner = [matter.owner] if matter.owner else []
        codes = dict.fromkeys([*above, *owner, *matter.co_handlers, *local, self._centre.code])
        return self._known(code for code in codes if code != lead.code)

    def _known(self, codes: Iterable[str]) -> tuple[UnitRef, ...]:
        """Return the units of these codes; classify may know a newer city pack."""
        return tuple(self._refs[code] for code in codes if code in self._refs)

    def _reasons(self, sentence: str, place: Place | None) -> Iterator[str]:
        yield sentence
        if place and place.matched:
            yield self._known_by + self._comma.join(place.matched)


def matter_at(question: Question, place: Place | None, *, outside: bool) -> Matter:
    """Return what decides the route of a question at a place."""
    return Matter(
        question.owner_kind, question.owner, question.co_handlers, place, outside,
        code=question.code, category=question.category, urgency=question.urgency, kind=question.kind,
    )  # fmt: skip
