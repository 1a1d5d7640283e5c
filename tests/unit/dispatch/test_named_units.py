"""Whom an appeal names, and whose venue it happens in, lead before the owner that the catalogue knows."""

import pytest

from libs.common.contracts.vocabulary import Place
from services.dispatch.domain import Matter
from services.dispatch.routing import Router, matter_at

TAORANTING = Place(
    district="110102", district_name="西城区", street="s-110102016", street_name="陶然亭街道", confidence=0.9
)


def asked(router: Router, code: str, words: str, place: Place | None = None) -> Matter:
    question = router.question(code)
    assert question
    return router.called(matter_at(question, place, outside=False), None, words)


def test_the_company_that_is_named_leads_and_the_general_owner_comes_next(router: Router) -> None:
    route = router.route(asked(router, "heating-01-02", "我们小区是金房供暖的"))
    assert (route.unit.code, route.rule) == ("co-heating-jinfang", "named")
    assert route.why[0] == "诉求点名北京金房暖通节能技术股份有限公司，属其职责，直接派至该单位"
    assert [unit.code for unit in route.alternatives][:2] == ["dept-urban-management", "co-heating"]
    assert "co-heating" not in [unit.code for unit in route.co_handlers]


def test_a_venue_leads_before_the_street_and_before_the_owner(router: Router) -> None:
    words = "陶然亭公园厕所没人打扫"
    for code in ("green-03-03", "sanit-03-01", "sanit-02-01"):
        route = router.route(asked(router, code, words, TAORANTING))
        assert (route.unit.code, route.rule) == ("dept-parks", "venue")
    assert router.route(asked(router, "safety-02-01", words, TAORANTING)).rule == "duty"


def test_without_a_name_a_matter_stays_as_it_was(router: Router) -> None:
    question = router.question("heating-01-02")
    assert question
    matter = matter_at(question, None, outside=False)
    assert router.called(matter, None, "暖气不热", "") is matter


def test_who_is_named_and_sent_back_is_not_tried_again(router: Router) -> None:
    matter = asked(router, "transit-02-04", "十四号线车厢太冷")
    assert router.next_unit(matter, set()) == "co-metro-mtr"
    assert router.next_unit(matter, {"co-metro-mtr"}) == "dept-transport"
    assert router.next_unit(matter, {"co-metro-mtr", "dept-transport"}) == "co-metro"


@pytest.mark.parametrize(
    ("code", "rule", "unit"),
    [
        ("edu-02-01", "profession", "dept-education"),
        ("rural-03-09", "profession", "dept-agriculture"),
        ("rural-05-09", "farming", "dept-gardening"),
        ("plan-03-01", "no_place", "centre"),
        ("housing-01-01", "no_place", "centre"),
        ("civil-03-02", "entitlement", "dept-civil-affairs"),
        ("civil-04-02", "entitlement", "dept-disabled"),
        ("housing-06-10", "public_housing", "dept-housing"),
        ("civil-01-04", "no_place", "centre"),
    ],
)
def test_a_department_takes_what_no_place_is_needed_for_and_a_seat_asks_for_the_rest(
    router: Router, code: str, rule: str, unit: str
) -> None:
    route = router.route(asked(router, code, "怎么办"))
    assert (route.rule, route.unit.code) == (rule, unit)
