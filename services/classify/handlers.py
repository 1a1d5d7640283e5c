"""What classify does on an event, a timer or a command: learn, load, decide, save, emit."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
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
    read_again,
)
from services.classify.reader import Reader
from services.classify.store import Supplement

TIMER = "hold"
"""Fires when a ticket waited for a person as long as it may."""


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
        intake.TicketReceived: ("received", lambda _: True),
        intake.TicketSupplemented: ("supplemented", lambda _: True),
        intake.TicketWithdrawn: ("ended", lambda _: "withdrawn"),
        intake.TicketLinked: ("ended", lambda _: "linked"),
        intake.TicketUnlinked: ("ended", lambda _: None),
        intake.TicketAnswered: ("ended", lambda _: "answered"),
        dispatch.TicketRuled: ("ruled", _ruled),
    },
)


async def prepare(events: Sequence[Envelope[Event]], here: Here) -> Sequence[Reading]:
    """Read the appeals that receipts bring, beside the event loop."""
    return await asyncio.to_thread(here.engine.reader.read, [appeal_of(cast(Receipt, e.data)) for e in events])


async def on_event(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """Learn what any of them says and bring the tickets' verdicts up to it."""
    said = intake.TicketSupplemented
    added = [Supplement(e.ticket, e.sequence, e.data.text) for e in events if isinstance(e.data, said)]
    await store.add_supplements(tx, added)
    MEMORY.learn(tx, events)
    new = [opened(e.ticket, cast(Receipt, e.data), e.ready, here.engine.rules) for e in events if e.ready]
    await _react([event.subject for event in events], tx, here, new)


async def on_timer(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """A ticket waited for a person as long as it may."""
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
    ruling = correct(verdict, question, urgency, kind, note, by, here.engine.rules, tx.now)
    await _keep(tx, {ticket_id: verdict}, [ruling])
    return ruling.verdict


async def _react(subjects: Iterable[str], tx: Tx, here: Here, new: Iterable[Verdict] = ()) -> None:
    tickets = {UUID(subject): MEMORY.of(tx, subject) for subject in subjects}
    before = await store.verdicts_of(tx, list(tickets))
    known = {verdict.ticket_id: verdict for verdict in new} | before
    known |= await _read_again(tx, here, tickets, known)
    rules = here.engine.rules
    await _keep(tx, before, [decide(verdict, tickets[id_], rules, tx.now) for id_, verdict in known.items()])


async def _read_again(
    tx: Tx, here: Here, tickets: Mapping[UUID, Facts], known: Mapping[UUID, Verdict]
) -> dict[UUID, Verdict]:
    """Read once more what waits and was added to, or was judged by a catalogue that is no longer this one."""
    rules, reader = here.engine.rules, here.engine.reader
    waiting = [v for v in known.values() if not v.told_at and not tickets[v.ticket_id].ended]
    outdated = {v.ticket_id for v in waiting if rules.question(v.code) is None}
    added = await store.supplements_of(
        tx, [*outdated, *(id_ for v in waiting if tickets[id_ := v.ticket_id].supplemented)]
    )
    due = [v for v in waiting if v.ticket_id in outdated or len(added.get(v.ticket_id, ())) > v.heard]
    if not due:
        return {}
    words = [[supplement.text for supplement in added[v.ticket_id]] for v in due]
    appeals = [appeal_of(v.receipt, more) for v, more in zip(due, words, strict=True)]
    readings = await asyncio.to_thread(reader.read, appeals)
    again = zip(due, words, readings, strict=True)
    return {v.ticket_id: read_again(v, reading, len(more), rules) for v, more, reading in again}


async def _keep(tx: Tx, before: Mapping[UUID, Verdict], rulings: Sequence[Ruling]) -> None:
    changed = [r.verdict for r in rulings if r.verdict != before.get(r.verdict.ticket_id)]
    await store.save(tx, changed, [ruling.label for ruling in rulings if ruling.label])
    for ruling in rulings:
        verdict = ruling.verdict
        _set_timer(tx, before.get(verdict.ticket_id), verdict)
        for event in ruling.events:
            tx.emit(str(verdict.ticket_id), event)


def _set_timer(tx: Tx, before: Verdict | None, verdict: Verdict) -> None:
    due, was_due = next_due(verdict), next_due(before) if before else None
    if due and due != was_due:
        tx.schedule(TIMER, str(verdict.ticket_id), due)
    elif was_due and not due:
        tx.unschedule(TIMER, str(verdict.ticket_id))
