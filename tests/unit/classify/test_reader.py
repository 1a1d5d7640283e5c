"""Reading: danger, place, keywords and summary of an appeal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.contracts.vocabulary import Location
from services.classify.cues import load_cues
from services.classify.digest import SUMMARY_LENGTH, Digest, shortened
from services.classify.domain import Appeal
from services.classify.model import Model
from services.classify.reader import Reader
from tests.support.stages import CITY

DIGEST = Digest(load_city(CITY).catalogue)


@pytest.fixture(scope="module")
def reader() -> Reader:
    city = load_city(CITY)
    return Reader(city, Model.train(city.catalogue), load_cues(CITY / "cues.toml"))


def test_an_appeal_is_read_whole(reader: Reader) -> None:
    appeal = Appeal("楼上漏水把我家天花板泡了，物业不管", address="朝阳区望京街道花家地12号楼")
    (reading,) = reader.read([appeal])
    assert reading.place
    assert (reading.place.district_name, reading.place.street_name) == ("朝阳区", "望京街道")
    assert "漏水" in reading.keywords
    assert (reading.danger, reading.outside, reading.kind) == (None, False, None)


def test_danger_is_listened_for_in_the_title_too_but_not_deep_in_a_letter(reader: Reader) -> None:
    calm = "我们反映的是多年来没有解决的问题，请有关部门认真研究并且答复。" * 8
    first, second = reader.read([Appeal(calm, title="楼上着火了"), Appeal(f"{calm}楼上着火了")])
    assert first.danger
    assert not second.danger


def test_a_point_in_another_city_is_outside(reader: Reader) -> None:
    (reading,) = reader.read([Appeal("路灯不亮", location=Location(lat=31.2, lon=121.5))])
    assert (reading.outside, reading.place) == (True, None)


def test_a_title_that_says_something_is_the_summary() -> None:
    assert DIGEST.summary("小区停水三天", "没有人来修") == "小区停水三天"
    assert DIGEST.summary("你好", "小区停水三天") == "小区停水三天"


def test_the_summary_is_what_says_most() -> None:
    text = (
        "您好，我姓王，打扰您了。是这样的，我想说一下。" * 3
        + "我们小区自来水发黄，水里有铁锈。"
        + "谢谢您，辛苦了。" * 5
    )
    assert "自来水发黄" in DIGEST.summary(None, text)


@given(st.text(alphabet="停水电梯，。\n a1", max_size=200), st.integers(0, 100))
def test_a_summary_is_short_and_holds_whole_marks_only(words: str, at: int) -> None:
    text = f"{words[:at]}⟦phone-1⟧{words[at:]}"
    summary = DIGEST.summary(None, text)
    assert len(summary) <= SUMMARY_LENGTH
    assert summary.count("⟦") == summary.count("⟧") == summary.count("⟦phone-1⟧")


def test_what_is_cut_off_is_shown() -> None:
    assert shortened("水" * 80) == "水" * 59 + "…"
    assert shortened("水" * 55 + "⟦phone-1⟧" + "水" * 20) == "水" * 55 + "…"
