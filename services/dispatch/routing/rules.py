"""Rules of routing as an index: which of them accept a value is one number for each condition, a bit for each rule.

What is left when these numbers are put together are the rules whose conditions hold, the first at the lowest bit. So
the cost of a route grows with the conditions that are used at all, not with the number of rules.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from libs.common.city.pack import City, Unit
from libs.common.city.rules import PARENT, Rule, RuleSet
from libs.common.city.units import acting
from services.dispatch.domain import Load, Matter, Obstacle, Tried

PLAIN: Mapping[str, Callable[[Matter], Any]] = {
    **{name: attrgetter(name) for name in ("owner_kind", "owner", "channel", "reporter_type", "kind", "urgency")},
    "district": lambda matter: matter.place.district if matter.place else None,
    "street": lambda matter: matter.place.street if matter.place else None,
    "outside": attrgetter("outside"),
}
"""The conditions that hold for one value, and where it is in a matter."""
Loads = Mapping[str, Load]


@dataclass(frozen=True, slots=True)
class Choice:
    """A rule that applies, the unit that leads by it, and who co-handles besides those of the question."""

    rule: Rule
    lead: Unit
    co_handlers: tuple[Unit, ...]
    why: str


class Index:
    """One version of the rules over one city's units. Holds no state but the minute it was asked of last."""

    def __init__(self, rules: RuleSet, city: City) -> None:
        """Compile the rules; some milliseconds."""
        self.version = rules.version
        self.rules = rules.rules
        self._units = city.units
        self._centre = next(unit for unit in city.units.values() if unit.kind == "centre")
        self._zone = ZoneInfo(city.timezone)
        self._language = "zh" if city.default_language == "zh" else "en"
        self._all = (1 << len(self.rules)) - 1
        self._plain = [(PLAIN[name], *table) for name in PLAIN if (table := self._table(name))]
        self._access = self._table("access")
        self._by_category = any(rule.category for rule in self.rules)
        questions = city.catalogue if self._by_category else ()
        self._questions = {(q.code, q.category): self._bits(_about(q.code, q.category)) for q in questions}
        self._untimed = self._bits(lambda rule: not rule.timed)
        self._by_load = self._bits(lambda rule: rule.busy is not None)
        self._minute: tuple[datetime | None, int] = (None, self._untimed)
        self._whys = [_pieces(getattr(rule.why, self._language)) for rule in self.rules]

    def choose(self, matter: Matter, at: datetime | None, loads: Loads) -> Choice:
        """Return what the first rule that applies says. Without a moment, rules bound to a time do not apply."""
        left = self._candidates(matter, at)
        while left:
            number = (left & -left).bit_length() - 1
            rule = self.rules[number]
            lead = self._unit(rule.lead, matter, at)
            if lead and (rule.busy is None or self._busy(rule, matter, at, loads)):
                return self._choice(number, lead, matter, at, loads)
            left &= left - 1
        # The last rule takes whatever is left when a set is checked; a unit of it may be gone since.
        return self._choice(len(self.rules) - 1, self._centre, matter, at, loads)

    def tried(self, matter: Matter, at: datetime | None, loads: Loads) -> Iterator[Tried]:
        """Yield the rules in order up to the one that applies, each with all that speaks against it."""
        chosen = self.choose(matter, at, loads).rule
        for rule in self.rules:
            yield Tried(rule.id, () if rule is chosen else tuple(self._obstacles(rule, matter, at, loads)))
            if rule is chosen:
                return

    def asked_loads(self, matter: Matter, at: datetime | None, choice: Choice) -> bool:
        """Say whether it hung on the load of a unit that no rule before this one applied."""
        before = (1 << self.rules.index(choice.rule)) - 1
        return bool(self._by_load & before and self._candidates(matter, at) & self._by_load & before)

    def _candidates(self, matter: Matter, at: datetime | None) -> int:
        left = self._times(at)
        for value_of, table, others in self._plain:
            left &= table.get(value_of(matter), others)
        if self._by_category:
            known = self._questions.get((matter.code, matter.category))
            left &= self._bits(_about(matter.code, matter.category)) if known is None else known
        if self._access:
            table, others = self._access
            accepted = others
            for need in matter.access_needs:
                accepted |= table.get(need, others)
            left &= accepted
        return left

    def _times(self, at: datetime | None) -> int:
        """Return which rules' times hold; asked many times a minute, so the last minute's answer is kept."""
        if at is None or self._untimed == self._all:
            return self._untimed
        minute = at.replace(second=0, microsecond=0)
        known, bits = self._minute
        if known != minute:
            local = minute.astimezone(self._zone)
            bits = self._bits(lambda rule: rule.holds_at(local))
            self._minute = (minute, bits)
        return bits

    def _table(self, name: str) -> tuple[dict[Any, int], int] | None:
        """Return which rules accept each value that any of them names, and which accept all others."""
        asked = [_wanted(rule, name) for rule in self.rules]
        values = {value for wanted in asked for value in wanted}
        if not values:
            return None
        others = self._bits(lambda rule: not _wanted(rule, name))
        return {value: others | self._bits(lambda rule: value in _wanted(rule, name)) for value in values}, others  # noqa: B023 called at once

    def _bits(self, accepts: Callable[[Rule], bool]) -> int:
        return sum(1 << number for number, rule in enumerate(self.rules) if accepts(rule))

    def _unit(self, word: str, matter: Matter, at: datetime | None) -> Unit | None:
        """Return the unit a rule means, or who has its duties by now; None if there is none of this matter."""
        if word.startswith(PARENT):
            below = self._unit(word.removeprefix(PARENT), matter, at)
            return self._units.get(below.parent or "") if below else None
        if word == "centre":
            return self._centre
        unit = self._units.get(self._code(word, matter) or "")
        if unit is None or unit.until is None or at is None:
            return unit
        return acting(self._units, unit.code, at.astimezone(self._zone).date())

    def _code(self, word: str, matter: Matter) -> str | None:
        if word == "owner":
            return matter.owner if matter.owner_kind in {"department", "company"} else None
        if word == "street":
            return matter.place.street if matter.place else None
        if word == "district":
            return f"d-{matter.place.district}" if matter.place else None
        if word in {"named", "venue"}:
            found: str | None = getattr(matter, word)
            return found
        return self._profession(matter) if word == "profession" else word

    def _profession(self, matter: Matter) -> str | None:
        first = self._units.get(matter.co_handlers[0]) if matter.co_handlers else None
        return first.code if first and first.kind == "department" else None

    def _busy(self, rule: Rule, matter: Matter, at: datetime | None, loads: Loads) -> bool:
        unit = self._unit(rule.busy.of, matter, at) if rule.busy else None
        load = loads.get(unit.code) if unit else None
        if rule.busy is None or load is None:
            return False
        if rule.busy.open is not None:
            return load.open > rule.busy.open
        return load.days is not None and load.days > (rule.busy.days or 0)

    def _choice(self, number: int, lead: Unit, matter: Matter, at: datetime | None, loads: Loads) -> Choice:
        rule = self.rules[number]
        drawn = (self._unit(word, matter, at) for word in rule.co_handlers)
        why = self._why(number, lead, matter, at, loads)
        return Choice(rule, lead, tuple(unit for unit in drawn if unit), why)

    def _why(self, number: int, lead: Unit, matter: Matter, at: datetime | None, loads: Loads) -> str:
        pieces = self._whys[number]
        if len(pieces) == 1 and not pieces[0][1]:
            return pieces[0][0]
        asked = {name for _, name in pieces if name}
        values = {name: self._value(name, number, lead, matter, at, loads) for name in asked}
        return "".join(text + (values[name] if name else "") for text, name in pieces)

    def _value(
        self, name: str, number: int, lead: Unit, matter: Matter, at: datetime | None, loads: Loads
    ) -> str:  # fmt: skip
        if name == "category":
            return "/".join(level for level in matter.category if level)
        busy = self.rules[number].busy
        looked_at = self._unit(busy.of, matter, at) if busy else None
        if name in {"open", "days"}:
            found = getattr(loads.get(looked_at.code), name, None) if looked_at else None
            return "" if found is None else str(found)
        units = {"unit": lead, "busy": looked_at}
        unit = units[name] if name in units else self._unit(name, matter, at)
        if unit is None:
            return (matter.owner or "") if name == "owner" else ""
        said: str = getattr(unit.name, self._language)
        return said

    def _obstacles(self, rule: Rule, matter: Matter, at: datetime | None, loads: Loads) -> Iterator[Obstacle]:
        for name, value_of in PLAIN.items():
            wanted = _wanted(rule, name)
            if wanted and value_of(matter) not in wanted:
                condition = "inside" if wanted == (False,) else name
                yield Obstacle(condition, _words(wanted), _words([value_of(matter)]))
        if not rule.about(matter.code, matter.category):
            yield Obstacle("category", rule.category, ("/".join(matter.category),))
        if rule.access and not set(rule.access) & set(matter.access_needs):
            yield Obstacle("access", rule.access, matter.access_needs)
        if rule.timed and not (at and rule.holds_at(at.astimezone(self._zone))):
            yield Obstacle(
                "time",
                _words(_times_of(rule)),
                _words([at.astimezone(self._zone).isoformat(" ", "minutes")] if at else []),
            )
        if self._unit(rule.lead, matter, at) is None:
            yield Obstacle("lead", (rule.lead,))
        if rule.busy and not self._busy(rule, matter, at, loads):
            yield self._not_busy(rule, matter, at, loads)

    def _not_busy(self, rule: Rule, matter: Matter, at: datetime | None, loads: Loads) -> Obstacle:
        busy = rule.busy
        unit = self._unit(busy.of, matter, at) if busy else None
        load = loads.get(unit.code) if unit else None
        what = "open" if busy and busy.open is not None else "days"
        return Obstacle(f"busy_{what}", _words([getattr(busy, what)]), _words([getattr(load, what, None)]))


