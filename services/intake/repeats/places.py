"""Where an appeal says it happens, finer than a street: estates, roads, buildings, shops, stations, lines.

The gazetteer knows districts, streets and some hundred landmarks. A city has tens of thousands of estates and roads,
which nobody keeps a list of; but their names end in words that tell them: 小区, 里, 路, 村, 号楼. What stands before such
an ending, back to the last word that cannot be part of a name, is the name. Where that goes back too far the name has
something foreign in front, so names are compared from their ends.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

from libs.common.city.gazetteer import Gazetteer, Mention, Strength

ESTATE, ROAD, VILLAGE, VENUE, STATION, LINE, SITE = range(1, 8)
BUILDING, YARD, DOOR, GATE, EXIT = range(1, 6)
LONGEST_NAME, READ = 8, 10

_DIGITS = dict(zip("零〇一二三四五六七八九", "00123456789", strict=True))
_NUMBER = "(?:[0-9]{1,4}|[一二三四五六七八九十百]{1,4})"
_HAN = "一-鿿"
_WING = "[东西南北中][里园苑院](?!面)"
_ZONED = (
    rf"[东西南北]?[0-9一二三四五六七八九十]{{1,3}}(?:[区期](?!别)|里(?![屯庄河桥坨铺店营台地路]))|(?<=[{_HAN}])[东西南北中]区"
)
# 中关村南大街 is a road, 通惠河北路 another; 铁医路小区 is an estate.
_NO_ROAD = "(?![东南西北中]{0,2}(?:大街|[路街桥巷]|胡同))"
_NO_ESTATE = "(?!小区|社区|家园|[东西南北中][里园苑院]|[东西南北]?[0-9一二三四五六七八九十]{1,2}[区里])"
# Endings that make a name by themselves, by kind; the longer of two that start at one place stands first.
_ENDINGS: tuple[tuple[int, str], ...] = (
    (ESTATE, f"小区|社区|[家佳嘉馨花]园|公寓|苑|新村|新城|国际城|别墅|家属院|宿舍|{_ZONED}"),
    (ROAD, f"(?:大街|大道|胡同|高速|[二三四五六]环路?|环路|[东南西北]?街(?!道)|[东南西北]?路(?![灯面障况途人过由线])|巷|立交桥|桥(?![东西南北中]{{0,2}}[路街])){_NO_ESTATE}"),
    (VILLAGE, f"村(?!民|委){_NO_ROAD}{_NO_ESTATE}"),
    (STATION, f"(?:(?:长途)?(?:汽车|客运)|长途|地铁|火车)?站{_NO_ROAD}"),
    (
        VENUE,
        "(?:公园|景区|小学|中学|学校|大学|学院|幼儿园|医院|卫生院|诊所|市场|超市|商场|购物中心|广场(?!舞)|大厦|写字楼|酒店|宾馆|"
        "饭店|餐厅|饭馆|酒楼|面馆|火锅店?|包子铺|烧烤店|烧烤|烤鱼|烤鸭店|小吃店|ktv|酒吧|网吧|歌厅|健身房|健身(?!器|设|步|操)|"
        f"美容院|理发店|药店|便利店|水果店|养老院|敬老院|公司|工厂|厂|[河湖](?!公园)|水库|体育馆|图书馆|博物馆|影院|加油站|停车场|产业园|"
        f"工业区|店|铺|馆){_NO_ROAD}{_NO_ESTATE}",
    ),
)
# Endings that make one only before a number or an estate's own word, for they end common words too: 里, 园, 庄.
_WEAK = rf"[里园庄城府湾居庭轩坊营屯寺门](?=小区|社区|[东西南北]?{_NUMBER}(?:区|号|栋|幢|#)|[东西南北]区|⟦)"
_ENDING = re.compile(
    "|".join([f"(?P<w{ESTATE}>{_WING}|{_WEAK})", f"(?P<r{ESTATE}>里)", *(f"(?P<k{kind}>{words})" for kind, words in _ENDINGS)])
)
# What cannot be part of a name, up to its last occurrence before one.
_BEFORE = re.compile(
    r".*(?:位于|住在|住|在|是|们|我|你|他|她|到|从|去|给|把|被|了|的|过|着|对面|旁边|附近|门口|楼下|楼上|底商|门前|[东南西北]门|来(?!广营)|投诉|反映|举报|咨询|"
    r"请问|建议|希望|关于|前面|后面|这边|那边|整个|这个|那个|有个|有家|一家|本人|上午|下午|早上|晚上|每天|昨天|今天|刚才|时间|时候|路边|"
    r"沿线|最近|近期|全|号|[路门出街村入井]口|因为|由于|因|为|对|请|说|听|想|也|就|还|很|没|不|[0-9]路|[与跟及、])",
    re.DOTALL,
)
# Words that only look like a name: 马路, 这条路, 换热站, 天桥; those in the second part only where nothing precedes them.
_COMMON = {
    kind: re.compile(f".*(?:{ends})|.?(?:{wholes})")
    for kind, ends, wholes in (
        (
            ROAD,
            "[马走道公铁线电半迷让堵岔土小主辅修过水出后问顺条段整逛上下沿临当扫拦占绕带夜每那这哪改行人跑赶挡坏烂好里]|"
            "[天过立架限]",
            "门前|旁|十字|丁字|一|两|几",
        ),
        (VILLAGE, "[农乡全我本这那各每咱]", "新农"),
        (STATION, "[网热桶圾充电加油变换供服泵驿公务检转收工交车修运甩]", "地铁"),
        (ESTATE, "[本该各全我们每这]|[我你]家|老旧|居民|附近|周边|封闭|开放|商品房|安置", "小|大"),
        (
            VENUE,
            "[本该各每这那家某上段条证成黑]",
            "物业|供热|供电|燃气|热力|自来水|供水|排水|环卫|快递|物流|中介|装修|施工|公交|客运|科技|保险|搬家|建筑|便民|菜|小|大|"
            "开发|社区|儿童|街道|政府|停车|工作|学|酒|饭|餐",
        ),
    )
}
_ZONE = re.compile(
    rf"(?P<wing>{_WING})?(?:小区|社区)?"
    rf"(?P<zone>[东西南北]?[甲乙]?{_NUMBER}(?:区|期|里|条|社区)|(?<=[{_HAN}])[东西南北中]区)?"
)
_NUMBERS = re.compile(
    rf"(?P<letter>[a-z])座|(?P<sign>[甲乙丙丁]?)(?P<n>{_NUMBER}) ?(?P<what>号楼|号院|[栋幢]|#楼?|号(?!线|地铁|[早上下晚午]|口))|"
    rf"(?P<tall>[0-9]{{3,4}}|(?<=[区园里苑院])[0-9]{{1,4}})楼|"
    rf"building (?P<english>[0-9]{{1,3}})|(?P<gate>[东南西北]{{1,2}})门(?![头沟])|(?P<exit>[a-h][0-9]?|[东西][南北])(?:出?口)"
)
_LINES = re.compile(
    rf"地铁 ?(?P<metro>{_NUMBER}) ?号线|(?P<metro2>{_NUMBER}) ?号线|line (?P<metro3>[0-9]{{1,2}})|"
    r"(?P<bus>(?:运通|快速公交|特|专|快|夜|郊)? ?[0-9]{1,3}) ?路(?:公交车?|公共汽车|快车|支线)?(?!口)|(?P<bus2>(?:运通|特) ?[0-9]{1,3})"
)
_PLAIN = re.compile(f"[{_HAN}]{{2,10}}")
_COMPANY = re.compile("(?<=..)(?:有限公司|公司|[店房铺])$")
_LATIN = re.compile("[a-z]+")
_A_SENTENCE = 4
"""Latin words of a text that is English: the Chinese characters in it are names."""
_AND = "与和跟及、"
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
    """Read where a text, folded and in lower case, says it is; its first `address` characters were given as the place."""
    mentions = [m for m in gazetteer.mentions(text) if m.toponym.targets]
    lines = list(_lines(text))
    names = [*lines, *_names(text, mentions, lines)]
    names += _sites(text, mentions, names)
    if address and not any(name.start < address for name in names):
        names += _bare(text, address, mentions)
    if not names and len(_LATIN.findall(text)) > _A_SENTENCE:
        names += (Named(SITE, found[0][:LONGEST_NAME], *found.span()) for found in _PLAIN.finditer(text))
    taken = [(n.start, n.end) for n in names] + [(m.start, m.end) for m in mentions]
    numbers = tuple(dict.fromkeys(_numbers(text, lines)))
    return Spot(
        tuple({(n.kind, n.name, n.wing, n.zone): n for n in names}.values()),
        numbers,
        *_area(mentions),
        _without(text, taken),
    )


def _area(mentions: list[Mention]) -> tuple[str, str]:
    """Return the district and the street that all names agree on, official ones before others; empty where they do not."""
    official = [m.toponym for m in mentions if m.toponym.strength is Strength.OFFICIAL]
    others = [m.toponym for m in mentions if m.toponym.strength is not Strength.WORD]
    for toponyms in (official, others):
        targets = [target for toponym in toponyms for target in toponym.targets]
        districts = {target.district for target in targets}
        streets = {target.street for target in targets if target.street}
        if len(districts) == 1:
            return districts.pop(), streets.pop() if len(streets) == 1 else ""
    return "", ""


def _lines(text: str) -> Iterator[Named]:
    for found in _LINES.finditer(text):
        bus = found["bus"] or found["bus2"]
        metro = found["metro"] or found["metro2"] or found["metro3"]
        name = f"公交{bus.replace(' ', '')}路" if bus else f"地铁{number(metro)}号线"
        yield Named(LINE, name, found.start(), found.end())


def _names(text: str, mentions: list[Mention], lines: list[Named]) -> Iterator[Named]:
    wide = [m for m in mentions if m.toponym.strength is not Strength.SITE]
    closed = [(m.start, m.end) for m in wide] + [(line.start, line.end) for line in lines]
    at = 0
    for found in _ENDING.finditer(text):
        start = found.start()
        if start < at or any(begin < start < end for begin, end in closed):
            continue
        kind = int((found.lastgroup or "k0")[1:])
        low = max([0, at, start - READ, *(line.end for line in lines if line.end <= start)])
        if at and low == at and text[low] in _AND:
            low += 1
        low = _behind(text, low, start, wide)
        low += _back(text[low:start])
        # 里 says something right behind a street and otherwise ends a hundred common words.
        loose = found.lastgroup == f"r{ESTATE}" and not (start - low == 2 and any(m.end == low for m in wide))
        if not loose and _is_name(kind, text[low:start], found[0]):
            named = _estate(text, low, found) if kind == ESTATE else _other(text, kind, low, found)
            if named:
                yield named
                at = named.end


def _behind(text: str, low: int, start: int, wide: list[Mention]) -> int:
    """Cut districts and streets in front of a name: all of an official one, a short one if a name is left of it."""
    for m in wide:
        if low < m.end <= start and (m.toponym.strength is Strength.OFFICIAL or start - m.end >= 2):
            low = m.end
    return low


def _back(before: str) -> int:
    """Return where in the characters before an ending the name can begin."""
    cut = _BEFORE.match(before)
    start = cut.end() if cut else 0
    for at in range(len(before) - 1, start - 1, -1):
        if not before[at].isalnum():
            return at + 1
    return start


def _is_name(kind: int, base: str, ending: str) -> bool:
    short = ending == "街" or "环" in ending
    if not base or (kind in (ROAD, STATION, VENUE) and len(base) < 2 and not short) or base[-1] == ending == "桥":
        return False
    common = _COMMON.get(kind)
    return not (common and common.fullmatch(base))


def _estate(text: str, start: int, found: re.Match[str]) -> Named | None:
    """Return an estate: 小区 says nothing, 家园 is part of the name, 西里 tells it from its neighbours."""
    ending, base = found[0], text[start : found.start()]
    apart = ending in {"小区", "社区", "家属院", "宿舍"} or _ZONE.fullmatch(ending) is not None
    at = found.start() if apart else found.end()
    name = (base if apart else base + ending).translate(_SAME_GARDEN)
    tail = _ZONE.match(text, at)
    wing, zone = (tail["wing"] or "", tail["zone"] or "") if tail else ("", "")
    if len(name) < 2:
        return None
    end = max(found.end(), tail.end() if tail else 0)
    return Named(ESTATE, name[-LONGEST_NAME:], start, end, wing, _zone(zone))


def _zone(zone: str) -> str:
    digits = re.search(_NUMBER, zone)
    return zone.replace(digits[0], number(digits[0])).replace("社区", "区") if digits else zone


def _other(text: str, kind: int, start: int, found: re.Match[str]) -> Named:
    name = text[start : found.start()] if kind == STATION else text[start : found.end()]
    if name.endswith("环路"):
        name = name[:-1]
    if kind == VENUE:
        name = _COMPANY.sub("", name)
    return Named(kind, name[-LONGEST_NAME:], start, found.end())


def _bare(text: str, address: int, mentions: list[Mention]) -> Iterator[Named]:
    """Yield what an address says behind its district and street, if that looks like no name of a known kind."""
    ends = [m for m in mentions if m.end <= address]
    start = max((m.end for m in ends), default=0)
    if ends and address - start == 1 and ends[-1].toponym.strength is not Strength.OFFICIAL:
        start = ends[-1].start
    found = _PLAIN.match(text, start, address)
    if found:
        yield Named(SITE, found[0][:LONGEST_NAME], found.start(), found.end())


def _sites(text: str, mentions: list[Mention], names: list[Named]) -> Iterator[Named]:
    """Yield landmarks and estates of the gazetteer, and bridges, that no name found so far contains."""
    for mention in mentions:
        site = mention.toponym.strength is Strength.SITE or (not names and mention.toponym.name[-1] == "桥")
        inside = any(n.start <= mention.start and mention.end <= n.end for n in names)
        if site and not inside and mention.toponym.name[-1] != "区":
            tail = _ZONE.match(text, mention.end)
            wing, zone = (tail["wing"] or "", tail["zone"] or "") if tail else ("", "")
            yield Named(SITE, mention.toponym.name, mention.start, mention.end, wing, _zone(zone))


def _numbers(text: str, lines: list[Named]) -> Iterator[tuple[int, str]]:
    taken = [(line.start, line.end) for line in lines]
    for found in _NUMBERS.finditer(text):
        if any(start <= found.start() < end for start, end in taken):
            continue
        if found["gate"]:
            yield GATE, found["gate"]
        elif found["exit"]:
            yield EXIT, found["exit"]
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
