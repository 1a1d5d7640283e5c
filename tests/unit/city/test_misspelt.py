"""Names that a text only nearly says."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.gazetteer import Gazetteer
from libs.common.city.pack import load_city
from libs.common.city.places import PlaceResolver
from libs.common.city.sounds import sounded
from libs.common.city.toponyms import folded

GAZETTEER = Gazetteer(load_city(Path("deploy/cities/beijing")))
talk = st.text("回龙关观天通院苑旺望京那边朝阳区潘家佳园的水3０sS𠮷ǆß，", max_size=30)


@given(text=st.text(max_size=30))
def test_every_form_of_a_text_has_its_length(text: str) -> None:
    assert len(sounded(text)) == len(folded(text)) == len(text)


@given(text=talk)
def test_a_misspelling_stands_outside_of_what_is_spelt_right(text: str) -> None:
    right = [mention for mention in GAZETTEER.mentions(text) if not mention.toponym.home]
    end = 0
    for mention in GAZETTEER.alike(text, right):
        assert mention.start >= end
        assert all(mention.end <= other.start or other.end <= mention.start for other in right)
        assert text[mention.start : mention.end] != mention.toponym.name
        end = mention.end


@pytest.mark.parametrize(
    ("heard", "written"),
    [("回龙关", "回龙观"), ("张家弯", "张家湾"), ("双进", "双井"), ("三奇", "三旗"), ("国帽", "国贸")],
)
def test_what_sounds_alike_is_one(heard: str, written: str) -> None:
    assert sounded(heard) == sounded(written)


@pytest.mark.parametrize(("heard", "written"), [("海定", "海淀"), ("旺今", "望江")])
def test_what_sounds_otherwise_is_not(heard: str, written: str) -> None:
    assert sounded(heard) != sounded(written)


@pytest.mark.parametrize(
    "text", ["我把房子租出去了", "有害垃圾箱里塞满了", "小区平台执照没有", "大型区域停车难", "朝阳区李家园没水"]
)
def test_ordinary_words_that_sound_like_a_street_are_none(resolver: PlaceResolver, text: str) -> None:
    place = resolver.resolve(text)
    assert place is None or place.street is None


def test_a_misspelt_name_is_less_sure_and_told_as_it_was_said(resolver: PlaceResolver) -> None:
    right, wrong = resolver.resolve("回龙观停水"), resolver.resolve("回龙关停水")
    assert right
    assert wrong
    assert (wrong.street, wrong.matched) == (right.street, ("回龙关",))
    assert wrong.confidence < right.confidence
