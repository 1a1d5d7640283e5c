"""Erasing: what becomes of a ticket's rows when its personal data goes, and later its words."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.ids import first_id
from libs.common.messaging.transaction import Tx
from services.intake.store.telling import blank_messages

SHRED = "DELETE FROM vault_keys WHERE ticket_id = ANY($1)"
EMPTY = "UPDATE vault SET appeal = '', marks = NULL WHERE ticket_id = ANY($1)"
UNNAME = "UPDATE tickets SET reporter = NULL, ways = '[]' WHERE ticket_id = ANY($1)"
UNFLAG = "UPDATE flags SET reporter = NULL WHERE ticket_id = ANY($1)"
UNLIKEN = """
WITH gone AS (DELETE FROM likenesses WHERE ticket_id = ANY($1) RETURNING ticket_id, keys)
DELETE FROM likeness_keys k USING (SELECT ticket_id, unnest(keys) AS key FROM gone) g
WHERE k.key = g.key AND k.ticket_id = g.ticket_id
"""
FORGET_FOLLOWERS = """
WITH gone AS (
    DELETE FROM supporters WHERE ticket_id = ANY($1) RETURNING supporter_id
), remembered AS (
    INSERT INTO erasures (ticket_id, at, why, text_at) SELECT supporter_id, $2, $3, $2 FROM gone ON CONFLICT DO NOTHING
)
DELETE FROM vault_keys USING gone WHERE ticket_id = supporter_id
"""
FORGET_SESSIONS = """
WITH gone AS (
    DELETE FROM sessions WHERE ticket_id = ANY($1) AND ended_at IS NOT NULL RETURNING session_id
), said AS (
    DELETE FROM spoken USING gone WHERE spoken.session_id = gone.session_id
), unclaimed AS (
    DELETE FROM claims USING gone WHERE claims.ticket_id = gone.session_id
), remembered AS (
    INSERT INTO erasures (ticket_id, at, why, text_at) SELECT session_id, $2, $3, $2 FROM gone ON CONFLICT DO NOTHING
)
DELETE FROM vault_keys USING gone WHERE ticket_id = session_id
"""
UNCLAIM = "DELETE FROM claims WHERE ticket_id = ANY($1)"
REMEMBER = """
INSERT INTO erasures (ticket_id, at, why) SELECT id, $2, $3 FROM unnest($1::uuid[]) id ON CONFLICT DO NOTHING
"""
BLANK = """
UPDATE tickets SET title = NULL, text = '', address = NULL, answer = NULL, lat = NULL, lon = NULL
WHERE ticket_id = ANY($1)
"""
BLANK_LINES = """
UPDATE timeline SET params = (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(params)
                              WHERE key = ANY($2::text[]))
