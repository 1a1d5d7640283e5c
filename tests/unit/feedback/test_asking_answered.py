"""Answered tickets: asked once about the answer, and worked on by a unit where it was none."""

from typing import Any

import pytest

from libs.common.contracts.feedback import ReviewRequested, TicketReopened
from libs.common.contracts.intake import Transfer
from services.feedback.domain import BAD, GOOD, Answer
from tests.support.desk import POLICY, Desk, answered, received, resolved


@pytest.mark.parametrize("given", [GOOD, Answer("partly", 3)])
def test_an_answer_that_was_one_closes_the_ticket(given: Answer) -> None:
    desk = Desk().hear(answered()).says(given)
    assert (desk.outcome(), desk.heard(TicketReopened)) == ("answered", [])
    assert desk.review().unit is None


def test_an_answer_that_was_none_sends_the_ticket_into_its_second_round_and_is_not_asked_about_again() -> None:
    desk = Desk().hear(answered()).says(BAD)
    assert [(e.round, e.reason) for e in desk.heard(TicketReopened)] == [(2, "not_solved")]
    desk.hear(received())
    assert (desk.outcome(), len(desk.heard(ReviewRequested))) == (None, 1)
    assert desk.hear(resolved(2)).says(GOOD).outcome() == "solved"


def test_a_unit_s_word_counts_although_the_new_receipt_is_heard_of_last() -> None:
    desk = Desk().hear(answered()).says(BAD).hear(resolved(2)).says(GOOD).hear(received())
    assert (desk.outcome(), desk.ticket().round) == ("solved", 2)


@pytest.mark.parametrize(
    "final", [{"emergency": "119"}, {"transfer": Transfer(body="petition", name="信访", receipt="1")}]
)
def test_what_no_unit_of_the_city_could_do_is_closed_whatever_is_said(final: dict[str, Any]) -> None:
    desk = Desk().hear(answered(**final)).says(BAD)
    assert (desk.outcome(), desk.heard(TicketReopened)) == ("answered", [])


def test_a_second_answer_that_was_none_opens_a_third_round_and_then_it_is_enough() -> None:
    desk = Desk().hear(answered()).says(BAD).hear(received(), answered()).says(BAD).hear(received(), answered())
    assert [event.round for event in desk.heard(TicketReopened)] == [2, 3]
    assert (desk.says(BAD).outcome(), desk.ticket().round) == ("unsolved", POLICY.reopen_limit + 1)


def test_a_transfer_that_came_back_before_anyone_answered_is_a_ticket_of_its_first_round() -> None:
    desk = Desk().hear(answered(transfer=Transfer(body="petition", name="信访"))).hear(received())
    assert (desk.review().state, desk.ticket().round) == ("closed", 1)
    assert desk.hear(resolved()).says(GOOD).outcome() == "solved"


@pytest.mark.parametrize("days", [0, 8])
def test_a_transfer_that_came_back_after_the_closing_opens_the_ticket_again(days: int) -> None:
    desk = Desk().hear(answered(transfer=Transfer(body="petition", name="信访")))
    desk = desk.waits(days=days) if days else desk.says(GOOD)
    assert desk.outcome() == ("no_answer" if days else "answered")
    desk.hear(received())
    assert [(e.round, e.reason) for e in desk.heard(TicketReopened)] == [(2, "ruling")]
    assert desk.hear(resolved(2)).says(GOOD).outcome() == "solved"
