"""Orders to look at."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from libs.common.runtime.http import Cursor, Line, Page, page
from libs.common.runtime.problems import Problem, unknown_ticket
from libs.common.runtime.security import Principal
from services.dispatch import store
from services.dispatch.api.around import Context, OrderView, Reader, sees_all, view
from services.dispatch.domain import (
    State,
)

router = APIRouter()


@router.get("/orders")
async def list_orders(
    here: Context,
    who: Reader,
    cursor: Cursor,
    unit: Annotated[Line | None, Query()] = None,
    state: State | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[OrderView]:
    """List orders by their lead, handed over longest ago first. A unit's key sees its own."""
    orders = await store.list_orders(here.database, _visible(who, unit), state, cursor, limit)
    return page([view(order) for order in orders], limit, lambda o: (o.dispatched_at, o.ticket_id))


@router.get("/orders/{ticket_id}")
async def show_order(here: Context, who: Reader, ticket_id: UUID) -> OrderView:
    """Show one order, to its lead and its co-handlers among the units."""
    order = await store.order_of(here.database, ticket_id)
    if order is None:
        raise unknown_ticket(ticket_id, here.clock)
    if not sees_all(who) and not any(who.acts_for(unit.code) for unit in (order.unit, *order.co_handlers)):
        raise Problem(403, "this order is another unit's")
    return view(order)


def _visible(who: Principal, unit: str | None) -> list[str] | None:
    """Return the leads whose orders are listed; None for all."""
    if sees_all(who):
        return [unit] if unit else None
    if unit and not who.acts_for(unit):
        raise Problem(403, "this key does not act for that unit")
    return [unit] if unit else sorted(who.units) or None
