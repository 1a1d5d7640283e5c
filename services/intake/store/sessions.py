"""Sessions, who waits for one in which order, and what was said in them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.intake.domain import Session, Spoken
from services.intake.store.speaking import speaks

SESSIONS = Rows("sessions", Session, key=("session_id",))
FIRST = datetime.min.replace(tzinfo=UTC)
SPOKEN = Rows("spoken", Spoken, key=("session_id", "seq"))

# Whoever needs it most comes first, then whoever came first. An index has just this order.
QUEUE = f"""
WHERE state = 'waiting' AND ($1::text IS NULL OR kind = $1) AND (call_after IS NULL OR call_after <= $6)
AND {speaks("language", "$7")}
AND (needs = '[]', opened_at, session_id) > ($2::boolean, $3::timestamptz, $4::uuid)
ORDER BY (needs = '[]'), opened_at, session_id LIMIT $5
"""
AHEAD = """
SELECT count(*) FROM sessions WHERE state = 'waiting' AND (call_after IS NULL OR call_after <= $4)
AND (needs = '[]', opened_at, session_id) < ($1, $2, $3)
"""
SEEN = "UPDATE sessions SET seen_at = $2 WHERE session_id = $1 AND seen_at < $2"
# Who waits for a call need not look; who is in a video looks there.
UNSEEN = """
WHERE state IN ('waiting', 'taken') AND kind <> 'callback' AND seen_at < $1 AND (state = 'waiting' OR kind = 'chat')
ORDER BY seen_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
VERSIONS = "SELECT session_id, version FROM sessions WHERE session_id = ANY($1)"
KEEP_KEY = "INSERT INTO vault_keys (ticket_id, key) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true"
KEY = "SELECT key FROM vault_keys WHERE ticket_id = $1"
# What is left counts, and says nothing of whom.
FORGET = """
WITH old AS (
    SELECT session_id FROM sessions WHERE card <> '' AND coalesce(ended_at, opened_at) < $1
    ORDER BY coalesce(ended_at, opened_at) LIMIT $2 FOR UPDATE SKIP LOCKED
), said AS (DELETE FROM spoken USING old WHERE spoken.session_id = old.session_id
), keys AS (DELETE FROM vault_keys USING old WHERE ticket_id = old.session_id
), unclaimed AS (DELETE FROM claims USING old WHERE claims.ticket_id = old.session_id
), left_open AS (
    UPDATE sessions s SET card = '', person = NULL, ticket_id = NULL, room = NULL, ended_at = coalesce(ended_at, $3),
    outcome = coalesce(outcome, 'left'), state = CASE WHEN ended_at IS NULL THEN 'gone' ELSE state END
    FROM old WHERE s.session_id = old.session_id
)
SELECT count(*) FROM old
"""


async def open_session(tx: Tx, session: Session, key: bytes) -> bool:
    """Store a new session and its wrapped key; False if there is one of that id already, which stays as it is."""
    # The key first: of two that open the same at once, one waits here for the other.
    if not await tx.connection.fetchval(KEEP_KEY, session.session_id, key):
        return False
    await SESSIONS.save(tx.connection, [session])
    return True


async def hold_session(tx: Tx, session_id: UUID) -> Session | None:
    """Hold a session against all who would change it, and return it; None if there is none."""
    return next(iter(await SESSIONS.load(tx.connection, "WHERE session_id = $1 FOR UPDATE", session_id)), None)


async def session_of(connection: Any, session_id: UUID) -> Session | None:
    """Return a session; None if there is none."""
    return next(iter(await SESSIONS.load(connection, "WHERE session_id = $1", session_id)), None)


async def save_sessions(tx: Tx, sessions: Iterable[Session]) -> None:
    """Store held sessions as they are now."""
    await SESSIONS.save(tx.connection, sessions)


async def seen(connection: Any, session_id: UUID, at: datetime) -> None:
    """Keep that a session's citizen looked."""
    await connection.execute(SEEN, session_id, at)


async def unseen(tx: Tx, before: datetime, limit: int) -> list[Session]:
    """Hold some sessions whose citizens should look and have not since an instant, and return them."""
    return await SESSIONS.load(tx.connection, UNSEEN, before, limit)


async def key_of_session(connection: Any, session_id: UUID) -> bytes | None:
    """Return a session's wrapped key; None once it was erased."""
    key: bytes | None = await connection.fetchval(KEY, session_id)
    return key


async def ahead_of(connection: Any, session: Session, now: datetime) -> int:
    """Return how many come before someone who waits."""
    ahead: int = await connection.fetchval(AHEAD, not session.needs, session.opened_at, session.session_id, now)
    return ahead


async def session_queue(
    connection: Any, kind: str | None, language: str | None, after: Session | None, limit: int, now: datetime
) -> list[Session]:
    """Return who waits now, next first: all, or those behind one of them; of a kind, and in a language."""
    place = (not after.needs, after.opened_at, after.session_id) if after else (False, FIRST, UUID(int=0))
    return await SESSIONS.load(connection, QUEUE, kind, *place, limit, now, language)


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


async def forget_sessions(tx: Tx, before: datetime, limit: int) -> int:
    """Take all that is personal out of sessions that ended, or nobody ended, before an instant; return of how many.

    Their words go, and their keys; that somebody asked, when, and how long they waited stays.
    """
    gone: int = await tx.connection.fetchval(FORGET, before, limit, tx.now)
    return gone
