"""Clocks of tickets that end otherwise than by a unit's word, and go on after all: the citizen's time is one time."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.contracts.classify import TicketClassified, TicketReclassified
from libs.common.contracts.dispatch import TicketContacted, TicketDispatched, TicketResolved
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.feedback import Outcome, TicketClosed, TicketReopened
from libs.common.contracts.intake import TicketAnswered, TicketLinked, TicketReceived, TicketWithdrawn
from libs.common.contracts.sla import ClockStarted, ClockStopped
from libs.common.contracts.vocabulary import Receipt, UnitRef
from libs.common.messaging.transaction import Aggregate, Speaker, Tx
from services.sla.domain import Clock, decide, next_due, pause
from services.sla.handlers import MEMORY
from services.sla.service import book_of
from tests.support.stages import CITY, NOON, ManualClock
from tests.support.stories import hearings, stories

CLOCK = ManualClock()
TICKET = CLOCK.new_id()
BOOK = book_of(load_city(CITY))
UNIT = UnitRef(code="dept-water", name="市水务局")
RECEIPT = Receipt(number="20260302-0000001", channel="phone", text="停水了", received_at=NOON)
JUDGED = {
    "receipt": RECEIPT, "code": "water-01-01", "category": ("供水排水", "自来水供应", "突然停水"), "kind": "help",
    "urgency": "livelihood", "confidence": 0.9, "summary": "停水", "owner_kind": "company", "owner": "co-water",
    "judged_by": "model", "model": "m", "catalogue": "c",
}  # fmt: skip
CLASSIFIED = TicketClassified.model_validate(JUDGED)
RAISED = TicketReclassified.model_validate(JUDGED | {"urgency": "urgent", "previous": "water-01-01", "reason": "多人"})
RECEIVED = TicketReceived(**RECEIPT.model_dump())
LINKED = TicketLinked(**RECEIPT.model_dump(), parent=UUID(int=1), reason="重复")
ANSWERED = TicketAnswered(**RECEIPT.model_dump(), answer="已答复")
WITHDRAWN = TicketWithdrawn(at=NOON)


def dispatched(round_: int = 1) -> TicketDispatched:
    return TicketDispatched(unit=UNIT, urgency="livelihood", rule="duty", why=("职责",), round=round_, at=NOON)


def contacted(round_: int = 1) -> TicketContacted:
    return TicketContacted(unit=UNIT, method="phone", round=round_, at=NOON, first_at=NOON)


def resolved(round_: int = 1) -> TicketResolved:
    return TicketResolved(unit=UNIT, reply="已修好", round=round_, at=NOON, contacted=True)


def reopened(reason: Literal["not_solved", "ruling"] = "not_solved", hours: float = 0) -> TicketReopened:
    return TicketReopened(reason=reason, round=2, at=NOON + timedelta(hours=hours))


def closed(outcome: Outcome = "no_answer") -> TicketClosed:
    return TicketClosed(outcome=outcome, round=1, at=NOON + timedelta(days=3))


class Watch:
    """One ticket as sla watches it, without a database: facts learned for real, decisions made for real."""

    def __init__(self) -> None:
        self.now = NOON
        self.clocks: tuple[Clock, ...] = ()
        self.said: list[Event] = []
        self.sequence = 0
        self.tx = Tx(None, Speaker("sla", frozenset(), CLOCK.now, CLOCK.new_id))
        self.tx.held[str(TICKET)] = Aggregate(1, {})

    def hear(self, *events: Event) -> "Watch":
        for event in events:
            self.sequence += 1
            MEMORY.learn(self.tx, [Envelope(CLOCK.new_id(), str(TICKET), self.now, self.sequence, event)])
            self.look()
        return self

    def waits(self, **span: float) -> "Watch":
        self.now += timedelta(**span)
        self.look()
        return self

    def look(self) -> None:
        facts = MEMORY.of(self.tx, str(TICKET))
        ruling = decide(TICKET, facts, self.clocks, BOOK, self.now)
        again = decide(TICKET, facts, ruling.clocks, BOOK, self.now)
        assert (again.clocks, again.events) == (ruling.clocks, ()), "asked twice: rest"
        # The store gives them back by round, the response before the completion.
        self.clocks = tuple(sorted(ruling.clocks, key=lambda clock: (clock.round, clock.name == "completion")))
        self.said += ruling.events

    def waits_for_feedback(self) -> "Watch":
        """Let the time pass after which nobody waits for feedback's word on a void answer."""
        self.tx.aggregate(str(TICKET)).facts["certain"] = {"seq": 0, "is": True}
        self.look()
        return self

    def pause(self) -> "Watch":
        self.clocks = tuple(pause(c, "weather", None, BOOK, self.now)[0] if c.open else c for c in self.clocks)
        return self

    def running(self) -> list[tuple[int, str, Any]]:
        """Return the clocks that somebody is held to, and when they began."""
        return [(clock.round, clock.name, clock.started_at) for clock in self.clocks if clock.open]

    def heard(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.said if type(event) is kind]


