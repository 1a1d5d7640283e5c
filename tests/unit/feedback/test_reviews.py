"""Asking: how the citizen is asked, what an answer makes of the ticket, and how silence ends."""

from datetime import datetime
from typing import Any

import pytest

from libs.common.contracts.feedback import ReviewRequested, ReviewSubmitted, TicketClosed, TicketReopened
from libs.common.contracts.vocabulary import AccessNeed, Channel
from services.feedback.domain import BAD, GOOD, Answer, NotPossibleError, next_due
from tests.support.desk import (
    CLASSIFIED,
    POLICY,
    TICKET,
    UNIT,
    WITHDRAWN,
    Desk,
    breached,
    contacted,
    received,
    resolved,
    screened,
)
from tests.support.stages import NOON


@pytest.mark.parametrize("channel", ["web", "app", "wechat", "sms", "open311"])
def test_who_came_by_screen_is_asked_by_link(channel: Channel) -> None:
    (asked,) = Desk().hear(received(channel), resolved()).heard(ReviewRequested)
    assert (asked.method, asked.round, asked.until) == ("link", 1, NOON + POLICY.window)


@pytest.mark.parametrize(
    "channel", ["phone", "walk_in", "mail", "petition", "mayor_mailbox", "message_board", "line_transfer"]
)
def test_who_came_by_voice_or_paper_is_phoned(channel: Channel) -> None:
    (asked,) = Desk().hear(received(channel), resolved()).heard(ReviewRequested)
    assert asked.method == "callback"


@pytest.mark.parametrize(("need", "method"), [("sign_language", "link"), ("text_only", "link"), ("blind", "callback")])
def test_who_cannot_hear_a_call_is_asked_in_writing(need: AccessNeed, method: str) -> None:
    (asked,) = Desk().hear(received("walk_in", access_needs=(need,)), resolved()).heard(ReviewRequested)
    assert asked.method == method


def test_a_receipt_that_comes_late_puts_the_method_right_and_keeps_the_time_to_answer() -> None:
    desk = Desk().hear(resolved()).waits(hours=1).hear(received("web"))
    first, second = desk.heard(ReviewRequested)
    assert (first.method, second.method) == ("callback", "link")
    assert first.until == second.until == NOON + POLICY.window


@pytest.mark.parametrize(("resolution", "outcome"), [("yes", "solved"), ("partly", "partly")])
def test_a_good_word_closes_the_ticket(resolution: Any, outcome: str) -> None:
    desk = Desk().hear(received(), resolved()).says(Answer(resolution, 4))
    assert desk.outcome() == outcome
    (told,) = desk.heard(ReviewSubmitted)
    assert (told.unit, told.round, told.by) == (UNIT, 1, "citizen")


def test_a_no_reopens_as_often_as_the_city_allows_and_then_the_ticket_is_unsolved() -> None:
    desk = Desk().hear(received())
    for round_ in (1, 2, 3):
        desk.hear(resolved(round_)).says(BAD)
    assert [(e.round, e.reason) for e in desk.heard(TicketReopened)] == [(2, "not_solved"), (3, "not_solved")]
    assert [(e.outcome, e.round) for e in desk.heard(TicketClosed)] == [("unsolved", 3)]
    assert {n: r.state for n, r in desk.reviews[TICKET].items()} == dict.fromkeys((1, 2, 3), "answered")


def test_a_word_of_an_earlier_round_is_not_asked_about_again() -> None:
    desk = Desk().hear(received(), resolved(1)).says(BAD).hear(resolved(1))
    assert len(desk.heard(ReviewRequested)) == 1
    assert desk.ticket().round == 2


def test_silence_closes_as_no_answer_and_is_no_praise() -> None:
    desk = Desk().hear(received(), resolved()).waits(days=6)
    assert desk.outcome() is None
    assert next_due(desk.reviews[TICKET].values()) == NOON + POLICY.window
    desk.waits(days=1)
    assert (desk.outcome(), desk.review().state, desk.review().answer) == ("no_answer", "lapsed", None)
    with pytest.raises(NotPossibleError, match="over"):
        desk.says(GOOD)


