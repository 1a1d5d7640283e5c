"""Orders as pure decisions: from the facts known of a ticket to whose work it is now.

`decide` may be asked at any time and in any order of facts; it changes only what is not yet as it should be.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from libs.common.contracts.dispatch import TicketDispatched, TicketRecalled
from libs.common.contracts.envelope import Event
from services.dispatch.domain.orders import Appeal, End, Facts, Order, Route, led, read, told, where
from services.dispatch.domain.working import move


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a decision came to: the order as it is now, if there is one, and what to tell."""

    order: Order | None
    events: tuple[Event, ...] = ()


def decide(
    ticket_id: UUID, facts: Facts, order: Order | None, route: Route | None, now: datetime, *, judged: bool = True
) -> Ruling:
    """Bring a ticket's order to where the facts say it must be. `route` is that of the last judgement, if any.

    `judged`: that judgement is the news. An order that was handed out does not move because rules or loads changed.
    """
    ruling = _decide(ticket_id, facts, order, route, now, judged=judged)
    if facts.wordless and ruling.order:
        return replace(ruling, order=ruling.order.without_words)
    return ruling


def _decide(
    ticket_id: UUID, facts: Facts, order: Order | None, route: Route | None, now: datetime, *, judged: bool
) -> Ruling:
    if facts.classified is None or route is None or (order is None and facts.unheard):
        return Ruling(order)
    appeal = facts.classified.appeal
    known = replace(order, **read(appeal)) if order else None
    if facts.finished:
        return Ruling(replace(known, state="closed") if known else None)
    if facts.end:
        return _recall(known, facts.end, now)
    if known is None or known.state == "recalled" or known.round < facts.round:
        return _dispatch(ticket_id, appeal, facts.round, known, route, now)
    if judged and known.state == "dispatched" and not known.settled:
        return _follow(known, route, now)
    return Ruling(known)


def _recall(order: Order | None, reason: End, now: datetime) -> Ruling:
    if order is None or not order.open:
        return Ruling(order)
    recalled = replace(order, state="recalled")
    return Ruling(recalled, (TicketRecalled(**told(order, now), reason=reason),))


def _dispatch(ticket_id: UUID, appeal: Appeal, round_: int, order: Order | None, route: Route, now: datetime) -> Ruling:
    """Hand the order over: the first time, in a new round, or when what took it away is void."""
    route = _handing(order, round_, route)
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
    route = _handing(order, order.round, route)
    if route.unit.code == order.unit_code:
        return Ruling(replace(order, **led(route)))
    moved, said = move(order, route, now)
    return Ruling(moved, tuple(said))


def _handing(order: Order | None, round_: int, route: Route) -> Route:
    """Return how to hand over in this round: to the lead that signed before, for who receives first is responsible."""
    settled = order if order and order.settled else None
    if settled:
        route = Route(
            settled.unit,
            settled.co_handlers,
            settled.rule,
            settled.why,
            (),
            settled.desk,
            settled.district,
            settled.rules,
        )
    if round_ == 1:
        return route
    if settled:
        return replace(route, rule="reopened", why=(f"第{round_}轮办理：首接负责，由{route.unit.name}继续主办",))
    return replace(route, rule="reopened", why=(f"第{round_}轮办理：由{route.unit.name}主办", *route.why))
