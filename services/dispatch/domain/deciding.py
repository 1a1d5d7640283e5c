"""Orders as pure decisions: from the facts known of a ticket to whose work it is now.

`decide` may be asked at any time and in any order of facts; it changes only what is not yet as it should be.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from libs.common.contracts.dispatch import TicketDispatched, TicketRecalled
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import UnitRef
from services.dispatch.domain.orders import Appeal, End, Facts, Order, Route, led, read, told, where, without_words
from services.dispatch.domain.working import move


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a decision came to: the order as it is now, if there is one, and what to tell."""

    order: Order | None
    events: tuple[Event, ...] = ()


class City(Protocol):
    """What is asked of the city when an order is handed out again."""

    def kept(self, order: Order, at: datetime) -> Route:
        """Return the route by which an order stays with its lead, or goes to who has its duties by now."""

    def again(self, round_: int, unit: UnitRef, *, settled: bool) -> str:
        """Say who leads in a further round: `settled`, as it signed before."""


def wanted(facts: Facts, order: Order | None, *, judged: bool = True) -> Literal["dispatch", "follow"] | None:
    """Say whether a route is asked for: to hand the order out, or to follow a judgement; None, it stays as it is.

    `judged`: a judgement is the news. An order that was handed out does not move because rules or loads changed.
    """
    if facts.classified is None or facts.finished or facts.end or (order is None and facts.unheard):
        return None
    if order is None or order.state == "recalled" or order.round < facts.round:
        return "dispatch"
    return "follow" if judged and order.state == "dispatched" and not order.settled else None


def decide(
    ticket_id: UUID, facts: Facts, order: Order | None, route: Route | None, now: datetime, city: City,
    *, judged: bool = True,
) -> Ruling:  # fmt: skip
    """Bring a ticket's order to where the facts say it must be. `route` is that of the last judgement, if `wanted`."""
    ruling = _decide(ticket_id, facts, order, route, now, city, judged=judged)
    if facts.wordless and ruling.order:
        return Ruling(ruling.order.without_words, tuple(without_words(ruling.events)))
    return ruling


def _decide(
    ticket_id: UUID, facts: Facts, order: Order | None, route: Route | None, now: datetime, city: City,
    *, judged: bool,
) -> Ruling:  # fmt: skip
    if facts.classified is None or (order is None and facts.unheard):
        return Ruling(order)
    appeal = facts.classified.appeal
    known = replace(order, **read(appeal)) if order else None
    if facts.finished:
        return Ruling(replace(known, state="closed") if known else None)
    if facts.end:
        return _recall(known, facts.end, now)
    way = wanted(facts, known, judged=judged)
    if way is None or route is None:
        return Ruling(known)
    route = _handing(known, facts.round, route, now, city)
    if known is None or way == "dispatch":
        return _dispatch(ticket_id, appeal, facts.round, known, route, now)
    return _follow(known, route, now)


def _recall(order: Order | None, reason: End, now: datetime) -> Ruling:
    if order is None or not order.open:
        return Ruling(order)
    recalled = replace(order, state="recalled")
    return Ruling(recalled, (TicketRecalled(**told(order, now), reason=reason),))


def _dispatch(ticket_id: UUID, appeal: Appeal, round_: int, order: Order | None, route: Route, now: datetime) -> Ruling:
    """Hand the order over: the first time, in a new round, or when what took it away is void."""
    fresh = {**led(route), "round": round_, "state": "dispatched", "dispatched_at": now}
    if order is None:
        order = Order(**read(appeal), **fresh, ticket_id=ticket_id)
    else:
        order = replace(
            order, **fresh, accepted_at=None, resolved_at=None, reply=None, return_ground=None, return_note=None,
            contacted_at=order.contacted_at if order.round == round_ else None,
        )  # fmt: skip
    dispatched = {
        **told(order, now),
        **where(route),
        "co_handlers": route.co_handlers,
        "rule": route.rule,
        "urgency": order.urgency,
    }
    return Ruling(order, (TicketDispatched(**dispatched),))


def _follow(order: Order, route: Route, now: datetime) -> Ruling:
    """Let a newer judgement move an order that nobody has signed for yet."""
    if route.unit.code == order.unit_code:
        return Ruling(replace(order, **led(route)))
    moved, said = move(order, route, now)
    return Ruling(moved, tuple(said))


def _handing(order: Order | None, round_: int, route: Route, now: datetime, city: City) -> Route:
    """Return how to hand over in this round: to the lead that signed before, for who receives first is responsible.

    What had named that lead stays its rule, so a return in a later round counts against it.
    """
    settled = bool(order and order.settled)
    if order and settled:
        route = city.kept(order, now)
    if round_ == 1:
        return route
    stays = bool(settled and order and route.unit.code == order.unit_code)
    why = city.again(round_, route.unit, settled=stays)
    return replace(route, why=(why,) if stays else (why, *route.why))