BOTH = ("response", "completion")


def since(round_: int, at: Any = NOON) -> list[tuple[int, str, Any]]:
    return [(round_, name, at) for name in BOTH]


@pytest.mark.parametrize("end", [LINKED, ANSWERED, WITHDRAWN])
def test_what_ends_stops_the_clocks(end: Event) -> None:
    watch = Watch().hear(RECEIVED, end)
    assert watch.running() == []
    assert next_due(watch.clocks, BOOK) is None


@pytest.mark.parametrize("end", [LINKED, ANSWERED])
def test_what_ended_at_once_has_no_clock_until_it_goes_on_and_then_it_counts_from_receipt(end: Event) -> None:
    watch = Watch().hear(end, CLASSIFIED)
    assert watch.clocks == ()
    assert watch.waits(hours=3).hear(RECEIVED).waits_for_feedback().running() == since(1)


def test_an_answer_that_feedback_voids_never_runs_the_clocks_of_its_round() -> None:
    watch = Watch().hear(RECEIVED, CLASSIFIED, ANSWERED).waits(days=2).hear(RECEIVED)
    assert watch.running() == []
    watch.hear(reopened(hours=48))
    assert watch.running() == since(2, NOON + timedelta(hours=48))
    assert not [event for event in watch.said if event.name == "clock.warned"]


def test_a_second_answer_is_in_doubt_again_when_it_is_void() -> None:
    watch = Watch().hear(RECEIVED, ANSWERED, RECEIVED).waits_for_feedback().hear(ANSWERED, RECEIVED)
    assert watch.running() == []
    assert watch.waits_for_feedback().running() == since(1)


def test_a_try_that_did_not_reach_the_citizen_is_no_response() -> None:
    watch = Watch().hear(RECEIVED, CLASSIFIED, dispatched(), contacted().model_copy(update={"reached": False}))
    assert watch.running() == since(1)
    assert watch.hear(contacted()).running() == [(1, "completion", NOON)]


def test_clocks_stopped_by_a_link_run_on_as_if_they_never_stood_when_it_is_undone() -> None:
    watch = Watch().hear(RECEIVED, CLASSIFIED)
    before = watch.clocks
    watch.hear(LINKED).waits(hours=1).hear(RECEIVED)
    assert [clock.due_at for clock in watch.clocks] == [clock.due_at for clock in before]
    assert [event.clock for event in watch.heard(ClockStarted)][-2:] == list(BOTH)
    # Half of the two hours to respond is over: the reminder of that mark comes now.
    assert [clock.fired for clock in watch.clocks] == [1, 0]


def test_time_that_stood_still_before_a_link_is_given_back_after_it() -> None:
    watch = Watch().hear(RECEIVED).pause().waits(hours=2).hear(LINKED).waits(hours=5).hear(RECEIVED)
    assert [clock.due_at - NOON for clock in watch.clocks] == [timedelta(hours=26), timedelta(days=7, hours=2)]


def test_the_class_that_changed_while_a_clock_was_stopped_holds_when_it_runs_on() -> None:
    watch = Watch().hear(RECEIVED, CLASSIFIED, LINKED, RAISED, RECEIVED)
    assert {clock.urgency for clock in watch.clocks} == {"urgent"}


