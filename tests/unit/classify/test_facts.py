"""Facts from words: times, people, money, organisations, talks, and what is still to be asked."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import rjieba
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.classify import Details
from services.classify.digest import cut
from services.classify.facts import Said, asked_of, details, told, turns
from services.classify.facts.amounts import amounts
from services.classify.facts.companies import companies
from services.classify.facts.numbers import span
from services.classify.facts.times import times

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, 12, tzinfo=ZONE)


def local(at: datetime | None) -> str | None:
    """Return a time as the city's clocks show it."""
    return at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") if at else None


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("昨晚十点开始停水", "2026-03-01 22:00", None),
        ("上周三物业来过", "2026-02-25 00:00", "2026-02-26 00:00"),
        ("周三来过", "2026-02-25 00:00", "2026-02-26 00:00"),
        ("从3号开始没水", "2026-02-03 00:00", None),
        ("三天前报修", "2026-02-27 00:00", "2026-02-28 00:00"),
        ("这个月15号断电", "2026-03-15 00:00", "2026-03-16 00:00"),
        ("国庆期间噪音大", "2025-10-01 00:00", "2025-10-09 00:00"),
        ("今天早上八点半", "2026-03-02 08:30", "2026-03-02 09:30"),
        ("3月1日下午三点", "2026-03-01 15:00", "2026-03-01 16:00"),
        ("12月5号", "2025-12-05 00:00", "2025-12-06 00:00"),
        ("2025年12月5号", "2025-12-05 00:00", "2025-12-06 00:00"),
        ("停水三天了", "2026-02-27 12:00", "2026-03-02 12:00"),
        ("晚上11点到第二天凌晨5点", "2026-03-01 23:00", "2026-03-02 05:00"),
        ("去年冬天", "2025-12-01 00:00", "2026-03-01 00:00"),
        ("上个月底", "2026-02-21 00:00", "2026-03-01 00:00"),
        ("前天下午", "2026-02-28 12:00", "2026-02-28 18:00"),
        ("昨天夜里两点", "2026-03-02 02:00", "2026-03-02 03:00"),
        ("1月3号到5号停电", "2026-01-03 00:00", "2026-01-06 00:00"),
        ("从昨天到现在没电", "2026-03-01 00:00", None),
        ("半个月前", "2026-02-15 00:00", "2026-02-16 00:00"),
        ("两小时前", "2026-03-02 10:00", "2026-03-02 11:00"),
        ("明天上午停水吗", "2026-03-03 08:00", "2026-03-03 12:00"),
        ("下周一施工", "2026-03-09 00:00", "2026-03-10 00:00"),
        ("2026-02-28 14:00", "2026-02-28 14:00", "2026-02-28 15:00"),
    ],
)
def test_a_time_is_counted_from_when_it_was_said(text: str, start: str, end: str | None) -> None:
    (when,) = times(text, MONDAY, ZONE)
    assert (local(when.start), local(when.end), when.every) == (start, end, None)


@pytest.mark.parametrize(
    ("text", "every", "since", "until"),
    [
        ("每天凌晨两点到四点施工", "day", "02:00", "04:00"),
        ("每晚十二点还在唱歌", "day", "00:00", None),
        ("工作日早上7点", "workday", "07:00", None),
        ("每周六打孔", "week", None, None),
        ("半夜", None, "00:00", "06:00"),
    ],
)
def test_what_comes_back_has_hours_and_no_day(
    text: str, every: str | None, since: str | None, until: str | None
) -> None:
    (when,) = times(text, MONDAY, ZONE)
    assert (when.start, when.every, when.since, when.until) == (None, every, since, until)


@pytest.mark.parametrize(
    "text",
    ["三号楼漏水", "一点水都没有", "有点吵", "五一路上堵车", "地铁10号线", "一千五百米", "早晚高峰", "早点来", ""],
)
def test_what_only_looks_like_a_time_is_none(text: str) -> None:
    assert times(text, MONDAY, ZONE) == ()


@given(
    st.text(
        alphabet="一二三四十几半两0123456789年月日号点分周上下个这昨今前后每天晚早到至从开始-.: ，国庆末底", max_size=40
    )
)
def test_no_words_are_too_odd_to_be_read(text: str) -> None:
    found = details(text, cut(text), MONDAY, ZONE)
    assert Details.model_validate_json(found.model_dump_json()) == found


