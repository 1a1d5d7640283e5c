"""Flags on appeals, and bursts of appeals from one person."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.intake.domain import BURST, Flag, FlagState
from services.intake.store.speaking import about_ticket

FLAGS = Rows("flags", Flag, key=("flag_id",))
WAITING = f"""
WHERE state = $1 AND (at, flag_id) > ($2, $3) AND {about_ticket("flags", "$5")} ORDER BY at, flag_id LIMIT $4
"""
BURSTS = """
WITH many AS (
    SELECT reporter, count(*) AS count FROM tickets
    WHERE received_at > $1 AND reporter IS NOT NULL AND reporter_type = 'person'
    GROUP BY reporter HAVING count(*) > $2
)
SELECT reporter, count, (
    SELECT ticket_id FROM tickets t
    WHERE t.received_at > $1 AND t.reporter = many.reporter AND t.reporter_type = 'person'
    ORDER BY t.received_at DESC LIMIT 1
) AS last
FROM many WHERE NOT EXISTS (
    SELECT FROM flags f WHERE f.reporter = many.reporter AND f.ground = $3 AND f.ruled_at > $1
)
"""
NOTICE_BURST = """
INSERT INTO flags (flag_id, ticket_id, ground, evidence, by, at, state, reporter, count)
SELECT id, ticket, $5, '', $6, $7, 'open', reporter, count
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[]) t(id, ticket, reporter, count)
ON CONFLICT (reporter) WHERE ground = 'burst' AND state = 'open'
DO UPDATE SET ticket_id = excluded.ticket_id, count = excluded.count WHERE flags.count <> excluded.count
"""


async def flags_of(connection: Any, ticket_id: UUID) -> list[Flag]:
    """Return all flags of a ticket, oldest first."""
    return await FLAGS.load(connection, "WHERE ticket_id = $1 ORDER BY at, flag_id", ticket_id)


async def flag_of(connection: Any, flag_id: UUID) -> Flag | None:
    """Return one flag."""
    return next(iter(await FLAGS.load(connection, "WHERE flag_id = $1", flag_id)), None)


async def flags_in(
    connection: Any, state: FlagState, language: str | None, after: tuple[datetime, UUID], limit: int
) -> list[Flag]:
    """Return flags in a state, oldest first, behind a place: all, or of tickets in a language."""
    return await FLAGS.load(connection, WAITING, state, *after, limit, language)


async def save_flags(tx: Tx, flags: Iterable[Flag]) -> None:
    """Store flags as they are now."""
    await FLAGS.save(tx.connection, flags)


async def bursts(tx: Tx, since: datetime, more_than: int) -> list[tuple[str, int, UUID]]:
    """Return which persons sent more than so many appeals since then: pseudonym, how many, and the last of them.

    Whose burst was ruled upon since then is left out.
    """
    rows = await tx.connection.fetch(BURSTS, since, more_than, BURST)
    return [(row["reporter"], row["count"], row["last"]) for row in rows]


async def note_bursts(tx: Tx, found: Sequence[tuple[UUID, UUID, str, int]], by: str) -> None:
    """Flag bursts, as (id for the flag, last ticket, pseudonym, how many); one that is flagged is counted on."""
    columns = map(list, zip(*found, strict=True))
    await tx.connection.execute(NOTICE_BURST, *columns, BURST, by, tx.now)
