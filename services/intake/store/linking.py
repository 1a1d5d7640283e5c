"""Who belongs to whom, how many stand behind a ticket, and who decided so."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Aggregate, Tx
from libs.common.runtime.rows import Rows
from libs.common.runtime.timers import LOCK_FREE
from services.intake.domain import Entry, Link, Ticket
from services.intake.store.tickets import TICKETS, TIMELINE

LINKS = Rows("links", Link, key=("ticket_id", "at"))

# Never below none: of appeals that were erased nobody knows any more which were one person's.
SUPPORT = """
UPDATE tickets SET support = greatest(support + t.n, 0) FROM unnest($1::uuid[], $2::int[]) t(id, n)
WHERE ticket_id = t.id RETURNING ticket_id, support
"""
CHILDREN = "WHERE parent = $1 AND state = 'linked' ORDER BY received_at, ticket_id LIMIT $2"
HAS_CHILDREN = "SELECT EXISTS (SELECT FROM tickets WHERE parent = $1 AND state = 'linked')"
WITHDRAWAL = "SELECT params FROM timeline WHERE ticket_id = $1 AND type = 'ticket.withdrawn' ORDER BY at DESC LIMIT 1"


async def add_support(tx: Tx, counts: Mapping[UUID, int]) -> dict[UUID, int]:
    """Count more, or fewer, who have the same trouble, and return the new totals."""
    rows = await tx.connection.fetch(SUPPORT, list(counts), list(counts.values()))
    return {row["ticket_id"]: row["support"] for row in rows}


async def children_of(tx: Tx, parent: UUID, limit: int) -> list[Ticket]:
    """Return tickets linked to this one, oldest first."""
    return await TICKETS.load(tx.connection, CHILDREN, parent, limit)


async def has_children(tx: Tx, parent: UUID) -> bool:
    """Say whether any ticket is linked to this one."""
    return bool(await tx.connection.fetchval(HAS_CHILDREN, parent))


async def hold_free(tx: Tx, tickets: Iterable[UUID]) -> set[UUID]:
    """Hold those of these tickets that no other transaction holds, and return all of them that this one holds now.

    For a transaction that holds something already: to wait for more, out of order, could be for ever.
    """
    wanted = {str(ticket_id) for ticket_id in tickets}
    for row in await tx.connection.fetch(LOCK_FREE, sorted(wanted - tx.held.keys())):
        tx.held[row["subject"]] = Aggregate(row["version"], row["facts"])
    return {UUID(subject) for subject in wanted & tx.held.keys()}


async def note_links(tx: Tx, links: Iterable[Link]) -> None:
    """Keep who joined or parted what, and why."""
    await LINKS.save(tx.connection, links)


async def lines_of_types(connection: Any, ticket_id: UUID, types: Sequence[str]) -> list[Entry]:
    """Return some lines of a ticket's timeline, oldest first."""
    where = "WHERE ticket_id = $1 AND type = ANY($2) ORDER BY at, event_id"
    return await TIMELINE.load(connection, where, ticket_id, list(types))


async def reason_of_withdrawal(tx: Tx, ticket_id: UUID) -> str | None:
    """Return why the reporter took an appeal back."""
    params = await tx.connection.fetchval(WITHDRAWAL, ticket_id)
    return (params or {}).get("reason")
