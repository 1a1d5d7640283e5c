"""Following the other stages: what they say changes the ticket's status, its timeline and its public face."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from libs.common.contracts import classify, dispatch, feedback, sla
from libs.common.contracts.envelope import Envelope, Event
from libs.common.messaging.facts import Memory
from libs.common.messaging.transaction import Tx
from services.intake import store
from services.intake.domain import Classified, Due, Entry, Facts, Moved, Ticket, face
from services.intake.handlers.around import Here
from services.intake.handlers.publicity import follow
from services.intake.handlers.reopening import take_up
from services.intake.handlers.telling import tell_of


def _moved(event: Any) -> Moved:
    return Moved(event.round, event.at, getattr(event, "unit", None))


def _helping(event: dispatch.TicketAssisted) -> Moved:
    return Moved(event.round, event.at, helpers=event.helpers)


def _nobody_helps(event: dispatch.TicketDispatched) -> Moved:
    return Moved(event.round, event.at)


def _completion(event: Any) -> str | None:
    return "due" if event.clock == "completion" else None


def _due(event: Any) -> Due:
    return Due(event.round, event.due_at)


def _classified(event: classify.Judgement) -> Classified:
    return Classified(event.category, event.urgency)


MEMORY = Memory(
    Facts,
    {
        classify.TicketClassified: ("classified", _classified),
        classify.TicketReclassified: ("classified", _classified),
        dispatch.TicketDispatched: {"led": _moved, "helping": _nobody_helps},
        dispatch.TicketAssisted: ("helping", _helping),
        dispatch.TicketReassigned: ("led", _moved),
        dispatch.TicketAccepted: ("accepted", _moved),
        dispatch.TicketContacted: ("working", _moved),
        dispatch.TicketProgressed: ("working", _moved),
        dispatch.TicketReturned: ("returned", _moved),
        dispatch.TicketRuled: ("ruled", _moved),
        dispatch.TicketResolved: ("resolved", _moved),
        feedback.ReviewRequested: ("asked", _moved),
        feedback.ReviewSubmitted: ("reviewed", _moved),
        feedback.TicketClosed: ("closed", _moved),
        feedback.TicketReopened: ("reopened", _moved),
        sla.ClockStarted: (_completion, _due),
        sla.ClockResumed: (_completion, _due),
        sla.ClockExtended: (_completion, _due),
    },
)


async def on_event(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """Follow what another stage did: status, timeline, and the ticket's public face if it changed."""
    tickets = await store.tickets_of(tx.connection, {event.ticket for event in events})
    known = {id_: MEMORY.of(tx, str(id_)) for id_ in tickets}
    before = {id_: face(ticket, known[id_]) for id_, ticket in tickets.items()}
    learned = MEMORY.learn(tx, events)
    tickets |= await take_up(tx, _learned_of(tickets, known, learned))
    lines = [line for event in events if event.ticket in tickets if (line := _line(event))]
    await store.save(tx, [], await _may_keep(tx, lines))
    for subject, facts in learned.items():
        ticket = tickets.get(UUID(subject))
        if ticket and (after := face(ticket, facts)) != before[ticket.ticket_id]:
            tx.emit(subject, after)
    await tell_of(tx, here, [event for event in events if event.subject in learned], tickets)
    await follow(tx, here, _learned_of(tickets, known, learned))


def _learned_of(
    tickets: Mapping[UUID, Ticket], known: Mapping[UUID, Facts], learned: Mapping[str, Facts]
) -> list[tuple[Ticket, Facts, Facts]]:
    """Return each ticket that something new is known of, with what was known before and what is now."""
    return [(tickets[id_], known[id_], facts) for s, facts in learned.items() if (id_ := UUID(s)) in tickets]


async def _may_keep(tx: Tx, lines: Sequence[Entry]) -> list[Entry]:
    """Take the words out of lines that were on their way when the words of their tickets were deleted."""
    wordless = await store.wordless(tx, {line.ticket_id for line in lines if line.params.keys() - store.NO_WORDS})
    return [_without_words(line) if line.ticket_id in wordless else line for line in lines]


def _without_words(line: Entry) -> Entry:
    return replace(line, params={name: value for name, value in line.params.items() if name in store.NO_WORDS})


def _line(event: Envelope[Event]) -> Entry | None:
    """Return what an event adds to the timeline; nothing if citizens need not read of it."""
    told = TOLD.get(type(event.data))
    if told is None:
        return None
    params = {name: value for name in told if (value := _param(event.data, name)) is not None}
    missed = isinstance(event.data, dispatch.TicketContacted) and not event.data.reached
    return Entry(event.ticket, event.time, event.id, MISSED if missed else event.data.name, params)


TOLD: Mapping[type[Event], tuple[str, ...]] = {
    classify.TicketClassified: ("category",),
    classify.TicketReclassified: ("category",),
    dispatch.TicketDispatched: ("unit",),
    dispatch.TicketReassigned: ("unit",),
    dispatch.TicketAccepted: ("unit",),
    dispatch.TicketContacted: ("unit",),
    dispatch.TicketProgressed: ("unit", "note"),
    dispatch.TicketReturned: ("unit",),
    dispatch.TicketRuled: ("unit",),
    dispatch.TicketResolved: ("unit", "reply"),
    feedback.ReviewRequested: (),
    feedback.ReviewSubmitted: (),
    feedback.TicketClosed: ("outcome",),
    feedback.TicketReopened: (),
}
"""What of an event the timeline's text needs. An event that is not here is not told to the citizen."""
MISSED = "ticket.contacted.missed"
"""How the line is called of a unit that tried to reach the reporter, and did not."""
ORDER = {"ticket.received": -2} | {event.name: place for place, event in enumerate(TOLD)}
ORDER[MISSED] = ORDER[dispatch.TicketContacted.name]
"""What happened at the same instant is told in the order of the loop."""


def _param(event: Event, name: str) -> Any:
    value = getattr(event, name)
    if name == "unit":
        return value.name
    return " / ".join(value) if name == "category" else value
