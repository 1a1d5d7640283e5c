"""The marks that times are made of, and what each of them says: a day, a part of the day, an hour, a span, "every"."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache

from holidays import country_holidays

from libs.common.city.days import kind_of_day
from libs.common.contracts.classify import Every
from services.classify.facts.numbers import span
from services.classify.facts.rows import Row

_NUMBER = r"(?:\d{1,3}|[一二两三四五六七八九十廿几半]{1,3})"
_DAYS = {"大前": -3, "前": -2, "昨": -1, "今": 0, "当": 0, "明": 1, "后": 2, "大后": 3}
_YEARS = {"大前": -3, "前": -2, "去": -1, "今": 0, "明": 1}
_PARTS = {
    "凌晨": (0, 6), "后半夜": (0, 6), "大半夜": (0, 6), "半夜": (0, 6), "大清早": (5, 8), "一大早": (5, 8),
    "清晨": (5, 8),
    "早上": (6, 9), "早晨": (6, 9), "早": (6, 9), "上午": (8, 12), "中午": (11, 14), "下午": (12, 18), "傍晚": (17, 20),
    "晚上": (18, 24), "晚间": (18, 24), "夜里": (20, 30), "夜间": (20, 30), "深夜": (22, 30), "晚": (18, 24),
    "夜": (20, 30), "白天": (8, 18),
}  # fmt: skip
"""Hours of the day, from and to; those beyond 24 are of the next day."""
_WEEKDAYS = {name: day for day, name in enumerate("一二三四五六日")} | {"天": 6, "末": 5}
_FEASTS = {
    "国庆": "国庆节", "春节": "春节", "过年": "春节", "除夕": "农历除夕", "五一": "劳动节", "劳动节": "劳动节",
    "清明": "清明节", "端午": "端午节", "中秋": "中秋节", "元旦": "元旦",
}  # fmt: skip
_THIRDS = {"初": (1, 10), "中": (11, 20), "底": (21, 31), "末": (21, 31)}
_LENGTHS = {
    "分": 1 / 1440,
    "小": 1 / 24,
    "钟": 1 / 24,
    "天": 1.0,
    "周": 7.0,
    "星": 7.0,
    "礼": 7.0,
    "月": 30.4,
    "年": 365.0,
}
_MONTH = 30
_SEASONS = {"春": 3, "夏": 6, "秋": 9, "冬": 12}


Reader = Callable[[re.Match[str], Row, datetime], None]
READERS: dict[str, Reader] = {}
_PATTERNS: list[str] = []


def _mark(kind: str, pattern: str) -> Callable[[Reader], Reader]:
    """Read marks of a pattern; those declared first are tried first."""

    def keep(reader: Reader) -> Reader:
        READERS[kind] = reader
        _PATTERNS.append(f"(?P<{kind}>{pattern})")
        return reader

    return keep


def _days(row: Row, first: date, last: date | None = None) -> None:
    """Note a day, or the second one of a span."""
    if row.to and row.first:
        row.last = last or first
    else:
        row.first, row.last = first, last or first


def _number(words: str) -> float:
    bounds = span(words.replace("廿", "二十"))
    return 0.5 if words == "半" else bounds[0] if bounds else 0.0


def _int(words: str) -> int:
    return int(_number(words))


def _day_of(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _month(year: int, month: int) -> tuple[date, date]:
    first = date(year, month, 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _third(year: int, month: int, third: str) -> tuple[date, date]:
    first, last = _month(year, month)
    begin, end = _THIRDS[third]
    return first.replace(day=begin), last.replace(day=min(end, last.day))


@_mark(
    "date",
    r"(?:(?P<year>(?:19|20)\d\d)[年.\-/])?(?:(?P<month>1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])月份?|(?<=[年.\-/])(?P<plain_month>1[0-2]|0?[1-9])[.\-/])"
    rf"(?:(?P<third>[初中底末])旬?|(?P<day_of>{_NUMBER})[号日]?)?",
)
def _date(mark: re.Match[str], row: Row, now: datetime) -> None:
    month = _int(mark["month"] or mark["plain_month"])
    year = int(mark["year"]) if mark["year"] else row.first.year if row.to and row.first else now.year
    if not mark["year"] and not row.to and (month, _int(mark["day_of"] or "1")) > (now.month, now.day):
        year -= 1
    if mark["third"]:
        _days(row, *_third(year, month, mark["third"]))
    elif mark["day_of"]:
        if day := _day_of(year, month, _int(mark["day_of"])):
            _days(row, day)
    else:
        _days(row, *_month(year, month))


@_mark("whole_year", r"(?P<year_only>(?:19|20)\d\d)年")
def _whole_year(mark: re.Match[str], row: Row, _: datetime) -> None:
    year = int(mark["year_only"])
    _days(row, date(year, 1, 1), date(year, 12, 31))


@_mark(
    "moon",
    rf"(?P<which_month>上上个?|上个?|这个?|本|当|下个?)月(?:(?P<month_third>[初中底末])旬?|(?P<month_day>{_NUMBER})[号日])?",
)
def _moon(mark: re.Match[str], row: Row, now: datetime) -> None:
    step = {"上上": -2, "上": -1, "下": 1}.get(mark["which_month"].removesuffix("个"), 0)
    year, month = divmod(now.year * 12 + now.month - 1 + step, 12)
    if mark["month_third"]:
        _days(row, *_third(year, month + 1, mark["month_third"]))
    elif mark["month_day"]:
        if day := _day_of(year, month + 1, _int(mark["month_day"])):
            _days(row, day)
    else:
        _days(row, *_month(year, month + 1))


@_mark("annual", r"(?P<which_year>大前|[前去今明])年(?:(?P<season>[春夏秋冬])[天季]?)?")
def _annual(mark: re.Match[str], row: Row, now: datetime) -> None:
    year = now.year + _YEARS[mark["which_year"]]
    if mark["season"]:
        begin = _SEASONS[mark["season"]]
        after, end = divmod(begin + 1, 12)
        _days(row, date(year, begin, 1), _month(year + after, end + 1)[1])
    else:
        _days(row, date(year, 1, 1), date(year, 12, 31))


@_mark("day", r"(?P<which_day>大前|大后|[前昨今明后])(?:[天日儿]|(?=[早晚夜上]))")
def _day(mark: re.Match[str], row: Row, now: datetime) -> None:
    _days(row, now.date() + timedelta(days=_DAYS[mark["which_day"]]))


@_mark(
    "every",
    r"每天|天天|每日|每(?=[早晚夜])|(?:每个?)?(?P<work>工作日)|每(?:个|到)?(?P<weekend>周末)|每个?(?P<cycle>周|星期|礼拜|月|年)[一二三四五六日天]?",
)
def _every(mark: re.Match[str], row: Row, _: datetime) -> None:
    cycles: dict[str, Every] = {"周": "week", "星期": "week", "礼拜": "week", "月": "month", "年": "year"}
    if mark["work"]:
        row.every = "workday"
    elif mark["weekend"]:
        row.every = "weekend"
    else:
        row.every = cycles[mark["cycle"]] if mark["cycle"] else "day"


@_mark(
    "weekday",
    r"(?P<which_week>上上个?|上个?|这个?|本|下个?)?(?:周|星期|礼拜)(?P<on_weekday>[一二三四五六日天末](?![个次圈年岁]))",
)
def _weekday(mark: re.Match[str], row: Row, now: datetime) -> None:
    which = (mark["which_week"] or "").removesuffix("个")
    monday = now.date() - timedelta(days=now.weekday())
    day = monday + timedelta(days=_WEEKDAYS[mark["on_weekday"]], weeks={"上上": -2, "上": -1, "下": 1}.get(which, 0))
    if not which and day > now.date():
        day -= timedelta(weeks=1)
    _days(row, day, day + timedelta(days=1) if mark["on_weekday"] == "末" else None)


@_mark("week", r"(?P<whole_week>上上个?|上个?|这个?|本|下个?)(?:周|星期|礼拜)")
def _week(mark: re.Match[str], row: Row, now: datetime) -> None:
    step = {"上上": -2, "上": -1, "下": 1}.get(mark["whole_week"].removesuffix("个"), 0)
    monday = now.date() + timedelta(days=-now.weekday(), weeks=step)
    _days(row, monday, monday + timedelta(days=6))


_UNIT = r"(?:分钟|小时|钟头|天|周|星期|礼拜|月|年)"


@_mark("ago", rf"(?P<ago_count>{_NUMBER})(?P<ago_half>个半|个多|多个?|来?个)?(?P<ago_unit>{_UNIT})(?:以|之)?前")
def _ago(mark: re.Match[str], row: Row, now: datetime) -> None:
    days = _length(mark["ago_count"], mark["ago_half"], mark["ago_unit"])
    at = now - timedelta(days=days)
    if mark["ago_unit"][0] in "分小钟":
        row.exact = (at, at + timedelta(hours=1))
    elif mark["ago_unit"] not in ("月", "年") or days < _MONTH:
        _days(row, at.date())
    else:
        year, month = divmod(now.year * 12 + now.month - 1 - round(days / _MONTH), 12)
        _days(row, *_month(year, month + 1) if mark["ago_unit"] == "月" else (date(year, 1, 1), date(year, 12, 31)))


@_mark(
    "length",
    rf"(?:(?P<lately>最近|近|这|过去)(?P<for>{_NUMBER})|(?P<so_long>{_NUMBER}))(?P<for_half>个半|个多|多个?|来?个)?(?P<for_unit>{_UNIT})(?(lately)|了)",
)
def _lasting(mark: re.Match[str], row: Row, now: datetime) -> None:
    days = _length(mark["for"] or mark["so_long"], mark["for_half"], mark["for_unit"])
    row.exact = (now - timedelta(days=days), now)


def _length(number: str, half: str | None, unit: str) -> float:
    return (_number(number) + (0.5 if half == "个半" else 0)) * _LENGTHS[unit[0]]


@_mark(
    "nth",
    rf"(?<![\d一二三四五六七八九十百年月第.])(?P<nth_day>{_NUMBER})[号日](?![楼院线门店桌厅车机井库馆岗坑路]|单元|地块|出口)",
)
def _nth(mark: re.Match[str], row: Row, now: datetime) -> None:
    day = _int(mark["nth_day"])
    here = row.first if row.to and row.first else now.date()
    year, month = here.year, here.month
    if not row.to and day > now.day:
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    if found := _day_of(year, month, day):
        _days(row, found)


@_mark(
    "feast",
    rf"(?P<feast_name>{'|'.join(_FEASTS)})(?![路街桥楼]|小区|社区|广场)(?:节|长?假期?)?(?:期间|那天|当天|前后)?",
)
def _feast(mark: re.Match[str], row: Row, now: datetime) -> None:
    year = row.first.year if row.first else now.year
    days = _feast_days(year, _FEASTS[mark["feast_name"]])
    if days and not row.first and days[0] > now.date() + timedelta(days=30):
        days = _feast_days(year - 1, _FEASTS[mark["feast_name"]])
    if days:
        row.first, row.last = days[0], days[-1]


@lru_cache(maxsize=64)
def _feast_days(year: int, name: str) -> tuple[date, ...]:
    """Return the days of a feast, and those off around it."""
    days = sorted(day for day, names in country_holidays("CN", years=year, language="zh_CN").items() if name in names)
    for step in (-1, 1) if days else ():
        while kind_of_day(beside := days[-1 if step > 0 else 0] + timedelta(days=step)) == "holiday":
            days = sorted([*days, beside])
    return tuple(days)


@_mark("part", "|".join(sorted(name for name in _PARTS if len(name) > 1)) + "|(?<=[昨今前明每天日])[早晚夜]")
def _part(mark: re.Match[str], row: Row, _: datetime) -> None:
    row.part = _PARTS[mark[0]]


@_mark("just", "刚才|刚刚")
def _just(_: re.Match[str], row: Row, now: datetime) -> None:
    row.exact = (now - timedelta(hours=1), now)


@_mark(
    "clock",
    r"(?<![\d.第])(?P<hour>2[0-4]|1\d|0?\d|二?十[一二三四五六七八九]?|[零一二两三四五六七八九])"
    r"(?:[点时](?![名心评赞击间燃火位儿期候不]|了名)钟?(?P<minute>半|一刻|三刻|\d{1,2}分?|[一二三四五]?十?[一二三四五六七八九]分)?|[:：](?P<colon>[0-5]\d)(?!\d))"
    r"(?:左右|多|许|整)?",
)
def _clock(mark: re.Match[str], row: Row, _: datetime) -> None:
    if mark[0] == "一点" and not row.kinds:
        return  # 一点水都没有 is no hour
    minute = mark["colon"] or (mark["minute"] or "0").removesuffix("分")
    minutes = {"半": 30, "一刻": 15, "三刻": 45}.get(minute, _int(minute))
    hours = _int(mark["hour"]) + minutes / 60
    if row.part and hours <= 12 and row.part[0] >= 11 and not (row.part[0] == 11 and hours >= 11):
        # 晚上十二点 and 夜里两点 are of the next day, 下午三点 is 15:00.
        hours += 24 if row.part[0] >= 18 and (hours < 6 or hours == 12) and hours != 12 else 12
    if row.clock and hours < row.clock[0]:
        hours += 12 if hours + 12 > row.clock[0] and row.clock[0] < 24 and hours <= 12 and row.clock[0] >= 12 else 24
    row.clock.append(hours)


@_mark("begin", r"从|自从?|打(?=[昨今前上去])")
def _begin(_: re.Match[str], row: Row, __: datetime) -> None:
    row.onward = True


@_mark("onward", r"开始|起(?=[，。,. ]|$|就|一直|停|没)|以来|至今|到现在|到今天")
def _onward(_: re.Match[str], row: Row, __: datetime) -> None:
    row.onward = True


@_mark("to", r"[到至](?:第二天|次日)?|[—~～-]")
def _to(_: re.Match[str], row: Row, __: datetime) -> None:
    row.to = True


_FIRST = (
    r"\d零一二两三四五六七八九十廿几半上这本当下大前昨今明后去每天工周星礼最近过凌早清中傍晚夜深白刚国春除劳端元"
    r"从自打开起以至到—~～\-"
)
MARKS = re.compile(f"(?=[{_FIRST}])(?:{'|'.join(_PATTERNS)})")
"""All marks, none of which is tried where no mark begins; the name of the last group is the kind of a mark."""
