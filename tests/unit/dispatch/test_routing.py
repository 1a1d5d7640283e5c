"""The rules of routing, over Beijing's units."""

from dataclasses import replace
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import City
from libs.common.contracts.classify import OwnerKind
from libs.common.contracts.vocabulary import Location, Place
from services.dispatch.domain import Matter
from services.dispatch.routing import Router

STREET = Place(
    district="110105",
    district_name="朝阳区",
    street="s-110105026",
    street_name="望京街道",
    confidence=0.9,
    matched=("望京",),
)
DISTRICT = STREET.model_copy(update={"street": None, "street_name": None, "matched": ()})
HEATING = Matter("company", "co-heating", ("dept-urban-management",), STREET)
CODES = ["centre", "co-heating", "dept-water", "d-110105", "s-110105026", "unit-of-a-newer-pack"]
PLACES = st.sampled_from([None, STREET, DISTRICT, DISTRICT.model_copy(update={"district": ""})])
MATTERS = st.builds(
    Matter, st.sampled_from(get_args(OwnerKind)), st.sampled_from([None, *CODES]),
    st.lists(st.sampled_from(CODES), max_size=3).map(tuple), PLACES, st.booleans(),
)  # fmt: skip


def test_a_clear_duty_goes_straight_to_its_company_wherever_it_happens(router: Router) -> None:
    for place in (STREET, DISTRICT, None):
        route = router.route(replace(HEATING, place=place))
        assert (route.rule, route.unit.code, route.desk) == ("duty", "co-heating", False)


def test_a_neighbourhood_matter_goes_to_the_street_where_it_happens(router: Router) -> None:
    route = router.route(Matter("street", place=STREET))
    assert (route.rule, route.unit.code, route.district) == ("street", "s-110105026", "110105")
    assert route.why == ("属地事项，由发生地望京街道主办", "地点依据：望京")


def test_a_street_known_only_to_its_district_and_a_matter_without_owner_go_to_the_district(router: Router) -> None:
    routes = [router.route(Matter("street", place=DISTRICT)), router.route(Matter("district", place=STREET))]
    assert {(route.rule, route.unit.code) for route in routes} == {("district", "d-110105")}


def test_a_neighbourhood_matter_without_place_waits_for_a_person_at_the_centre(router: Router) -> None:
    for owner_kind in ("street", "district"):
        route = router.route(Matter(owner_kind))
        assert (route.rule, route.unit.code, route.desk) == ("no_place", "centre", True)


def test_another_city_comes_before_every_duty_and_is_transferred_outward(router: Router) -> None:
    route = router.route(replace(HEATING, outside=True))
    assert (route.rule, route.desk) == ("outside", True)
    assert "向外转办" in route.why[0]


def test_an_owner_the_city_does_not_have_goes_to_the_centre_which_is_told_so(router: Router) -> None:
    route = router.route(Matter("department", "dept-of-magic"))
    assert (route.rule, route.desk) == ("centre", True)
    assert "dept-of-magic" in route.why[0]


def test_co_handlers_come_by_name_without_the_lead(router: Router) -> None:
    route = router.route(replace(HEATING, co_handlers=("co-heating", "dept-water", "unit-of-a-newer-pack")))
    assert [unit.name for unit in route.co_handlers] == ["北京市水务局"]
    assert route.why[-1] == "协办：北京市水务局"


def test_after_a_return_the_unit_above_is_next_then_who_shares_it_then_the_place_then_the_centre(
    router: Router,
) -> None:
    matter, tried = replace(HEATING, co_handlers=("dept-housing",)), {"co-heating"}
    while len(tried) < 6:
        tried.add(router.next_unit(matter, tried))
    assert tried == {"co-heating", "dept-urban-management", "dept-housing", "s-110105026", "d-110105", "centre"}
    assert router.next_unit(matter, tried) == "centre"


def test_words_and_points_tell_the_place_of_a_question(router: Router, city: City) -> None:
    local = next(question for question in city.catalogue if question.owner_kind == "street")
    assert router.route(router.matter(local, "朝阳区望京街道", None)).unit.code == "s-110105026"
    assert router.route(router.matter(local, "没说在哪儿", None)).rule == "no_place"
    assert router.route(router.matter(local, "", Location(lat=31.2, lon=121.5))).rule == "outside"


def test_every_question_of_the_catalogue_has_a_lead_of_the_kind_it_asks_for(router: Router, city: City) -> None:
    for question in city.catalogue:
        route = router.route(router.matter(question, "朝阳区望京街道", None))
        kind = city.units[route.unit.code].kind
        assert kind == question.owner_kind or (kind, question.owner_kind) == ("town", "street"), question.code


@given(matter=MATTERS)
def test_every_matter_has_one_lead_with_a_reason_and_is_at_the_desk_only_at_the_centre(
    router: Router, matter: Matter
) -> None:
    route = router.route(matter)
    assert route.rule in {rule.id for rule in router.city.rules.rules}
    assert route.why
    assert route.desk == (route.unit.code == "centre")
    assert route.unit not in (*route.co_handlers, *route.alternatives)
    assert len(set(route.alternatives)) == len(route.alternatives)
