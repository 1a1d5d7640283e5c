"""Judging appeals, on an event, a timer or a command: learn, load, decide, save, emit.

Words are read before a transaction, never in it: those that an event brings in `prepare`, and those of tickets that
wait by a catalogue which is in force no more by a job of their own.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType
from uuid import UUID

from libs.common.city.catalogue import Question
from libs.common.contracts import dispatch, feedback, intake
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.vocabulary import Kind, Receipt, Urgency
from libs.common.messaging.facts import Memory
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import unknown_ticket
from libs.common.runtime.timers import Due
from services.classify import store
from services.classify.domain import (
    Appeal,
    Challenged,
    Facts,
    NotPossibleError,
    Reading,
    ReadOut,
    Reviewed,
    Ruled,
    Rules,
    Ruling,
    Verdict,
    appeal_of,
    correct,
    decide,
    next_due,
    opened,
    sighted,
)
from services.classify.handlers.around import Engine, Here
from services.classify.handlers.disputing import follow
from services.classify.store import Supplement

TIMER = "hold"
"""Fires when a ticket waited for a person as long as it may."""
ALARM = "alarm"
"""Fires at once for a ticket when one that repeats it became urgent or is so no more: no two are held together."""


def _ruled(event: dispatch.TicketRuled) -> Ruled | None:
    return Ruled(event.right_code, event.note, event.at) if event.upheld and event.right_code else None


def _read_out(event: intake.TicketAnswered) -> ReadOut | None:
    return ReadOut(event.article.article_id, event.article.version) if event.article else None


def _reviewed(event: feedback.ReviewSubmitted) -> Reviewed:
    return Reviewed(event.resolved, event.explained)


NO_APPEAL = {"test", "blank", "malicious"}
"""Rulings on what makes no event hot."""
MEMORY = Memory(
    Facts,
    {
        intake.TicketReceived: {"ended": lambda _: None, "parent": lambda _: None},
        intake.TicketLinked: {"ended": lambda _: "linked", "parent": lambda event: event.parent},
        intake.TicketAnswered: {"ended": lambda _: "answered", "parent": lambda _: None, "read_out": _read_out},
        intake.TicketWithdrawn: ("withdrawn", lambda _: True),
        intake.TicketSupplemented: ("supplemented", lambda _: True),
        intake.TicketSupported: ("support", lambda event: event.support),
        intake.TicketErased: (lambda event: "wordless" if event.words else "erased", lambda _: True),
        intake.TicketScreened: ("discounted", lambda event: not event.lifted and event.verdict in NO_APPEAL),
        dispatch.TicketRuled: ("ruled", _ruled),
        feedback.ReviewSubmitted: (lambda event: None if event.unit else "reviewed", _reviewed),
    },
    may_keep=lambda facts: facts.kept,
)
POLL_SECONDS = 5.0
ANEW_AT_ONCE = 100
PUT_OFF = timedelta(seconds=POLL_SECONDS)
CHALLENGED_AT_ONCE = 16
"""Of a batch so many appeals are judged by a challenger too: all of them in quiet hours, a sample under load."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was read of an event's words, None if it has none; by which engine, and what a challenger took them for."""

    engine: Engine
    reading: Reading | None
    challenger: str | None = None


async def prepare(events: Sequence[Envelope[Event]], here: Here) -> Sequence[Prepared]:
    """Read appeals as they come, and again with each word that is added, beside the event loop.

    The engine is taken once, for one that is swapped while a batch is done must not judge part of it.
    """
    engine = here.engine
    appeals = await _appeals(events, here)
    readings = await asyncio.to_thread(engine.reader.read, list(appeals.values())) if appeals else ()
    found = dict(zip(appeals, readings, strict=True))
    challenged = await _challenged({e.id: appeals[e.id] for e in events if isinstance(e.data, Receipt)}, engine)
    return [Prepared(engine, found.get(event.id), challenged.get(event.id)) for event in events]


async def _challenged(appeals: Mapping[UUID, Appeal], engine: Engine) -> dict[UUID, str]:
    """Return what the challenger takes some of the appeals for, by event."""
    if engine.challenger is None or not appeals:
        return {}
    some = dict(islice(appeals.items(), CHALLENGED_AT_ONCE))
    guesses = await asyncio.to_thread(engine.reader.judged_by, engine.challenger, list(some.values()))
    return {id_: guess.code for id_, guess in zip(some, guesses, strict=True)}


async def _appeals(events: Sequence[Envelope[Event]], here: Here) -> dict[UUID, Appeal]:
    """Return the words of a ticket at each event that brings some, by event.

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
    return appeals


def _added(event: Envelope[Event]) -> str | None:
    """Return the words that an event adds to an appeal, if it does; it may bring files alone."""
    return event.data.text or None if isinstance(event.data, intake.TicketSupplemented) else None


async def on_event(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """Learn what any of them says and bring the tickets' verdicts up to it."""
    MEMORY.learn(tx, events)
    tickets = {event.ticket: MEMORY.of(tx, event.subject) for event in events}
    wordless = {ticket_id for ticket_id, facts in tickets.items() if facts.wordless}
    await store.forget_words(tx, wordless)
    await store.forget_complaints(tx, wordless)
    await follow(tx, here, tickets)
    added = [(e, text) for e in events if (text := _added(e)) and e.ticket not in wordless]
    await store.add_supplements(tx, [Supplement(e.ticket, e.sequence, text) for e, text in added])
    engine: Engine = events[0].ready.engine
    read = [e for e in events if e.ready.reading and (isinstance(e.data, Receipt) or e.ticket not in wordless)]
    heard = {e.ticket: e.ready.reading for e in read if isinstance(e.data, Receipt)}
    new = [opened(e.ticket, e.data, e.ready.reading, engine.rules) for e in read if isinstance(e.data, Receipt)]
    again = {e.ticket: e.ready.reading for e in read if not isinstance(e.data, Receipt)}
    await store.save_challenged(tx, [one for e in read if (one := _compared(e, tx.now))])
    await _react(tickets, tx, engine.rules, new, again, heard)