@pytest.mark.parametrize("received_first", [True, False])
def test_a_link_found_wrong_after_its_parent_was_closed_leaves_one_pair_of_clocks_from_receipt(
    received_first: bool,
) -> None:
    again = reopened("ruling", hours=72)
    watch = Watch().hear(LINKED, CLASSIFIED).waits(hours=72)
    watch.hear(*((RECEIVED, again) if received_first else (again, RECEIVED)))
    assert watch.running() == since(2)
    warned = [event for event in watch.said if event.name == "clock.warned"]
    assert len(warned) == 6, "no reminder comes twice because the round changed"


def test_clocks_cut_short_by_a_wrong_link_go_on_in_the_round_that_feedback_opened() -> None:
    watch = Watch().hear(RECEIVED).pause().waits(hours=2).hear(LINKED, RECEIVED, reopened("ruling", hours=3))
    assert watch.running() == since(2)
    assert {clock.due_at - NOON for clock in watch.clocks if clock.open} == {
        timedelta(hours=26), timedelta(days=7, hours=2),
    }  # fmt: skip


@pytest.mark.parametrize("received_first", [True, False])
def test_an_answer_that_was_none_is_timed_from_the_citizens_no(received_first: bool) -> None:
    again = reopened(hours=24)
    watch = Watch().hear(ANSWERED, CLASSIFIED).waits(hours=24)
    watch.hear(*((RECEIVED, again) if received_first else (again, RECEIVED)))
    assert watch.running() == since(2, again.at)


def test_work_done_before_the_link_is_met_although_it_is_heard_of_after_it() -> None:
    watch = Watch().hear(RECEIVED, LINKED, contacted(), resolved())
    assert [clock.state for clock in watch.clocks] == ["met", "met"]
    assert [event.reason for event in watch.heard(ClockStopped)] == ["linked", "linked"]


def test_what_feedback_closed_has_no_clock_though_the_word_of_the_work_was_lost_and_is_met_if_it_comes_after_all() -> (
    None
):
    watch = Watch().hear(RECEIVED, CLASSIFIED, dispatched(), contacted(), closed()).waits(days=30)
    assert (watch.running(), next_due(watch.clocks, BOOK)) == ([], None)
    assert [(event.clock, event.reason) for event in watch.heard(ClockStopped)] == [("completion", "answered")]
    watch.hear(resolved())
    assert [clock.state for clock in watch.clocks] == ["met", "met"]


@pytest.mark.parametrize(("outcome", "reason"), [("withdrawn", "withdrawn"), ("linked", "linked")])
def test_a_closing_that_is_heard_before_what_it_rests_on_stops_clocks_for_the_same_reason(
    outcome: Outcome, reason: str
) -> None:
    watch = Watch().hear(RECEIVED, closed(outcome), WITHDRAWN)
    assert {event.reason for event in watch.heard(ClockStopped)} == {reason}


def test_the_round_after_a_closing_has_clocks_of_its_own() -> None:
    assert Watch().hear(RECEIVED, closed(), reopened(hours=80)).running() == since(2, NOON + timedelta(hours=80))


WORDS: dict[str, Event] = {
    "received": RECEIVED, "linked": LINKED, "linked elsewhere": LINKED, "answered": ANSWERED, "withdrawn": WITHDRAWN,
}  # fmt: skip
"""What sla hears of intake; it does not listen to the rest."""
WORK: list[list[Event]] = [
    [],
    [dispatched()],
    [dispatched(), contacted()],
    [dispatched(), contacted(), resolved()],
    [dispatched(), contacted(), dispatched(2), contacted(2)],
]
ENDS: list[list[Event]] = [
    [],
    [reopened()],
    [reopened("ruling", hours=1)],
    [closed()],
    [closed(), reopened("ruling", hours=1)],
]


@settings(max_examples=300, deadline=None)
@given(st.data(), stories(), st.sampled_from(WORK), st.sampled_from(ENDS))
def test_the_same_news_in_any_order_leaves_the_same_clocks_running(
    data: st.DataObject, story: list[str], work: Sequence[Event], ends: Sequence[Event]
) -> None:
    intake = [WORDS[word] for word in story if word in WORDS]
    streams: list[Sequence[Event]] = [intake, [CLASSIFIED, RAISED], work, ends]
    one, other = (Watch().hear(*data.draw(hearings(streams))).waits_for_feedback() for _ in range(2))
    assert [clock for clock in one.clocks if clock.open] == [clock for clock in other.clocks if clock.open]
