"""Hot events: the last that was heard of each."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.dispatch.domain.hotspots import HotEvent

HOT_EVENTS = Rows("hot_events", HotEvent, key=("hotspot_id",))
MOST = 500
HOT = "WHERE hot AND first_at <= $1 ORDER BY first_at DESC LIMIT $2"
AROUND = "WHERE first_at <= $1 AND (hot OR last_at >= $1) ORDER BY first_at DESC LIMIT $2"


async def hear_hot_events(tx: Tx, heard: Iterable[HotEvent]) -> None:
    """Keep what was heard, unless something later was."""
    news = {one.hotspot_id: one for one in sorted(heard, key=lambda one: one.sequence)}
    known = await HOT_EVENTS.load(tx.connection, "WHERE hotspot_id = ANY($1)", list(news))
    later = {one.hotspot_id for one in known if one.sequence >= news[one.hotspot_id].sequence}
    await HOT_EVENTS.save(tx.connection, [one for one in news.values() if one.hotspot_id not in later])


async def hot_events_at(connection: Any, moment: datetime) -> list[HotEvent]:
    """Return the hot events that there were at a moment, the one that began last first."""
    return await HOT_EVENTS.load(connection, AROUND, moment, MOST)


async def hot_now(connection: Any, until: datetime) -> list[HotEvent]:
    """Return the hot events that have not cooled, of those that began by an instant, the one that began last first."""
    return await HOT_EVENTS.load(connection, HOT, until, MOST)
