"""Routing that a city's history taught."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from libs.common.city.pack import City
from libs.common.contracts.vocabulary import Place
from services.dispatch.domain import Matter
from services.dispatch.routing import Router
from services.dispatch.routing.learned import Learned, Seen, load, signs
from services.dispatch.routing.learning import Lesson, judge, learn

POTHOLE, TREE = ("Works", "Roads", "Pothole"), ("Parks", "Trees", "Tree pruning")
START = datetime(2025, 1, 1, tzinfo=UTC)


def _lessons(days: int = 60) -> list[Lesson]:
    """A crew for each district looks after roads, one after all trees; twelve cases a day."""
    return [
        Lesson(Seen(category, words, f"{i} Mill St  Harbour", district), START + timedelta(days=day, minutes=i), unit)
        for day in range(days)
        for i in range(3)
        for category, words, district, unit in (
            (POTHOLE, "hole in the road", "100001", "roads-n"), (POTHOLE, "broken road", "100002", "roads-s"),
            (TREE, "branch hangs low", "100001", "trees"), (TREE, "tree needs pruning", "100002", "trees"),
        )
    ]  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Learned:
    return learn(_lessons())[0]


def test_what_it_was_taught_it_knows_and_is_sure_of(model: Learned) -> None:
    north, tree = model.opinions([Seen(POTHOLE, district="100001"), Seen(TREE, district="100002")])
    assert (north[0][0], tree[0][0]) == ("roads-n", "trees")
    assert min(north[0][1], tree[0][1]) > 0.8
    assert sum(probability for _, probability in north) == pytest.approx(1, abs=1e-3)


def test_words_and_place_tell_where_nobody_said_what_it_is_about(model: Learned) -> None:
    nameless = Seen(("", "", ""), "such a broken road again", district="100002")
    assert model.opinions([nameless])[0][0][0] == "roads-s"


def test_a_question_nobody_knows_yet_is_known_by_its_words(model: Learned) -> None:
    renamed = Seen(("Works", "Roads", "Pothole repair (new)"), "hole in the road", district="100001")
    assert model.opinions([renamed])[0][0][0] == "roads-n"


def test_work_that_went_to_another_unit_for_good_follows_it() -> None:
    moved = [
        replace(lesson, unit="roads-new")
        if lesson.unit == "roads-s" and lesson.at >= START + timedelta(days=36)
        else lesson
        for lesson in _lessons()
    ]
    taught, _ = learn(moved)
    assert taught.opinions([Seen(POTHOLE, "broken road", district="100002")])[0][0][0] == "roads-new"


def test_quality_is_measured_on_cases_it_did_not_see(model: Learned) -> None:
    _, quality = learn(_lessons())
    assert quality.cases == int(len(_lessons()) * 0.15)
    assert (quality.first, quality.three) == (1.0, 1.0)
    above = {"roads-n": "works", "roads-s": "works", "trees": "parks"}
    assert judge(model, _lessons(5), above).above == 1.0


def test_it_is_kept_as_arrays_that_hold_no_word_and_no_address(model: Learned, tmp_path: Path) -> None:
    path = tmp_path / "routing.npz"
    model.save(path)
    again = load(path)
    assert again is not None
    seen = [Seen(POTHOLE, district="100001")]
    assert again.opinions(seen) == model.opinions(seen)
    with np.load(path, allow_pickle=False) as kept:
        texts = [text for array in kept.values() if array.dtype.kind == "U" for text in array.ravel().tolist()]
    assert Counter(texts) == Counter(model.units)


def test_a_pack_without_the_file_has_no_second_opinion(tmp_path: Path) -> None:
    assert load(tmp_path / "routing.npz") is None


def test_equal_appeals_have_equal_signs_and_a_long_text_has_no_more_than_some() -> None:
    assert signs(Seen(POTHOLE, "路面塌陷 hole")) == signs(Seen(POTHOLE, "路面塌陷 hole"))
    assert len(signs(Seen(POTHOLE, " ".join(f"w{chr(97 + i % 26)}{'x' * i}" for i in range(500))))) < 400


def test_one_unit_alone_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="two units"):
        learn([lesson for lesson in _lessons() if lesson.unit == "trees"])


WATER = Matter("department", "dept-water", category=("供水排水", "自来水供应", "突然停水"), place=Place(
    district="110105", district_name="朝阳区", confidence=0.9,
))  # fmt: skip


class Opinion:
    """A second opinion that always says the same."""

    def __init__(self, *said: tuple[str, float]) -> None:
        self.said = said

    def __call__(self, matter: Matter) -> list[tuple[str, float]]:
        return list(self.said)


def _asked(city: City, leads: Literal["never", "below", "always"], *said: tuple[str, float]) -> Router:
    router = Router(replace(city, routing=replace(city.routing, learned_leads=leads, learned_sure=0.5)))
    router.learned = Opinion(*said)
    return router


def test_unless_the_city_says_so_a_second_opinion_is_only_shown(city: City) -> None:
    router = _asked(city, "never", ("co-water", 0.9))
    route = router.route(WATER)
    assert (route.unit.code, route.rule, route.agrees) == ("dept-water", "duty", False)
    assert router.opinions(WATER)[0].unit.code == "co-water"


def test_where_the_city_says_so_it_leads_and_what_the_rules_name_is_tried_next(city: City) -> None:
    route = _asked(city, "always", ("co-water", 0.9), ("centre", 0.05)).route(WATER)
    assert (route.unit.code, route.rule) == ("co-water", "learned")
    assert "90%" in route.why[0]
    assert [unit.code for unit in route.alternatives][:2] == ["dept-water", "centre"]


def test_it_does_not_lead_when_it_is_not_sure_or_a_person_is_to_look(city: City) -> None:
    assert _asked(city, "always", ("co-water", 0.4)).route(WATER).rule == "duty"
    assert _asked(city, "always", ("co-water", 0.9)).route(replace(WATER, outside=True)).rule == "outside"
    assert _asked(city, "always", ("co-water", 0.9)).route(Matter("centre")).desk


def test_below_lets_it_name_only_units_under_the_one_the_rules_name(city: City) -> None:
    below = next(unit.code for unit in city.units.values() if unit.parent == "d-110105")
    district = replace(WATER, owner_kind="district", owner=None)
    assert _asked(city, "below", (below, 0.9)).route(district).unit.code == below
    assert _asked(city, "below", ("co-water", 0.9)).route(district).unit.code == "d-110105"
