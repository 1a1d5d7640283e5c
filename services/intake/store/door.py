"""What stands at the door: claims, by which no appeal is received twice, and appeals that wait for screening."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
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
RECEIVE = """
WITH received AS (
    INSERT INTO vault (ticket_id, number, client, received_at, appeal)
    SELECT id, day || '-' || lpad((nextval('ticket_numbers') % 10000000)::text, 7, '0'), client, at, sealed
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::bytea[]) t(id, day, client, at, sealed)
    RETURNING ticket_id, number
), queued AS (
    INSERT INTO inbound (ticket_id) SELECT unnest($1::uuid[])
)
SELECT ticket_id, number FROM received
"""
TAKE = """
DELETE FROM inbound WHERE ticket_id = ANY(ARRAY(
    SELECT ticket_id FROM inbound WHERE not_before IS NULL OR not_before <= $1
    ORDER BY ticket_id LIMIT $2 FOR UPDATE SKIP LOCKED
)) RETURNING ticket_id, attempts
"""
PUT_OFF = "INSERT INTO inbound (ticket_id, attempts, not_before) VALUES ($1, $2, $3)"


async def claim(tx: Tx, scopes: Sequence[tuple[bytes, UUID, bytes]]) -> Mapping[bytes, tuple[UUID, bytes]]:
    """Claim each (scope, ticket, content); return who holds each scope now, and for what content."""
    await tx.connection.execute(CLAIM, *map(list, zip(*sorted(scopes), strict=True)))
    rows = await tx.connection.fetch(CLAIMED, [scope for scope, _, _ in scopes])
    return {row["scope"]: (row["ticket_id"], row["content"]) for row in rows}


async def reclaim(tx: Tx, earlier: Mapping[UUID, UUID]) -> None:
    """Give what these repeats had claimed to the tickets they repeat."""
    await tx.connection.execute(RECLAIM, list(earlier), list(earlier.values()))


async def receive(tx: Tx, arrivals: Sequence[tuple[UUID, str, str, datetime, bytes]]) -> dict[UUID, str]:
    """Store (id, day, client, received_at, sealed appeal), queue each for screening, and return their numbers."""
    rows = await tx.connection.fetch(RECEIVE, *map(list, zip(*arrivals, strict=True)))
    return {row["ticket_id"]: row["number"] for row in rows}


async def take_inbound(tx: Tx, limit: int) -> dict[UUID, int]:
    """Take appeals that wait for screening, oldest first, with the number of failed attempts at each."""
    return {row["ticket_id"]: row["attempts"] for row in await tx.connection.fetch(TAKE, tx.now, limit)}


async def put_off(tx: Tx, ticket_id: UUID, attempts: int, wait: timedelta) -> None:
    """Queue again an appeal whose screening failed."""
    await tx.connection.execute(PUT_OFF, ticket_id, attempts, tx.now + wait)
