"""The public list: which tickets anyone may see, and, for its sender, all that came by Open311."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.intake.domain import Entry, Listed
from services.intake.store.tickets import TIMELINE

LISTED = Rows("listed", Listed, key=("ticket_id",))

ENTER = """
INSERT INTO listed (ticket_id, number, client, service, public, open, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
"""
HIDE = "DELETE FROM listed WHERE ticket_id = ANY($1)"
FACTS = "SELECT subject, facts FROM aggregates WHERE subject = ANY($1)"
LAST = "SELECT ticket_id, max(at) AS at FROM timeline WHERE ticket_id = ANY($1) GROUP BY ticket_id"
MINE = """
JOIN listed USING (ticket_id)
WHERE client = $5 AND received_at > $1::timestamptz - interval '1 year' AND at >= $1 AND at < $2 AND type = ANY($3)
ORDER BY at, event_id LIMIT 1000 OFFSET $4
"""
ANYONES = """
WHERE at >= $1 AND at < $2 AND type = ANY($3)
AND EXISTS (SELECT FROM listed WHERE listed.ticket_id = timeline.ticket_id AND public)
ORDER BY at, event_id LIMIT 1000 OFFSET $4
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which public tickets are asked for: received from `since` to before `until`, newest first; `changed` likewise."""

    since: datetime
    until: datetime
    services: Sequence[str] | None
    open: bool | None
    changed: tuple[datetime, datetime] | None
    limit: int
    offset: int


async def list_now(tx: Tx, listed: Listed) -> None:
    """Put a ticket on the list ahead of its screening, which knows better."""
    row = listed
    await tx.connection.execute(
        ENTER, row.ticket_id, row.number, row.client, row.service, row.public, row.open, row.received_at
    )


async def save_listed(tx: Tx, rows: Iterable[Listed]) -> None:
    """Store how tickets stand on the list."""
    await LISTED.save(tx.connection, rows)


async def unlist(tx: Tx, tickets: Sequence[UUID]) -> None:
    """Take tickets off the public list, if they are on it."""
    if tickets:
        await tx.connection.execute(HIDE, tickets)


async def listed_by_id(connection: Any, tickets: Collection[UUID]) -> list[Listed]:
    """Return how tickets stand on the list."""
    return await LISTED.load(connection, "WHERE ticket_id = ANY($1)", list(tickets))


async def listed_by_number(connection: Any, numbers: Collection[str]) -> list[Listed]:
    """Return listed tickets by their numbers, newest first."""
    return await LISTED.load(connection, "WHERE number = ANY($1) ORDER BY received_at DESC, ticket_id", list(numbers))


async def listed_newest(connection: Any, wanted: Wanted) -> list[Listed]:
    """Return the public tickets that are wanted."""
    # Only the filters that are used, so that an index serves each of them.
    filters = ["public AND received_at >= $1 AND received_at < $2"]
    values: list[object] = [wanted.since, wanted.until, wanted.limit, wanted.offset]
    for held, text in (
        (wanted.services, "service = ANY(${}::text[])"),
        (wanted.open, "open = ${}::boolean"),
        (wanted.changed, "ticket_id IN (SELECT ticket_id FROM timeline WHERE at >= ${} AND at < ${})"),
    ):
        if held is not None:
            added = held if isinstance(held, tuple) else (held,)
            filters.append(text.format(*range(len(values) + 1, len(values) + 1 + len(added))))
            values += added
    where = f"WHERE {' AND '.join(filters)} ORDER BY received_at DESC, ticket_id LIMIT $3 OFFSET $4"
    return await LISTED.load(connection, where, *values)


async def facts_of(connection: Any, tickets: Collection[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """Return what other stages said of these tickets, as the heart keeps it."""
    rows = await connection.fetch(FACTS, [str(ticket_id) for ticket_id in tickets])
    return {UUID(row["subject"]): row["facts"] for row in rows}


async def last_lines(connection: Any, tickets: Collection[UUID]) -> dict[UUID, datetime]:
    """Return when the last line of each timeline was written."""
    return {row["ticket_id"]: row["at"] for row in await connection.fetch(LAST, list(tickets))}


async def listed_lines(
    database: Database, since: datetime, until: datetime, types: Collection[str], client: str | None, offset: int
) -> list[Entry]:
    """Return up to 1,000 lines of these types, oldest first: of public tickets, or of all that this client sent."""
    values = [since, until, list(types), offset]
    if client is None:
        return await TIMELINE.load(database.pool, ANYONES, *values)
    return await TIMELINE.load(database.pool, MINE, *values, client)
