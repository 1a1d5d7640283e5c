"""What sla does on an event or a timer: learn, load, decide, save, emit."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from libs.common.contracts import intake
from libs.common.contracts.envelope import Envelope, Event
from libs.common.messaging.transaction import Tx
from libs.common.runtime.timers import Due
from services.sla import store
from services.sla.domain import Clock, Facts, Moved, decide, next_due
from services.sla.handlers.around import Here
from services.sla.handlers.memory import MEMORY
from services.sla.handlers.notices import warn
from services.sla.handlers.supervision import follow_cases
from services.sla.handlers.tasks import follow_orders

TIMER = "clock"
JOINED = "joined"
"""The timer of a ticket that others joined or left, whose time may begin earlier or later now."""
PATIENCE = timedelta(minutes=1)
"""How long feedback's word is awaited when an answer is void; the clocks count from receipt all the same."""


async def on_event(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """Learn what any of them says and bring the tickets' clocks up to it."""
    tickets = MEMORY.learn(tx, events)
    fresh = [event for event in events if event.subject in tickets]
    await _follow_links(tx, fresh, tickets)
    await follow_orders(tx, here, fresh)
    await react(tx, here, tickets)


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
    await react(tx, here, {due.subject: MEMORY.of(tx, due.subject) for due in timers})


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
    await react(tx, here, tickets)


async def react(tx: Tx, here: Here, tickets: Mapping[str, Facts]) -> None:
    """Bring clocks, supervision and what is told of them to where the facts and the time say they must be."""
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
