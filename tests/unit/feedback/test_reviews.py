"""Asking and judging: what facts and answers make of a ticket, and that the order of hearing does not matter."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.contracts.classify import TicketClassified, TicketReclassified
from libs.common.contracts.dispatch import TicketContacted, TicketResolved
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.feedback import ReviewRequested, ReviewSubmitted, TicketClosed, TicketReopened
from libs.common.contracts.intake import TicketAnswered, TicketLinked, TicketReceived, TicketUnlinked, TicketWithdrawn
from libs.common.contracts.sla import ClockBreached, ClockMet
from libs.common.contracts.vocabulary import Channel, Receipt, UnitRef
from libs.common.messaging.transaction import Aggregate, Speaker, Tx
from services.feedback.domain import (
    BAD,
    GOOD,
    Answer,
    NotPossibleError,
    Policy,
    Review,
    Ticket,
    TryOutcome,
    answer,
    attempt,
    decide,
    next_due,
)
from services.feedback.handlers import MEMORY
from tests.support.stages import NOON, ManualClock

CLOCK = ManualClock()
TICKET, OTHER, THIRD = CLOCK.new_id(), CLOCK.new_id(), CLOCK.new_id()
POLICY = Policy(window=timedelta(days=7), reopen_limit=2, timezone=ZoneInfo("Asia/Shanghai"))
UNIT = UnitRef(code="dept-water", name="市水务局")
RECEIPT = Receipt(number="20260302-0000001", channel="phone", kind="help", text="停水了", received_at=NOON)
JUDGED = {
    "receipt": RECEIPT, "code": "water-01-01", "category": ("供水排水", "自来水供应", "突然停水"), "kind": "complaint",
    "urgency": "livelihood", "confidence": 0.9, "summary": "停水", "owner_kind": "company", "owner": "co-water",
    "judged_by": "model", "model": "m", "catalogue": "c",
}  # fmt: skip
CLASSIFIED = TicketClassified.model_validate(JUDGED)
RECLASSIFIED = TicketReclassified.model_validate(
    JUDGED | {"urgency": "urgent", "previous": "water-01-01", "reason": "学校"}
)
WITHDRAWN = TicketWithdrawn(at=NOON)


def received(channel: Channel = "phone", **more: Any) -> TicketReceived:
    return TicketReceived.model_validate({**RECEIPT.model_dump(), "channel": channel, **more})


def linked(parent: UUID = OTHER) -> TicketLinked:
    return TicketLinked(**RECEIPT.model_dump(), parent=parent, reason="重复")


def unlinked(parent: UUID = OTHER) -> TicketUnlinked:
    return TicketUnlinked(parent=parent, reason="不是同一件事")


def answered() -> TicketAnswered:
    return TicketAnswered(**RECEIPT.model_dump(), answer="请拨打自来水热线")


def contacted(round_: int = 1) -> TicketContacted:
    return TicketContacted(unit=UNIT, method="phone", round=round_, at=NOON, first_at=NOON)


def resolved(round_: int = 1, *, contacted: bool = False) -> TicketResolved:
    return TicketResolved(unit=UNIT, reply="已修好", round=round_, at=NOON, contacted=contacted)


def clock(name: str, round_: int = 1) -> dict[str, Any]:
    return {
        "clock": name, "round": round_, "urgency": "general", "started_at": NOON, "due_at": NOON, "limit_seconds": 60,
        "policy": "p",
    }  # fmt: skip


def met(name: str, round_: int = 1, *, in_time: bool = True) -> ClockMet:
    return ClockMet(**clock(name, round_), met_at=NOON, in_time=in_time)


def breached(name: str, round_: int = 1) -> ClockBreached:
    return ClockBreached(**clock(name, round_), light="yellow")


class Desk:
    """Tickets as feedback lives them, without a database: facts learned for real, decisions made for real."""

    def __init__(self) -> None:
        self.now: datetime = NOON
        self.tickets: dict[UUID, Ticket] = {}
        self.reviews: dict[UUID, dict[int, Review]] = {}
        self.said: list[tuple[UUID, Event]] = []
        self.sequence = 0
        self.tx = Tx(None, Speaker("feedback", frozenset(), CLOCK.now, CLOCK.new_id))

    def hear(self, *events: Event, of: UUID = TICKET) -> "Desk":
        for event in events:
            self.sequence += 1
            self.tx.held.setdefault(str(of), Aggregate(1, {}))
            MEMORY.learn(self.tx, [Envelope(CLOCK.new_id(), str(of), NOON, self.sequence, event)])
            self.decide(of)
        return self

    def decide(self, of: UUID) -> None:
        facts = MEMORY.of(self.tx, str(of))
        parent = self.ticket(facts.linked.parent) if facts.linked else None
        ruling = decide(facts, self.ticket(of), self.reviews.get(of, {}).values(), parent, POLICY, self.now)
        again = decide(facts, ruling.ticket, ruling.reviews, parent, POLICY, self.now)
        assert (again.ticket, again.reviews, again.events) == (ruling.ticket, ruling.reviews, ()), "asked twice: rest"
        moved = ruling.ticket != self.ticket(of)
        self.tickets[of] = ruling.ticket
        self.reviews[of] = {review.round: review for review in ruling.reviews}
        self.said += [(of, event) for event in ruling.events]
        for child in [t.ticket_id for t in self.tickets.values() if moved and t.parent == of]:
            self.decide(child)

    def says(self, given: Answer, of: UUID = TICKET) -> "Desk":
        review, events = answer(self.review(of), given, "citizen", POLICY, self.now)
        return self._keep(of, review, events)

    def calls(self, outcome: TryOutcome, of: UUID = TICKET) -> "Desk":
        return self._keep(of, attempt(self.review(of), outcome, POLICY, self.now), [])

    def waits(self, **span: float) -> "Desk":
        self.now += timedelta(**span)
        for of in list(self.tickets):
            self.decide(of)
        return self

    def _keep(self, of: UUID, review: Review, events: Sequence[Event]) -> "Desk":
        self.reviews[of][review.round] = review
        self.said += [(of, event) for event in events]
        self.decide(of)
        return self

    def ticket(self, of: UUID = TICKET) -> Ticket:
        return self.tickets.get(of, Ticket(of))

    def review(self, of: UUID = TICKET) -> Review:
        reviews = self.reviews[of]
        return next((review for review in reviews.values() if review.state == "requested"), reviews[max(reviews)])

    def heard(self, kind: type[Event], of: UUID = TICKET) -> list[Any]:
        return [event for subject, event in self.said if subject == of and type(event) is kind]

    def outcome(self, of: UUID = TICKET) -> str | None:
        """Return what the ticket came to, which must be what was told last."""
        outcome = self.ticket(of).outcome
        assert outcome is None or self.heard(TicketClosed, of)[-1].outcome == outcome
        return outcome

    def state(self) -> Mapping[UUID, Any]:
        """What all orders must agree on: questions that fell away may or may not have been put."""
        counting = {
            of: {n: review for n, review in reviews.items() if review.state != "closed"}
            for of, reviews in self.reviews.items()
        }
        return {of: (ticket, counting.get(of)) for of, ticket in self.tickets.items()}


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


@pytest.mark.parametrize("given_answer", [GOOD, Answer("partly", 3), BAD])
def test_an_answered_ticket_is_asked_once_and_closed_whatever_is_said(given_answer: Answer) -> None:
    desk = Desk().hear(answered()).says(given_answer)
    assert (desk.outcome(), desk.heard(TicketReopened)) == ("answered", [])
    assert desk.review().unit is None


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
    desk = Desk().hear(linked()).hear(received(), resolved(), of=OTHER).says(BAD).hear(unlinked())
    assert (desk.review().state, desk.ticket().round) == ("closed", 1)
    assert desk.hear(resolved()).review().about == TICKET
    assert desk.says(GOOD).outcome() == "solved"


def test_a_ticket_closed_under_a_wrong_link_comes_back_to_life() -> None:
    desk = Desk().hear(linked()).hear(received(), resolved(), of=OTHER).says(GOOD, of=OTHER).hear(unlinked())
    assert [(e.round, e.reason) for e in desk.heard(TicketReopened)] == [(2, "ruling")]
    assert desk.hear(resolved(2)).says(GOOD).outcome() == "solved"


BEGINNING: dict[str, list[Event]] = {
    "intake": [received("web")],
    "classify": [CLASSIFIED, RECLASSIFIED],
    "dispatch": [contacted(), resolved(contacted=True)],
    "sla": [breached("response"), met("response", in_time=False), met("completion")],
}
Stream = tuple[UUID, str]
ENDINGS: dict[str, list[Event]] = {
    "as it is": [],
    "withdrawn": [WITHDRAWN],
    "answered": [answered()],
    "linked": [linked()],
    "linked and unlinked": [linked(), unlinked()],
    "withdrawn when linked": [linked(), WITHDRAWN],
}


def heard_in_order(streams: Mapping[Stream, Sequence[Event]], pick: Callable[[list[Stream]], Stream]) -> Desk:
    """Let a desk hear every stream in its own order, the next one always from the stream that `pick` takes."""
    desk, waiting = Desk(), {stream: list(events) for stream, events in streams.items()}
    while left := [stream for stream, events in waiting.items() if events]:
        stream = pick(left)
        desk.hear(waiting[stream].pop(0), of=stream[0])
    return desk


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_same_facts_in_any_order_end_in_the_same_state(ending: str, data: st.DataObject) -> None:
    streams: dict[Stream, list[Event]] = {(TICKET, emitter): [*said] for emitter, said in BEGINNING.items()}
    streams[TICKET, "intake"] += ENDINGS[ending]
    streams[OTHER, "intake"] = [received()]
    streams[OTHER, "dispatch"] = [contacted(), resolved()]
    one = heard_in_order(streams, lambda left: left[0])
    other = heard_in_order(streams, lambda left: data.draw(st.sampled_from(left)))
    assert one.state() == other.state()
    assert one.says(GOOD, of=OTHER).state() == other.says(GOOD, of=OTHER).state()


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_whole_life_ends_the_same_whatever_was_heard_first(data: st.DataObject) -> None:
    """The citizen says no to round 1 and yes to round 2; dispatch and sla begin round 2 once the ticket is reopened."""
    waiting: dict[str, list[tuple[int, Event]]] = {
        "intake": [(1, received())],
        "classify": [(1, CLASSIFIED), (2, RECLASSIFIED)],
        "dispatch": [(1, contacted(1)), (1, resolved(1)), (2, contacted(2)), (2, resolved(2))],
        "sla": [(1, breached("completion", 1)), (1, met("completion", 1, in_time=False)), (2, met("completion", 2))],
    }
    desk, words = Desk(), [Answer("no", 2, "没修好"), GOOD]
    while True:
        choices = [name for name, left in waiting.items() if left and left[0][0] <= desk.ticket().round]
        asked = [r for r in desk.reviews.get(TICKET, {}).values() if r.state == "requested"]
        choices += ["citizen"] if asked else []
        if not choices:
            break
        name = data.draw(st.sampled_from(choices))
        if name == "citizen":
            desk.says(words.pop(0))
        else:
            desk.hear(waiting[name].pop(0)[1])
    first, second = desk.reviews[TICKET][1], desk.reviews[TICKET][2]
    assert desk.outcome() == "solved"
    assert (first.contacted, first.completion_in_time, first.resolved) == (True, False, "no")
    assert (second.contacted, second.completion_in_time, second.resolved) == (True, True, "yes")
    assert {first.urgency, second.urgency} == {"urgent"}
