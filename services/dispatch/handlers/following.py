"""What dispatch does on an event: learn, load, decide, save, emit."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
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
    Opinion,
    Route,
    Ruling,
    decide,
    wanted,
)
from services.dispatch.domain.returning import BY_ITSELF
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.assigning import follow_rulings, with_help
from services.dispatch.handlers.deciding import note_decisions
from services.dispatch.handlers.settling import follow_returns
from services.dispatch.routing import Router
from services.dispatch.routing.metrics import OPINIONS
from services.dispatch.routing.router import LEARNED
from services.dispatch.store.deciding import forget_decisions

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
    matter = Matter(
        event.owner_kind, event.owner, event.co_handlers, place, event.outside,
        code=event.code, category=event.category, urgency=event.urgency, kind=event.kind, channel=receipt.channel,
        reporter_type=receipt.reporter_type, access_needs=receipt.access_needs,
    )  # fmt: skip
    return Classified(appeal, matter, event.catalogue, event.model, receipt.handled_by)


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


@dataclass(frozen=True, slots=True)
class Thought:
    """What the words of a `judged` appeal tell: `called` has whom they name, and what learned from history says."""

    judged: Classified
    called: Classified
    opinions: tuple[Opinion, ...]


async def prepare(events: Sequence[Envelope[Event]], here: Here) -> Sequence[Thought | None]:
    """Read the words of judgements before the transaction, beside the loop."""
    if any(isinstance(event.data, classify.Judgement) for event in events):
        return await asyncio.to_thread(_thoughts, here.engine.router, events, here.clock.now())
    return [None] * len(events)


def _thoughts(router: Router, events: Sequence[Envelope[Event]], now: datetime) -> list[Thought | None]:
    """Return at each event what the last judgement of its ticket tells: what comes behind it may hand the order out."""
    found: list[Thought | None] = []
    last: dict[str, Thought] = {}
    for event in events:
        if isinstance(event.data, classify.Judgement):
            last[event.subject] = _thought(router, _classified(event.data), now)
        found.append(last.get(event.subject))
    return found


def _thought(router: Router, judged: Classified, now: datetime) -> Thought:
    appeal = judged.appeal
    matter = router.called(judged.matter, appeal.title, appeal.text, appeal.address)
    called = judged if matter is judged.matter else replace(judged, matter=matter)
    return Thought(judged, called, router.opinions(called.asked, now))


async def on_event(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """Learn what any of them says and bring the orders of tickets that are judged up to it."""
    learned = MEMORY.learn(tx, events)
    if gone := [UUID(subject) for subject, facts in learned.items() if facts.wordless]:
        await store.forget_supplements(tx, gone)
    known = {subject: facts for subject, facts in learned.items() if facts.classified}
    judged = {event.subject for event in events if isinstance(event.data, classify.Judgement)}
    await _react(known, judged, {event.subject: event.ready for event in events}, tx, here)


async def on_timer(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """A judged ticket of which intake said nothing for so long is taken to be received."""
    tickets = {due.subject: replace(MEMORY.of(tx, due.subject), received=True) for due in timers}
    await _react(tickets, frozenset(), {}, tx, here)


def routed(here: Here, thought: Thought, now: datetime) -> Route:
    """Return where an appeal goes: to the unit that handles it itself, else by the rules, and then that unit helps."""
    router, judged = here.engine.router, thought.called
    matter = judged.asked
    if itself := judged.by_itself:
        route = router.chosen(itself, BY_ITSELF, router.reason(BY_ITSELF), judged.matter, now)
        if route:
            return route
    if judged.handled_by:
        matter = replace(matter, co_handlers=tuple(dict.fromkeys((*matter.co_handlers, judged.handled_by))))
    return router.route(matter, now, opinions=thought.opinions)


async def _react(
    tickets: Mapping[str, Facts], judged: Collection[str], ready: Mapping[str, Thought | None], tx: Tx, here: Here
) -> None:
    """Bring orders up to facts. `judged` are those whose judgement is the news; `ready` is what was read before."""
    if not tickets:
        return
    orders = await store.orders_of(tx, [UUID(subject) for subject in tickets])
    rulings, known = {}, {}
    for subject, facts in tickets.items():
        ticket_id = UUID(subject)
        order, news = orders.get(ticket_id), subject in judged
        thought = _asked(here, facts, ready.get(subject), tx.now) if wanted(facts, order, judged=news) else None
        route = routed(here, thought, tx.now) if thought else None
        if thought:
            known[ticket_id] = thought.called
        rulings[ticket_id] = decide(ticket_id, facts, order, route, tx.now, here.engine.router, judged=news)
        if route and route.agrees is not None and order is None:
            OPINIONS.labels(str(route.agrees).lower(), "model" if route.rule == LEARNED else "rules").inc()
        if facts.unheard and order is None:
            tx.schedule(UNHEARD, subject, tx.now + PATIENCE)
    await store.save(tx, [r.order for id_, r in rulings.items() if r.order and r.order != orders.get(id_)])
    wordless = [UUID(subject) for subject, facts in tickets.items() if facts.wordless]
    await _note(tx, here, rulings, known, wordless)
    for ticket_id, ruling in rulings.items():
        for event in ruling.events:
            tx.emit(str(ticket_id), with_help(here, ruling.order, event))
    await follow_rulings(tx, here, orders, rulings, wordless)
    await follow_returns(tx, here, orders, rulings, wordless)


def _asked(here: Here, facts: Facts, ready: Thought | None, now: datetime) -> Thought | None:
    """Return what there is to know for a route.

    It was read before the transaction, unless an older judgement hands an order out: that is rare, and it is read now.
    """
    if facts.classified is None:
        return None
    return ready if ready and ready.judged == facts.classified else _thought(here.engine.router, facts.classified, now)


async def _note(
    tx: Tx, here: Here, rulings: Mapping[UUID, Ruling], known: Mapping[UUID, Classified], wordless: Sequence[UUID]
) -> None:
    """Keep why leads were named, and drop what people wrote of it where words were deleted."""
    named = [(r.order, known[id_], r.events) for id_, r in rulings.items() if r.order and r.events and id_ in known]
    await note_decisions(tx, here, named)
    if wordless:
        await forget_decisions(tx, wordless)
