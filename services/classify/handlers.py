"""What classify does on an event, a timer or a command: learn, load, decide, save, emit."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from libs.common.city.catalogue import Question
from libs.common.contracts import dispatch, intake
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.vocabulary import Kind, Receipt, Urgency
from libs.common.messaging.facts import Memory
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import unknown_ticket
from libs.common.runtime.service import Context
from libs.common.runtime.timers import Due
from services.classify import store
from services.classify.domain import (
    Appeal,
    Facts,
    NotPossibleError,
    Reading,
    Ruled,
    Rules,
    Ruling,
    Verdict,
    appeal_of,
    correct,
    decide,
    next_due,
    opened,
)
from services.classify.reader import Reader
from services.classify.store import Supplement

TIMER = "hold"
"""Fires when a ticket waited for a person as long as it may."""
ALARM = "alarm"
"""Fires at once for a ticket when one that repeats it became urgent or is so no more: no two are held together."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What classify keeps in memory."""

    rules: Rules
    reader: Reader


Here = Context[Engine]


def _ruled(event: dispatch.TicketRuled) -> Ruled | None:
    return Ruled(event.right_code, event.note, event.at) if event.upheld and event.right_code else None


MEMORY = Memory(
    Facts,
    {
        intake.TicketReceived: {"ended": lambda _: None, "parent": lambda _: None},
        intake.TicketLinked: {"ended": lambda _: "linked", "parent": lambda event: event.parent},
        intake.TicketAnswered: {"ended": lambda _: "answered", "parent": lambda _: None},
        intake.TicketWithdrawn: ("withdrawn", lambda _: True),
        intake.TicketSupplemented: ("supplemented", lambda _: True),
        intake.TicketSupported: ("support", lambda event: event.support),
        dispatch.TicketRuled: ("ruled", _ruled),
    },
)
READ = {intake.TicketReceived, intake.TicketLinked, intake.TicketAnswered, intake.TicketSupplemented}
"""Events that bring words."""


async def prepare(events: Sequence[Envelope[Event]], here: Here) -> Sequence[Reading | None]:
    """Read appeals as they come, and again with each word that is added, beside the event loop; None if there is none.

    What was said of a ticket before is in the database or in this very batch, for one emitter says all of it in order.
    """
    pool = here.database.pool
    added_to = {event.ticket for event in events if _added(event)}
    receipts = await store.receipts_of(pool, added_to)
    texts = {id_: [s.text for s in added] for id_, added in (await store.supplements_of(pool, added_to)).items()}
    appeals: dict[UUID, Appeal] = {}
    for event in events:
        if isinstance(event.data, Receipt):
            receipt = receipts.setdefault(event.ticket, event.data)
            appeals[event.id] = appeal_of(receipt, texts.get(event.ticket, ()))
        elif text := _added(event):
            texts[event.ticket].append(text)
            if event.ticket in receipts:
                appeals[event.id] = appeal_of(receipts[event.ticket], texts[event.ticket])
    readings = await asyncio.to_thread(here.engine.reader.read, list(appeals.values()))
    found = dict(zip(appeals, readings, strict=True))
    return [found.get(event.id) for event in events]


def _added(event: Envelope[Event]) -> str | None:
    """Return the words that an event adds to an appeal, if it does; it may bring files alone."""
    return event.data.text or None if isinstance(event.data, intake.TicketSupplemented) else None


