"""Orders: what facts make of them, and what people may do to them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from libs.common.contracts.dispatch import (
    TicketDispatched,
    TicketReassigned,
    TicketRecalled,
    TicketResolved,
    TicketRuled,
)
from libs.common.contracts.envelope import Event
from services.dispatch.domain import (
    TRANSITIONS,
    Claim,
    Command,
    NotPossibleError,
    Order,
    Step,
    Verdict,
    contact,
    hand_back,
    progress,
    reassign,
    resolve,
    rule,
)
from services.dispatch.routing import Router
from tests.support.lives import (
    ANSWERED,
    HELPED,
    LINKED,
    RECEIVED,
    REOPENED,
    STREET,
    WATER,
    WITHDRAWN,
    Life,
    closed,
    sign,
)
from tests.support.stages import NOON


@pytest.fixture
def life(router: Router) -> Life:
    return Life(router).hear(RECEIVED)


def test_a_classified_ticket_is_dispatched_to_its_lead(life: Life) -> None:
    life.hear(WATER)
    assert (life.now.state, life.now.unit_code, life.now.round) == ("dispatched", "co-water", 1)
    assert (life.names, life.now.text) == (["dispatched"], "家里没水")


@pytest.mark.parametrize("end", [WITHDRAWN, LINKED, ANSWERED])
def test_a_ticket_that_ended_before_it_was_classified_is_never_dispatched(life: Life, end: Event) -> None:
    assert life.hear(end, WATER).order is None
    assert life.said == []


@pytest.mark.parametrize("word", [LINKED, ANSWERED])
def test_a_judgement_hands_nothing_out_before_intake_said_what_is_to_become_of_it(router: Router, word: Event) -> None:
    assert Life(router).hear(WATER, word).said == []


def test_what_was_linked_or_answered_from_the_beginning_is_dispatched_when_it_is_received_after_all(
    router: Router,
) -> None:
    for word in (LINKED, ANSWERED):
        life = Life(router).hear(word, WATER, RECEIVED)
        assert (life.names, life.now.round, life.now.rule) == (["dispatched"], 1, "duty")


@pytest.mark.parametrize("heard", [(RECEIVED, REOPENED), (REOPENED, RECEIVED)])
def test_an_answer_that_was_none_becomes_an_order_of_round_two(router: Router, heard: tuple[Event, ...]) -> None:
    life = Life(router).hear(ANSWERED, WATER, *heard)
    assert (life.now.state, life.now.round, life.now.rule) == ("dispatched", 2, "duty")
    assert life.now.why[0].endswith("主办")


def test_a_withdrawal_is_for_good(life: Life) -> None:
    assert life.hear(WATER, WITHDRAWN, RECEIVED).now.state == "recalled"


def test_a_newer_judgement_moves_an_order_nobody_signed_for(life: Life) -> None:
    life.hear(WATER, STREET)
    moved = life.said[-1]
    assert isinstance(moved, TicketReassigned)
    assert (moved.unit.code, moved.previous.code, moved.district) == ("s-110105026", "co-water", "110105")


def test_a_newer_judgement_of_a_signed_order_changes_what_it_is_but_not_whose(life: Life) -> None:
    life.hear(WATER).do(sign).hear(HELPED)
    assert (life.now.unit_code, life.now.state, life.now.urgency) == ("co-water", "accepted", "general")
    assert life.names == ["dispatched", "accepted"]


def test_an_ended_ticket_takes_its_order_back_and_obeys_nobody(life: Life) -> None:
    life.hear(WATER).do(sign).hear(WITHDRAWN)
    assert isinstance(life.said[-1], TicketRecalled)
    with pytest.raises(NotPossibleError, match="recalled"):
        progress(life.now, "在修", NOON)


def test_an_unlinked_ticket_is_dispatched_again_in_its_round_to_the_lead_that_signed(life: Life) -> None:
    life.hear(WATER).do(sign).hear(LINKED, STREET, RECEIVED)
    assert life.names == ["dispatched", "accepted", "recalled", "dispatched"]
    assert (life.now.unit_code, life.now.round, life.now.accepted_at) == ("co-water", 1, None)


def test_a_reopened_ticket_goes_back_to_its_lead_in_a_new_round(life: Life) -> None:
    life.hear(WATER).do(sign).do(lambda order: contact(order, "phone", None, NOON))
    life.do(lambda order: resolve(order, "修好了", NOON)).hear(STREET, closed(1), REOPENED)
    again = life.said[-1]
    assert isinstance(again, TicketDispatched)
    assert (again.unit.code, again.round, again.rule) == ("co-water", 2, "duty")
    assert (life.now.state, life.now.contacted_at, life.now.reply) == ("dispatched", None, None)


def test_a_closed_ticket_closes_its_order(life: Life) -> None:
    life.hear(WATER).do(sign).do(lambda order: resolve(order, "修好了", NOON)).hear(closed(1))
    assert (life.now.state, life.names[-1]) == ("closed", "resolved")


def test_the_first_contact_of_a_round_stays_the_first(life: Life) -> None:
    life.hear(WATER).do(sign).do(lambda order: contact(order, "phone", None, NOON))
    life.do(lambda order: contact(order, "visit", "上门", NOON + timedelta(hours=1)))
    assert life.now.contacted_at == NOON
    life.do(lambda order: resolve(order, "修好了", NOON))
    done = life.said[-1]
    assert isinstance(done, TicketResolved)
    assert done.contacted


def test_a_refused_return_stays_with_the_unit_and_no_judgement_moves_it(life: Life) -> None:
    life.hear(WATER).back().rules().hear(STREET)
    ruled = next(event for event in life.said if isinstance(event, TicketRuled))
    assert (ruled.upheld, ruled.unit.code, ruled.ground) == (False, "co-water", "not_our_duty")
    assert (life.now.state, life.now.unit_code, life.now.returns) == ("dispatched", "co-water", 1)


def test_an_upheld_return_moves_the_order_and_says_both(life: Life) -> None:
    life.hear(WATER).back().rules("dept-water", right_code="water-01-02")
    assert life.names == ["dispatched", "returned", "ruled", "reassigned"]
    assert (life.now.unit_code, life.now.tried, life.now.return_ground) == ("dept-water", ("co-water",), None)


def test_a_person_cannot_move_an_order_to_where_it_is(life: Life) -> None:
    life.hear(WATER)
    route = life.router.route(life.matter)
    with pytest.raises(NotPossibleError, match="already"):
        reassign(life.now, route, NOON)


@pytest.mark.parametrize("command", TRANSITIONS)
def test_a_command_from_a_state_outside_the_table_is_refused(life: Life, command: Command) -> None:
    life.hear(WATER)
    route = life.router.route(life.matter)
    asked = Life(life.router).hear(RECEIVED, WATER).back().returns[0]
    terms, verdict = life.router.city.returns, Verdict("对照权责清单", "centre")
    claim = Claim("unclear", "没有说明具体地点，联系两次未果")
    acts: dict[Command, Callable[[Order], Step]] = {
        "accept": sign,
        "contact": lambda order: contact(order, "phone", None, NOON),
        "progress": lambda order: progress(order, "在修", NOON),
        "return": lambda order: hand_back(order, claim, (), terms, 2, UUID(int=1), None, NOON)[::2],
        "rule": lambda order: rule(order, asked, route, verdict, NOON)[::2],
        "reassign": lambda order: reassign(order, route, NOON),
        "resolve": lambda order: resolve(order, "修好了", NOON),
    }
    for state in ("dispatched", "accepted", "in_progress", "returned", "resolved", "recalled", "closed"):
        order = replace(life.now, state=state, unit_code="dept-market", return_ground="unclear")
        if state in TRANSITIONS[command].sources:
            assert acts[command](order)[0].state == TRANSITIONS[command].to
        else:
            with pytest.raises(NotPossibleError, match=state):
                acts[command](order)
