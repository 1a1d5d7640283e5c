"""Hot events as dispatch knows them: which of them an appeal is part of, by its question, its place and its words.

The news of an event names no tickets, so it is worked out when somebody looks, from what is known by then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.common.contracts.classify import Risk
from services.dispatch.domain.orders import Order


@dataclass(frozen=True, slots=True)
class HotEvent:
    """The last that was heard of a hot event. `sequence` is that of the news; not `hot`, it has cooled.

    `category` goes as far down as the event does and is empty below; `district_name` and `street_name` are None where
    it is wider, `word` is what its tickets share.
    """

    hotspot_id: UUID
    sequence: int
    title: str
    category: tuple[str, str, str]
    district_name: str | None
    street_name: str | None
    word: str | None
    risk: Risk
    hot: bool
    tickets: int
    first_at: datetime
    last_at: datetime


def events_of(order: Order, received_at: datetime, known: Iterable[HotEvent]) -> list[HotEvent]:
    """Return the hot events that an order's appeal is part of, the one that began last first."""
    mine = [one for one in known if _holds(one, order, received_at)]
    return sorted(mine, key=lambda one: (one.first_at, one.hotspot_id), reverse=True)


def _holds(event: HotEvent, order: Order, received_at: datetime) -> bool:
    in_time = event.first_at <= received_at and (event.hot or received_at <= event.last_at)
    same_matter = all(not level or level == mine for level, mine in zip(event.category, order.category, strict=True))
    same_place = event.district_name in {None, order.district_name} and event.street_name in {None, order.street_name}
    return in_time and same_matter and same_place and (not event.word or event.word in order.text)
