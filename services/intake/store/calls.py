"""Calls, and what each line took by the hour."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.intake.domain import Call, Hour

HOURS = Rows("line_hours", Hour, key=("line", "hour"))
RECORD = """
INSERT INTO calls (scope, line, offered_at, answered, abandoned, wait_seconds, test_call, explained)
SELECT * FROM unnest(
    $1::bytea[], $2::text[], $3::timestamptz[], $4::boolean[], $5::boolean[], $6::float8[], $7::boolean[],
    $8::boolean[])
ON CONFLICT DO NOTHING RETURNING scope
"""


async def record_calls(tx: Tx, calls: Sequence[tuple[bytes, Call]]) -> set[bytes]:
    """Store calls, each under what it may not be recorded twice under; return those that are new."""
    # Sorted, so that two posts of the same calls cannot deadlock.
    rows = [
        (scope, c.line, c.offered_at, c.answered, c.abandoned, c.wait_seconds, c.test_call, c.explained)
        for scope, c in sorted(calls, key=lambda pair: pair[0])
    ]
    return {row["scope"] for row in await tx.connection.fetch(RECORD, *map(list, zip(*rows, strict=True)))}


async def hours(connection: Any, since: datetime, until: datetime, lines: Iterable[str] | None = None) -> list[Hour]:
    """Return the hours in [since, until) of these lines, or of all."""
    where = "WHERE hour >= $1 AND hour < $2 AND ($3::text[] IS NULL OR line = ANY($3)) ORDER BY line, hour"
    return await HOURS.load(connection, where, since, until, None if lines is None else list(lines))


async def save_hours(tx: Tx, rows: Iterable[Hour]) -> None:
    """Store hours as they are now."""
    await HOURS.save(tx.connection, rows)
