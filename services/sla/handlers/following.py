"""What sla does on an event or a timer: learn, load, decide, save, emit."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from libs.common.contracts import classify, dispatch, feedback, intake
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.vocabulary import Receipt
from libs.common.messaging.facts import Memory
from libs.common.messaging.transaction import Tx
from libs.common.runtime.timers import Due
from services.sla import store
from services.sla.domain import (
    Again,
    Classified,
    Clock,
    Done,
    Facts,
    Led,
    Moved,
    Received,
    Returned,
    decide,
    next_due,
)
from services.sla.handlers.around import Here
from services.sla.handlers.notices import warn
from services.sla.handlers.supervision import follow_cases
from services.sla.handlers.tasks import begin_named

TIMER = "clock"
JOINED = "joined"
"""The timer of a ticket that others joined or left, whose time may begin earlier or later now."""
PATIENCE = timedelta(minutes=1)
"""How long feedback's word is awaited when an answer is void; the clocks count from receipt all the same."""


def _received(receipt: Receipt) -> Received:
    return Received(
        receipt.received_at, "elderly" in receipt.access_needs, receipt.number, receipt.access_needs, receipt.channel,
        receipt.reporter_type,
    )  # fmt: skip


def _classified(event: classify.Judgement) -> Classified:
    return Classified(event.urgency, event.elderly, _received(event.receipt), event.code, event.category[0])


def _reached(event: dispatch.TicketContacted) -> str | None:
    return "contacted" if event.reached else None


def _again(event: feedback.TicketReopened) -> Again:
    return Again(event.round, None if event.reason == "ruling" else event.at, event.reason)


MEMORY = Memory(
    Facts,
    {
        intake.TicketReceived: {"received": _received, "ended": lambda _: None},
        intake.TicketWithdrawn: ("withdrawn", lambda _: True),
        intake.TicketLinked: {"ended": lambda _: "linked", "broken_off": lambda _: "linked"},
        intake.TicketAnswered: {
            "ended": lambda _: "answered",
            "broken_off": lambda _: "answered",
            "certain": lambda _: False,
        },
        classify.TicketClassified: ("classified", _classified),
        classify.TicketReclassified: ("classified", _classified),
        dispatch.TicketDispatched: ("dispatched", lambda event: Led(event.unit, event.at, event.urgency)),
        dispatch.TicketReassigned: ("reassigned", lambda event: Led(event.unit, event.at)),
        dispatch.TicketContacted: (_reached, lambda event: Done(event.round, event.first_at)),
        dispatch.TicketResolved: ("resolved", lambda event: Done(event.round, event.at)),
        dispatch.TicketReturned: ("returned", lambda event: Returned(event.returns, event.at)),
        dispatch.TicketRuled: ("ruled", lambda event: event.at),
        feedback.TicketReopened: ("reopened", _again),
        feedback.TicketClosed: ("closed", lambda event: event.round),
        intake.TicketErased: (lambda event: "wordless" if event.words else None, lambda _: True),
    },
)


async def on_event(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """Learn what any of them says and bring the tickets' clocks up to it."""
    tickets = MEMORY.learn(tx, events)
    await _follow_links(tx, events, tickets)
    await begin_named(tx, here, events)
    await _react(tickets, tx, here)


async def _follow_links(tx: Tx, events: Sequence[Envelope[Event]], tickets: Mapping[str, Facts]) -> None:
    """Keep who joined whom. Parents are looked at by a timer that fires at once: two tickets are never held at a time.

    The last word of intake about a ticket in a batch is the one that counts: events of one ticket come one at a time.
    """
    links = {e.ticket: (e.data.parent, e.data.received_at) for e in events if isinstance(e.data, intake.TicketLinked)}
    gone = [UUID(id_) for id_, facts in tickets.items() if facts.broken_off == "linked" and not facts.ended]
    moved = await store.join(tx, links) if links else set()
    moved |= await store.part(tx, gone) if gone else set()
    for parent in moved:
        tx.schedule(JOINED, str(parent), tx.now)


async def on_joined(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """Others joined a ticket, or left it: their time is its time, and begins with the earliest of them."""
    starts = await store.earliest(tx, [UUID(due.subject) for due in timers])
    for due in timers:
        _note(tx, due.subject, "joined", starts.get(UUID(due.subject)))
    await _react({due.subject: MEMORY.of(tx, due.subject) for due in timers}, tx, here)


def _note(tx: Tx, subject: str, name: str, value: object) -> None:
    """Keep as a fact what time or our own tables tell. An event that fills the field stands above it."""
    aggregate = tx.aggregate(subject)
    aggregate.facts[name] = {"seq": 0, "is": value.isoformat() if isinstance(value, datetime) else value}
    aggregate.changed = True


async def on_timer(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """A mark was reached, a pause is over, or feedback's word was awaited for long enough."""
    tickets = {due.subject: MEMORY.of(tx, due.subject) for due in timers}
    for subject in [subject for subject, facts in tickets.items() if facts.in_doubt]:
        _note(tx, subject, "certain", True)
        tickets[subject] = MEMORY.of(tx, subject)
    await _react(tickets, tx, here)


async def _react(tickets: Mapping[str, Facts], tx: Tx, here: Here) -> None:
    ids = [UUID(subject) for subject in tickets]
    clocks = await store.clocks_of(tx, ids)
    rulings = {}
    for ticket_id, facts in zip(ids, tickets.values(), strict=True):
        rulings[ticket_id] = decide(ticket_id, facts, clocks[ticket_id], here.engine.book, tx.now)
    changed = [c for id_, r in rulings.items() for c in r.clocks if c not in clocks[id_]]
    await store.save_clocks(tx, changed)
    for ticket_id, ruling in rulings.items():
        follow_up(tx, here, ticket_id, ruling.clocks, ruling.events)
        if tickets[str(ticket_id)].in_doubt:
            tx.schedule(TIMER, str(ticket_id), tx.now + PATIENCE)
    await follow_cases(tx, here, {id_: (tickets[str(id_)], ruling.clocks) for id_, ruling in rulings.items()})
    before = {id_: (tickets[str(id_)].number, tickets[str(id_)].urgency, clocks[id_]) for id_ in ids}
    await warn(tx, here, [Moved(id_, *before[id_], r.clocks, r.events) for id_, r in rulings.items()])


def follow_up(tx: Tx, here: Here, ticket_id: UUID, clocks: Sequence[Clock], events: Sequence[Event]) -> None:
    subject = str(ticket_id)
    due = next_due(clocks, here.engine.book)
    if due:
        tx.schedule(TIMER, subject, due)
    else:
        tx.unschedule(TIMER, subject)
    for event in events:
        tx.emit(subject, event)