WHERE ticket_id = ANY($1)
"""
NO_WORDS = (
    "article_id", "body", "category", "contact", "ground", "outcome", "receipt", "unit", "until", "verdict", "version",
)  # fmt: skip
"""What of a line of the timeline nobody wrote freely, so that it stays."""
BLANK_FLAGS = "UPDATE flags SET evidence = '', note = NULL, appeal = NULL, review_note = NULL WHERE ticket_id = ANY($1)"
BLANK_TRANSFERS = "UPDATE transfers SET reason = '', why_returned = NULL WHERE ticket_id = ANY($1)"
BLANK_LINKS = "UPDATE links SET reason = '' WHERE ticket_id = ANY($1)"
REMEMBER_TEXT = "UPDATE erasures SET text_at = $2 WHERE ticket_id = ANY($1) AND text_at IS NULL"
NOT_ERASED = """
SELECT ticket_id FROM vault_keys WHERE ticket_id > $1 AND ticket_id < $2 ORDER BY ticket_id LIMIT $3
"""
WITH_FILES = """
SELECT DISTINCT ticket_id FROM files WHERE ticket_id > $1 AND ticket_id < $2 ORDER BY ticket_id LIMIT $3
"""
WITH_WORDS = """
SELECT ticket_id FROM erasures WHERE text_at IS NULL AND ticket_id > $1 AND ticket_id < $2
ORDER BY ticket_id LIMIT $3
"""
WORDLESS = "SELECT ticket_id FROM erasures WHERE ticket_id = ANY($1) AND text_at IS NOT NULL"
DISPUTED = """
SELECT ticket_id FROM flags WHERE ticket_id = ANY($1) AND verdict IS NOT NULL AND state IN ('open', 'appealed')
"""
DROP_CALLS = """
DELETE FROM calls WHERE scope = ANY(ARRAY(SELECT scope FROM calls WHERE offered_at < $1 LIMIT $2))
"""
TAKE_AGAIN = """
DELETE FROM to_erase WHERE ticket_id = ANY(ARRAY(SELECT ticket_id FROM to_erase ORDER BY ticket_id LIMIT $1))
RETURNING ticket_id, text_at IS NOT NULL AS words
"""


async def erase_tickets(tx: Tx, tickets: Sequence[UUID], why: str) -> None:
    """Destroy the keys of these tickets, and take out of their rows whose they were."""
    for statement in (SHRED, EMPTY, UNNAME, UNFLAG, UNLIKEN, UNCLAIM):
        await tx.connection.execute(statement, tickets)
    for statement in (FORGET_FOLLOWERS, FORGET_SESSIONS, REMEMBER):
        await tx.connection.execute(statement, tickets, tx.now, why)


async def blank_words(tx: Tx, tickets: Sequence[UUID]) -> None:
    """Take the words out of these tickets; what they were about, when, and how they went stays."""
    for statement in (BLANK, BLANK_FLAGS, BLANK_TRANSFERS, BLANK_LINKS):
        await tx.connection.execute(statement, tickets)
    await tx.connection.execute(BLANK_LINES, tickets, NO_WORDS)
    await blank_messages(tx, tickets)
    await tx.connection.execute(REMEMBER_TEXT, tickets, tx.now)


async def not_erased(tx: Tx, after: UUID, before: datetime, limit: int) -> list[UUID]:
    """Return tickets that came before an instant and are not erased, behind a ticket, oldest first."""
    return await _ids(tx, NOT_ERASED, after, first_id(before), limit)


async def with_files(tx: Tx, after: UUID, before: datetime, limit: int) -> list[UUID]:
    """Return tickets that came before an instant and have files, behind a ticket, oldest first."""
    return await _ids(tx, WITH_FILES, after, first_id(before), limit)


async def with_words(tx: Tx, after: UUID, before: datetime, limit: int) -> list[UUID]:
    """Return tickets that came before an instant, are erased, and have their words still."""
    return await _ids(tx, WITH_WORDS, after, first_id(before), limit)


async def erased(connection: Any, tickets: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Return which of these tickets were erased, and when."""
    rows = await connection.fetch("SELECT ticket_id, at FROM erasures WHERE ticket_id = ANY($1)", tickets)
    return {row["ticket_id"]: row["at"] for row in rows}


async def wordless(tx: Tx, tickets: Collection[UUID]) -> set[UUID]:
    """Return those of these tickets whose words were deleted; nothing is asked for no tickets."""
    rows = await tx.connection.fetch(WORDLESS, list(tickets)) if tickets else []
    return {row["ticket_id"] for row in rows}


async def disputed(connection: Any, tickets: Sequence[UUID]) -> set[UUID]:
    """Return those of these tickets of which a ruling is awaited, or disputed by their reporter."""
    return {row["ticket_id"] for row in await connection.fetch(DISPUTED, tickets)}


async def take_to_erase(tx: Tx, limit: int) -> dict[UUID, bool]:
    """Take tickets that came back from a backup although they were erased, and whether their words were, too."""
    return {row["ticket_id"]: row["words"] for row in await tx.connection.fetch(TAKE_AGAIN, limit)}


async def drop_calls(tx: Tx, before: datetime, limit: int) -> int:
    """Delete records of calls from before an instant, and return how many."""
    done: str = await tx.connection.execute(DROP_CALLS, before, limit)
    return int(done.rpartition(" ")[2])


async def _ids(tx: Tx, query: str, *arguments: object) -> list[UUID]:
    return [row["ticket_id"] for row in await tx.connection.fetch(query, *arguments)]
