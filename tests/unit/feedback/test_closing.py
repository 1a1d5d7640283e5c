"""Doubts about closings: what chance explains, and what a person rules."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from libs.common.city.closing import GENERAL, Closing
from libs.common.city.problems import read_whole_toml
from services.feedback.domain import Doubt, NotPossibleError, Spot, Ticket, again, reopened_by_ruling, rule, suspicion
from services.feedback.domain.closing import chance
from tests.support.desk import POLICY, TICKET, UNIT
from tests.support.stages import NOON

RULES = read_whole_toml(GENERAL, TypeAdapter(Closing))
DOUBT = Doubt(TICKET, 1, UNIT.code, UNIT.name, NOON, 0.7, ("boilerplate", "unsolved"), NOON)


def test_chance_is_the_tail_of_poisson() -> None:
    assert chance(0, 2.0) == 1.0
    assert chance(1, 2.0) == pytest.approx(1 - 0.135335, abs=1e-5)
    assert chance(5, 1.0) == pytest.approx(0.003660, abs=1e-6)
    assert (chance(0, 0.0), chance(1, 0.0)) == (1.0, 0.0)


@given(came=st.integers(0, 200), expected=st.floats(0.001, 500))
def test_chance_is_a_share_that_falls_with_what_came(came: int, expected: float) -> None:
    assert 0.0 <= chance(came + 1, expected) <= chance(came, expected) + 1e-9 <= 1.0 + 1e-9


def test_a_busy_street_with_a_common_matter_is_not_suspicious_and_a_quiet_one_is() -> None:
    busy, quiet = Spot(TICKET, 1, came=12, expected=9.5), Spot(TICKET, 2, came=4, expected=0.2)
    assert [(spot.round, evidence["came"]) for spot, evidence in again([busy, quiet], RULES)] == [(2, 4)]


def test_the_same_ruling_again_says_nothing_and_another_one_counts() -> None:
    ruled, said = rule(DOUBT, upheld=True, by="s", note="属实", now=NOON)
    assert (said[0].upheld, said[0].unit, said[0].signs) == (True, UNIT, ("boilerplate", "unsolved"))
    assert rule(ruled, upheld=True, by="t", note="属实", now=NOON) == (ruled, [])
    assert rule(ruled, upheld=False, by="t", note="不属实", now=NOON)[0].upheld is False


def test_something_is_to_be_seen_where_the_catalogue_wants_a_picture() -> None:
    looked = suspicion(RULES, [("a", "停水时间、水龙头的照片或视频"), ("b", "报修记录"), ("c", "")])
    assert looked.seen == ("a",)


@pytest.mark.parametrize(
    "ticket",
    [
        Ticket(TICKET, outcome="solved", closed_at=NOON),
        Ticket(TICKET, outcome="unsolved", round=3, closed_at=NOON),
        Ticket(TICKET, outcome="no_answer", round=3, closed_at=NOON),
        Ticket(TICKET),
    ],
)
def test_only_what_closed_in_silence_is_reopened_by_a_ruling_and_no_more_often_than_the_city_allows(
    ticket: Ticket,
) -> None:
    with pytest.raises(NotPossibleError, match="without an answer"):
        reopened_by_ruling(ticket, ticket.round, POLICY, NOON)
    silent = replace(ticket, outcome="no_answer", round=1)
    again_, said = reopened_by_ruling(silent, 1, POLICY, NOON)
    assert (again_.round, again_.outcome, said[0].name) == (2, None, "ticket.reopened")


def test_a_ruling_in_other_words_counts_when_it_was_first_ruled_so() -> None:
    ruled, _ = rule(DOUBT, upheld=True, by="s", note="属实", now=NOON)
    later = NOON + timedelta(days=40)
    reworded, _ = rule(ruled, upheld=True, by="s", note="属实，已核", now=later)
    turned, _ = rule(reworded, upheld=False, by="s", note="不属实", now=later)
    assert (reworded.ruled_at, turned.ruled_at) == (NOON, later)
