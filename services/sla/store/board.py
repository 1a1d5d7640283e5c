"""What the board is made of: counts that every change of a clock adds to, and the clocks behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from libs.common.contracts.vocabulary import ClockName, Light, UnitRef, Urgency
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from services.sla.domain import SOON, Cases, Count, Picture, Soon

FOLD_LIMIT = 20_000
_KIND = "unit_code, category, clock, state, light"
COUNTS = f"""
SELECT {_KIND}, sum(n)::bigint FROM (
    SELECT {_KIND}, n FROM board_counts UNION ALL SELECT {_KIND}, n FROM board_changes) counted
GROUP BY {_KIND} HAVING sum(n) <> 0
"""  # noqa: S608 constants
SOON_DUE = """
SELECT coalesce(unit_code, ''), category, name, count(*) FROM clocks
WHERE state = 'running' AND due_at > $1 AND due_at <= $2 GROUP BY 1, 2, 3
"""
OPEN_CASES = "SELECT coalesce(unit_code, ''), level, count(*) FROM supervision WHERE closed_at IS NULL GROUP BY 1, 2"
VERSION = "SELECT count(*), coalesce(max(id), 0) FROM board_changes"
ALONE = "SELECT pg_try_advisory_xact_lock(4712346)"
FOLD = f"""
WITH taken AS (
    DELETE FROM board_changes WHERE id = ANY(ARRAY(SELECT id FROM board_changes ORDER BY id LIMIT $1))
    RETURNING {_KIND}, n
), added AS (
    INSERT INTO board_counts SELECT {_KIND}, sum(n) FROM taken GROUP BY {_KIND}
    ON CONFLICT ({_KIND}) DO UPDATE SET n = board_counts.n + excluded.n
)
SELECT count(*) FROM taken
"""  # noqa: S608 constants
LINES = """
SELECT c.ticket_id, coalesce(a.facts #>> '{{received,is,number}}', a.facts #>> '{{classified,is,received,number}}', '')
    AS number, c.round, c.name AS clock, c.state, c.light, c.urgency, c.category, c.unit_code, c.unit_name,
    c.started_at, c.due_at, s.level
FROM clocks c LEFT JOIN aggregates a ON a.subject = c.ticket_id::text
LEFT JOIN supervision s ON s.subject = c.ticket_id AND s.closed_at IS NULL
WHERE c.state IN ('running', 'paused') AND (c.due_at, c.ticket_id) > ($1, $2){conditions}
ORDER BY c.due_at, c.ticket_id FETCH FIRST ($3::bigint) ROWS WITH TIES
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which clocks are listed: of what is None, any. `soon` is from when to when they come due, still running."""

    units: Sequence[str] | None = None
    light: Light | None = None
    clock: ClockName | None = None
    category: str | None = None
    level: int | None = None
    soon: tuple[datetime, datetime] | None = None


class Line(NamedTuple):
    """One clock as the board lists it; `level` is that of its ticket's open case of supervision."""

    ticket_id: UUID
    number: str
    round: int
    clock: ClockName
    state: Literal["running", "paused"]
    light: Light
    urgency: Urgency
    category: str
    unit_code: str | None
    unit_name: str | None
    started_at: datetime
    due_at: datetime
    level: int | None

    @property
    def unit(self) -> UnitRef | None:
        """Who is held to it."""
        return UnitRef(code=self.unit_code, name=self.unit_name or "") if self.unit_code else None


async def picture(database: Database, now: datetime) -> Picture:
    """Return what the board shows, as of one moment."""
    async with (
        database.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return Picture(
            tuple(Count(*row) for row in await connection.fetch(COUNTS)),
            tuple(Soon(*row) for row in await connection.fetch(SOON_DUE, now, now + SOON)),
            tuple(Cases(*row) for row in await connection.fetch(OPEN_CASES)),
        )


async def board_version(database: Database) -> tuple[int, int]:
    """Return what is another after every commit that changed a count, until the changes are folded in."""
    (row,) = await database.pool.fetch(VERSION)
    return row[0], row[1]


async def fold(tx: Tx) -> int:
    """Add changes to the counts, and return how many; none if another process is at it."""
    if not await tx.connection.fetchval(ALONE):
        return 0
    folded: int = await tx.connection.fetchval(FOLD, FOLD_LIMIT)
    return folded


async def board_lines(database: Database, wanted: Wanted, after: tuple[datetime, UUID], limit: int) -> list[Line]:
    """Return open clocks, soonest due first, from behind `after`: `limit`, and more only that end at one place."""
    conditions, arguments = _conditions(wanted)
    rows = await database.pool.fetch(LINES.format(conditions=conditions), *after, limit, *arguments)
    return [Line(*row) for row in rows]


def _conditions(wanted: Wanted) -> tuple[str, list[Any]]:
    """Return only the conditions that are asked for, so that each has the index that suits it."""
    asked = {
        "c.unit_code = ANY({})": wanted.units,
        "c.light = {}": wanted.light,
        "c.name = {}": wanted.clock,
        "c.category = {}": wanted.category,
        "s.level >= {}": wanted.level,
        "c.state = 'running' AND c.due_at > {}": wanted.soon and wanted.soon[0],
        "c.due_at <= {}": wanted.soon and wanted.soon[1],
    }
    kept = {text: value for text, value in asked.items() if value is not None}
    conditions = [text.format(f"${number}") for number, text in enumerate(kept, 4)]
    return "".join(f" AND {condition}" for condition in conditions), list(kept.values())
