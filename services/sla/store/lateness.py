"""What lateness is learned from, and the shares that were."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from libs.common.messaging.transaction import Tx
from services.sla.lateness.learning import Outcomes, Quality
from services.sla.lateness.rates import PASSED, Alike

LEARN_LOCK = 4_712_383
"""Whoever holds it learns; one process of all."""
AN_HOUR = timedelta(hours=1)

_QUALITY: TypeAdapter[tuple[Quality, ...]] = TypeAdapter(tuple[Quality, ...])

FIRST = """
SELECT least((SELECT min(due_at) FROM clocks WHERE state = 'met'),
    (SELECT min(due_at) FROM clocks WHERE state = 'running'))
"""
DUE = "SELECT count(*) FROM clocks WHERE state = 'met' AND due_at >= $1 AND due_at < $2"
_PART = "extract(epoch FROM met_at - started_at) / extract(epoch FROM due_at - started_at)"
_OPENED = ", ".join(f"count(*) FILTER (WHERE part > {passed})" for passed in PASSED[1:])
# Clocks that were met in time count once their time is over and not before, or the quick ones would seem to be all.
# Of each hour the same first part is looked at: a sample that does not grow with the city.
OUTCOMES = f"""
SELECT name, CASE WHEN round > 1 THEN 'again' ELSE urgency END, category, coalesce(unit_code, ''), code,
    count(*), {_OPENED}, count(*) FILTER (WHERE part > 1)
FROM generate_series($1::timestamptz, $2::timestamptz - interval '1 second', interval '1 hour') hour
CROSS JOIN LATERAL (
    SELECT name, round, urgency, category, unit_code, code, {_PART} AS part FROM clocks
    WHERE state = 'met' AND due_at >= hour AND due_at < hour + $3::interval AND due_at < $2 AND due_at > started_at
    UNION ALL
    SELECT name, round, urgency, category, unit_code, code, 'Infinity' FROM clocks
    WHERE state = 'running' AND due_at >= hour AND due_at < hour + $3::interval AND due_at < $2) ended
GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608 constants
NEWEST = "SELECT version, made_at, cases, fingerprint, quality FROM lateness ORDER BY made_at DESC LIMIT 1"
ARRAYS = "SELECT arrays FROM lateness WHERE version = $1"
SAVE = """
INSERT INTO lateness (version, made_at, cases, fingerprint, quality, arrays) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
"""
FORGET = "DELETE FROM lateness WHERE version NOT IN (SELECT version FROM lateness ORDER BY made_at DESC LIMIT $1)"


@dataclass(frozen=True, slots=True)
class Made:
    """Learned shares as they are listed: from how many clocks, and how they did on the newest."""

    version: str
    made_at: datetime
    cases: int
    fingerprint: str
    quality: tuple[Quality, ...]


async def first_due(connection: Any) -> datetime | None:
    """Return when the first of all clocks was due, or is."""
    first: datetime | None = await connection.fetchval(FIRST)
    return first


async def outcomes(connection: Any, since: datetime, until: datetime, most: int) -> list[Outcomes]:
    """Return how clocks ended that were due in a day, alike ones together, of some `most` of them."""
    due = await connection.fetchval(DUE, since, until)
    rows = await connection.fetch(OUTCOMES, since, until, AN_HOUR * min(1.0, most / max(due, 1)))
    return [Outcomes(since, Alike(*row[:5]), tuple(row[5:-1]), row[-1]) for row in rows]


async def newest_lateness(connection: Any) -> Made | None:
    """Return what was learned last."""
    row = await connection.fetchrow(NEWEST)
    if row is None:
        return None
    return Made(
        row["version"], row["made_at"], row["cases"], row["fingerprint"], _QUALITY.validate_python(row["quality"])
    )


async def arrays_of_lateness(connection: Any, version: str) -> bytes:
    """Return what a version holds."""
    arrays: bytes = await connection.fetchval(ARRAYS, version)
    return arrays


async def save_lateness(tx: Tx, made: Made, arrays: bytes, kept: int) -> None:
    """Keep what was learned, and of all the last so many."""
    quality = _QUALITY.dump_python(made.quality, mode="json")
    await tx.connection.execute(SAVE, made.version, made.made_at, made.cases, made.fingerprint, quality, arrays)
    await tx.connection.execute(FORGET, kept)