def test_a_sensor_is_not_asked_and_its_matter_is_solved_when_the_unit_says_so() -> None:
    desk = Desk().hear(received("sensor", reporter_type="sensor"), resolved())
    assert (desk.outcome(), desk.heard(ReviewRequested)) == ("solved", [])


def test_a_sensor_known_too_late_leaves_no_question_open() -> None:
    desk = Desk().hear(resolved(), received("sensor", reporter_type="sensor"))
    assert (desk.outcome(), desk.review().state) == ("solved", "closed")


def test_a_withdrawn_ticket_is_closed_at_once_and_nobody_is_asked_any_more() -> None:
    desk = Desk().hear(received(), resolved(), WITHDRAWN)
    assert (desk.outcome(), desk.review().state) == ("withdrawn", "closed")


def test_the_same_answer_again_changes_nothing_and_another_is_refused() -> None:
    desk = Desk().hear(received(), resolved()).says(Answer("partly", 3, "还差一点"))
    before = desk.state(), len(desk.said)
    desk.says(Answer("partly", 3, "还差一点"))
    assert (desk.state(), len(desk.said)) == before
    for other in (Answer("partly", 4, "还差一点"), Answer("partly", 3), GOOD):
        with pytest.raises(NotPossibleError, match="answered already"):
            desk.says(other)


def test_the_third_call_that_nobody_takes_ends_the_asking() -> None:
    desk = Desk().hear(received(), resolved()).calls("no_answer").calls("reached").calls("no_answer")
    assert desk.outcome() is None
    assert desk.calls("no_answer").outcome() == "no_answer"
    assert [call.outcome for call in desk.review().tries] == ["no_answer", "reached", "no_answer", "no_answer"]


def test_who_refuses_is_not_called_again() -> None:
    desk = Desk().hear(received(), resolved()).calls("refused")
    assert desk.outcome() == "no_answer"
    with pytest.raises(NotPossibleError, match="over"):
        desk.calls("no_answer")


def test_who_is_asked_by_link_is_not_called() -> None:
    with pytest.raises(NotPossibleError, match="by link"):
        Desk().hear(received("web"), resolved()).calls("no_answer")


def test_the_month_of_an_answer_is_the_city_s() -> None:
    desk = Desk().hear(received(), resolved())
    desk.now = datetime.fromisoformat("2026-03-08T23:00:00+08:00")
    assert desk.says(GOOD).review().period == "2026-03"
    assert POLICY.period(datetime.fromisoformat("2026-03-31T15:59:59+00:00")) == "2026-03"
    assert POLICY.period(datetime.fromisoformat("2026-03-31T16:00:00+00:00")) == "2026-04"


def test_what_the_unit_did_in_the_round_stands_beside_the_answer_even_when_heard_late() -> None:
    desk = Desk().hear(received(), resolved()).says(BAD).hear(CLASSIFIED, contacted(), breached("completion"))
    review = desk.reviews[TICKET][1]
    assert (review.contacted, review.completion_in_time, review.urgency) == (True, False, "livelihood")
    assert review.response_in_time is None


def test_what_was_ruled_malicious_is_asked_all_the_same_and_counts_for_nobody_until_that_is_lifted() -> None:
    desk = Desk().hear(received(), resolved()).says(BAD).hear(screened())
    assert (desk.reviews[TICKET][1].excluded, desk.ticket().round) == (True, 2)
    desk.hear(resolved(2)).says(GOOD)
    assert [review.excluded for review in desk.reviews[TICKET].values()] == [True, True]
    desk.hear(screened(lifted=True))
    assert [review.excluded for review in desk.reviews[TICKET].values()] == [False, False]
