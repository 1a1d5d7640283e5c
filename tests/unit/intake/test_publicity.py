"""What anyone may see: matters of public space, and nobody's own."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.contracts.vocabulary import Channel
from services.intake.domain import Classified, Facts, Moved, State, Ticket, listed, public, words_public
from tests.support.stages import CITY

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
BEIJING = load_city(CITY)
SERVICES = BEIJING.services
NEVER = {"医疗卫生", "教育", "劳动社保", "民政养老", "政务服务", "企业服务", "市场消费", "食品药品", "其他"}
TICKET = Ticket(
    ticket_id=UUID(int=1), number="20260302-0000001", client="c", channel="open311", kind=None, title=None, text="t",
    reporter=None, reporter_type="person", anonymous=False, address=None, lat=None, lon=None, occurred_at=None,
    received_at=NOON, access_needs=(), language="zh", service="facil-03",
)  # fmt: skip
LAMP = Facts(classified=Classified(("市政设施", "照明", "路灯不亮"), "general"))
WAGES = Facts(classified=Classified(("劳动社保", "工资与报酬", "企业拖欠工资"), "general"))


def tickets() -> st.SearchStrategy[Ticket]:
    changes: dict[str, st.SearchStrategy[Any]] = {
        "channel": st.sampled_from(get_args(Channel)),
        "state": st.sampled_from(get_args(State)),
        "anonymous": st.booleans(),
        "confidential": st.booleans(),
        "hidden": st.booleans(),
        "emergency": st.sampled_from([None, "119"]),
        "service": st.sampled_from([None, "facil-03", "labour-01"]),
    }
    return st.fixed_dictionaries(changes).map(lambda values: replace(TICKET, **values))


def facts() -> st.SearchStrategy[Facts]:
    categories = st.sampled_from([question.category for question in BEIJING.catalogue])
    return st.one_of(st.just(Facts()), categories.map(lambda c: Facts(classified=Classified(c, "general"))))


@given(tickets(), facts())
def test_nothing_of_a_persons_own_is_ever_public(ticket: Ticket, known: Facts) -> None:
    if public(ticket, known, SERVICES):
        assert not ticket.unnamed
        assert not ticket.hidden
        assert ticket.emergency is None
        assert known.classified is None or known.classified.category[0] not in NEVER


@given(tickets(), facts())
def test_a_ticket_is_listed_if_it_is_public_or_for_its_open311_sender(ticket: Ticket, known: Facts) -> None:
    row = listed(ticket, known, SERVICES)
    assert (row is not None) == (ticket.channel == "open311" or public(ticket, known, SERVICES))
    assert row is None or row.public == public(ticket, known, SERVICES)


@given(tickets())
def test_words_are_public_only_where_their_sender_knew(ticket: Ticket) -> None:
    assert not words_public(ticket) or (ticket.channel == "open311" and ticket.state != "withdrawn")


@pytest.mark.parametrize(
    ("changes", "known", "seen"),
    [
        ({}, Facts(), True),
        ({}, LAMP, True),
        ({}, WAGES, False),
        ({"channel": "phone", "service": None}, Facts(), False),
        ({"channel": "phone", "service": None}, LAMP, True),
        ({"channel": "phone", "state": "linked", "parent": UUID(int=2)}, LAMP, False),
        ({"state": "linked", "parent": UUID(int=2)}, LAMP, True),
        ({"anonymous": True}, LAMP, False),
        ({"confidential": True}, LAMP, False),
        ({"hidden": True}, LAMP, False),
        ({"emergency": "119", "state": "answered"}, LAMP, False),
        ({"service": "no-such"}, Facts(), False),
    ],
)
def test_what_it_was_found_to_be_stands_above_what_its_sender_took_it_for(
    changes: dict[str, Any], known: Facts, seen: bool
) -> None:
    assert public(replace(TICKET, **changes), known, SERVICES) is seen


@pytest.mark.parametrize(
    ("state", "known", "is_open"),
    [
        ("open", Facts(), True),
        ("open", Facts(resolved=Moved(1, NOON)), True),
        ("open", Facts(closed=Moved(1, NOON)), False),
        ("open", Facts(closed=Moved(1, NOON), reopened=Moved(2, NOON)), True),
        ("linked", Facts(), True),
        ("answered", Facts(), False),
        ("withdrawn", Facts(), False),
    ],
)
def test_a_request_is_open_until_it_has_ended_for_its_citizen(state: State, known: Facts, is_open: bool) -> None:
    row = listed(replace(TICKET, state=state), known, SERVICES)
    assert row is not None
    assert row.open is is_open
