"""Units that are no more: wherever an order would name one, who has its duties by then is named instead."""

from dataclasses import replace
from datetime import date
from types import MappingProxyType

import pytest

from libs.common.city.pack import City
from services.dispatch.domain import Matter, resolve
from services.dispatch.routing import Router
from tests.support.lives import LINKED, RECEIVED, REOPENED, WATER, Life, closed, sign
from tests.support.stages import NOON

OLD, NEW = "co-water", "dept-housing"
OWED = Matter("company", OLD, ("dept-water", OLD))


@pytest.fixture
def router(city: City) -> Router:
    """A city whose water company ended on the day before, at noon of which all tests are."""
    ended = replace(city.units[OLD], until=date(2026, 3, 2), successor=NEW)
    return Router(replace(city, units=MappingProxyType({**city.units, OLD: ended})))


def test_its_successor_leads_by_the_rules_and_is_named_as_co_handler_and_as_alternative(router: Router) -> None:
    route = router.route(OWED, NOON)
    assert (route.unit.code, [unit.code for unit in route.co_handlers]) == (NEW, ["dept-water"])
    helped = router.route(replace(OWED, owner_kind="department", owner="dept-water"), NOON)
    assert [unit.code for unit in helped.co_handlers] == [NEW]
    assert OLD not in {unit.code for unit in (*route.alternatives, *helped.alternatives)}


def test_who_chooses_it_gets_its_successor(router: Router) -> None:
    chosen = router.chosen(OLD, "reassigned", "改派", OWED, NOON)
    assert chosen is not None
    assert chosen.unit.code == NEW


def test_what_history_says_of_it_is_said_of_its_successor(router: Router) -> None:
    router.learned = lambda matter: [(OLD, 0.9), ("unit-of-yore", 0.1)]
    assert [one.unit.code for one in router.opinions(OWED, NOON)] == [NEW]


def test_an_order_that_it_signed_goes_to_its_successor_in_a_new_round_which_is_told_why(
    router: Router, city: City
) -> None:
    life = Life(Router(city)).hear(RECEIVED, WATER).do(sign).do(lambda order: resolve(order, "修好了", NOON))
    life.hear(closed(1))
    life.router = router
    again = life.hear(REOPENED).now
    assert (again.unit_code, again.rule, again.round) == (NEW, "succeeded", 2)
    assert again.why[0] == f"第2轮办理：由{city.units[NEW].name.zh}主办"
    assert "承接其职责" in again.why[1]


def test_an_order_that_goes_on_in_its_round_goes_to_the_successor_too(router: Router, city: City) -> None:
    life = Life(Router(city)).hear(RECEIVED, WATER).do(sign).hear(LINKED)
    life.router = router
    assert (life.hear(RECEIVED).now.unit_code, life.now.rule) == (NEW, "succeeded")
