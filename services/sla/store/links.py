"""Which appeals joined which, and when they came: the earliest sets the time of them all."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from libs.common.messaging.transaction import Tx

JOIN = """
INSERT INTO links (ticket_id, parent, received_at) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
ON CONFLICT (ticket_id) DO UPDATE SET parent = excluded.parent, received_at = excluded.received_at
"""
LATER = """
SELECT DISTINCT l.parent FROM unnest($1::uuid[], $2::timestamptz[]) l(parent, received_at)
LEFT JOIN clocks c ON c.ticket_id = l.parent AND c.round = 1 AND c.name = 'completion'
WHERE c.ticket_id IS NULL OR c.started_at > l.received_at
"""
PART = "DELETE FROM links WHERE ticket_id = ANY($1) RETURNING parent"
EARLIEST = "SELECT parent, min(received_at) AS at FROM links WHERE parent = ANY($1) GROUP BY parent"


async def join(tx: Tx, links: Mapping[UUID, tuple[UUID, datetime]]) -> set[UUID]:
    """Keep to which parent each ticket went and when it came; return the parents whose clocks begin later than that."""
    parents, times = [parent for parent, _ in links.values()], [at for _, at in links.values()]
    before = {row["parent"] for row in await tx.connection.fetch(PART, list(links))}
    await tx.connection.execute(JOIN, list(links), parents, times)
    return before | {row["parent"] for row in await tx.connection.fetch(LATER, parents, times)}


async def part(tx: Tx, tickets: Sequence[UUID]) -> set[UUID]:
    """Let tickets go their own way, and return the parents they leave."""
    return {row["parent"] for row in await tx.connection.fetch(PART, list(tickets))}


async def earliest(tx: Tx, parents: Sequence[UUID]) -> dict[UUID, datetime]:
    """Return when the earliest came of those who joined each."""
    return {row["parent"]: row["at"] for row in await tx.connection.fetch(EARLIEST, list(parents))}
