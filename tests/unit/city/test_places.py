"""The rules of the place resolver, on the small pack and on Beijing's names in any order."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.gazetteer import Gazetteer
from libs.common.city.pack import City, Unit, load_city
from libs.common.city.places import Place, PlaceResolver
from libs.common.city.toponyms import folded

BEIJING = load_city(Path("deploy/cities/beijing"))
RESOLVER = PlaceResolver(BEIJING)
GAZETTEER = Gazetteer(BEIJING)
LOCATED = [unit for unit in BEIJING.units.values() if unit.kind in ("street", "town")]
NAMES = sorted(
    {place.name for place in BEIJING.places} | {unit.short for unit in LOCATED} | {unit.name.zh for unit in LOCATED}
)

talk = st.lists(st.one_of(st.sampled_from(NAMES), st.text("的在东西街路里门区停水了，0a ", max_size=4)), max_size=8)
units = st.sampled_from(LOCATED)


def _found(place: Place | None) -> Place:
    assert place is not None
    return place


@given(words=talk)
def test_mentions_are_in_order_and_never_overlap(words: list[str]) -> None:
    text = "".join(words)
    end = 0
    for mention in GAZETTEER.mentions(text):
        assert mention.start >= end
        assert folded(text[mention.start : mention.end]) == folded(mention.toponym.name)
        end = mention.end


@given(words=talk)
def test_an_answer_never_contradicts_itself(words: list[str]) -> None:
    text = "".join(words)
    place = RESOLVER.resolve(text)
    if place is None:
        return
    assert 0 < place.confidence <= 1
    assert all(name in text for name in place.matched)
    assert bool(place.district) == bool(place.district_name)
    assert place.street is None or BEIJING.units[place.street].district == place.district
    assert (place.street is None) or not place.candidates
    assert place.district or place.candidates or place.outside
    assert all(code in BEIJING.units for code in place.candidates)


@given(
    unit=units,
    before=st.sampled_from(["", "我住", "你好，", "反映一下"]),
    after=st.text("，。停水了暖气不热", max_size=9),
)
def test_a_district_and_a_street_in_full_are_always_found(unit: Unit, before: str, after: str) -> None:
    district = BEIJING.units[f"d-{unit.district}"]
    place = _found(RESOLVER.resolve(f"{before}{district.name.zh}{unit.name.zh}{after}"))
    assert (place.street, place.district) == (unit.code, unit.district)
    assert place.confidence >= 0.9


@given(words=talk, lat=st.floats(-90, 38), lon=st.floats(-180, 180))
def test_a_point_beyond_the_bounds_is_outside_whatever_is_said(words: list[str], lat: float, lon: float) -> None:
    assert _found(RESOLVER.resolve("".join(words), (lat, lon))).outside


@given(words=talk, lat=st.floats(39.5, 41.0), lon=st.floats(115.5, 117.5))
def test_a_point_inside_leaves_the_words_to_decide(words: list[str], lat: float, lon: float) -> None:
    text = "".join(words)
    assert RESOLVER.resolve(text, (lat, lon)) == RESOLVER.resolve(text)


def test_a_district_named_by_someone_far_away_is_kept_for_a_person_to_see(resolver: PlaceResolver) -> None:
    place = _found(resolver.resolve("朝阳区望京街道的房子漏水", (31.2, 121.5)))
    assert place.outside
    assert place.street == "s-110105026"
    assert place.confidence < 0.6


def test_agreement_raises_and_roads_lower_the_confidence(resolver: PlaceResolver) -> None:
    def confidence(text: str) -> float:
        return _found(resolver.resolve(text)).confidence

    assert confidence("望京停水") < confidence("朝阳望京停水") < confidence("朝阳区望京街道停水")
    assert confidence("望京街停水") < confidence("望京停水")


def test_a_shared_name_leaves_candidates_instead_of_a_street(resolver: PlaceResolver) -> None:
    place = _found(resolver.resolve("八里庄停水"))
    assert (place.district, place.street) == ("", None)
    assert set(place.candidates) == {"s-110105015", "s-110108005"}


def test_a_street_outside_the_district_named_leaves_both_to_a_person(resolver: PlaceResolver) -> None:
    place = _found(resolver.resolve("海淀区的望京停水"))
    assert (place.district_name, place.street) == ("海淀区", None)
    assert place.candidates == ("s-110105026",)
    assert place.confidence < 0.6


def test_two_districts_leave_both_open(resolver: PlaceResolver) -> None:
    place = _found(resolver.resolve("从海淀区到朝阳区的公交"))
    assert place.district == ""
    assert place.candidates == ("d-110108", "d-110105")


def test_another_city_beside_a_district_is_not_outside(resolver: PlaceResolver) -> None:
    place = _found(resolver.resolve("我在天津上班，房子在海淀区"))
    assert (place.district_name, place.outside) == ("海淀区", False)


@pytest.mark.parametrize("text", ["", "暖气不热", "北京的政策", "⟦phone-1⟧"])
def test_words_without_a_place_give_none(resolver: PlaceResolver, text: str) -> None:
    assert resolver.resolve(text) is None


def test_ordinary_speech_is_not_taken_for_a_place(beijing: City, resolver: PlaceResolver) -> None:
    """Of the catalogue's phrases, thousands of sentences to be wrong about, few name a place, and most truly."""
    phrases = [phrase for question in beijing.catalogue for phrase in question.phrases]
    found = [place for place in map(resolver.resolve, phrases) if place and not place.outside]
    assert len(found) < len(phrases) / 500


def test_any_pack_resolves_its_own_places(small_pack: Path) -> None:
    resolver = PlaceResolver(load_city(small_pack))
    place = _found(resolver.resolve("河沿花园三号楼没水"))
    assert (place.district_name, place.street_name) == ("东区", "河沿街道")
    assert place.matched == ("河沿花园",)
    assert _found(resolver.resolve("邻城的路灯")).outside
