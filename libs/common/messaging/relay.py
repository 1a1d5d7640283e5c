"""The one place that publishes. Of several processes of a service, the one that holds the lock relays its outbox.

A row leaves the outbox in the transaction that waits for the bus, so a crash at any point leaves it there: a message
may be sent twice, never not at all.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from libs.common.messaging.bus import Bus, Message
from libs.common.messaging.metrics import OUTBOX_PUBLISHED
from libs.common.messaging.outbox import unpack_headers

BATCH = 1000
POLL_SECONDS = 0.2
"""How long a commit of another process may wait to be noticed; one of this process wakes the relay."""
FOLLOW_SECONDS = 1.0
RELAY_LOCK = 4_712_345

TAKE = """
DELETE FROM outbox WHERE id = ANY(ARRAY(SELECT id FROM outbox ORDER BY id LIMIT $1))
RETURNING id, topic, key, headers, body
"""


class Relay:
    """Publishes one service's outbox in order. `step` is run by a `Loop`; the first failure stops the line."""

    def __init__(self, service: str, connect: Callable[[], Awaitable[Any]], bus: Bus) -> None:
        self._service = service
        self._connect = connect
        self._bus = bus
        self._connection: Any = None

    async def step(self) -> float:
        """Publish what is there and return the seconds to wait. A failure gives the lead up, with its connection."""
        try:
            if self._connection is None and not await self._lead():
                return FOLLOW_SECONDS
            return 0 if await self._publish() == BATCH else POLL_SECONDS
        except BaseException:
            await self.let_go()
            raise

    async def _lead(self) -> bool:
        self._connection = connection = await self._connect()
        leads: bool = await connection.fetchval("SELECT pg_try_advisory_lock($1)", RELAY_LOCK)
        if not leads:
            self._connection = None
            await connection.close()
        return leads

    async def _publish(self) -> int:
        async with self._connection.transaction():
            rows = await self._connection.fetch(TAKE, BATCH)
            if rows:
                rows.sort(key=lambda row: row["id"])
                await self._bus.publish(
                    [Message(r["topic"], r["key"], unpack_headers(r["headers"]), r["body"]) for r in rows]
                )
        OUTBOX_PUBLISHED.labels(self._service).inc(len(rows))
        return len(rows)

    async def let_go(self) -> None:
        """Close the connection, and with it give up the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
