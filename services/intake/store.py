"""The tables of intake and all its SQL. Only the vault holds personal data, and only sealed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.intake.domain import Entry, Ticket

TICKETS = Rows("tickets", Ticket, key=("ticket_id",))
TIMELINE = Rows("timeline", Entry, key=("ticket_id", "at", "event_id"))


@dataclass(frozen=True, slots=True)
class Sealed:
    """A vault row: the appeal as it came, encrypted, and what may be known of it without opening it."""

    ticket_id: UUID
    number: str
    client: str
    received_at: datetime
    appeal: bytes
    marks: bytes | None = None


VAULT = Rows("vault", Sealed, key=("ticket_id",))

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
EARLIER = """
JOIN unnest($1::text[], $2::bytea[]) t(r, l) ON reporter = t.r AND likeness = t.l
WHERE state IN ('open', 'linked') AND received_at > $3
ORDER BY received_at
"""
SUPPORT = """
UPDATE tickets SET support = support + t.n FROM unnest($1::uuid[], $2::int[]) t(id, n) WHERE ticket_id = t.id
"""
OPENED = "INSERT INTO openings (ticket_id, by, purpose, at) VALUES ($1, $2, $3, $4)"


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


async def numbers(tx: Tx, tickets: Iterable[UUID]) -> dict[UUID, str]:
    """Return the numbers of stored appeals."""
    rows = await tx.connection.fetch("SELECT ticket_id, number FROM vault WHERE ticket_id = ANY($1)", list(tickets))
    return {row["ticket_id"]: row["number"] for row in rows}


async def take_inbound(tx: Tx, limit: int) -> dict[UUID, int]:
    """Take appeals that wait for screening, oldest first, with the number of failed attempts at each."""
    return {row["ticket_id"]: row["attempts"] for row in await tx.connection.fetch(TAKE, tx.now, limit)}


async def put_off(tx: Tx, ticket_id: UUID, attempts: int, wait: timedelta) -> None:
    """Queue again an appeal whose screening failed."""
    await tx.connection.execute(PUT_OFF, ticket_id, attempts, tx.now + wait)


async def sealed(connection: Any, tickets: Iterable[UUID]) -> list[Sealed]:
    """Return vault rows, oldest first."""
    return await VAULT.load(connection, "WHERE ticket_id = ANY($1) ORDER BY ticket_id", list(tickets))


async def save_marks(tx: Tx, rows: Iterable[Sealed]) -> None:
    """Store vault rows, now with the sealed originals of the marks."""
    await VAULT.save(tx.connection, rows)


async def earlier(tx: Tx, tickets: Sequence[Ticket], since: datetime) -> list[Ticket]:
    """Return the tickets since then of the reporters and likenesses among `tickets`, oldest first."""
    known = [(ticket.reporter, ticket.likeness) for ticket in tickets if ticket.reporter]
    if not known:
        return []
    return await TICKETS.load(tx.connection, EARLIER, [r for r, _ in known], [like for _, like in known], since)


async def tickets_of(connection: Any, tickets: Iterable[UUID]) -> dict[UUID, Ticket]:
    """Return screened tickets by id."""
    found = await TICKETS.load(connection, "WHERE ticket_id = ANY($1)", list(tickets))
    return {ticket.ticket_id: ticket for ticket in found}


async def save(tx: Tx, tickets: Iterable[Ticket], entries: Iterable[Entry]) -> None:
    """Store tickets as they are now, and lines of their timelines."""
    await TICKETS.save(tx.connection, tickets)
    await TIMELINE.save(tx.connection, entries)


async def add_support(tx: Tx, counts: Mapping[UUID, int]) -> None:
    """Count further reporters of the same matter."""
    await tx.connection.execute(SUPPORT, list(counts), list(counts.values()))


async def facts(connection: Any, ticket_id: UUID) -> Mapping[str, Any]:
    """Return what other stages said of a ticket, as the heart keeps it."""
    kept = await connection.fetchval("SELECT facts FROM aggregates WHERE subject = $1", str(ticket_id))
    return kept or {}


async def timeline(database: Database, ticket_id: UUID) -> list[Entry]:
    """Return a ticket's timeline, oldest first."""
    return await TIMELINE.load(database.pool, "WHERE ticket_id = $1 ORDER BY at, event_id", ticket_id)


async def note_opening(tx: Tx, ticket_id: UUID, by: str, purpose: str) -> None:
    """Keep who opened the vault, for what, and when."""
    await tx.connection.execute(OPENED, ticket_id, by, purpose, tx.now)
