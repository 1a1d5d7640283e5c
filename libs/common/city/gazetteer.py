"""Every name a place of the city goes by, and where such names stand in a text."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from libs.common.city.pack import City, PlaceName, Unit

_STREET_SUFFIX = re.compile(r"(?:满族|回族|蒙古族)?(?:街道|地区|镇|乡)$")
# What may stand for a unit's own suffix: a 地区 (area office) is in most cases a town or township as well.
_SUFFIXES = {
    "街道": ("街道", "办事处"),
    "地区": ("地区", "镇", "乡", "办事处"),
    "镇": ("镇",),
    "乡": ("乡",),
}


class Strength(IntEnum):
    """How much a name says by itself, from an ordinary word to the official name."""

    WORD = 1  # an ordinary word too: 平房, 天桥
    SHORT = 2  # without its suffix: 望京
    SITE = 3  # a landmark, station, estate, village or road
    OFFICIAL = 4  # with its suffix: 望京街道, 朝阳区


@dataclass(frozen=True, slots=True)
class Target:
    """Where a name points: a district (six digits) and, unless it is as wide as the district, a street unit code."""

    district: str
    street: str | None


@dataclass(slots=True)
class Toponym:
    """A name and what it may mean: places of the city, the city as a whole (`home`) or another one (`outside`)."""

    name: str
    strength: Strength = Strength.WORD
    targets: list[Target] = field(default_factory=list)
    home: bool = False
    outside: bool = False

    def add(self, strength: Strength, target: Target) -> None:
        """Keep only the targets of the strongest meaning: an official name is not shared with a short one."""
        if strength > self.strength:
            self.strength, self.targets = strength, []
        if strength == self.strength and target not in self.targets:
            self.targets.append(target)


@dataclass(frozen=True, slots=True)
class Mention:
    """A name where it stands in a text: characters from `start` to before `end`."""

    start: int
    end: int
    toponym: Toponym


class Gazetteer:
    """The names of one city. Finding them costs a dictionary look-up per character, however many names there are."""

    def __init__(self, city: City) -> None:
        """Index the official names, their short and suffixed forms, and places.csv."""
        self._names: dict[str, Toponym] = {}
        self._common = {place.name for place in city.places if place.kind == "common"}
        districts = {unit.short for unit in city.units.values() if unit.kind == "district"}
        for unit in city.units.values():
            for name, strength in _forms(unit, self._common, districts):
                self._add(name, strength, Target(unit.district or "", _street(unit)))
        for place in city.places:
            self._add_place(place)
        self._lengths = _lengths_by_first(self._names)

    def mentions(self, text: str) -> list[Mention]:
        """The names in a text, in order and not overlapping; where two overlap the longer stands, then the earlier."""
        free = bytearray(len(text))
        kept: list[Mention] = []
        for found in sorted(self._candidates(text), key=lambda m: (m.start - m.end, m.start)):
            if not any(free[found.start : found.end]):
                free[found.start : found.end] = b"\1" * (found.end - found.start)
                kept.append(found)
        return sorted(kept, key=lambda mention: mention.start)

    def _candidates(self, text: str) -> Iterator[Mention]:
        for start, first in enumerate(text):
            for length in self._lengths.get(first, ()):
                if toponym := self._names.get(text[start : start + length]):
                    # Near the end of the text a slice is shorter than asked for: the name knows its length.
                    yield Mention(start, start + len(toponym.name), toponym)
                    break

    def _add(self, name: str, strength: Strength, target: Target) -> None:
        self._names.setdefault(name, Toponym(name)).add(strength, target)

    def _add_place(self, place: PlaceName) -> None:
        toponym = self._names.setdefault(place.name, Toponym(place.name))
        toponym.home |= place.kind == "city"
        toponym.outside |= place.kind == "outside"
        if place.district:
            toponym.add(self._place_strength(place, toponym), Target(place.district, place.street))

    def _place_strength(self, place: PlaceName, known: Toponym) -> Strength:
        if place.name in self._common:
            return Strength.WORD
        # A second place by the name of a street (十里堡, 北苑) makes that name ambiguous; it does not outweigh it.
        if known.targets and known.strength is Strength.SHORT:
            return Strength.SHORT
        return Strength.SHORT if place.kind == "alias" else Strength.SITE


def _street(unit: Unit) -> str | None:
    return unit.code if unit.kind in ("street", "town") else None


def _forms(unit: Unit, common: set[str], districts: set[str]) -> Iterator[tuple[str, Strength]]:
    if unit.kind == "district":
        yield unit.name.zh, Strength.OFFICIAL
        yield unit.short, Strength.SHORT
    elif unit.kind in ("street", "town"):
        yield from _street_forms(unit, common, districts)


def _street_forms(unit: Unit, common: set[str], districts: set[str]) -> Iterator[tuple[str, Strength]]:
    yield unit.name.zh, Strength.OFFICIAL
    base = _STREET_SUFFIX.sub("", unit.name.zh)
    # 怀柔地区 shares its short name with its district, which is what people mean by it.
    if base in districts:
        return
    suffix = next(s for s in _SUFFIXES if unit.name.zh.endswith(s))
    if len(base) > 1:
        for variant in _SUFFIXES[suffix]:
            yield base + variant, Strength.OFFICIAL
    yield unit.short, Strength.WORD if unit.short in common else Strength.SHORT


def _lengths_by_first(names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    lengths: dict[str, set[int]] = defaultdict(set)
    for name in names:
        lengths[name[0]].add(len(name))
    return {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}
