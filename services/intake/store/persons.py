"""What belongs to one person, found by their pseudonym."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from services.intake.domain import Entry, Session, Supporter
from services.intake.store.sessions import SESSIONS
from services.intake.store.supporters import SUPPORTERS
from services.intake.store.tickets import TIMELINE

FORGET_SUPPORTS = """
WITH gone AS (
    DELETE FROM supporters WHERE person = $1 RETURNING supporter_id
), remembered AS (
    INSERT INTO erasures (ticket_id, at, why, text_at) SELECT supporter_id, $2, 'request', $2 FROM gone
    ON CONFLICT DO NOTHING
)
DELETE FROM vault_keys USING gone WHERE ticket_id = supporter_id
"""


async def tickets_of_reporter(connection: Any, reporter: str) -> list[UUID]:
    """Return the tickets of a pseudonym, oldest first."""
    rows = await connection.fetch("SELECT ticket_id FROM tickets WHERE reporter = $1 ORDER BY ticket_id", reporter)
    return [row["ticket_id"] for row in rows]


async def supports_of(connection: Any, person: str) -> list[Supporter]:
    """Return how a pseudonym stands behind others' tickets."""
    return await SUPPORTERS.load(connection, "WHERE person = $1 ORDER BY supporter_id", person)


async def forget_supports(tx: Tx, person: str) -> int:
    """Forget that a pseudonym stands behind others' tickets; the counts stay. Return in how many cases."""
    gone = await supports_of(tx.connection, person)
    await tx.connection.execute(FORGET_SUPPORTS, person, tx.now)
    return len(gone)


async def sessions_of(connection: Any, tickets: Sequence[UUID]) -> list[Session]:
    """Return the chats, calls and video sessions about these tickets, oldest first."""
    return await SESSIONS.load(connection, "WHERE ticket_id = ANY($1) ORDER BY opened_at, session_id", tickets)


async def lines_of(connection: Any, tickets: Sequence[UUID]) -> list[Entry]:
    """Return the timelines of these tickets, oldest line first."""
    return await TIMELINE.load(connection, "WHERE ticket_id = ANY($1) ORDER BY at, event_id", tickets)
