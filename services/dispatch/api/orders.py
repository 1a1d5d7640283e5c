"""Orders to look at."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.classify import Risk
from libs.common.contracts.vocabulary import Urgency
from libs.common.runtime.http import Cursor, Line, Page, page
from libs.common.runtime.problems import wrong_field
from services.dispatch import handlers, store
from services.dispatch.api.around import Context, OrderView, Reader, commanding, view
from services.dispatch.domain import Order, Sight, State
from services.dispatch.domain.hotspots import HotEvent

router = APIRouter()


class SupplementView(BaseModel):
    """What was added to the appeal: by the reporter, or read by a machine from a picture or a voice; redacted.

    `files` came with it.
    """

    model_config = ConfigDict(from_attributes=True)
    at: datetime
    source: Literal["reporter", "picture", "speech"]
    text: str
    files: int


class HotEventView(BaseModel):
    """A hot event that an appeal is part of by its question, place and words; classify lists its members."""

    model_config = ConfigDict(from_attributes=True)
    hotspot_id: UUID
    title: str
    risk: Risk
    hot: bool
    tickets: int


class ListedOrder(OrderView):
    """An order of a list, with the hot events it is part of that have not cooled."""

    hot_events: list[HotEventView]


class SeenOrder(OrderView):
    """An order as this key sees it: the `whole`, or a helper's `part`, without what lead and citizen say each other.

    `supplements` came after the appeal, oldest first. `hot_events` may have cooled since.
    """

    sight: Sight
    supplements: list[SupplementView]
    hot_events: list[HotEventView]


@router.get("/orders")
async def list_orders(
    here: Context, who: Reader, cursor: Cursor,
    unit: Annotated[Line | None, Query()] = None,
    state: State | None = None,
    code: Annotated[Line | None, Query(description="How the question's code begins, such as heating-")] = None,
    urgency: Urgency | None = None,
    round_: Annotated[int | None, Query(alias="round", ge=1, le=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ListedOrder]:  # fmt: skip
    """List orders by their lead, handed over longest ago first. A unit's key sees its own and those of units under it.

    `code`, `urgency` and `round` are asked of one unit, or by a key of some units; what helpers owe is under /tasks.
    """
    units = handlers.listed(here, who, unit)
    filters = store.Filters(state, code, urgency, round_)
    if units is None and filters.needs_units:
        raise wrong_field("unit", "must be given with code, urgency or round: they are looked up among a unit's orders")
    orders = await store.list_orders(here.database, units, filters, cursor, limit)
    hot = await handlers.hot_among(here.database.pool, orders)
    listed = [_listed(order, events) for order, events in zip(orders, hot, strict=True)]
    return page(listed, limit, lambda o: (o.dispatched_at, o.ticket_id))


@router.get("/orders/{ticket_id}")
async def show_order(here: Context, who: Reader, ticket_id: UUID) -> SeenOrder:
    """Show one order, to whom it is to be seen; others get 403 with the reason."""
    async with commanding(here) as tx:
        order, _, sight = await handlers.show(tx, here, who, ticket_id)
        added = [SupplementView.model_validate(one) for one in await store.supplements_of(tx.connection, ticket_id)]
        hot = [HotEventView.model_validate(one) for one in await handlers.hot_events_of(tx, order)]
    hidden = {} if sight == "whole" else {"reply": None, "return_ground": None, "return_note": None}
    return SeenOrder(**{**view(order).model_dump(), **hidden, "sight": sight, "supplements": added, "hot_events": hot})


def _listed(order: Order, hot: Sequence[HotEvent]) -> ListedOrder:
    events = [HotEventView.model_validate(one) for one in hot]
    return ListedOrder(**view(order).model_dump(), hot_events=events)
