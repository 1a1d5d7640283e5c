"""Where an appeal says it happens, finer than a street: estates, roads, buildings, shops, stations, lines.

The gazetteer knows districts, streets and some hundred landmarks. A city has tens of thousands of estates and roads,
which nobody keeps a list of; but their names end in words that tell them: 小区, 里, 路, 村, 号楼. What stands before
such an ending, back to the last word that cannot be part of a name, is the name. Where that goes back too far the name
has something foreign in front, so names are compared from their ends.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

from libs.common.city.gazetteer import Gazetteer, Mention, Strength
from services.intake.repeats.endings import (
    BEFORE,
    BESIDE,
    BUILDING,
    COMMON,
    COMPANY,
    DOOR,
    ENDING,
    ESTATE,
    EXIT,
    FACILITY,
    GATE,
    HAN,
    INSIDE,
    LATIN,
    LINE,
    LINED,
    NUMBER,
    NUMBERED,
    ROAD,
    SITE,
    STATION,
    VENUE,
    YARD,
    ZONE,
)

LONGEST_NAME, READ = 8, 10
_A_SENTENCE = 4
"""Latin words of a text that is English: the Chinese characters in it are names."""
_AND = "与和跟及、"
_DIGITS = dict(zip("零〇一二三四五六七八九", "00123456789", strict=True))
_SAME_GARDEN = str.maketrans("佳嘉馨", "家家家")


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a text: what it ends in tells the kind; `wing` and `zone` tell neighbours of one name apart."""

    kind: int
    name: str
    start: int
    end: int
    wing: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """All that a text says of where it is, and the text with that taken out."""

    names: tuple[Named, ...]
    numbers: tuple[tuple[int, str], ...]
    district: str
    street: str
    rest: str


def number(text: str) -> str:
    """Return a number in digits: 十二 as 12."""
    if text.isascii():
        return text.lstrip("0") or "0"
    if "百" in text or (len(text) > 1 and "十" not in text):
        return "".join(_DIGITS.get(char, "") for char in text)
    tens, ten, ones = text.partition("十")
    value = int(_DIGITS.get(tens, "1")) * 10 if ten else int(_DIGITS.get(tens, "0"))
    return str(value + int(_DIGITS.get(ones, "0")))


def spot_of(text: str, address: int, gazetteer: Gazetteer) -> Spot:
    """Read where a text, folded and in lower case, says it is; its first `address` characters were given for that."""
    mentions = [m for m in gazetteer.mentions(text) if m.toponym.targets]
    lines = list(_lines(text))
    names = [*lines, *_names(text, mentions, lines)]
    names += _sites(text, mentions, names)
    if address and not any(name.start < address for name in names):
        names += _bare(text, address, mentions)
    elif address:
        names += _behind_all(text, address, names)
    if not names and len(LATIN.findall(text)) > _A_SENTENCE:
        names += (Named(SITE, found[0][:LONGEST_NAME], *found.span()) for found in HAN.finditer(text))
    taken = [(n.start, n.end) for n in names] + [(m.start, m.end) for m in mentions]
    numbers = tuple(dict.fromkeys(_numbers(text, lines)))
    return Spot(
        tuple({(n.kind, n.name, n.wing, n.zone): n for n in names}.values()),
        numbers,
        *_area(mentions),
        _without(text, taken),
    )


def _area(mentions: list[Mention]) -> tuple[str, str]:
    """Return the district and the street that the official names agree on; short ones may be part of another name."""
    official = [m.toponym for m in mentions if m.toponym.strength is Strength.OFFICIAL]
    targets = [target for toponym in official for target in toponym.targets]
    districts = {target.district for target in targets}
    streets = {target.street for target in targets if target.street}
    if len(districts) != 1:
        return "", ""
    return districts.pop(), streets.pop() if len(streets) == 1 else ""


def _lines(text: str) -> Iterator[Named]:
    for found in LINED.finditer(text):
        bus = found["bus"] or found["bus2"]
        metro = found["metro"] or found["metro2"] or found["metro3"]
        name = f"公交{bus.replace(' ', '')}路" if bus else f"地铁{number(metro)}号线"
        yield Named(LINE, name, found.start(), found.end())


def _names(text: str, mentions: list[Mention], lines: list[Named]) -> Iterator[Named]:
    wide = [m for m in mentions if m.toponym.strength is not Strength.SITE]
    closed = [(m.start, m.end) for m in wide] + [(line.start, line.end) for line in lines]
    at = 0
    for found in ENDING.finditer(text):
        start = found.start()
        if start < at or any(begin < start < end for begin, end in closed):
            continue
        kind = int((found.lastgroup or "k0")[1:])
        low = max([0, at, start - READ, *(line.end for line in lines if line.end <= start)])
        if at and low == at and text[low] in _AND:
            low += 1
        low = _behind(text, low, start, wide)
        low += _back(text[low:start])
        loose = found.lastgroup == f"r{ESTATE}" and not _stands_alone(text, low, start)
        if not loose and _is_name(kind, text[low:start], found[0]):
            named = _estate(text, low, found) if kind == ESTATE else _other(text, kind, low, found)
            if named:
                yield named
                at = named.end


def _stands_alone(text: str, low: int, start: int) -> bool:
    """Say whether 里 or 园 without more ends a name: behind two or three characters that make no common word."""
    return 2 <= start - low <= 3 and INSIDE.search(text, low, start) is None