def _compared(event: Envelope[Event], now: datetime) -> Challenged | None:
    """Return what challenger and champion took an appeal for, if both judged it."""
    ready: Prepared = event.ready
    challenger = ready.engine.challenger
    if not (ready.challenger and ready.reading and challenger):
        return None
    champion = ready.engine.model.name
    return Challenged(event.ticket, challenger.name, now, ready.challenger, champion, ready.reading.guess.code)


async def on_timer(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """A ticket waited for a person as long as it may."""
    await _rung(TIMER, timers, tx, here)


async def on_alarm(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """One that repeats a ticket changed."""
    await _rung(ALARM, timers, tx, here)


async def _rung(kind: str, timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """Decide on tickets whose time came. One whose question is no more is judged anew first, so it comes again."""
    rules, tickets = here.engine.rules, {UUID(due.subject): MEMORY.of(tx, due.subject) for due in timers}
    for verdict in await _react(tickets, tx, rules):
        if not rules.knows(verdict) and not tickets[verdict.ticket_id].withdrawn:
            tx.schedule(kind, str(verdict.ticket_id), tx.now + PUT_OFF)


async def renew(here: Here) -> float:
    """Judge anew what waits, for a person or to hear an alarm, by a catalogue that is in force no more.

    What was told stands until somebody says more of it.
    """
    engine, pool = here.engine, here.database.pool
    # Until a process follows what is in force, its catalogue may be the older one of the two.
    if engine.asked is None:
        return POLL_SECONDS
    outdated = await store.outdated(pool, engine.rules.catalogue.by_code.keys(), ANEW_AT_ONCE)
    if not outdated:
        return POLL_SECONDS
    added = await store.supplements_of(pool, [verdict.ticket_id for verdict in outdated])
    appeals = [appeal_of(v.receipt, [s.text for s in added[v.ticket_id]]) for v in outdated]
    readings = await asyncio.to_thread(engine.reader.read, appeals)
    anew = {verdict.ticket_id: reading for verdict, reading in zip(outdated, readings, strict=True)}
    async with here.database.begin() as tx:
        await tx.lock(map(str, anew))
        tickets = {id_: MEMORY.of(tx, str(id_)) for id_ in anew}
        await _react(tickets, tx, engine.rules, anew=anew)
    return 0


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
    facts, alarms, rules = MEMORY.of(tx, subject), await store.alarms_of(tx, [ticket_id]), here.engine.rules
    if rules.question(question.code) is None:
        raise NotPossibleError("the catalogue was changed just now; choose a question of the new one")
    ruling = correct(
        verdict, facts, question, urgency, kind, note, by, rules, tx.now, alarms.get(ticket_id)
    )  # fmt: skip
    await keep(tx, {ticket_id: verdict}, {ticket_id: facts}, [ruling])
    return ruling.verdict


_NOTHING: Mapping[UUID, Reading] = MappingProxyType({})


async def _react(
    tickets: Mapping[UUID, Facts],
    tx: Tx,
    rules: Rules,
    new: Iterable[Verdict] = (),
    again: Mapping[UUID, Reading] = _NOTHING,
    anew: Mapping[UUID, Reading] = _NOTHING,
) -> list[Verdict]:
    """Decide on tickets and return their verdicts: `again` are readings with words that were added.

    `anew` count only for what was judged by a question that is no more.
    """
    before = await store.verdicts_of(tx, list(tickets))
    known = {verdict.ticket_id: verdict for verdict in new} | before
    lost = {id_ for id_, verdict in before.items() if not rules.knows(verdict)}
    readings = {**{id_: reading for id_, reading in anew.items() if id_ in lost}, **again}
    alarms = await store.alarms_of(tx, known)
    rulings = [
        decide(verdict, tickets[id_], rules, tx.now, readings.get(id_), alarms.get(id_))
        for id_, verdict in known.items()
    ]
    await keep(tx, before, tickets, rulings)
    return [ruling.verdict for ruling in rulings]


async def keep(tx: Tx, before: Mapping[UUID, Verdict], facts: Mapping[UUID, Facts], rulings: Sequence[Ruling]) -> None:
    """Store what was decided of tickets that this transaction holds, and tell it."""
    changed = [r.verdict for r in rulings if r.verdict != before.get(r.verdict.ticket_id)]
    await store.save(tx, changed, [ruling.label for ruling in rulings if ruling.label])
    seen = {r.verdict.ticket_id: sighted(r.verdict, facts[r.verdict.ticket_id]) for r in rulings}
    gone = [id_ for id_, sighting in seen.items() if sighting is None]
    await store.save_sightings(tx, [sighting for sighting in seen.values() if sighting], gone)
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
