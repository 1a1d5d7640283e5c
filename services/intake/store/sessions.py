"""Sessions, who waits for one in which order, and what was said in them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.intake.domain import Session, Spoken

SESSIONS = Rows("sessions", Session, key=("session_id",))
FIRST = datetime.min.replace(tzinfo=UTC)
SPOKEN = Rows("spoken", Spoken, key=("session_id", "seq"))

# Whoever needs it most comes first, then whoever came first. An index has just this order.
QUEUE = """
WHERE state = 'waiting' AND ($1::text IS NULL OR kind = $1)
AND (needs = '[]', opened_at, session_id) > ($2::boolean, $3::timestamptz, $4::uuid)
ORDER BY (needs = '[]'), opened_at, session_id LIMIT $5
"""
AHEAD = """
SELECT count(*) FROM sessions WHERE state = 'waiting' AND (needs = '[]', opened_at, session_id) < ($1, $2, $3)
"""
VERSIONS = "SELECT session_id, version FROM sessions WHERE session_id = ANY($1)"
WAITING = "SELECT kind, count(*) AS n FROM sessions WHERE state = 'waiting' GROUP BY kind"
KEEP_KEY = "INSERT INTO vault_keys (ticket_id, key) VALUES ($1, $2)"
KEY = "SELECT key FROM vault_keys WHERE ticket_id = $1"
FORGET = """
WITH old AS (
    SELECT session_id FROM sessions WHERE ended_at < $1 ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED
), said AS (DELETE FROM spoken USING old WHERE spoken.session_id = old.session_id
), keys AS (DELETE FROM vault_keys USING old WHERE ticket_id = old.session_id
), gone AS (DELETE FROM sessions USING old WHERE sessions.session_id = old.session_id)
SELECT count(*) FROM old
"""


async def open_session(tx: Tx, session: Session, key: bytes) -> None:
    """Store a new session and its wrapped key."""
    await SESSIONS.save(tx.connection, [session])
    await tx.connection.execute(KEEP_KEY, session.session_id, key)


async def hold_session(tx: Tx, session_id: UUID) -> Session | None:
    """Hold a session against all who would change it, and return it; None if there is none."""
    return next(iter(await SESSIONS.load(tx.connection, "WHERE session_id = $1 FOR UPDATE", session_id)), None)


async def session_of(connection: Any, session_id: UUID) -> Session | None:
    """Return a session; None if there is none."""
    return next(iter(await SESSIONS.load(connection, "WHERE session_id = $1", session_id)), None)


async def save_session(tx: Tx, session: Session) -> None:
    """Store a held session as it is now."""
    await SESSIONS.save(tx.connection, [session])


async def key_of_session(connection: Any, session_id: UUID) -> bytes | None:
    """Return a session's wrapped key; None once it was erased."""
    key: bytes | None = await connection.fetchval(KEY, session_id)
    return key


async def ahead_of(connection: Any, session: Session) -> int:
    """Return how many come before someone who waits."""
    ahead: int = await connection.fetchval(AHEAD, not session.needs, session.opened_at, session.session_id)
    return ahead


async def session_queue(connection: Any, kind: str | None, after: Session | None, limit: int) -> list[Session]:
    """Return who waits, next first: all, or those behind one of them."""
    place = (not after.needs, after.opened_at, after.session_id) if after else (False, FIRST, UUID(int=0))
    return await SESSIONS.load(connection, QUEUE, kind, *place, limit)


async def versions(connection: Any, sessions: Iterable[UUID]) -> dict[UUID, int]:
    """Return how far sessions have come."""
    return {row["session_id"]: row["version"] for row in await connection.fetch(VERSIONS, list(sessions))}


async def say(tx: Tx, spoken: Spoken) -> None:
    """Store a message."""
    await SPOKEN.save(tx.connection, [spoken])


async def spoken_after(connection: Any, session_id: UUID, seq: int, limit: int) -> list[Spoken]:
    """Return what was said behind a place, in order."""
    return await SPOKEN.load(
        connection, "WHERE session_id = $1 AND seq > $2 ORDER BY seq LIMIT $3", session_id, seq, limit
    )


async def waiting_by_kind(connection: Any) -> dict[str, int]:
    """Return how many wait, by kind."""
    return {row["kind"]: row["n"] for row in await connection.fetch(WAITING)}


async def sessions_between(connection: Any, since: datetime, until: datetime) -> Sequence[Session]:
    """Return the sessions that were asked for in [since, until)."""
    return await SESSIONS.load(connection, "WHERE opened_at >= $1 AND opened_at < $2", since, until)


async def forget_sessions(tx: Tx, before: datetime, limit: int) -> int:
    """Delete sessions that ended before an instant, their words and their keys; return how many."""
    gone: int = await tx.connection.fetchval(FORGET, before, limit)
    return gone