def _behind(text: str, low: int, start: int, wide: list[Mention]) -> int:
    """Cut districts and streets in front of a name: all of an official one, a short one if a name is left of it."""
    for m in wide:
        if low < m.end <= start and (m.toponym.strength is Strength.OFFICIAL or start - m.end >= 2):
            low = m.end
    return low


def _back(before: str) -> int:
    """Return where in the characters before an ending the name can begin."""
    cut = BEFORE.match(before)
    start = cut.end() if cut else 0
    for at in range(len(before) - 1, start - 1, -1):
        if not before[at].isalnum():
            return at + 1
    return start


def _is_name(kind: int, base: str, ending: str) -> bool:
    short = ending == "街" or "环" in ending
    if not base or (kind in (ROAD, STATION, VENUE) and len(base) < 2 and not short) or base[-1] == ending == "桥":
        return False
    common = COMMON.get(kind)
    return not (common and common.fullmatch(base))


def _estate(text: str, start: int, found: re.Match[str]) -> Named | None:
    """Return an estate: 小区 says nothing, 家园 is part of the name, 西里 tells it from its neighbours."""
    ending, base = found[0], text[start : found.start()]
    apart = ending in {"小区", "社区", "家属院", "宿舍"} or ZONE.fullmatch(ending) is not None
    at = found.start() if apart else found.end()
    name = (base if apart else base + ending).translate(_SAME_GARDEN)
    tail = ZONE.match(text, at)
    wing, zone = (tail["wing"] or "", tail["zone"] or "") if tail else ("", "")
    if len(name) < 2:
        return None
    end = max(found.end(), tail.end() if tail else 0)
    return Named(ESTATE, name[-LONGEST_NAME:], start, end, wing, _zone(zone))


def _zone(zone: str) -> str:
    digits = NUMBER.search(zone)
    return zone.replace(digits[0], number(digits[0])).replace("社区", "区") if digits else zone


def _other(text: str, kind: int, start: int, found: re.Match[str]) -> Named:
    name = text[start : found.start()] if kind == STATION else text[start : found.end()]
    if name.endswith("环路"):
        name = name[:-1]
    if kind == VENUE:
        name = COMPANY.sub("", name)
    return Named(kind, name[-LONGEST_NAME:], start, found.end())


def _bare(text: str, address: int, mentions: list[Mention]) -> Iterator[Named]:
    """Yield what an address says behind its district and street, if that looks like no name of a known kind."""
    ends = [m for m in mentions if m.end <= address]
    start = max((m.end for m in ends), default=0)
    if ends and address - start == 1 and ends[-1].toponym.strength is not Strength.OFFICIAL:
        start = ends[-1].start
    found = HAN.match(text, start, address)
    if found:
        yield Named(SITE, found[0][:LONGEST_NAME], found.start(), found.end())


def _behind_all(text: str, address: int, names: list[Named]) -> Iterator[Named]:
    """Yield what an address ends in behind the last name of a known kind: 公园南路棕榈泉."""
    found = HAN.fullmatch(text, max(name.end for name in names if name.start < address), address)
    if found and not BESIDE.search(found[0]):
        yield Named(SITE, found[0][-LONGEST_NAME:], *found.span())


def _sites(text: str, mentions: list[Mention], names: list[Named]) -> Iterator[Named]:
    """Yield landmarks and estates of the gazetteer, and bridges, that no name found so far contains."""
    for mention in mentions:
        # 万寿路 is a road as well as a street office; 万寿路街道 is none.
        road = mention.toponym.strength is not Strength.OFFICIAL and mention.toponym.name[-1] in "桥路街"
        site = mention.toponym.strength is Strength.SITE or (not names and road)
        inside = any(n.start <= mention.start and mention.end <= n.end for n in names)
        if site and not inside and mention.toponym.name[-1] != "区":
            tail = ZONE.match(text, mention.end)
            wing, zone = (tail["wing"] or "", tail["zone"] or "") if tail else ("", "")
            yield Named(SITE, mention.toponym.name, mention.start, mention.end, wing, _zone(zone))


def _numbers(text: str, lines: list[Named]) -> Iterator[tuple[int, str]]:
    taken = [(line.start, line.end) for line in lines]
    for found in NUMBERED.finditer(text):
        if any(start <= found.start() < end for start, end in taken):
            continue
        if found["gate"]:
            yield GATE, found["gate"]
        elif found["exit"]:
            yield EXIT, found["exit"]
        elif told := found["facility"] or found["no"]:
            yield FACILITY, number(told)
        elif told := found["letter"] or found["english"] or found["tall"]:
            yield BUILDING, told
        else:
            what = {"号院": YARD, "号": DOOR}.get(found["what"], BUILDING)
            yield what, found["sign"] + number(found["n"])


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in sorted(spans):
        if end > at:
            parts.append(text[at : max(at, start)])
            at = end
    return " ".join([*parts, text[at:]])


def hashed(text: str, bits: int = 32) -> int:
    """Return a short hash that is the same in every process and never 0."""
    return crc32(text.encode()) % ((1 << bits) - 1) + 1


def key_of(text: str) -> int:
    """Return a hash of 63 bits that is the same in every process and never 0."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 1 or 1
