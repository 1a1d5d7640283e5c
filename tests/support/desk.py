"""Tickets as feedback lives them, without a database, and the events that other stages tell it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from libs.common.city.callbacks import GENERAL, Callbacks
from libs.common.city.problems import read_whole_toml
from libs.common.contracts.classify import TicketClassified, TicketReclassified
from libs.common.contracts.dispatch import TicketContacted, TicketResolved
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.feedback import TicketClosed
from libs.common.contracts.intake import (
    TicketAnswered,
    TicketErased,
    TicketLinked,
    TicketReceived,
    TicketScreened,
    TicketWithdrawn,
)
from libs.common.contracts.sla import ClockBreached, ClockMet
from libs.common.contracts.vocabulary import Channel, Receipt, UnitRef
from libs.common.messaging.transaction import Aggregate, Speaker, Tx
from services.feedback.domain import (
    Answer,
    Case,
    Facts,
    Policy,
    Review,
    Sibling,
    Ticket,
    TryOutcome,
    Word,
    answer,
    asked_through,
    attempt,
    decide,
    recorded,
    repeated,
    take,
)
from services.feedback.handlers import MEMORY
from tests.support.stages import NOON, ManualClock

CLOCK = ManualClock()
TICKET, OTHER, THIRD = CLOCK.new_id(), CLOCK.new_id(), CLOCK.new_id()
POLICY = Policy(
    window=timedelta(days=7), reopen_limit=2, timezone=ZoneInfo("Asia/Shanghai"),
    callbacks=read_whole_toml(GENERAL, TypeAdapter(Callbacks)),
)  # fmt: skip
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
WORDLESS = TicketErased(words=True, at=NOON)


def received(channel: Channel = "phone", **more: Any) -> TicketReceived:
    return TicketReceived.model_validate({**RECEIPT.model_dump(), "channel": channel, **more})


def linked(parent: UUID = OTHER, **receipt: Any) -> TicketLinked:
    return TicketLinked.model_validate({**RECEIPT.model_dump(), **receipt, "parent": parent, "reason": "重复"})


def answered(**more: Any) -> TicketAnswered:
    return TicketAnswered.model_validate({**RECEIPT.model_dump(), "answer": "请拨打自来水热线", **more})


def screened(*, lifted: bool = False) -> TicketScreened:
    return TicketScreened(verdict="malicious", why="无中生有", lifted=lifted)


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
        self.cases: dict[UUID, list[Case]] = {}
        self.said: list[tuple[UUID, Event]] = []
        self.sequence = 0
        self.tx = Tx(None, Speaker("feedback", frozenset(), CLOCK.now, CLOCK.new_id))

    def hear(self, *events: Event, of: UUID = TICKET) -> "Desk":
        for event in events:
            self.sequence += 1
            self.tx.held.setdefault(str(of), Aggregate(1, {}))
            MEMORY.learn(self.tx, [Envelope(CLOCK.new_id(), str(of), NOON, self.sequence, event)])
            if isinstance(event, TicketLinked):
                ticket, said = repeated(self.ticket(event.parent), event.received_at, POLICY, self.now)
                self._move(ticket, said)
            self.decide(of)
        return self

    def decide(self, of: UUID) -> None:
        facts = MEMORY.of(self.tx, str(of))
        parent = self.ticket(facts.linked.parent) if facts.linked else None
        elsewhere = self.elsewhere(of, facts, parent)
        ruling = decide(
            facts, self.ticket(of), self.reviews.get(of, {}).values(), parent, POLICY, self.now, elsewhere=elsewhere
        )
        again = decide(facts, ruling.ticket, ruling.reviews, parent, POLICY, self.now, elsewhere=elsewhere)
        assert (again.ticket, again.reviews, again.events) == (ruling.ticket, ruling.reviews, ()), "asked twice: rest"
        self.reviews[of] = {review.round: review for review in ruling.reviews}
        self.cases[of] = recorded(facts, ruling.ticket, self.cases.get(of, []))
        self._move(ruling.ticket, ruling.events)

    def elsewhere(self, of: UUID, facts: Facts, parent: Ticket | None) -> bool:
        """Whether the reporter of a repeat is asked about its parent's word through another ticket."""
        if parent is None or not facts.reporter or parent.word is None:
            return False
        mine = [t for t in self.tickets.values() if (t.parent, t.reporter) == (parent.ticket_id, facts.reporter)]
        ids = {t.ticket_id for t in mine if t.outcome != "withdrawn"} | ({of} - {of if facts.withdrawn else None})
        siblings = [Sibling(id_, self.asked(id_, parent.word)) for id_ in ids]
        return parent.reporter == facts.reporter or (bool(siblings) and asked_through(siblings) != of)

    def asked(self, of: UUID, word: Word) -> bool:
        """Whether a question about a word stands, or stood until it was answered or lapsed."""
        reviews = self.reviews.get(of, {}).values()
        return (word.about, word.round) in {(r.about, r.round) for r in reviews if r.state != "closed"}

    def _move(self, ticket: Ticket, events: Sequence[Event]) -> None:
        of = ticket.ticket_id
        moved = ticket != self.ticket(of)
        self.tickets[of] = ticket
        self.said += [(of, event) for event in events]
        for child in [t.ticket_id for t in self.tickets.values() if moved and t.parent == of]:
            self.decide(child)

    def says(self, given: Answer, of: UUID = TICKET) -> "Desk":
        review, events = answer(self.review(of), given, "citizen", POLICY, self.now)
        return self._keep(of, review, events)

    def calls(self, outcome: TryOutcome, of: UUID = TICKET, **more: Any) -> "Desk":
        """Have a seat phone as soon as it may."""
        review = self.review(of)
        self.now = max(self.now, review.due_at or self.now)
        taken = take(review, "seat", POLICY, self.now)
        return self._keep(of, attempt(taken, "seat", outcome, POLICY, self.now, **more), [])

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
        return {of: (ticket, counting.get(of), self.cases.get(of)) for of, ticket in self.tickets.items()}
