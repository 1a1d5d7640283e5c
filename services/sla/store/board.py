"""What the board is made of: counts that every change of a clock adds to, and the clocks behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from libs.common.contracts.vocabulary import ClockName, Light, UnitRef, Urgency
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from services.sla.domain import SOON, Cases, Count
from services.sla.lateness.rates import Alike

FOLD_LIMIT = 20_000
PARTS = 20
"""Into how many parts the time of what comes due soon is divided, to say how likely it is missed."""
_KIND, _SUMS = "unit_code, category, clock", ("green", "yellow", "red", "paused")
_NAMES = f"{_KIND}, {', '.join(_SUMS)}"
_SUMMED = ", ".join(f"sum({name})::bigint AS {name}" for name in _SUMS)
_ADDED = ", ".join(f"{name} = board_counts.{name} + excluded.{name}" for name in _SUMS)
COUNTS = f"""
SELECT * FROM (
    SELECT {_KIND}, {_SUMMED} FROM (
        SELECT {_NAMES} FROM board_counts UNION ALL SELECT {_NAMES} FROM board_changes) counted
    GROUP BY {_KIND}) summed
WHERE green <> 0 OR yellow <> 0 OR red <> 0
"""  # noqa: S608 constants
SOON_DUE = f"""
SELECT name, CASE WHEN round > 1 THEN 'again' ELSE urgency END, category, coalesce(unit_code, ''), code,
    floor({PARTS} * extract(epoch FROM $1 - started_at) / greatest(extract(epoch FROM due_at - started_at), 1))::int,
    count(*)
FROM clocks WHERE state = 'running' AND due_at > $1 AND due_at <= $2 GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608 constants
OPEN_CASES = "SELECT coalesce(unit_code, ''), level, count(*) FROM supervision WHERE closed_at IS NULL GROUP BY 1, 2"
# Between two folds changes only become more, in whatever order their transactions end.
VERSION = "SELECT folds, (SELECT count(*) FROM board_changes) FROM board_folds"
FOLD_LOCK = 4_712_382
ALONE = "SELECT pg_try_advisory_xact_lock($1)"
FOLD = f"""
WITH taken AS (
    DELETE FROM board_changes WHERE id = ANY(ARRAY(SELECT id FROM board_changes ORDER BY id LIMIT $1))
    RETURNING {_NAMES}
), added AS (
    INSERT INTO board_counts ({_NAMES}) SELECT {_KIND}, {_SUMMED} FROM taken GROUP BY {_KIND} ORDER BY {_KIND}
    ON CONFLICT ({_KIND}) DO UPDATE SET {_ADDED}
), folded AS (
    UPDATE board_folds SET folds = folds + 1 WHERE EXISTS (SELECT FROM taken)
)
SELECT count(*) FROM taken
"""  # noqa: S608 constants
# What a line says of its ticket is looked up for the lines of the page alone.
LINES = """
SELECT c.ticket_id, coalesce(a.facts #>> '{{received,is,number}}', a.facts #>> '{{classified,is,received,number}}', '')
    AS number, c.round, c.name AS clock, c.state, c.light, c.urgency, c.category, c.unit_code, c.unit_name,
    c.started_at, c.due_at, c.paused_at, c.code, s.level
FROM (
    SELECT * FROM clocks c WHERE state IN ('running', 'paused') AND (due_at, ticket_id) > ($1, $2){conditions}
    ORDER BY due_at, ticket_id FETCH FIRST ($3::bigint) ROWS WITH TIES
) c LEFT JOIN aggregates a ON a.subject = c.ticket_id::text
LEFT JOIN supervision s ON s.subject = c.ticket_id AND s.closed_at IS NULL
ORDER BY c.due_at, c.ticket_id, c.name
"""
_SUPERVISED = "ticket_id IN (SELECT subject FROM supervision WHERE closed_at IS NULL AND level >= {})"


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
    paused_at: datetime | None
    code: str
    level: int | None

    @property
    def unit(self) -> UnitRef | None:
        """Who is held to it."""
        return UnitRef(code=self.unit_code, name=self.unit_name or "") if self.unit_code else None


async def counts(database: Database) -> list[Count]:
    """Return how many clocks of each kind are open."""
    return [Count(*row) for row in await database.pool.fetch(COUNTS)]


class Coming(NamedTuple):
    """So many clocks that are alike and come due soon, after about the same part of their time."""

    alike: Alike
    passed: float
    n: int


async def coming(database: Database, now: datetime) -> tuple[list[Coming], list[Cases]]:
    """Return what comes due soon, and what is under supervision."""
    soon = await database.pool.fetch(SOON_DUE, now, now + SOON)
    cases = await database.pool.fetch(OPEN_CASES)
    return [Coming(Alike(*row[:5]), (row[5] + 0.5) / PARTS, row[6]) for row in soon], [Cases(*row) for row in cases]


async def board_version(database: Database) -> tuple[int, int]:
    """Return what is another after every commit that changed a count."""
    [(folds, changes)] = await database.pool.fetch(VERSION)
    return folds, changes


async def fold(tx: Tx) -> int:
    """Add changes to the counts, and return how many; none if another process is at it."""
    if not await tx.connection.fetchval(ALONE, FOLD_LOCK):
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
        "unit_code = ANY({})": wanted.units,
        "light = {}": wanted.light,
        "name = {}": wanted.clock,
        "category = {}": wanted.category,
        _SUPERVISED: wanted.level,
        "state = 'running' AND due_at > {}": wanted.soon and wanted.soon[0],
        "due_at <= {}": wanted.soon and wanted.soon[1],
    }
    kept = {text: value for text, value in asked.items() if value is not None}
    conditions = [text.format(f"${number}") for number, text in enumerate(kept, 4)]
    return "".join(f" AND {condition}" for condition in conditions), list(kept.values())
