"""What dispatch does on an event: learn, load, decide, save, emit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from libs.common.contracts import classify, feedback, intake
from libs.common.contracts.envelope import Envelope, Event
from libs.common.messaging.facts import Memory
from libs.common.messaging.transaction import Tx
from libs.common.runtime.timers import Due
from services.dispatch import store
from services.dispatch.domain import (
    Appeal,
    Classified,
    Facts,
    Matter,
    decide,
)
from services.dispatch.handlers.around import Here

UNHEARD = "unheard"
"""Fires when intake's word on a judged ticket has not come."""
PATIENCE = timedelta(minutes=5)
"""So long it is waited for. It left before the judgement did: later than this it is lost, and a citizen must not be."""


def _classified(event: classify.Judgement) -> Classified:
    receipt, place = event.receipt, event.place
    appeal = Appeal(
        number=receipt.number, code=event.code, category=event.category, urgency=event.urgency, kind=event.kind,
        title=receipt.title, text=receipt.text, summary=event.summary, address=receipt.address,
        district_name=place.district_name if place else None, street_name=place.street_name if place else None,
        reporter_type=receipt.reporter_type, access_needs=receipt.access_needs,
    )  # fmt: skip
    return Classified(appeal, Matter(event.owner_kind, event.owner, event.co_handlers, place, event.outside))


MEMORY = Memory(
    Facts,
    {
        classify.TicketClassified: ("classified", _classified),
        classify.TicketReclassified: ("classified", _classified),
        intake.TicketReceived: {"received": lambda _: True, "ended": lambda _: None},
        intake.TicketWithdrawn: ("withdrawn", lambda _: True),
        intake.TicketLinked: ("ended", lambda _: "linked"),
        intake.TicketAnswered: ("ended", lambda _: "answered"),
        intake.TicketErased: (lambda event: "wordless" if event.words else None, lambda _: True),
        feedback.TicketReopened: ("reopened", lambda event: event.round),
        feedback.TicketClosed: ("closed", lambda event: event.round),
    },
    may_keep=lambda facts: facts.kept,
)


async def on_event(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """Learn what any of them says and bring the orders of tickets that are judged up to it."""
    learned = MEMORY.learn(tx, events)
    await _react({subject: facts for subject, facts in learned.items() if facts.classified}, tx, here)


async def on_timer(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """A judged ticket of which intake said nothing for so long is taken to be received."""
    await _react({due.subject: replace(MEMORY.of(tx, due.subject), received=True) for due in timers}, tx, here)


async def _react(tickets: Mapping[str, Facts], tx: Tx, here: Here) -> None:
    if not tickets:
        return
    orders = await store.orders_of(tx, [UUID(subject) for subject in tickets])
    rulings = {}
    for subject, facts in tickets.items():
        ticket_id = UUID(subject)
        route = here.engine.router.route(facts.classified.matter) if facts.classified else None
        rulings[ticket_id] = decide(ticket_id, facts, orders.get(ticket_id), route, tx.now)
        if facts.unheard and ticket_id not in orders:
            tx.schedule(UNHEARD, subject, tx.now + PATIENCE)
    await store.save(tx, [r.order for id_, r in rulings.items() if r.order and r.order != orders.get(id_)])
    for ticket_id, ruling in rulings.items():
        for event in ruling.events:
            tx.emit(str(ticket_id), event)
