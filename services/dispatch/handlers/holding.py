"""Holding an order to command it, and keeping what came of it."""

from typing import Literal
from uuid import UUID

from libs.common.contracts.dispatch import TicketReassigned
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, unknown_ticket, wrong_field
from libs.common.runtime.security import Principal
from services.dispatch import store
from services.dispatch.domain import (
    TRANSITIONS,
    Actor,
    Classified,
    Command,
    Matter,
    NotPossibleError,
    Order,
    Route,
    Step,
    Viewer,
    without_words,
)
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.assigning import Moved, keep_up
from services.dispatch.handlers.deciding import note_decisions
from services.dispatch.handlers.following import MEMORY
from services.dispatch.handlers.seeing import viewer


async def known(tx: Tx, here: Here, ticket_id: UUID) -> tuple[Order, Classified]:
    """Hold an order and what is known of its appeal. Raises NotPossibleError if it never was, Problem if unknown."""
    subject = str(ticket_id)
    await tx.lock([subject])
    order = (await store.orders_of(tx, [ticket_id])).get(ticket_id)
    facts = MEMORY.of(tx, subject)
    if order is None or facts.classified is None:
        if facts.end:
            raise NotPossibleError("this ticket was never handed to a unit")
        raise unknown_ticket(ticket_id, here.clock)
    return order, facts.classified


async def held(tx: Tx, here: Here, who: Principal, ticket_id: UUID, name: Command) -> tuple[Order, Matter]:
    """Hold an order that this key may give this command. Raises Problem 403 to others."""
    order, classified = await known(tx, here, ticket_id)
    asking = viewer(here, who)
    if not any(stands(role, asking, order) for role in TRANSITIONS[name].roles):
        raise Problem(403, "this order is another unit's")
    return order, classified.matter


def stands(role: Actor, asking: Viewer, order: Order) -> bool:
    """Say whether someone has this role with an order: a unit its lead, a seat at the centre's desk, a supervisor."""
    if role == "unit":
        return asking.acts_for(order.unit_code)
    if role == "seat":
        return "seat" in asking.desks and order.desk
    return asking.oversees(order.unit_code)


async def keep(tx: Tx, here: Here, step: Step) -> Order:
    """Store an order as a command left it, tell it, and bring what others owe to where it is now."""
    order, events = step
    facts = MEMORY.of(tx, str(order.ticket_id))
    wordless, kept = facts.wordless, order
    if wordless:
        kept, events = order.without_words, without_words(events)
    await store.save(tx, [kept])
    if facts.classified:
        await note_decisions(tx, here, [(kept, facts.classified, events)])
    for event in events:
        tx.emit(str(order.ticket_id), event)
    if any(isinstance(event, TicketReassigned) for event in events):
        await keep_up(tx, here, [Moved(order, order, told=False, wordless=wordless)])
    return order


def chosen(here: Here, unit: str, hand: Literal["reassigned", "ruled"], note: str, matter: Matter) -> Route:
    """Return the route to the unit a person chose, and says why. Raises Problem 422 if the city has no such unit."""
    router = here.engine.router
    route = router.chosen(unit, hand, router.reason(hand, note=note), matter, here.clock.now())
    if route is None:
        raise wrong_field("unit", "must be the code of a unit of the city, such as d-110105 or dept-water")
    return route
