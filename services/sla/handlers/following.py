"""What sla does on an event or a timer: learn, load, decide, save, emit."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from libs.common.contracts import classify, dispatch, feedback, intake, sla
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.vocabulary import Receipt
from libs.common.messaging.facts import Memory
from libs.common.messaging.transaction import Tx
from libs.common.runtime.notify import Notice, enqueue
from libs.common.runtime.timers import Due
from services.sla import store
from services.sla.domain import (
    Again,
    Classified,
    Clock,
    Done,
    Facts,
    Led,
    Received,
    decide,
    next_due,
)
from services.sla.handlers.around import Here

TIMER = "clock"


def _received(receipt: Receipt) -> Received:
    return Received(receipt.received_at, "elderly" in receipt.access_needs, receipt.number)


def _classified(event: classify.Judgement) -> Classified:
    return Classified(event.urgency, event.elderly, _received(event.receipt))


def _reached(event: dispatch.TicketContacted) -> str | None:
    return "contacted" if event.reached else None


def _again(event: feedback.TicketReopened) -> Again:
    return Again(event.round, None if event.reason == "ruling" else event.at)


MEMORY = Memory(
    Facts,
    {
        intake.TicketReceived: {"received": _received, "ended": lambda _: None},
        intake.TicketWithdrawn: ("withdrawn", lambda _: True),
        intake.TicketLinked: {"ended": lambda _: "linked", "broken_off": lambda _: "linked"},
        intake.TicketAnswered: {"ended": lambda _: "answered", "broken_off": lambda _: "answered"},
        classify.TicketClassified: ("classified", _classified),
        classify.TicketReclassified: ("classified", _classified),
        dispatch.TicketDispatched: ("dispatched", lambda event: Led(event.unit, event.at, event.urgency)),
        dispatch.TicketReassigned: ("reassigned", lambda event: Led(event.unit, event.at)),
        dispatch.TicketContacted: (_reached, lambda event: Done(event.round, event.first_at)),
        dispatch.TicketResolved: ("resolved", lambda event: Done(event.round, event.at)),
        feedback.TicketReopened: ("reopened", _again),
    },
)


async def on_event(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """Learn what any of them says and bring the tickets' clocks up to it."""
    await _react(MEMORY.learn(tx, events), tx, here)


async def on_timer(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """A mark was reached, or a pause is over."""
    await _react({due.subject: MEMORY.of(tx, due.subject) for due in timers}, tx, here)


async def _react(tickets: Mapping[str, Facts], tx: Tx, here: Here) -> None:
    ids = [UUID(subject) for subject in tickets]
    clocks, cases = await store.clocks_of(tx, ids), await store.cases_of(tx, ids)
    rulings = {}
    for ticket_id, facts in zip(ids, tickets.values(), strict=True):
        rulings[ticket_id] = decide(
            ticket_id, facts, clocks[ticket_id], cases.get(ticket_id), here.engine.policy, tx.now
        )
    changed = [c for id_, r in rulings.items() for c in r.clocks if c not in clocks[id_]]
    moved = [r.case for id_, r in rulings.items() if r.case and r.case != cases.get(id_)]
    await store.save_clocks(tx, changed)
    await store.save_cases(tx, moved)
    for ticket_id, ruling in rulings.items():
        follow_up(tx, here, ticket_id, ruling.clocks, ruling.events)
    told = [n for id_, r in rulings.items() for n in _notices(here, id_, tickets[str(id_)], r.events)]
    await enqueue(tx.connection, told, tx.now)


def _notices(here: Here, ticket_id: UUID, facts: Facts, events: Iterable[Event]) -> Iterator[Notice]:
    """Tell the lead of each reminder and each light, once a round; before anyone leads there is nobody to tell."""
    engine, number = here.engine, facts.receipt.number if facts.receipt else ""
    for event in events:
        if isinstance(event, sla.ClockWarned | sla.ClockBreached) and event.unit:
            mark = f"warned-{event.grade}" if isinstance(event, sla.ClockWarned) else event.light
            text = engine.messages.reminder(event, number, event.due_at.astimezone(engine.timezone), engine.language)
            yield Notice(f"{ticket_id}/{event.round}/{event.clock}/{mark}", f"unit:{event.unit.code}", text)


def follow_up(tx: Tx, here: Here, ticket_id: UUID, clocks: Sequence[Clock], events: Sequence[Event]) -> None:
    subject = str(ticket_id)
    due = next_due(clocks, here.engine.policy)
    if due:
        tx.schedule(TIMER, subject, due)
    else:
        tx.unschedule(TIMER, subject)
    for event in events:
        tx.emit(subject, event)
