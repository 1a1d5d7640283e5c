"""Requests for extracts, their files until they expire, and what was done with each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.feedback.domain.extracts import MOST_ROWS, Act, Extract, columns

EXTRACTS = Rows("extracts", Extract, key=("extract_id",))
ACTS = Rows("extract_acts", Act, key=())
SECONDS = 600
LISTED = """
WHERE ($1::text[] IS NULL OR unit_code = ANY($1)) AND ($2::text IS NULL OR state = $2)
    AND (asked_at, extract_id) > ($3, $4) ORDER BY asked_at, extract_id LIMIT $5
"""
AT_WORK = "WHERE state = 'granted' OR (state = 'ready' AND expires_at <= $1) ORDER BY expires_at LIMIT 100"
KEEP = """
INSERT INTO extract_files (extract_id, content) VALUES ($1, $2) ON CONFLICT (extract_id) DO UPDATE SET content = $2
"""
NOTE = "INSERT INTO extract_acts (extract_id, act, by, at, rows, sha256) VALUES ($1, $2, $3, $4, $5, $6)"
Place = tuple[datetime, UUID]


async def save(tx: Tx, extract: Extract, act: Act) -> None:
    """Store an extract as it is now, and what was done."""
    await EXTRACTS.save(tx.connection, [extract])
    await note(tx, act)


async def note(tx: Tx, act: Act) -> None:
    """Keep what was done; it can neither be changed nor deleted."""
    await tx.connection.execute(NOTE, act.extract_id, act.act, act.by, act.at, act.rows, act.sha256)


async def extract_of(connection: Any, extract_id: UUID) -> Extract | None:
    """Return an extract; None if there is none."""
    return next(iter(await EXTRACTS.load(connection, "WHERE extract_id = $1", extract_id)), None)


async def extracts(
    pool: Any, units: Sequence[str] | None, state: str | None, after: Place, limit: int
) -> list[Extract]:
    """Return the extracts that these units asked for, None for all, oldest first, from behind `after`."""
    return await EXTRACTS.load(pool, LISTED, units, state, *after, limit)


async def at_work(pool: Any, now: datetime) -> list[Extract]:
    """Return those that are to be made, or deleted by now, the soonest first."""
    return await EXTRACTS.load(pool, AT_WORK, now)


async def acts(pool: Any, extract_id: UUID) -> list[Act]:
    """Return what was done with an extract, in order."""
    return await ACTS.load(pool, "WHERE extract_id = $1 ORDER BY number", extract_id)


async def rows(pool: Any, extract: Extract) -> list[tuple[object, ...]]:
    """Return the rows of its file, no more than one over the most there may be."""
    names = columns(extract.fields)[:-1]
    listed = ", ".join(names)
    query = f"""
        SELECT {listed}, sum(appeals)::int AS appeals FROM release_cells
        WHERE period = ANY($1) AND ($2::text[] = '{{}}' OR district = ANY($2))
            AND ($3::text[] = '{{}}' OR category1 = ANY($3))
        GROUP BY {listed} ORDER BY {listed} LIMIT {MOST_ROWS + 1}
    """  # noqa: S608 the fields are those of a closed list
    given = (list(extract.months), list(extract.districts), list(extract.categories))
    return [tuple(row) for row in await pool.fetch(query, *given, timeout=SECONDS)]


async def keep_file(tx: Tx, extract_id: UUID, content: bytes) -> None:
    """Store the file of an extract."""
    await tx.connection.execute(KEEP, extract_id, content)


async def file_of(connection: Any, extract_id: UUID) -> bytes | None:
    """Return the file of an extract; None when it is deleted."""
    content: bytes | None = await connection.fetchval(
        "SELECT content FROM extract_files WHERE extract_id = $1", extract_id
    )
    return content


async def delete_file(tx: Tx, extract_id: UUID) -> None:
    """Delete the file of an extract."""
    await tx.connection.execute("DELETE FROM extract_files WHERE extract_id = $1", extract_id)
