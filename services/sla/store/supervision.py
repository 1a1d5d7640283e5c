"""The supervision cases."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.sla.domain.bulletins import Bulletin, OpenedFor, Raised
from services.sla.domain.cases import Case, CaseState

CASES = Rows("supervision", Case, key=("subject", "turn"))

LAST = "WHERE (subject, turn) IN (SELECT subject, max(turn) FROM supervision WHERE subject = ANY($1) GROUP BY 1)"
# Two queries and not one, for only so each is read along an index.
OF_SIGHT = """
  AND level >= $1 AND (opened_at, subject) > ($2, $3) AND ($4::text IS NULL OR unit_code = $4)
  AND ($5::text IS NULL OR owner_code = $5)
  AND ($6::text[] IS NULL OR unit_code = ANY($6) OR owner_code = ANY($6) OR EXISTS (
    SELECT FROM jsonb_path_query(jsonb_build_array(checks, duties), '$[*][*].unit.code') helper
    WHERE helper #>> '{}' = ANY($6)) OR EXISTS (
    SELECT FROM jsonb_path_query(meetings, '$[*].units[*].code') called WHERE called #>> '{}' = ANY($6)))
ORDER BY opened_at, subject LIMIT $7
"""
OPEN_CASES = f"WHERE closed_at IS NULL AND ($8::text IS NULL OR state = $8) {OF_SIGHT}"
CLOSED_CASES = f"WHERE closed_at IS NOT NULL {OF_SIGHT}"
OWNERS = "SELECT DISTINCT owner_code FROM supervision WHERE closed_at IS NULL"
OWNED_BY = "SELECT subject FROM supervision WHERE closed_at IS NULL AND owner_code = ANY($1) LIMIT $2"
BULLETIN = """
SELECT level, coalesce(unit_code, '') AS unit_code, coalesce(max(unit_name), '') AS unit_name,
    count(*) FILTER (WHERE opened_at >= $1 AND opened_at < $2) AS raised,
    count(*) FILTER (WHERE closed_at IS NULL OR closed_at >= $2) AS still_open,
    count(*) FILTER (WHERE closed_at >= $1 AND closed_at < $2) AS ended,
    count(*) FILTER (WHERE closed_at >= $1 AND closed_at < $2 AND outcome = 'done') AS done,
    count(*) FILTER (WHERE closed_at >= $1 AND closed_at < $2 AND outcome = 'solved') AS solved,
    count(*) FILTER (WHERE closed_at >= $1 AND closed_at < $2 AND outcome = 'explained') AS explained,
    count(*) FILTER (WHERE closed_at >= $1 AND closed_at < $2 AND outcome = 'unfounded') AS unfounded,
    count(*) FILTER (WHERE closed_at >= $1 AND closed_at < $2 AND outcome = 'void') AS void,
    avg(extract(epoch FROM closed_at - opened_at)) FILTER (WHERE closed_at >= $1 AND closed_at < $2)::float8 AS seconds,
    coalesce(sum((SELECT sum((p ->> 'points')::float8) FROM jsonb_array_elements(proposals) p
        WHERE (p ->> 'at')::timestamptz >= $1 AND (p ->> 'at')::timestamptz < $2)), 0)::float8 AS points
FROM supervision
WHERE opened_at < $2 AND (closed_at IS NULL OR closed_at >= $1)
  AND ($3::text[] IS NULL OR unit_code = ANY($3) OR owner_code = ANY($3))
GROUP BY 1, 2 ORDER BY 1 DESC, raised DESC, 2
"""
OPENED_FOR = """
SELECT grounds -> 0 ->> 'code' AS ground, level, count(*) AS raised FROM supervision
WHERE opened_at >= $1 AND opened_at < $2 AND ($3::text[] IS NULL OR unit_code = ANY($3) OR owner_code = ANY($3))
GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which cases are listed: `units` are those in sight with any part in it, None for all."""

    level: int
    state: CaseState | None
    unit: str | None
    owner: str | None
    units: Collection[str] | None


async def cases_of(connection: Any, subjects: Sequence[UUID]) -> dict[UUID, Case]:
    """Return the last supervision case of each subject that ever had one."""
    return {case.subject: case for case in await CASES.load(connection, LAST, list(subjects))}


async def turns_of(connection: Any, subject: UUID) -> list[Case]:
    """Return all supervision cases of a subject, the last one first."""
    return await CASES.load(connection, "WHERE subject = $1 ORDER BY turn DESC", subject)


async def list_cases(database: Database, asked: Asked, after: tuple[datetime, UUID], limit: int) -> list[Case]:
    """Return cases, open ones unless closed are asked for, oldest first, from behind `after`."""
    units = None if asked.units is None else list(asked.units)
    arguments: list[object] = [asked.level, *after, asked.unit, asked.owner, units, limit]
    if asked.state == "closed":
        return await CASES.load(database.pool, CLOSED_CASES, *arguments)
    return await CASES.load(database.pool, OPEN_CASES, *arguments, asked.state)


async def owners(connection: Any) -> list[str]:
    """Return the codes of all units that own an open case."""
    return [row["owner_code"] for row in await connection.fetch(OWNERS)]


async def owned_by(connection: Any, units: Sequence[str], limit: int) -> list[UUID]:
    """Return subjects of open cases that these units own."""
    return [row["subject"] for row in await connection.fetch(OWNED_BY, list(units), limit)]


async def bulletin(connection: Any, since: datetime, until: datetime, units: Collection[str] | None) -> Bulletin:
    """Count what was raised and what ended from an instant to before another."""
    asked = since, until, None if units is None else list(units)
    return Bulletin(
        tuple(Raised(**row) for row in await connection.fetch(BULLETIN, *asked)),
        tuple(OpenedFor(**row) for row in await connection.fetch(OPENED_FOR, *asked)),
    )


async def save_cases(tx: Tx, cases: Iterable[Case]) -> None:
    """Store cases as they are now."""
    await CASES.save(tx.connection, cases)
