"""Where an appeal is: the district and street that the words of a citizen point to.

The resolver weighs the names it finds. A district and a street that agree make it sure; a name that several places
share, or that is an ordinary word too, needs its suffix or its district beside it. What stays open is said to be open:
candidates instead of a street. Coordinates tell inside from outside, and the district where the pack knows points.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from libs.common.city.gazetteer import Gazetteer, Mention, Strength, Target
from libs.common.city.pack import City
from libs.common.city.points import Spot
from libs.common.contracts import vocabulary

_T = TypeVar("_T")

# 望京街, 天坛东路: a road takes the name of a street it need not lie in. 望京路边 is the roadside in 望京.
_ROAD = re.compile(
    r"[东西南北中内外]{0,2}[一二三四五六七八九十]{0,2}(?:大街|大道|胡同|桥|街(?![道区坊上边])|路(?![上边面口灯况]))"
)
# 天津包子铺, 河南人, 上海某公司, 山东门: the city is in a thing's name, in where someone is from, or not there at all.
_NOT_THERE = re.compile(
    r"路|街|菜|人|籍|牌|车牌|大厦|饭店|宾馆|酒店|驻京|办事处|老家|户口|户籍|医保|社保|身份证|通行证|口音|烤|面馆|拉面|包子|小吃"
    r"|银行|航空|大学|话|口味|特产|扒鸡|\w{0,2}酒(?![驾后])|湖|门|侧|边|沿|岸|里|站|桥(?![东西]区)|那样|一样"
    r"|\w{1,8}(?:公司|集团|支行|协会|商会)"
)
# 不像上海, 从河北, 发往深圳: a comparison or a journey, not where the matter is.
_ELSEWHERE = re.compile(r"像|如|比|学|标|照|离|从|自|由|回|去|往|赴|至|发|寄|对|跟|和|与")
# 我在国贸上班: where somebody works is told beside where the matter is.
_ASIDE = re.compile(r"(?:这边|那边|附近)?(?:上班|工作|打工|办公|上学|读书)")
_CITY_SUFFIX = re.compile(r"[省市县区州]")
_GAP = re.compile(r"[省市县区的 ,，、]?")

_WEIGHT = {Strength.WORD: 0.8, Strength.SHORT: 1.0, Strength.SITE: 1.5, Strength.OFFICIAL: 4.0}
_STREET_CONFIDENCE = {Strength.WORD: 0.55, Strength.SHORT: 0.75, Strength.SITE: 0.8, Strength.OFFICIAL: 0.92}
_DISTRICT_CONFIDENCE = {Strength.WORD: 0.4, Strength.SHORT: 0.8, Strength.SITE: 0.75, Strength.OFFICIAL: 0.9}
_AGREEMENT, _DOUBT, _GUESS = 0.12, 0.1, 0.15
# Nothing but candidates; candidates that all lie in one district.
_OPEN, _SHARED = 0.4, 0.7
# A street wins over another when the words for it weigh this many times more.
_CLEARLY = 1.5


@dataclass(frozen=True, slots=True)
class Place:
    """Where the matter is. `district` is six digits, or empty while several are possible or the place is outside.

    `street` is a unit code (`s-…`), None when it is not known; `candidates` are the unit codes that remain possible;
    `matched` the words it rests on; `confidence` 0 to 1; `outside`: it names another city, or the point lies in one.
    """

    district: str = ""
    district_name: str = ""
    street: str | None = None
    street_name: str | None = None
    confidence: float = 0.0
    matched: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    outside: bool = False

    @property
    def told(self) -> vocabulary.Place | None:
        """The place as events tell it; one that is open between several districts is not told."""
        if not self.district:
            return None
        return vocabulary.Place(
            district=self.district, district_name=self.district_name, street=self.street,
            street_name=self.street_name, confidence=self.confidence, matched=self.matched,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Clue:
    name: str
    strength: Strength
    targets: tuple[Target, ...]
    road: bool
    aside: bool = False
    guessed: bool = False

    @property
    def names_district(self) -> bool:
        return self.strength is not Strength.SITE and all(target.street is None for target in self.targets)

    @property
    def weight(self) -> float:
        return _WEIGHT[self.strength] * (0.5 if self.road else 1.0) / len(self.targets)

    def within(self, districts: set[str]) -> "_Clue | None":
        kept = tuple(target for target in self.targets if target.district in districts)
        return replace(self, targets=kept) if kept else None


@dataclass(frozen=True, slots=True)
class _Abroad:
    name: str
    sure: bool


class PlaceResolver:
    """Finds the place of an appeal in its words. Holds no state between calls; safe to share between threads."""

    def __init__(self, city: City) -> None:
        """Index the names of the city once; some milliseconds."""
        self._gazetteer = Gazetteer.of(city)
        self._bounds = city.bounds
        self._points = city.points
        self._names = {code: unit.name.zh for code, unit in city.units.items()}

    def resolve(self, text: str, location: tuple[float, float] | None = None) -> Place | None:
        """The place named in a text, or None when it names none. `location` is (lat, lon) in WGS 84 degrees.

        A point beyond the city's bounds makes the place outside; a district named in the text all the same is kept with
        low confidence, so that a person looks.
        """
        place = self._read(text)
        if location is None:
            return place
        if self._bounds.contains(*location):
            return self._pointed(place, self._points.at(*location))
        if place is None or place.outside:
            return replace(place or Place(), confidence=0.95, outside=True)
        return replace(place, confidence=min(place.confidence, _OPEN), outside=True)

    def _pointed(self, place: Place | None, spot: Spot | None) -> Place | None:
        """The place of a point, where the city knows what lies there, unless the words are surer of another."""
        if spot is None or (place and place.district and place.confidence > spot.share):
            return place
        words = place.street if place and place.district == spot.district else None
        street = words or spot.street or None
        return Place(
            district=spot.district,
            district_name=self._names[f"d-{spot.district}"],
            street=street,
            street_name=self._names[street] if street else None,
            confidence=spot.share,
            matched=place.matched if place else (),
        )

    def _read(self, text: str) -> Place | None:
        mentions = self._gazetteer.mentions(text)
        abroad, clues = _clues(mentions, text)
        if not any(target.street for clue in clues for target in clue.targets) and not abroad:
            clues += _misspelt(self._gazetteer.alike(text, mentions), text, clues)
        if clues:
            clues = [clue for clue in clues if not clue.aside] or clues
            doubt = _DOUBT * 2 if abroad and not any(clue.names_district for clue in clues) else 0.0
            return self._settle(clues, doubt)
        if abroad and not any(mention.toponym.home for mention in mentions):
            sure = any(city.sure for city in abroad)
            return Place(confidence=0.9 if sure else 0.7, matched=tuple(city.name for city in abroad), outside=True)
        return None

    def _settle(self, clues: Sequence[_Clue], doubt: float) -> Place:
        named = _named_districts(clues)
        agreeing, contrary = _sort_out(clues, named)
        if contrary:
            doubt += _DOUBT
        votes = _votes(agreeing)
        if not votes:
            return self._district_only(agreeing, contrary, doubt)
        best = max(votes.values())
        leading = [target for target, weight in votes.items() if weight * _CLEARLY > best]
        if len(leading) > 1:
            return self._open(leading, agreeing)
        return self._street(leading[0], agreeing, bool(named), doubt + (_DOUBT if len(votes) > 1 else 0.0))

    def _street(self, target: Target, clues: Sequence[_Clue], named: bool, doubt: float) -> Place:
        support = [clue for clue in clues if target in clue.targets]
        strongest = max(support, key=lambda clue: clue.weight)
        confidence = _STREET_CONFIDENCE[strongest.strength] + (_AGREEMENT if named else 0.0)
        confidence -= doubt + (_DOUBT if strongest.road else 0.0) + (_GUESS if strongest.guessed else 0.0)
        return self._place(target, confidence, _matched(clues, {target.district}, target.street))

    def _district_only(self, clues: Sequence[_Clue], contrary: Sequence[_Clue], doubt: float) -> Place:
        found = _unique(target for clue in clues for target in clue.targets)
        if len(found) > 1:
            return self._open(found, clues)
        if contrary:
            elsewhere = [target for clue in contrary for target in clue.targets]
            return self._open(elsewhere, clues, district=found[0].district)
        strongest = max(clues, key=lambda clue: clue.weight)
        confidence = _DISTRICT_CONFIDENCE[strongest.strength] - doubt - (_DOUBT if strongest.road else 0.0)
        return self._place(found[0], confidence, _matched(clues, {found[0].district}, None))

    def _open(self, targets: Iterable[Target], clues: Sequence[_Clue], district: str = "") -> Place:
        possible = _unique(targets)
        districts = _unique(target.district for target in possible)
        shared = district or (districts[0] if len(districts) == 1 else "")
        return Place(
            district=shared,
            district_name=self._names[f"d-{shared}"] if shared else "",
            confidence=_SHARED if shared and not district else _OPEN,
            matched=_unique(clue.name for clue in clues),
            candidates=tuple(target.street or f"d-{target.district}" for target in possible),
        )

    def _place(self, target: Target, confidence: float, matched: tuple[str, ...]) -> Place:
        return Place(
            district=target.district,
            district_name=self._names[f"d-{target.district}"],
            street=target.street,
            street_name=self._names[target.street] if target.street else None,
            confidence=round(min(max(confidence, 0.1), 0.98), 2),
            matched=matched,
        )


def _clues(mentions: Sequence[Mention], text: str) -> tuple[list[_Abroad], list[_Clue]]:
    abroad: list[_Abroad] = []
    clues: list[_Clue] = []
    before: Mention | None = None
    foreign = False  # the mention before this one was another city, of which 保定高碑店 is a part
    for mention in mentions:
        beside = before is not None and _GAP.fullmatch(text, before.end, mention.start) is not None
        clue = None if foreign and beside else _clue(mention, text, clues[-1] if clues and beside else None)
        if clue:
            clues.append(_below(clue, before) if before and beside else clue)
        elif city := _abroad(mention, text):
            abroad.append(city)
        foreign = clue is None and (mention.toponym.outside or (foreign and beside))
        before = mention
    return abroad, clues


def _below(clue: _Clue, before: Mention) -> _Clue:
    """What several places share, right behind a word that is the name of one's street: 峪口云峰寺村."""
    kept = tuple(target for target in clue.targets if target in before.toponym.targets)
    return replace(clue, targets=kept) if kept else clue


