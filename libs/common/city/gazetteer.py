"""Every name a place of the city goes by, and where such names stand in a text, rightly written or nearly so."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from libs.common.city.misspelt import LONG, Spelling
from libs.common.city.names import Communities, PlaceName
from libs.common.city.pack import City
from libs.common.city.toponyms import Index, Mention, Strength, Target, Toponym, apart, folded
from libs.common.city.units import Unit

__all__ = ["Gazetteer", "Mention", "Strength", "Target"]

_STREET_SUFFIX = re.compile(r"(?:满族|回族|蒙古族)?(?:街道|地区|镇|乡)$")
# What may stand for a unit's own suffix: a 地区 (area office) is in most cases a town or township as well.
_SUFFIXES = {
    "街道": ("街道", "办事处"),
    "地区": ("地区", "镇", "乡", "办事处"),
    "镇": ("镇",),
    "乡": ("乡",),
}
# 西罗园第二, 柳芳北里南, 芳城园一区第一: a part of what people call by the name before it.
_PART = re.compile(
    r"(?:第[一二三四五六七八九十、]+|[一二三四五六七八九十]+区|(?<=[里园苑街路庄区村寺])[东西南北中]区?|[东西南北中]区)$"
)
_LINE = re.compile(r"(?:街|路|胡同|巷|条|道)$")
_HAN = re.compile(r"[\u4e00-\u9fff]")


class Gazetteer:
    """The names of one city. Finding them costs a dictionary look-up per character, however many names there are."""

    def __init__(self, city: City) -> None:
        """Index the official names, their short and suffixed forms, places.csv and communities.csv."""
        self._names: dict[str, Toponym] = {}
        self._common = {place.name for place in city.places if place.kind == "common"}
        self._districts = {unit.short for unit in city.units.values() if unit.kind == "district"}
        for unit in city.units.values():
            for name, strength in _forms(unit, self._common, self._districts):
                self._add(name, strength, Target(unit.district or "", _street(unit)))
        for place in city.places:
            self._add_place(place)
        self._add_communities(city.communities)
        self._exact = Index((folded(name), toponym) for name, toponym in self._names.items())
        self._spelling = Spelling(self._names.values(), self._districts, city.catalogue)

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, city: City) -> "Gazetteer":
        """Return the one of a city in this process: it takes half a second to make, and never changes."""
        return cls(city)

    def mentions(self, text: str) -> list[Mention]:
        """The names in a text, in order and not overlapping; where two overlap the longer stands, then the earlier."""
        return apart(self._exact.at_each(folded(text), lambda _start, _toponym: True), bytearray(len(text)))

    def alike(self, text: str, taken: Iterable[Mention] = ()) -> list[Mention]:
        """Names that a text misspells outside of the mentions `taken`: of equal sound, or one character off."""
        return self._spelling.alike(text, taken)

    def _add(self, name: str, strength: Strength, target: Target) -> None:
        self._names.setdefault(name, Toponym(name)).add(strength, target)

    def _add_place(self, place: PlaceName) -> None:
        new = place.name not in self._names
        toponym = self._names.setdefault(place.name, Toponym(place.name))
        toponym.home |= place.kind == "city"
        toponym.outside |= place.kind == "outside"
        toponym.road = place.kind == "road" and (new or toponym.road)
        if place.district:
            target = Target(place.district, place.street)
            toponym.add(self._place_strength(place, toponym), target)
            if place.kind == "station":
                self._add(f"{place.name.removesuffix('站')}地铁站", Strength.SITE, target)

    def _place_strength(self, place: PlaceName, known: Toponym) -> Strength:
        if place.name in self._common:
            return Strength.WORD
        # A second place by the name of a street (十里堡, 北苑) makes that name ambiguous; it does not outweigh it.
        if known.targets and known.strength is Strength.SHORT:
            return Strength.SHORT
        return Strength.SHORT if place.kind == "alias" else Strength.SITE

    def _add_communities(self, listed: Iterable[Communities]) -> None:
        """Add what the lists say and nobody wrote down better: names of places.csv and of streets keep theirs."""
        known = frozenset(self._names)
        for here in listed:
            target = Target(here.district, here.street)
            for name, bare in _spoken(here):
                if name in known or (bare and len(_HAN.findall(name)) < LONG) or len(name) < LONG:
                    continue
                line = bare and _LINE.search(name) is not None
                self._add(name, Strength.SHORT if line else Strength.SITE, target)
                self._names[name].road |= line
                self._names[name].listed = True


def _spoken(here: Communities) -> Iterator[tuple[str, bool]]:
    """What people say for a village or community, and whether it is without the word that tells what it is."""
    for village in here.villages:
        yield village, False
        yield village.removesuffix("村"), True
    for community in here.communities:
        yield f"{community}社区", False
        name = community
        while name:
            yield name, True
            shorter = _PART.sub("", name)
            name = shorter if shorter != name else ""


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
    # A name of another language has none of these suffixes.
    suffix = next((s for s in _SUFFIXES if unit.name.zh.endswith(s)), None)
    if suffix and len(base) > 1:
        for variant in _SUFFIXES[suffix]:
            yield base + variant, Strength.OFFICIAL
    yield unit.short, Strength.WORD if unit.short in common else Strength.SHORT
