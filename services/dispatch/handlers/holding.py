"""Holding an order to command it, and keeping what came of it."""

from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, unknown_ticket, wrong_field
from libs.common.runtime.security import Principal
from services.dispatch import store
from services.dispatch.domain import (
    TRANSITIONS,
    Actor,
    Command,
    Matter,
    NotPossibleError,
    Order,
    Route,
    Step,
)
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.following import MEMORY


async def held(tx: Tx, here: Here, who: Principal, ticket_id: UUID, name: Command) -> tuple[Order, Matter]:
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


async def keep(tx: Tx, step: Step) -> Order:
    order, events = step
    wordless = MEMORY.of(tx, str(order.ticket_id)).wordless
    await store.save(tx, [order.without_words if wordless else order])
    for event in events:
        tx.emit(str(order.ticket_id), event)
    return order


def chosen(here: Here, unit: str, rule_name: str, why: str, matter: Matter) -> Route:
    route = here.engine.router.chosen(unit, rule_name, why, matter)
    if route is None:
        raise wrong_field("unit", "must be the code of a unit of the city, such as d-110105 or dept-water")
    return route