def _clue(mention: Mention, text: str, before: _Clue | None) -> _Clue | None:
    toponym = mention.toponym
    if not toponym.targets:
        return None
    road = toponym.strength < Strength.SITE and _ROAD.match(text, mention.end) is not None
    said, aside = text[mention.start : mention.end], _ASIDE.match(text, mention.end) is not None
    clue = _Clue(said, toponym.strength, tuple(toponym.targets), road or toponym.road, aside)
    if clue.strength is not Strength.WORD:
        return clue
    if before is None or not before.names_district:
        return None
    return clue.within({target.district for target in before.targets})


def _misspelt(mentions: Sequence[Mention], text: str, clues: Sequence[_Clue]) -> list[_Clue]:
    """Names that the text only nearly says; where it names a district they count in that one only."""
    named = {target.district for clue in clues for target in clue.targets}
    found: list[_Clue] = []
    for mention in mentions:
        clue = None if mention.toponym.listed and not named else _clue(mention, text, None)
        clue = clue.within(named) if clue and named else clue
        if clue:
            found.append(replace(clue, guessed=True))
    return found


def _abroad(mention: Mention, text: str) -> _Abroad | None:
    toponym = mention.toponym
    if not toponym.outside or _NOT_THERE.match(text, mention.end):
        return None
    if mention.start and _ELSEWHERE.match(text, mention.start - 1):
        return None
    sure = toponym.name[-1] in "市县" or _CITY_SUFFIX.match(text, mention.end) is not None
    return _Abroad(toponym.name, sure)