@given(st.integers(1, 27), st.integers(0, 23))
def test_a_day_and_an_hour_in_figures_are_that_day_and_hour(day: int, hour: int) -> None:
    (when,) = times(f"2026年1月{day}日{hour}:30", MONDAY, ZONE)
    assert when.start == datetime(2026, 1, day, hour, 30, tzinfo=ZONE).astimezone(UTC)
    assert when.end == when.start + timedelta(hours=1)


@pytest.mark.parametrize(
    ("words", "least", "most"),
    [
        ("三百五", 350, 350),
        ("一千零五", 1005, 1005),
        ("两三千", 2000, 3000),
        ("几十", 20, 90),
        ("十几", 11, 19),
        ("三十多", 30, 39),
        ("1万多", 10000, 19999),
        ("二十来万", 180000, 220000),
        ("二十多万", 200000, 299999),
        ("两万五", 25000, 25000),
        ("1.2万", 12000, 12000),
    ],
)
def test_a_vague_number_is_a_range(words: str, least: float, most: float) -> None:
    assert span(words) == (least, most)


@given(st.integers(1, 9999))
def test_a_number_in_figures_is_itself(number: int) -> None:
    assert span(str(number)) == (number, number)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("小区几百户没水", [(200, 900, "household")]),
        ("三十多个工人被欠薪", [(30, 39, "person")]),
        ("押金1.2万元不退", [(12000, 12000, "yuan")]),
        ("交了三千块", [(3000, 3000, "yuan")]),
        ("被骗了二十来万，报警了", [(180000, 220000, "yuan")]),
        ("工资欠了两万五", [(25000, 25000, "yuan")]),
        ("一共欠了八十多人四十余万元", [(80, 89, "person"), (400000, 499999, "yuan")]),
        ("要价3-5万元", [(30000, 50000, "yuan")]),
        ("一个人在家", []),
        ("三家公司都不管", []),
        ("交了三次材料", []),
        ("第三人民医院", []),
    ],
)
def test_people_and_money_are_counted(text: str, found: list[tuple[float, float, str]]) -> None:
    people, money = amounts(text)
    assert [(one.least, one.most, one.unit) for one in (*people, *money)] == found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("投诉北京华联物业管理有限公司乱收费", ("北京华联物业管理有限公司",)),
        ("我在望京华联超市买的肉", ("望京华联超市",)),
        ("首开物业态度差", ("首开物业",)),
        ("楼下的肯德基餐厅油烟大", ("肯德基餐厅",)),
        ("中铁十二局集团欠我们工资", ("中铁十二局集团",)),
        ("物业公司不作为", ()),
        ("燃气公司没来", ()),
        ("一家公司拖欠工资", ()),
        ("在一家饭店吃饭", ()),
    ],
)
def test_an_organisation_is_one_that_has_a_name(text: str, names: tuple[str, ...]) -> None:
    assert companies(rjieba.cut(text)) == names


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        ("坐席：家里有味，是漏气吗？\n市民：对", "是漏气"),
        ("坐席：是漏气吗？\n市民：没有，是饭糊了", "是饭糊了"),
        ("坐席：有人头晕吗\n市民：没有", ""),
        ("A：您在哪个小区？\nB：花家地", "花家地"),
        ("坐席：停水前收到通知吗？\n市民：不知道", "不知道"),
        ("客服：您是说燃气泄漏是吗？\n来电人：嗯嗯，是的", "燃气泄漏"),
        ("市民：楼上着火了\n坐席：几层？\n市民：六层\n还有烟", "楼上着火了。六层，还有烟"),
        ("坐席：是不是着火了？\n坐席：喂？\n市民：喂", "喂"),
    ],
)
def test_of_a_talk_the_citizens_words_decide(talk: str, said: str) -> None:
    assert told(turns(talk)) == said


@pytest.mark.parametrize("text", ["楼上漏水：很严重", "市民：没有坐席说话", "地址：望京\n坐席：", ""])
def test_what_has_not_two_speakers_is_no_talk(text: str) -> None:
    assert turns(text) == []


def test_a_question_that_was_not_answered_says_nothing() -> None:
    assert told([Said("citizen", "路灯不亮"), Said("seat", "是着火了吗")]) == "路灯不亮"


def test_what_the_words_answer_need_not_be_asked() -> None:
    text = "昨晚十点阀门就关了，三百多户"
    facts = details(text, cut(text), MONDAY, ZONE)
    asks = ("什么时候开始的", "在哪个位置", "阀门关了没有", "影响多少户", "有没有人头晕")
    found = asked_of(asks, text, facts, located=False, cut=cut)
    assert [one.ask for one in found if not one.said] == ["在哪个位置", "有没有人头晕"]