async def on_event(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """Learn what any of them says and bring the tickets' verdicts up to it."""
    await store.add_supplements(tx, [Supplement(e.ticket, e.sequence, text) for e in events if (text := _added(e))])
    MEMORY.learn(tx, events)
    read = [event for event in events if event.ready]
    rules = here.engine.rules
    new = [opened(e.ticket, e.data, e.ready, rules) for e in read if isinstance(e.data, Receipt)]
    again = {e.ticket: e.ready for e in read if not isinstance(e.data, Receipt)}
    await _react([event.subject for event in events], tx, here, new, again)


async def on_timer(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """A ticket waited for a person as long as it may, or one that repeats it changed."""
    await _react([due.subject for due in timers], tx, here)


async def judge(
    tx: Tx, here: Here, ticket_id: UUID, question: Question,
    urgency: Urgency | None, kind: Kind | None, note: str | None, by: str,
) -> Verdict:  # fmt: skip
    """Follow a person who confirms or corrects. Raises NotPossibleError if the ticket ended or never brought words."""
    subject = str(ticket_id)
    await tx.lock([subject])
    verdict = (await store.verdicts_of(tx, [ticket_id])).get(ticket_id)
    if verdict is None:
        if tx.aggregate(subject).known:
            raise NotPossibleError("this ticket ended before its words came in")
        raise unknown_ticket(ticket_id, here.clock)
    facts, alarms = MEMORY.of(tx, subject), await store.alarms_of(tx, [ticket_id])
    ruling = correct(
        verdict, facts, question, urgency, kind, note, by, here.engine.rules, tx.now, alarms.get(ticket_id)
    )  # fmt: skip
    await _keep(tx, {ticket_id: verdict}, [ruling])
    return ruling.verdict


async def _react(
    subjects: Iterable[str],
    tx: Tx,
    here: Here,
    new: Iterable[Verdict] = (),
    again: Mapping[UUID, Reading] = MappingProxyType({}),
) -> None:
    tickets = {UUID(subject): MEMORY.of(tx, subject) for subject in subjects}
    before = await store.verdicts_of(tx, list(tickets))
    known = {verdict.ticket_id: verdict for verdict in new} | before
    readings = {**await _outdated(tx, here, tickets, known.values()), **again}
    alarms = await store.alarms_of(tx, known)
    rulings = [
        decide(verdict, tickets[id_], here.engine.rules, tx.now, readings.get(id_), alarms.get(id_))
        for id_, verdict in known.items()
    ]
    await _keep(tx, before, rulings)


async def _outdated(tx: Tx, here: Here, tickets: Mapping[UUID, Facts], known: Iterable[Verdict]) -> dict[UUID, Reading]:
    """Read once more what was judged by a catalogue that is no longer this one: a few, after a release."""
    outdated = [verdict for verdict in known if here.engine.rules.question(verdict.code) is None]
    if not outdated:
        return {}
    added = await store.supplements_of(
        tx.connection, [v.ticket_id for v in outdated if tickets[v.ticket_id].supplemented]
    )
    appeals = [appeal_of(v.receipt, [s.text for s in added.get(v.ticket_id, ())]) for v in outdated]
    readings = await asyncio.to_thread(here.engine.reader.read, appeals)
    return {verdict.ticket_id: reading for verdict, reading in zip(outdated, readings, strict=True)}


async def _keep(tx: Tx, before: Mapping[UUID, Verdict], rulings: Sequence[Ruling]) -> None:
    changed = [r.verdict for r in rulings if r.verdict != before.get(r.verdict.ticket_id)]
    await store.save(tx, changed, [ruling.label for ruling in rulings if ruling.label])
    for ruling in rulings:
        verdict = ruling.verdict
        _set_timers(tx, before.get(verdict.ticket_id), verdict)
        for event in ruling.events:
            tx.emit(str(verdict.ticket_id), event)


def _set_timers(tx: Tx, before: Verdict | None, verdict: Verdict) -> None:
    due, was_due = next_due(verdict), next_due(before) if before else None
    if due and due != was_due:
        tx.schedule(TIMER, str(verdict.ticket_id), due)
    elif was_due and not due:
        tx.unschedule(TIMER, str(verdict.ticket_id))
    alarmed = {verdict.alarms, before.alarms if before else None}
    if len(alarmed) > 1:
        for parent in alarmed - {None}:
            tx.schedule(ALARM, str(parent), tx.now)
