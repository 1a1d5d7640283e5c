"""Whose work an appeal is: the rules of routing, tried in order, over an index of the city's units.

Source of the order: Beijing's practice of 接诉即办. A duty that is clear goes straight to its department or company, a
neighbourhood matter to the street where it happens, what has no clear owner to the district, the rest to a person.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from libs.common.city.catalogue import Question
from libs.common.city.pack import City, Unit
from libs.common.city.places import PlaceResolver
from libs.common.contracts.vocabulary import Location, Place, UnitRef
from services.dispatch.domain import Matter, Route


@dataclass(frozen=True, slots=True)
class Units:
    """The units of a city as the rules ask for them."""

    by_code: dict[str, Unit]
    centre: Unit

    def owner(self, matter: Matter) -> Unit | None:
        """Return the department or company whose duty it is, if the city has it."""
        return self.by_code.get(matter.owner or "") if matter.owner_kind in {"department", "company"} else None

    def street(self, place: Place | None) -> Unit | None:
        """Return the street or town where it happens, if the place is known so well."""
        return self.by_code.get(place.street or "") if place else None

    def district(self, place: Place | None) -> Unit | None:
        """Return the district where it happens."""
        return self.by_code.get(f"d-{place.district}") if place else None


Choice = tuple[Unit, str]
"""The unit a rule names, and why, in a Chinese sentence."""
Rule = Callable[[Matter, Units], Choice | None]


def _outside(matter: Matter, units: Units) -> Choice | None:
    return (units.centre, "发生地不在本市范围，由中心核实后向外转办") if matter.outside else None


def _duty(matter: Matter, units: Units) -> Choice | None:
    owner = units.owner(matter)
    return (owner, f"职责清楚，直接派至{owner.name.zh}") if owner else None


def _street(matter: Matter, units: Units) -> Choice | None:
    street = units.street(matter.place) if matter.owner_kind == "street" else None
    return (street, f"属地事项，由发生地{street.name.zh}主办") if street else None


def _district(matter: Matter, units: Units) -> Choice | None:
    district = units.district(matter.place)
    if district is None or matter.owner_kind not in {"district", "street"}:
        return None
    if matter.owner_kind == "district":
        return district, f"没有单一责任单位，由发生地{district.name.zh}统筹主办"
    return district, f"属地事项，发生地只能确定到{district.name.zh}，由区里派至街道"


def _no_place(matter: Matter, units: Units) -> Choice | None:
    local = matter.owner_kind in {"district", "street"}
    return (units.centre, "属地事项，但发生地不明，由中心坐席核实地点后派单") if local else None


def _centre(matter: Matter, units: Units) -> Choice | None:
    if matter.owner_kind == "centre":
        return units.centre, "由市民热线中心直接办理"
    return units.centre, f"责任单位{matter.owner or ''}不在单位名录，由中心坐席确定"


RULES: tuple[tuple[str, Rule], ...] = (
    ("outside", _outside),
    ("duty", _duty),
    ("street", _street),
    ("district", _district),
    ("no_place", _no_place),
    ("centre", _centre),
)


class Router:
    """Routes appeals in one city. Holds no state between calls; safe to share."""

    def __init__(self, city: City) -> None:
        """Index the units, questions and places of the city once; some milliseconds."""
        centre = next(unit for unit in city.units.values() if unit.kind == "centre")
        self._units = Units(dict(city.units), centre)
        self._refs = {code: UnitRef(code=code, name=unit.name.zh) for code, unit in city.units.items()}
        self._by_code = city.catalogue.by_code
        self._by_category = {question.category: question for question in city.catalogue}
        self._places = PlaceResolver(city)

    def route(self, matter: Matter) -> Route:
        """Return where an appeal goes, by the first rule that names a unit."""
        choices = ((name, rule(matter, self._units)) for name, rule in RULES)
        name, (unit, sentence) = next((name, choice) for name, choice in choices if choice)
        return self._route(unit, name, list(_reasons(sentence, matter.place)), matter)

    def chosen(self, code: str, rule: str, why: str, matter: Matter) -> Route | None:
        """Return the route to a unit that a person chose, or None if the city has no such unit."""
        unit = self._units.by_code.get(code)
        return self._route(unit, rule, [why], matter) if unit else None

    def next_unit(self, matter: Matter, tried: Collection[str]) -> str:
        """Return the code of the likeliest unit that has not been tried; the centre's when none is left."""
        route = self.route(matter)
        return next((u.code for u in (route.unit, *route.alternatives) if u.code not in tried), self._units.centre.code)

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

    def _route(self, lead: Unit, rule: str, why: list[str], matter: Matter) -> Route:
        co_handlers = self._known(code for code in matter.co_handlers if code != lead.code)
        if co_handlers:
            why.append(f"协办：{'、'.join(unit.name for unit in co_handlers)}")
        return Route(
            unit=self._refs[lead.code],
            co_handlers=co_handlers,
            rule=rule,
            why=tuple(why),
            alternatives=self._alternatives(lead, matter),
            desk=lead is self._units.centre,
            district=lead.district or (matter.place.district or None if matter.place else None),
        )

    def _alternatives(self, lead: Unit, matter: Matter) -> tuple[UnitRef, ...]:
        """Return who else may be right: who stands above the lead, who shares the duty, the place, the centre."""
        units = self._units
        local = [unit.code for unit in (units.street(matter.place), units.district(matter.place)) if unit]
        above = [lead.parent] if lead.parent and lead.parent != units.centre.code else []
        codes = dict.fromkeys([*above, *matter.co_handlers, *local, units.centre.code])
        return self._known(code for code in codes if code != lead.code)

    def _known(self, codes: Iterable[str]) -> tuple[UnitRef, ...]:
        """Return the units of these codes; classify may know a newer city pack."""
        return tuple(self._refs[code] for code in codes if code in self._refs)


def matter_at(question: Question, place: Place | None, *, outside: bool) -> Matter:
    """Return what decides the route of a question at a place."""
    return Matter(question.owner_kind, question.owner, question.co_handlers, place, outside)


def _reasons(sentence: str, place: Place | None) -> Iterator[str]:
    yield sentence
    if place and place.matched:
        yield f"地点依据：{'、'.join(place.matched)}"