def _named_districts(clues: Sequence[_Clue]) -> set[str]:
    """The districts named. A bare 大兴 may be part of a name: beside 交道口街道 it does not count, 大兴区 would."""
    full = {t.district for clue in clues if clue.strength is Strength.OFFICIAL for t in clue.targets}
    named = {t.district for clue in clues if clue.names_district for t in clue.targets}
    return named & full or (set() if full else named)


def _sort_out(clues: Sequence[_Clue], named: set[str]) -> tuple[list[_Clue], list[_Clue]]:
    """Narrow shared names to the districts named, or to what the other clues point to; the rest is contrary."""
    if not named:
        return [_narrowed(clue, clues) for clue in clues], []
    inside = [(clue, clue.within(named)) for clue in clues]
    agreeing = [kept for _, kept in inside if kept]
    return [_narrowed(clue, agreeing) for clue in agreeing], [clue for clue, kept in inside if not kept]


def _narrowed(clue: _Clue, clues: Sequence[_Clue]) -> _Clue:
    """A name that several places share means the one that another clue points to: 八里庄 beside 十里堡, or 玉渊潭."""
    others = {target for other in clues if other.name != clue.name for target in other.targets}
    kept = tuple(t for t in clue.targets if t in others or Target(t.district, None) in others)
    return replace(clue, targets=kept) if kept else clue


def _votes(clues: Iterable[_Clue]) -> dict[Target, float]:
    votes: dict[Target, float] = defaultdict(float)
    for clue in {clue.name: clue for clue in clues}.values():
        for target in clue.targets:
            if target.street:
                votes[target] += clue.weight
    return votes


def _matched(clues: Iterable[_Clue], districts: set[str], street: str | None) -> tuple[str, ...]:
    return _unique(
        clue.name for clue in clues for t in clue.targets if t.district in districts and t.street in (None, street)
    )


def _unique(items: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(items))
