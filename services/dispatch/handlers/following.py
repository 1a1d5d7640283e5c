"""What dispatch does on an event: learn, load, decide, save, emit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
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
    Route,
    Ruling,
    decide,
)
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.assigning import follow_rulings, with_help
from services.dispatch.handlers.deciding import note_decisions
from services.dispatch.handlers.settling import follow_returns
from services.dispatch.routing.metrics import OPINIONS
from services.dispatch.routing.router import LEARNED
from services.dispatch.store.deciding import forget_decisions

UNHEARD = "unheard"
"""Fires when intake's word on a judged ticket has not come."""
SELF = "基层直办：由现场发现并登记的单位自行办理，时限与回访不变"
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


async def on_event(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """Learn what any of them says and bring the orders of tickets that are judged up to it."""
    learned = MEMORY.learn(tx, events)
    if gone := [UUID(subject) for subject, facts in learned.items() if facts.wordless]:
        await store.forget_supplements(tx, gone)
    judged = {event.subject for event in events if isinstance(event.data, classify.Judgement)}
    await _react({subject: facts for subject, facts in learned.items() if facts.classified}, judged, tx, here)


async def on_timer(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """A judged ticket of which intake said nothing for so long is taken to be received."""
    await _react({due.subject: replace(MEMORY.of(tx, due.subject), received=True) for due in timers}, set(), tx, here)


async def _note(tx: Tx, here: Here, tickets: Mapping[str, Facts], rulings: Mapping[UUID, Ruling]) -> None:
    """Keep why leads were named, and drop what people wrote of it where words were deleted."""
    known = {id_: (r, tickets[str(id_)].classified) for id_, r in rulings.items() if r.events}
    await note_decisions(tx, here, [(r.order, judged, r.events) for r, judged in known.values() if r.order and judged])
    gone = [UUID(subject) for subject, facts in tickets.items() if facts.wordless]
    if gone:
        await forget_decisions(tx, gone)


def routed(here: Here, judged: Classified, now: datetime) -> Route:
    """Return where an appeal goes: to the unit that handles it itself, else by the rules, and then that unit helps."""
    router, matter = here.engine.router, judged.asked
    if judged.by_itself and (itself := router.chosen(judged.by_itself, "self", SELF, judged.matter)):
        return itself
    if judged.handled_by:
        matter = replace(matter, co_handlers=tuple(dict.fromkeys((*matter.co_handlers, judged.handled_by))))
    return router.route(matter, now)


def _calling(here: Here, facts: Facts) -> Facts:
    """Return facts with whom the words of the appeal call by name, which depends on the city and is not kept."""
    if facts.classified is None:
        return facts
    appeal, matter = facts.classified.appeal, facts.classified.matter
    called = here.engine.router.called(matter, appeal.title, appeal.text, appeal.address)
    return facts if called is matter else replace(facts, classified=replace(facts.classified, matter=called))


async def _react(tickets: Mapping[str, Facts], judged: Collection[str], tx: Tx, here: Here) -> None:
    if not tickets:
        return
    tickets = {subject: _calling(here, facts) for subject, facts in tickets.items()}
    orders = await store.orders_of(tx, [UUID(subject) for subject in tickets])
    rulings = {}
    for subject, facts in tickets.items():
        ticket_id = UUID(subject)
        route = routed(here, facts.classified, tx.now) if facts.classified else None
        rulings[ticket_id] = decide(ticket_id, facts, orders.get(ticket_id), route, tx.now, judged=subject in judged)
        if route and route.agrees is not None and ticket_id not in orders and rulings[ticket_id].order:
            OPINIONS.labels(str(route.agrees).lower(), "model" if route.rule == LEARNED else "rules").inc()
        if facts.unheard and ticket_id not in orders:
            tx.schedule(UNHEARD, subject, tx.now + PATIENCE)
    await store.save(tx, [r.order for id_, r in rulings.items() if r.order and r.order != orders.get(id_)])
    await _note(tx, here, tickets, rulings)
    for ticket_id, ruling in rulings.items():
        for event in ruling.events:
            tx.emit(str(ticket_id), with_help(here, ruling.order, event))
    wordless = [UUID(subject) for subject, facts in tickets.items() if facts.wordless]
    await follow_rulings(tx, here, orders, rulings, wordless)
    await follow_returns(tx, here, orders, rulings, wordless)
