"""Hearing of hot events, and telling of which an order is part."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.contracts.classify import HotspotCooled, HotspotRaised, HotspotUpdated
from libs.common.contracts.envelope import Envelope
from libs.common.messaging.transaction import Tx
from libs.common.runtime.clock import born
from services.dispatch.domain import Order
from services.dispatch.domain.hotspots import HotEvent, events_of
from services.dispatch.handlers.around import Here
from services.dispatch.store import hotspots as store

News = HotspotRaised | HotspotUpdated | HotspotCooled


async def on_hotspot(events: Sequence[Envelope[News]], tx: Tx, here: Here) -> None:
    """Keep the last that was said of each hot event. Who works on an order sees it the next time they look."""
    await store.hear_hot_events(tx, [_heard(here, event) for event in events])


def _heard(here: Here, event: Envelope[News]) -> HotEvent:
    said = event.data
    district, street = (here.engine.router.unit(code) for code in (f"d-{said.district}", said.street or ""))
    return HotEvent(
        hotspot_id=UUID(event.subject), sequence=event.sequence, title=said.title, category=said.category,
        # Of a place that this city pack does not know nothing is part.
        district_name=(district.name if district else said.district) if said.district else None,
        street_name=(street.name if street else said.street) if said.street else None,
        word=said.word, risk=said.risk, hot=not isinstance(said, HotspotCooled), tickets=said.count,
        first_at=said.first_at, last_at=said.last_at,
    )  # fmt: skip


async def hot_events_of(tx: Tx, order: Order) -> list[HotEvent]:
    """Return the hot events that an order's appeal is part of by what is known now."""
    received_at = _received_at(order)
    return events_of(order, received_at, await store.hot_events_at(tx.connection, received_at))


async def hot_among(connection: Any, orders: Sequence[Order]) -> list[list[HotEvent]]:
    """Return of each of these orders the hot events that its appeal is part of and that have not cooled."""
    at = [_received_at(order) for order in orders]
    known = await store.hot_now(connection, max(at)) if at else []
    return [events_of(order, received_at, known) for order, received_at in zip(orders, at, strict=True)]


def _received_at(order: Order) -> datetime:
    try:
        return born(order.ticket_id)
    except ValueError:  # an id that another system gave
        return order.dispatched_at
