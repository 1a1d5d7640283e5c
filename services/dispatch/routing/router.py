"""Whose work an appeal is: the rules of routing in force, tried in order, over an index of the city's units.

Source of the order: Beijing's practice of 接诉即办. A duty that is clear goes straight to its department or company, a
neighbourhood matter to the street where it happens, what has no clear owner to the district, the rest to a person.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from libs.common.city.catalogue import Question
from libs.common.city.pack import City, Unit
from libs.common.city.places import PlaceResolver
from libs.common.city.units import acting
from libs.common.contracts.vocabulary import Location, Place, UnitRef
from services.dispatch.domain import Load, Matter, Opinion, Order, Route, Tried
from services.dispatch.routing.rules import Index, Schedule
from services.dispatch.routing.telling import TELLING

_START = datetime.min.replace(tzinfo=UTC)
LEARNED = "learned"
"""What stands for a rule where the second opinion leads."""
SUCCEEDED = "succeeded"
"""What stands for a rule where a lead is no more, and who has its duties leads on."""


class SecondOpinion(Protocol):
    """What learned from a city's history whom matters went to: beside the rules, or leading where the city lets it."""

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
        self._zone = ZoneInfo(city.timezone)
        self._comma = TELLING.say(city.default_language, "words", "joined")
        self._joint_work, self._known_by = self.reason("co_handlers"), self.reason("place")
        self._ending = frozenset(code for code, unit in city.units.items() if unit.until)
        self._centre = next(unit for unit in city.units.values() if unit.kind == "centre")
        self._refs = {code: UnitRef(code=code, name=unit.name.zh) for code, unit in city.units.items()}
        self.names = {code: {"zh": unit.name.zh, "en": unit.name.en} for code, unit in city.units.items()}
        self._by_code = city.catalogue.by_code
        self._by_category = {question.category: question for question in city.catalogue}
        self._places = PlaceResolver(city)

    def route(
        self, matter: Matter, at: datetime | None = None, index: Index | None = None,
        opinions: Sequence[Opinion] | None = None,
    ) -> Route:  # fmt: skip
        """Return where an appeal goes at a moment, by the first rule that applies, of those in force or of `index`.

        Without a moment, rules that are bound to a time do not apply. `opinions` are asked now if they are left out.
        """
        rules = index or self.schedule.at(at)
        choice = rules.choose(matter, at, self.loads)
        drawn = tuple(unit.code for unit in choice.co_handlers)
        if drawn:
            matter = replace(matter, co_handlers=tuple(dict.fromkeys((*matter.co_handlers, *drawn))))
        why = list(self._reasons(choice.why, matter.place))
        ruled = self._route(choice.lead, choice.rule.id, why, matter, at, rules.version)
        opinions = self.opinions(matter, at) if opinions is None else opinions
        if not opinions:
            return ruled
        ruled = replace(ruled, agrees=opinions[0].unit == ruled.unit)
        return self._learned_route(ruled, choice.lead, matter, opinions, at) or ruled

    def _learned_route(
        self, ruled: Route, lead: Unit, matter: Matter, opinions: Sequence[Opinion], at: datetime | None
    ) -> Route | None:
        """Return the route by the second opinion where the city lets it lead; what the rules name is tried next."""
        best = opinions[0]
        if ruled.agrees or matter.outside or lead is self._centre or not self._may_lead(best, lead):
            return None
        unit = self.city.units[best.unit.code]
        why = [self.reason(LEARNED, unit=best.unit.name, sure=f"{best.probability:.0%}"), *ruled.why]
        route = self._route(unit, LEARNED, why, replace(matter, co_handlers=()), at, ruled.rules)
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
        tried, opinions = (index or self.schedule.at(at)).tried(matter, at, self.loads), self.opinions(matter, at)
        return Account(self.route(matter, at, index, opinions), tuple(tried), opinions)

    def opinions(self, matter: Matter, at: datetime | None = None) -> tuple[Opinion, ...]:
        """Return what a second opinion takes for the lead, if there is one, of units the city has, or who follows."""
        found = self.learned(matter) if self.learned else ()
        known = ((self._acting(code, at), probability) for code, probability in found if code in self._refs)
        return tuple(Opinion(self._refs[unit.code], probability) for unit, probability in known)

    def chosen(self, code: str, rule: str, why: str, matter: Matter, at: datetime | None = None) -> Route | None:
        """Return the route to a unit that a person chose, or who has its duties; None if the city has no such unit."""
        if code not in self.city.units:
            return None
        return self._route(self._acting(code, at), rule, [why], matter, at)

    def kept(self, order: Order, at: datetime) -> Route:
        """Return the route by which an order stays with the lead that signed, or goes to who has its duties by now."""
        known = order.unit_code in self.city.units
        unit = self._acting(order.unit_code, at) if known else None
        if unit is None or unit.code == order.unit_code:
            return Route(
                order.unit, order.co_handlers, order.rule, order.why, (), order.desk, order.district, order.rules
            )
        ref, others = self._refs[unit.code], (one for one in order.co_handlers if one.code != unit.code)
        why = self.reason(SUCCEEDED, before=order.unit_name, unit=ref.name)
        return Route(ref, tuple(others), SUCCEEDED, (why,), (), unit is self._centre, unit.district or order.district)

    def again(self, round_: int, unit: UnitRef, *, settled: bool) -> str:
        """Say who leads in a further round: `settled`, as it signed before."""
        return self.reason("responsible" if settled else "again", round=round_, unit=unit.name)

    def reason(self, name: str, **said: object) -> str:
        """Return why an order has its lead where no rule says it, in the city's language."""
        return TELLING.say(self.city.default_language, "why", name, **said)

    def acting(self, code: str, at: datetime) -> Unit | None:
        """Return the unit of this code, or who has its duties at a moment; None if the city has no such unit."""
        return self._acting(code, at) if code in self.city.units else None

    def _acting(self, code: str, at: datetime | None) -> Unit:
        if at is None or code not in self._ending:
            return self.city.units[code]
        return acting(self.city.units, code, at.astimezone(self._zone).date()) or self.city.units[code]

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

    def _route(
        self, lead: Unit, rule: str, why: list[str], matter: Matter, at: datetime | None, rules: str = ""
    ) -> Route:
        co_handlers = self._known(matter.co_handlers, lead, at)
        if co_handlers:
            why.append(self._joint_work + self._comma.join(unit.name for unit in co_handlers))
        return Route(
            unit=self._refs[lead.code],
            co_handlers=co_handlers,
            rule=rule,
            why=tuple(why),
            alternatives=self._alternatives(lead, matter, at),
            desk=lead is self._centre,
            district=lead.district or (matter.place.district or None if matter.place else None),
            rules=rules,
        )

    def _alternatives(self, lead: Unit, matter: Matter, at: datetime | None) -> tuple[UnitRef, ...]:
        """Return who else may be right: above the lead, by the catalogue, who shares the duty, place and centre."""
        above = [lead.parent] if lead.parent and lead.parent != self._centre.code else []
        place = matter.place
        local = [place.street or "", f"d-{place.district}"] if place else []
        owner = [matter.owner] if matter.owner else []
        codes = dict.fromkeys([*above, *owner, *matter.co_handlers, *local, self._centre.code])
        return self._known(codes, lead, at)

    def _known(self, codes: Collection[str], lead: Unit, at: datetime | None) -> tuple[UnitRef, ...]:
        """Return the units of these codes beside the lead, or who has their duties; classify may know a newer pack."""
        if not self._ending.isdisjoint(codes):
            codes = dict.fromkeys(self._acting(code, at).code for code in codes if code in self._refs)
        return tuple(self._refs[code] for code in codes if code in self._refs and code != lead.code)

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
