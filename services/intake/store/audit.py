"""The audit log. Its table refuses changes; what is over its time is pruned from the old end."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.intake.domain import Audited, Deed, Head, chained

AUDIT = Rows("audit", Audited, key=("seq",))

HOLD_END = "SELECT seq, seal FROM audit_ends WHERE name = $1 FOR UPDATE"
MOVE_END = "UPDATE audit_ends SET seq = $2, seal = $3 WHERE name = $1"
LIST = """
WHERE seq > $1 AND ($2::uuid IS NULL OR ticket_id = $2) AND ($3::text IS NULL OR by = $3)
AND ($4::timestamptz IS NULL OR at >= $4) ORDER BY seq LIMIT $5
"""
OF_TICKETS = "WHERE ticket_id = ANY($1) ORDER BY seq"
OLDEST = "ORDER BY seq LIMIT $1"
PRUNE = "DELETE FROM audit WHERE seq <= $1"
LAST_NUMBER = 2**63 - 1
TAKE_OPENINGS = """
DELETE FROM openings WHERE id = ANY(ARRAY(SELECT id FROM openings ORDER BY id LIMIT $1))
RETURNING id, ticket_id, by, at
"""


async def add_audit(tx: Tx, key: bytes, deeds: Sequence[Deed]) -> None:
    """Add deeds to the log. It is held from here to the commit, so this comes last in a transaction."""
    await _append(tx, key, tx.now, deeds)


async def _append(tx: Tx, key: bytes, at: datetime, deeds: Sequence[Deed]) -> None:
    entries = chained(key, await _hold(tx, "head"), at, deeds)
    await AUDIT.save(tx.connection, entries)
    await _move(tx, "head", entries[-1].head)


async def carry_openings(tx: Tx, key: bytes, limit: int) -> int:
    """Move openings of the time before this log into it, oldest first, and return how many.

    Their purposes were free text, and are dropped.
    """
    rows = await tx.connection.fetch(TAKE_OPENINGS, limit)
    for row in sorted(rows, key=lambda row: row["id"]):
        deed = Deed(row["by"], "contact", row["ticket_id"], purpose="unlisted")
        await _append(tx, key, row["at"], [deed])
    return len(rows)


async def hold_ends(tx: Tx) -> tuple[Head, Head]:
    """Keep the log as it is until the commit; return what the oldest entry follows, and the newest entry."""
    head = await _hold(tx, "head")
    return await _hold(tx, "tail"), head


async def audit_entry(connection: Any, seq: int) -> Audited | None:
    """Return one entry."""
    found = await AUDIT.load(connection, "WHERE seq = $1", seq)
    return found[0] if found else None


async def audit_entries(
    connection: Any,
    after: int,
    limit: int,
    ticket_id: UUID | None = None,
    by: str | None = None,
    since: datetime | None = None,
) -> list[Audited]:
    """Return entries behind a number, in order: of one ticket, by one client, since an instant."""
    return await AUDIT.load(connection, LIST, min(after, LAST_NUMBER), ticket_id, by, since, limit)


async def audit_of(connection: Any, tickets: Sequence[UUID]) -> list[Audited]:
    """Return all entries of these tickets, in order."""
    return await AUDIT.load(connection, OF_TICKETS, tickets)


async def prune_audit(tx: Tx, before: datetime, limit: int) -> int:
    """Drop the oldest entries, if they are older than `before`, and return the number of the last that went, or 0."""
    await _hold(tx, "head")
    oldest = await AUDIT.load(tx.connection, OLDEST, limit)
    gone = [entry for entry in oldest if entry.at < before]
    if not gone:
        return 0
    await tx.connection.execute("SET LOCAL jiesu.pruning = 'on'")
    await tx.connection.execute(PRUNE, gone[-1].seq)
    await tx.connection.execute("SET LOCAL jiesu.pruning = 'off'")
    await _move(tx, "tail", gone[-1].head)
    return gone[-1].seq


async def _hold(tx: Tx, name: str) -> Head:
    row = await tx.connection.fetchrow(HOLD_END, name)
    return Head(row["seq"], row["seal"])


async def _move(tx: Tx, name: str, head: Head) -> None:
    await tx.connection.execute(MOVE_END, name, head.seq, head.seal)
