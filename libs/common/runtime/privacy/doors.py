"""Door numbers: what lies beyond the building. Roads, courtyards, buildings, bus lines and hospitals stay."""

import re

from libs.common.runtime.privacy.finding import Span, rule

# Known to everyone by these digits: emergency lines, a shop, an art district.
_PUBLIC = re.compile("(?:.{1,3}[层楼] ?)?(?:110|119|120|122|711|798)")

_SPOKEN = "[一二三四五六七八九零〇]"
_FIGURE = "[0-9一二三四五六七八九十零〇]"
_MEASURE = (
    "[多余几元块万米㎡吨度岁次名个月只台份条件辆位层栋幢座路线%升斤公]|[mM](?![A-Za-z])|[.:][0-9]|户(?![型门内里])|楼(?![上下道])"
    "|家(?![里中的人])|人(?!家)|天(?!天)|时(?!常)|日(?!夜|常)|平(?![时常日])|分(?!摊)|年|小[时区]"
    "|号(?:楼|院|线|门|地铁|公交|房)|医院|公交|厂|所|中学|艺术|便利|附近"
)
_END = f"(?![0-9])(?! ?(?:{_MEASURE}))"
_LANE = "[楼栋幢座]|院|线|门|地铁|公交|电梯|户型|车位|桩|房(?=[子间东屋主产])"
_SUFFIX = rf"(?: ?室(?![内外])|号?房(?![子间东屋主产])|号(?!{_LANE}))"
# 101户 is a door, 300户 are households: rooms on a floor are few.
_HOUSEHOLD = "[0-9]{1,2}(?:0[1-9]|1[0-2])户(?![居人住业都家型])"
_NUMBERED = f"(?:[0-9]{{3,4}}[A-Za-z]?(?:{_SUFFIX}|{_END})|{_HOUSEHOLD})"
_IN_WORDS = f"{_SPOKEN}{{3,4}}(?:{_SUFFIX}|{_END})"
_SMALL = (
    f"(?:[0-9]{{1,2}}[A-Za-z]?{_SUFFIX}|{_FIGURE}{{1,3}}(?:室(?![内外])|号(?!{_LANE}))"
    "|[0-9]{1,2}[A-H](?![A-Za-z0-9])|[东西南北中左右][手边]?户(?!型))"
)
_ROOM = f"(?:{_NUMBERED}|{_IN_WORDS}|{_SMALL})"
_MORE = f"(?:[、,和及与] ?(?:{_NUMBERED}|{_IN_WORDS})){{0,5}}"
_FLOOR = f"{_FIGURE}{{1,3}}[层楼] ?"
_INSIDE = f"(?:{_FLOOR})?{_ROOM}{_MORE}"
_UNIT = f"(?:{_FIGURE}{{1,3}}|[A-Za-z甲乙丙丁东西中]) ?单元"
_GATE = rf"{_FIGURE}{{1,2}}[门梯](?=[ \-]?[0-9])"
# A room of an office is no one's home: 法院301室, 服务中心206室.
_FIRST_DIGIT = "[0-9](?<![0-9.院局厅处所心][0-9])"
# Lookbehinds stand behind the word they qualify: a pattern that opens with a letter is searched for faster.
_BUILDING = (
    "(?:号楼|号院|大厦|公寓|[栋幢]楼?|#(?<=[0-9]#)楼?|楼(?<=[0-9]{3}楼)"
    "|座(?<=[0-9A-Za-z一二三四五六七八九十甲乙丙丁东西南北]座))"
)
_COMMUNITY = "(?:小区|社区|家园|花园|[苑园湾庭府城院村居]|里(?<!公里)) ?"
_LIVES = "(?:住在?|住址|地址|门牌号?|房间号?|房号|室号|楼上|楼下|对门|隔壁|邻居|对面|我家|家里)[是为在的: ]{0,3}"
_INDOORS = r"(?<![A-Za-z])(?i:apt|apartment|room|rm|flat|suite|unit)\.? ?#?[0-9]{1,4}[A-Za-z]?(?![A-Za-z0-9])"


def _door(found: re.Match[str]) -> Span | None:
    return None if _PUBLIC.fullmatch(found.group("it")) else found.span("it")


def _in_dashes(found: re.Match[str]) -> Span | None:
    """Building-unit-room, unless it is a date in the American order."""
    is_date = len(found.group("unit")) > 1 and found.group("room")[:2] in ("19", "20")
    return None if is_date else found.span("it")


RULES = (
    rule("door", rf"{_BUILDING}[ ,.\-]{{0,2}}(?P<it>(?:{_UNIT}|{_GATE})(?: ?-? ?{_INSIDE})?)"),
    rule("door", rf"{_BUILDING}[ ,.\-]{{0,2}}(?P<it>[0-9]{{1,2}} ?- ?{_NUMBERED}{_MORE})"),
    rule("door", rf"{_BUILDING}[ .\-]{{0,2}}(?P<it>{_INSIDE})", _door),
    rule(
        "door",
        rf"[0-9A-Za-z](?<![A-Za-z0-9.\-][0-9A-Za-z])[0-9]{{0,3}} ?- ?"
        rf"(?P<it>(?P<unit>[1-9][0-9]?) ?- ?(?P<room>[0-9]{{3,4}})[A-Za-z]?(?:{_SUFFIX}|{_END}))(?!-)",
        _in_dashes,
    ),
    rule("door", rf"(?:{_UNIT}|{_GATE}) ?-? ?{_INSIDE}"),
    rule("door", rf"{_COMMUNITY}[0-9]{{1,3}} ?- ?(?P<it>{_NUMBERED}{_MORE})"),
    rule("door", rf"(?P<it>{_FIGURE}(?<![0-9]{_FIGURE}){_FIGURE}?[层楼] ?(?:{_NUMBERED}|{_IN_WORDS}){_MORE})", _door),
    rule("door", rf"(?:{_FIRST_DIGIT}[0-9]{{2,3}}|{_SPOKEN}{{3,4}})[A-Za-z]?室(?![内外])"),
    rule("door", rf"{_FIRST_DIGIT}[0-9]{{0,1}}[0-4][0-9]号?房(?![子间东屋主产价补型租地改源贷])"),
    rule("door", rf"{_LIVES}(?P<it>{_NUMBERED}{_MORE})", _door),
)
ENGLISH = (rule("door", rf"{_INDOORS}(?:,? {_INDOORS})?"),)
