"""Reading: danger, place, keywords and summary of an appeal."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.contracts.vocabulary import Location, Receipt
from services.classify.cues import load_cues
from services.classify.digest import SUMMARY_LENGTH, Digest, shortened
from services.classify.domain import Appeal, appeal_of
from services.classify.ear import Ear, lessons
from services.classify.hotspots import Detector, load_lexicon
from services.classify.model import Model
from services.classify.reader import Reader
from tests.support.stages import CITY, NOON

DIGEST = Digest(load_city(CITY).catalogue)


@pytest.fixture(scope="module")
def reader() -> Reader:
    city = load_city(CITY)
    detector, cues = Detector(city, load_lexicon(CITY / "hotspots.toml")), load_cues(CITY / "cues.toml")
    ear = Ear.train(cues.alarm, lessons(city, CITY / "danger.csv"))
    return Reader(city, Model.train(city.catalogue), cues, detector, ear)


def test_an_appeal_is_read_whole(reader: Reader) -> None:
    appeal = Appeal("楼上漏水把我家天花板泡了，物业不管", address="朝阳区望京街道花家地12号楼")
    (reading,) = reader.read([appeal])
    assert reading.place
    assert (reading.place.district_name, reading.place.street_name) == ("朝阳区", "望京街道")
    assert "漏水" in reading.keywords
    assert (reading.danger, reading.outside, reading.kind) == (None, False, None)


CALM = "我们反映的是多年来没有解决的问题，请有关部门认真研究并且答复。" * 8


@pytest.mark.parametrize(
    ("appeal", "heard"),
    [
        (Appeal(CALM, title="楼上着火了"), True),
        (Appeal(f"{CALM}楼上着火了。"), False),
        (Appeal(f"{CALM}现在楼上着火了。"), True),
        (Appeal(f"{CALM}现在请答复。万一楼上着火了怎么办。"), False),
        (Appeal(CALM, added=("谢谢", "楼上着火了")), True),
        (Appeal(CALM, added=(f"{CALM}楼上着火了",)), False),
    ],
)
def test_danger_is_heard_in_the_opening_of_what_is_said_and_behind_it_where_it_says_now(
    reader: Reader, appeal: Appeal, heard: bool
) -> None:
    (reading,) = reader.read([appeal])
    assert bool(reading.danger) is heard


def test_added_words_say_what_it_is_about_and_where_but_not_that_it_is_a_question(reader: Reader) -> None:
    (reading,) = reader.read([Appeal("家里不行了", added=("请问", "暖气不热，室温只有十二度，朝阳区望京街道花家地"))])
    assert reading.guess.code.startswith("heating-")
    assert reading.place
    assert (reading.place.street_name, reading.asks) == ("望京街道", False)


def test_of_many_added_words_the_newest_are_read() -> None:
    receipt = Receipt(number="1", channel="phone", text="喂", received_at=NOON)
    added = appeal_of(receipt, ["一" * 1500, "二" * 1200, "三"]).added
    assert [(text[0], len(text)) for text in added] == [("一", 799), ("二", 1200), ("三", 1)]
    assert [text[0] for text in appeal_of(receipt, ["一", "二" * 6000]).added] == ["二"]


def test_a_point_in_another_city_is_outside(reader: Reader) -> None:
    (reading,) = reader.read([Appeal("路灯不亮", location=Location(lat=31.2, lon=121.5))])
    assert (reading.outside, reading.place) == (True, None)


def test_a_title_that_says_something_is_the_summary() -> None:
    assert DIGEST.of("小区停水三天", "没有人来修").summary == "小区停水三天"
    assert DIGEST.of("你好", "小区停水三天").summary == "小区停水三天"


def test_the_summary_is_what_says_most() -> None:
    text = (
        "您好，我姓王，打扰您了。是这样的，我想说一下。" * 3
        + "我们小区自来水发黄，水里有铁锈。"
        + "谢谢您，辛苦了。" * 5
    )
    assert "自来水发黄" in DIGEST.of(None, text).summary


@given(st.text(alphabet="停水电梯，。\n a1", max_size=200), st.integers(0, 100))
def test_a_summary_is_short_and_holds_whole_marks_only(words: str, at: int) -> None:
    text = f"{words[:at]}⟦phone-1⟧{words[at:]}"
    summary = DIGEST.of(None, text).summary
    assert len(summary) <= SUMMARY_LENGTH
    assert summary.count("⟦") == summary.count("⟧") == summary.count("⟦phone-1⟧")


def test_what_is_cut_off_is_shown() -> None:
    assert shortened("水" * 80) == "水" * 59 + "…"
    assert shortened("水" * 55 + "⟦phone-1⟧" + "水" * 20) == "水" * 55 + "…"


def test_words_are_cut_once_and_none_is_lost() -> None:
    gist = DIGEST.of("停水", "小区停水⟦phone-1⟧三天了， 没人管")
    assert "".join(gist.words) == "停水小区停水" + " " * len("⟦phone-1⟧") + "三天了， 没人管"
    assert gist.keywords[0] == "停水"


def test_facts_are_counted_from_when_the_words_were_said(reader: Reader) -> None:
    receipt = Receipt(number="1", channel="phone", text="昨晚十点开始停水，三百多户没水", received_at=NOON)
    (reading,) = reader.read([appeal_of(receipt)])
    assert reading.facts
    assert reading.facts.times[0].start == datetime(2026, 3, 1, 14, tzinfo=UTC)
    assert [(one.least, one.most, one.unit) for one in reading.facts.people] == [(300, 399, "household")]
    assert reading.without_words.facts is None


def test_of_a_talk_the_citizens_words_are_read(reader: Reader) -> None:
    talk = "坐席：您好，是家里着火了吗？\n市民：没有，就是路灯不亮\n坐席：在望京街道吗\n市民：对"
    (reading,) = reader.read([Appeal(talk)])
    assert reading.danger is None
    assert reading.place
    assert reading.place.street_name == "望京街道"
