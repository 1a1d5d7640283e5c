"""What stands at the door: claims, by which no appeal is received twice, and appeals that wait for screening."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx

CLAIM = """
INSERT INTO claims (scope, ticket_id, content) SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::bytea[])
ON CONFLICT DO NOTHING
"""
CLAIMED = "SELECT scope, ticket_id, content FROM claims WHERE scope = ANY($1::bytea[])"
RECLAIM = """
UPDATE claims SET ticket_id = t.earlier FROM unnest($1::uuid[], $2::uuid[]) t(mine, earlier) WHERE ticket_id = t.mine
"""
UNCLAIM = "DELETE FROM claims WHERE ticket_id = ANY($1)"
RECEIVE = """
WITH received AS (
    INSERT INTO vault (ticket_id, number, client, received_at, appeal)
    SELECT id, day || '-' || lpad((nextval('ticket_numbers') % 10000000)::text, 7, '0'), client, at, sealed
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::bytea[]) t(id, day, client, at, sealed)
    RETURNING ticket_id, number
), keyed AS (
    INSERT INTO vault_keys (ticket_id, key) SELECT * FROM unnest($1::uuid[], $6::bytea[])
), queued AS (
    INSERT INTO inbound (ticket_id, traceparent) SELECT * FROM unnest($1::uuid[], $7::text[])
)
SELECT ticket_id, number FROM received
"""
TAKE = """
SELECT ticket_id, traceparent FROM inbound WHERE not_before IS NULL OR not_before <= $1
ORDER BY ticket_id LIMIT $2 FOR UPDATE SKIP LOCKED
"""
COUNT = "SELECT count(*) FROM (SELECT FROM inbound LIMIT $1) waiting"
DONE = "DELETE FROM inbound WHERE ticket_id = ANY($1::uuid[])"
PUT_OFF = "UPDATE inbound SET attempts = attempts + 1, not_before = $2 WHERE ticket_id = ANY($1::uuid[])"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An appeal that waits for screening, and the traceparent of the request that brought it."""

    ticket_id: UUID
    traceparent: str | None


Stored = tuple[UUID, str, str, datetime, bytes, bytes, str | None]
"""What is stored of an arrival: id, day YYYYMMDD, client, received_at, sealed appeal, its wrapped key, traceparent."""


async def claim(tx: Tx, scopes: Sequence[tuple[bytes, UUID, bytes]]) -> Mapping[bytes, tuple[UUID, bytes]]:
    """Claim each (scope, ticket, content); return who holds each scope now, and for what content."""
    await tx.connection.execute(CLAIM, *map(list, zip(*sorted(scopes), strict=True)))
    rows = await tx.connection.fetch(CLAIMED, [scope for scope, _, _ in scopes])
    return {row["scope"]: (row["ticket_id"], row["content"]) for row in rows}


async def reclaim(tx: Tx, earlier: Mapping[UUID, UUID]) -> None:
    """Give what these repeats had claimed to the tickets they repeat."""
    await tx.connection.execute(RECLAIM, list(earlier), list(earlier.values()))


async def unclaim(tx: Tx, tickets: Iterable[UUID]) -> None:
    """Give up what appeals had claimed that are refused after all."""
    await tx.connection.execute(UNCLAIM, list(tickets))


async def receive(tx: Tx, arrivals: Sequence[Stored]) -> dict[UUID, str]:
    """Store appeals, queue each for screening, and return their numbers."""
    rows = await tx.connection.fetch(RECEIVE, *map(list, zip(*arrivals, strict=True)))
    return {row["ticket_id"]: row["number"] for row in rows}


async def take_inbound(tx: Tx, limit: int) -> list[Waiting]:
    """Hold appeals that wait for screening, oldest first, passing over those that another process holds."""
    return [Waiting(*row) for row in await tx.connection.fetch(TAKE, tx.now, limit)]


async def count_inbound(connection: Any, most: int) -> int:
    """Return how many wait for screening, counting no further than `most`."""
    count: int = await connection.fetchval(COUNT, most)
    return count


async def done_inbound(tx: Tx, tickets: Iterable[UUID]) -> None:
    """Take appeals off the queue."""
    await tx.connection.execute(DONE, list(tickets))


async def put_off(tx: Tx, tickets: Iterable[UUID], wait: timedelta) -> None:
    """Let appeals whose screening failed wait for a while."""
    await tx.connection.execute(PUT_OFF, list(tickets), tx.now + wait)
