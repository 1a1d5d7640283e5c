"""Contacts with the citizen: when they were, and which of them is the response."""

from datetime import timedelta

import pytest

from libs.common.contracts.dispatch import TicketContacted
from services.dispatch.domain import WrongTimeError, contact
from services.dispatch.routing import Router
from tests.support.lives import RECEIVED, WATER, Life, sign
from tests.support.stages import NOON

EVENING = NOON + timedelta(hours=6)


@pytest.fixture
def life(router: Router) -> Life:
    return Life(router).hear(RECEIVED, WATER).do(sign)


def test_a_contact_may_be_noted_later_and_the_earliest_is_the_response(life: Life) -> None:
    life.do(lambda order: contact(order, "phone", None, EVENING))
    life.do(lambda order: contact(order, "visit", None, EVENING, NOON + timedelta(hours=1)))
    told = life.said[-1]
    assert isinstance(told, TicketContacted)
    assert told.first_at == life.now.contacted_at == NOON + timedelta(hours=1)
    assert (told.at, told.made_at) == (EVENING, told.first_at)


def test_a_failed_try_is_kept_and_is_no_response(life: Life) -> None:
    life.do(lambda order: contact(order, "phone", "无人接听", NOON, reached=False))
    told = life.said[-1]
    assert isinstance(told, TicketContacted)
    assert (told.reached, told.note, life.now.contacted_at) == (False, "无人接听", None)
    life.do(lambda order: contact(order, "phone", None, EVENING))
    assert life.now.contacted_at == EVENING


@pytest.mark.parametrize(
    ("hours", "why"), [(7, "future"), (-1, "before the order was handed"), (-19, "within the last 24 hours")]
)
def test_a_contact_cannot_have_been_at_any_time(life: Life, hours: int, why: str) -> None:
    with pytest.raises(WrongTimeError, match=why):
        contact(life.now, "phone", None, EVENING, NOON + timedelta(hours=hours))
