"""What feedback does on an event or a timer: learn, load, decide, save, emit."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.common.contracts import classify, dispatch, intake, sla
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.vocabulary import Receipt
from libs.common.messaging.facts import Memory
from libs.common.messaging.transaction import Tx
from libs.common.runtime.timers import Due
from services.feedback import domain, store
from services.feedback.domain import (
    Answered,
    Appeal,
    Classified,
    Facts,
    Linked,
    OnTime,
    Resolved,
    Review,
    Ruling,
    Ticket,
    decide,
    next_due,
    recorded,
)
from services.feedback.handlers.around import Here
from services.feedback.handlers.once import asked_elsewhere

LAPSE = "lapse"
"""Fires when the time to answer is over."""
PARENT = "parent"
"""Fires at once for each child of a ticket that moved. So a parent's transaction never waits for its children, of whom
a burning heating plant has thousands: they follow in batches of their own, each locked alone."""


def _appeal(receipt: Receipt) -> Appeal:
    return Appeal(
        receipt.number, receipt.channel, receipt.reporter_type, receipt.kind, receipt.access_needs, receipt.received_at,
        receipt.reporter, receipt.language,
    )  # fmt: skip


def _linked(event: intake.TicketLinked) -> Linked:
    return Linked(event.parent, _appeal(event), event.received_at)


def _answered(event: intake.TicketAnswered) -> Answered:
    return Answered(event.answer, _appeal(event), final=bool(event.emergency or event.transfer))


def _classified(event: classify.Judgement) -> Classified:
    place = event.place
    return Classified(
        event.category, event.urgency, event.kind, _appeal(event.receipt), event.code, event.tag, event.elderly,
        place.district if place else None, place.street if place else None,
    )  # fmt: skip


def _resolved(event: dispatch.TicketResolved) -> Resolved:
    return Resolved(
        event.round, event.unit, event.reply, event.contacted, event.at, event.dispatched_at, event.accepted_at,
        event.contacted_at, event.reply_faults, event.evidence, event.returns, event.reply_words,
    )  # fmt: skip


def _reached(event: dispatch.TicketContacted) -> str | None:
    return "contacted" if event.reached else None


def _clock(event: Any) -> str:
    return str(event.clock)


MEMORY = Memory(
    Facts,
    {
        intake.TicketReceived: {"received": _appeal, "linked": lambda _: None, "answered": lambda _: None},
        intake.TicketLinked: {"linked": _linked, "answered": lambda _: None},
        intake.TicketAnswered: {"answered": _answered, "linked": lambda _: None},
        intake.TicketWithdrawn: ("withdrawn", lambda _: True),
        intake.TicketScreened: ("excluded", lambda event: not event.lifted),
        intake.TicketSupported: ("support", lambda event: event.support),
        intake.TicketErased: (lambda event: "wordless" if event.words else "erased", lambda _: True),
        classify.TicketClassified: ("classified", _classified),
        classify.TicketReclassified: ("classified", _classified),
        dispatch.TicketContacted: (_reached, lambda event: event.round),
        dispatch.TicketResolved: ("resolved", _resolved),
        sla.ClockMet: (_clock, lambda event: OnTime(event.round, event.in_time, event.unit)),
        sla.ClockBreached: (_clock, lambda event: OnTime(event.round, False, event.unit)),
    },
    may_keep=lambda facts: facts.kept,
)


def parent_of(event: intake.TicketLinked) -> list[str]:
    """Return the aggregate that must stand still while a link to it is made."""
    return [str(event.parent)]


async def on_event(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """Learn what any of them says and bring the tickets and their reviews up to it."""
    await react(MEMORY.learn(tx, events), tx, here)


async def on_linked(events: Sequence[Envelope[intake.TicketLinked]], tx: Tx, here: Here) -> None:
    """Do the same with repeats; what was closed before it was repeated is reopened first."""
    received = {e.data.parent: e.data.received_at for e in sorted(events, key=lambda event: event.data.received_at)}
    closed = await store.tickets_of(tx, received)
    again = [domain.repeated(ticket, received[id_], here.engine.policy, tx.now) for id_, ticket in closed.items()]
    moved = [ticket for ticket, said in again if said]
    await store.save_tickets(tx, moved)
    await _tell_children(tx, moved)
    for ticket, said in again:
        for event in said:
            tx.emit(str(ticket.ticket_id), event)
    await on_event(events, tx, here)


async def on_timer(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """The time to answer is over, or a parent moved."""
    await react({due.subject: MEMORY.of(tx, due.subject) for due in timers}, tx, here)


async def react(known: Mapping[str, Facts], tx: Tx, here: Here) -> None:
    ids = [UUID(subject) for subject in known]
    tickets, reviews = await store.tickets_of(tx, ids), await store.reviews_of(tx, ids)
    parents = await store.tickets_of(tx, {facts.linked.parent for facts in known.values() if facts.linked})
    elsewhere = await asked_elsewhere(tx, dict(zip(ids, known.values(), strict=True)), reviews, parents)
    rulings: dict[UUID, Ruling] = {}
    for ticket_id, facts in zip(ids, known.values(), strict=True):
        parent = parents[facts.linked.parent] if facts.linked else None
        rulings[ticket_id] = decide(
            facts, tickets[ticket_id], reviews[ticket_id], parent, here.engine.policy, tx.now,
            elsewhere=ticket_id in elsewhere,
        )  # fmt: skip
    moved = [ruling.ticket for id_, ruling in rulings.items() if ruling.ticket != tickets[id_]]
    changed = [review for id_, ruling in rulings.items() for review in ruling.reviews if review not in reviews[id_]]
    await store.save_tickets(tx, moved)
    await store.save_reviews(tx, changed)
    await store.forget_rulings(tx, [UUID(subject) for subject, facts in known.items() if facts.wordless])
    await _record(known, rulings, tx)
    await _tell_children(tx, moved)
    for ticket_id, ruling in rulings.items():
        _follow_up(tx, ticket_id, reviews[ticket_id], ruling)


async def _record(known: Mapping[str, Facts], rulings: Mapping[UUID, Ruling], tx: Tx) -> None:
    """Keep each round of the tickets as it stands, for all that is counted."""
    before = await store.cases_of(tx, list(rulings))
    now = {id_: recorded(known[str(id_)], ruling.ticket, before[id_]) for id_, ruling in rulings.items()}
    await store.save_cases(tx, [case for id_, cases in now.items() for case in cases if case not in before[id_]])


async def _tell_children(tx: Tx, moved: Sequence[Ticket]) -> None:
    for child in await store.children_of(tx, [ticket.ticket_id for ticket in moved]):
        tx.schedule(PARENT, str(child), tx.now)


def _follow_up(tx: Tx, ticket_id: UUID, before: Sequence[Review], ruling: Ruling) -> None:
    subject = str(ticket_id)
    due = next_due(ruling.reviews)
    if due:
        tx.schedule(LAPSE, subject, due)
    elif next_due(before):
        tx.unschedule(LAPSE, subject)
    for event in ruling.events:
        tx.emit(subject, event)
