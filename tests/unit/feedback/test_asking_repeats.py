"""Linked tickets: who repeated an appeal is asked about its parent, and heard when the link was wrong."""

from datetime import timedelta

from libs.common.contracts.feedback import ReviewRequested, ReviewSubmitted, TicketReopened
from services.feedback.domain import BAD, GOOD
from tests.support.desk import OTHER, POLICY, THIRD, TICKET, UNIT, WITHDRAWN, Desk, answered, linked, received, resolved
from tests.support.stages import NOON


def test_a_repeat_is_asked_when_its_parent_is_done_and_closed_with_it() -> None:
    desk = Desk().hear(received(), of=OTHER).hear(linked()).hear(resolved(), of=OTHER)
    assert (desk.review().unit, desk.review().about) == (UNIT, OTHER)
    desk.says(GOOD, of=OTHER)
    assert (desk.outcome(OTHER), desk.outcome()) == ("solved", "linked")


def test_a_repeat_s_reporter_may_still_answer_after_the_closing() -> None:
    desk = Desk().hear(received(), of=OTHER).hear(linked()).hear(resolved(), of=OTHER).says(GOOD, of=OTHER)
    desk.says(BAD)
    assert (desk.review().state, desk.outcome(), desk.outcome(OTHER)) == ("answered", "linked", "solved")


def test_a_repeat_s_no_is_recorded_and_reopens_nothing() -> None:
    desk = Desk().hear(received(), of=OTHER).hear(linked()).hear(resolved(), of=OTHER).says(BAD)
    assert desk.heard(ReviewSubmitted)[0].unit == UNIT
    assert (desk.ticket(OTHER).round, desk.ticket().round, desk.outcome()) == (1, 1, None)


def test_a_repeat_is_asked_anew_when_its_parent_was_reopened() -> None:
    desk = Desk().hear(linked()).hear(received(), resolved(1), of=OTHER).says(BAD, of=OTHER)
    assert desk.reviews[TICKET][1].state == "closed"
    desk.hear(resolved(2), of=OTHER)
    assert [asked.round for asked in desk.heard(ReviewRequested)] == [1, 2]


def test_a_repeat_heard_of_after_its_parent_s_end_is_asked_and_closed_all_the_same() -> None:
    desk = Desk().hear(received(), resolved(), of=OTHER).says(GOOD, of=OTHER).hear(linked())
    assert (desk.outcome(), desk.review().state) == ("linked", "requested")


def test_a_repeat_ends_when_its_parent_is_withdrawn() -> None:
    desk = Desk().hear(linked()).hear(received(), resolved(), WITHDRAWN, of=OTHER)
    assert (desk.outcome(), desk.review().state) == ("linked", "closed")


def test_a_repeat_of_a_repeat_follows_the_first() -> None:
    desk = Desk().hear(linked(OTHER)).hear(linked(THIRD), of=OTHER).hear(received(), resolved(), of=THIRD)
    assert {desk.review(of).about for of in (TICKET, OTHER, THIRD)} == {THIRD}
    desk.says(GOOD, of=THIRD)
    assert (desk.outcome(OTHER), desk.outcome()) == ("linked", "linked")


def test_a_wrong_link_voids_the_answer_given_under_it_and_the_ticket_is_asked_about_its_own() -> None:
    desk = Desk().hear(linked()).hear(received(), resolved(), of=OTHER).says(BAD).hear(received())
    assert (desk.review().state, desk.ticket().round) == ("closed", 1)
    assert desk.hear(resolved()).review().about == TICKET
    assert desk.says(GOOD).outcome() == "solved"


def test_a_question_that_a_link_took_away_is_put_again_when_the_link_was_wrong() -> None:
    desk = Desk().hear(received(), resolved(), linked())
    assert desk.review().state == "closed"
    desk.hear(received())
    assert (desk.review().state, desk.review().about) == ("requested", TICKET)
    assert [asked.round for asked in desk.heard(ReviewRequested)] == [1, 1]


def test_a_ticket_closed_under_a_wrong_link_comes_back_to_life() -> None:
    desk = Desk().hear(linked()).hear(received(), resolved(), of=OTHER).says(GOOD, of=OTHER).hear(received())
    assert [(e.round, e.reason) for e in desk.heard(TicketReopened)] == [(2, "ruling")]
    assert desk.hear(resolved(2)).says(GOOD).outcome() == "solved"


def test_a_repeat_of_another_ticket_is_asked_about_that_one() -> None:
    desk = Desk().hear(linked(OTHER)).hear(received(), resolved(), of=OTHER).hear(linked(THIRD))
    assert desk.review().state == "closed"
    assert desk.hear(received(), resolved(), of=THIRD).review().about == THIRD


def test_what_is_repeated_after_it_was_closed_is_worked_on_again() -> None:
    desk = Desk().hear(received(), resolved(), of=OTHER).says(GOOD, of=OTHER)
    desk.hear(linked(received_at=NOON + timedelta(seconds=1)))
    assert [(e.round, e.reason) for e in desk.heard(TicketReopened, OTHER)] == [(2, "repeat")]
    assert (desk.outcome(OTHER), desk.outcome()) == (None, None)
    desk.hear(resolved(2), of=OTHER).says(GOOD, of=OTHER)
    assert (desk.outcome(OTHER), desk.outcome(), desk.review().round) == ("solved", "linked", 2)


def test_a_repeat_reopens_no_more_often_than_the_city_allows_and_never_what_no_unit_worked_on() -> None:
    later = linked(received_at=NOON + timedelta(seconds=1))
    often = Desk().hear(received(), of=OTHER)
    for round_ in range(1, POLICY.reopen_limit + 2):
        often.hear(resolved(round_), of=OTHER).says(BAD, of=OTHER)
    for done in (
        often,
        Desk().hear(received(), WITHDRAWN, of=OTHER),
        Desk().hear(answered(), of=OTHER).says(GOOD, of=OTHER),
    ):
        before = done.ticket(OTHER)
        assert done.hear(later).ticket(OTHER) == before
        assert done.outcome() == "linked"
