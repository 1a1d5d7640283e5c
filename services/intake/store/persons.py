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


FORGET_SESSIONS = """
WITH gone AS (
    DELETE FROM sessions WHERE person = $1 AND ended_at IS NOT NULL RETURNING session_id
), said AS (
    DELETE FROM spoken USING gone WHERE spoken.session_id = gone.session_id
), remembered AS (
    INSERT INTO erasures (ticket_id, at, why, text_at) SELECT session_id, $2, 'request', $2 FROM gone
    ON CONFLICT DO NOTHING
), keys AS (
    DELETE FROM vault_keys USING gone WHERE ticket_id = session_id
)
SELECT count(*) FROM gone
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


async def sessions_of(connection: Any, tickets: Sequence[UUID], person: str | None) -> list[Session]:
    """Return the chats, calls and video sessions about these tickets, and those of a pseudonym, oldest first."""
    return await SESSIONS.load(
        connection, "WHERE ticket_id = ANY($1) OR person = $2 ORDER BY opened_at, session_id", tickets, person
    )


async def forget_sessions_of(tx: Tx, person: str) -> int:
    """Forget the sessions of a pseudonym that are over, and what was said in them. Return how many."""
    gone: int = await tx.connection.fetchval(FORGET_SESSIONS, person, tx.now)
    return gone


async def lines_of(connection: Any, tickets: Sequence[UUID]) -> list[Entry]:
    """Return the timelines of these tickets, oldest line first."""
    return await TIMELINE.load(connection, "WHERE ticket_id = ANY($1) ORDER BY at, event_id", tickets)
