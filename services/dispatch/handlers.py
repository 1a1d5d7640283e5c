"""What dispatch does on an event or a command: learn, load, decide, save, emit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from libs.common.contracts import classify, feedback, intake
from libs.common.contracts.envelope import Envelope, Event
from libs.common.messaging.facts import Memory
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, unknown_ticket, wrong_field
from libs.common.runtime.security import Principal
from libs.common.runtime.service import Context
from libs.common.runtime.timers import Due
from services.dispatch import store
from services.dispatch.domain import (
    TRANSITIONS,
    Actor,
    Appeal,
    Classified,
    Command,
    Facts,
    Matter,
    NotPossibleError,
    Order,
    Route,
    Step,
    decide,
    reassign,
    rule,
)
from services.dispatch.routing import Router, matter_at

UNHEARD = "unheard"
"""Fires when intake's word on a judged ticket has not come."""
PATIENCE = timedelta(minutes=5)
"""So long it is waited for. It left before the judgement did: later than this it is lost, and a citizen must not be."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What dispatch keeps in memory. After `returns_before_centre` returns only the centre rules."""

    router: Router
    returns_before_centre: int


Here = Context[Engine]


def _classified(event: classify.Judgement) -> Classified:
    receipt, place = event.receipt, event.place
    appeal = Appeal(
        number=receipt.number, code=event.code, category=event.category, urgency=event.urgency, kind=event.kind,
        title=receipt.title, text=receipt.text, summary=event.summary, address=receipt.address,
        district_name=place.district_name if place else None, street_name=place.street_name if place else None,
        reporter_type=receipt.reporter_type, access_needs=receipt.access_needs,
    )  # fmt: skip
    return Classified(appeal, Matter(event.owner_kind, event.owner, event.co_handlers, place, event.outside))


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
    await _react({subject: facts for subject, facts in learned.items() if facts.classified}, tx, here)


async def on_timer(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """A judged ticket of which intake said nothing for so long is taken to be received."""
    await _react({due.subject: replace(MEMORY.of(tx, due.subject), received=True) for due in timers}, tx, here)


async def command(
    tx: Tx, here: Here, who: Principal, ticket_id: UUID, name: Command, act: Callable[[Order, datetime], Step]
) -> Order:
    """Do to an order what its lead may. Raises NotPossibleError if its state forbids it, Problem 403 to others."""
    order, _ = await _held(tx, here, who, ticket_id, name)
    return await _keep(tx, act(order, tx.now))


async def rule_on(
    tx: Tx, here: Here, who: Principal, ticket_id: UUID,
    upheld: bool, unit: str | None, right_code: str | None, note: str,
) -> Order:  # fmt: skip
    """Rule on a return. Upheld without a unit, the order goes to the router's next, by the right question if told."""
    order, matter = await _held(tx, here, who, ticket_id, "rule")
    if order.returns >= here.engine.returns_before_centre and who.units:
        raise Problem(403, f"after {order.returns} returns the centre rules: a supervisor of all units")
    matter = _corrected(here, matter, right_code)
    to = None
    if upheld:
        code = unit or here.engine.router.next_unit(matter, {*order.tried, order.unit_code})
        to = _chosen(here, code, "ruled", f"裁定改派：{note}", matter)
    return await _keep(tx, rule(order, to, note, right_code, tx.now))


async def reassign_to(tx: Tx, here: Here, who: Principal, ticket_id: UUID, unit: str, note: str) -> Order:
    """Move an order to the unit a person chose."""
    order, matter = await _held(tx, here, who, ticket_id, "reassign")
    return await _keep(tx, reassign(order, _chosen(here, unit, "reassigned", f"人工改派：{note}", matter), tx.now))


async def _react(tickets: Mapping[str, Facts], tx: Tx, here: Here) -> None:
    if not tickets:
        return
    orders = await store.orders_of(tx, [UUID(subject) for subject in tickets])
    rulings = {}
    for subject, facts in tickets.items():
        ticket_id = UUID(subject)
        route = here.engine.router.route(facts.classified.matter) if facts.classified else None
        rulings[ticket_id] = decide(ticket_id, facts, orders.get(ticket_id), route, tx.now)
        if facts.unheard and ticket_id not in orders:
            tx.schedule(UNHEARD, subject, tx.now + PATIENCE)
    await store.save(tx, [r.order for id_, r in rulings.items() if r.order and r.order != orders.get(id_)])
    for ticket_id, ruling in rulings.items():
        for event in ruling.events:
            tx.emit(str(ticket_id), event)


async def _held(tx: Tx, here: Here, who: Principal, ticket_id: UUID, name: Command) -> tuple[Order, Matter]:
    """Hold an order that this key may give this command."""
    subject = str(ticket_id)
    await tx.lock([subject])
    order = (await store.orders_of(tx, [ticket_id])).get(ticket_id)
    facts = MEMORY.of(tx, subject)
    if order is None or facts.classified is None:
        if facts.end:
            raise NotPossibleError("this ticket was never handed to a unit")
        raise unknown_ticket(ticket_id, here.clock)
    if not any(who.may(role) and _stands(role, who, order) for role in TRANSITIONS[name].roles):
        raise Problem(403, "this order is another unit's")
    return order, facts.classified.matter


def _stands(role: Actor, who: Principal, order: Order) -> bool:
    """Say whether a role reaches this order: a unit's its own, a seat's those at the centre's desk."""
    if role == "unit":
        return who.acts_for(order.unit_code)
    return role == "supervisor" or order.desk


async def _keep(tx: Tx, step: Step) -> Order:
    order, events = step
    wordless = MEMORY.of(tx, str(order.ticket_id)).wordless
    await store.save(tx, [order.without_words if wordless else order])
    for event in events:
        tx.emit(str(order.ticket_id), event)
    return order


def _corrected(here: Here, matter: Matter, right_code: str | None) -> Matter:
    """Return the matter as it would be under the question a ruling says is the right one."""
    if right_code is None:
        return matter
    question = here.engine.router.question(right_code)
    if question is None:
        raise wrong_field("right_code", "must be the code of a question in the city's catalogue, such as heating-01-01")
    return matter_at(question, matter.place, outside=matter.outside)


def _chosen(here: Here, unit: str, rule_name: str, why: str, matter: Matter) -> Route:
    route = here.engine.router.chosen(unit, rule_name, why, matter)
    if route is None:
        raise wrong_field("unit", "must be the code of a unit of the city, such as d-110105 or dept-water")
    return route