class Schedule:
    """Which rules are in force from when on: what was in force before the first is the first too."""

    def __init__(self, versions: Sequence[tuple[datetime, Index]]) -> None:
        self._starts = [start for start, _ in versions]
        self._indexes = [index for _, index in versions]

    def at(self, moment: datetime | None) -> Index:
        """Return the rules in force at a moment, or now."""
        if moment is None or len(self._indexes) == 1:
            return self._indexes[0]
        return self._indexes[max(0, bisect_right(self._starts, moment) - 1)]

    @property
    def versions(self) -> list[tuple[datetime, str]]:
        """The version from each start on."""
        return [(start, index.version) for start, index in zip(self._starts, self._indexes, strict=True)]

    @property
    def by_load(self) -> bool:
        """Whether any of these rules asks how busy a unit is."""
        return any(rule.busy for index in self._indexes for rule in index.rules)

    def index(self, version: str) -> Index | None:
        """Return the rules of a version, if they are in force or will be."""
        return next((index for index in self._indexes if index.version == version), None)


def _wanted(rule: Rule, name: str) -> Sequence[Any]:
    wanted = getattr(rule, name)
    if name == "outside":
        return () if wanted is None else (wanted,)
    found: Sequence[Any] = wanted
    return found


def _about(code: str, category: Sequence[str]) -> Callable[[Rule], bool]:
    return lambda rule: rule.about(code, category)


def _pieces(template: str) -> list[tuple[str, str]]:
    """Take a sentence apart into texts, each with the name of what follows it."""
    return [(text, name or "") for text, name, _, _ in Formatter().parse(template)]


def _times_of(rule: Rule) -> list[str]:
    days = [f"{rule.since or ''}–{rule.until or ''}"] if rule.since or rule.until else []
    weekdays = [f"weekday {','.join(map(str, rule.weekdays))}"] if rule.weekdays else []
    return [*days, *weekdays, *(part for part in (rule.season, rule.hours) if part)]


def _words(values: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in values if value is not None)
