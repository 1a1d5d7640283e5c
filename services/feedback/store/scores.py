"""Published scores, version by version, and the answers that were counted for each.

A counted answer is there from one version to another, so a later version holds only what changed; the answers of any
version, and with them its figures, can be read again at any time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.city.scoring import Apart
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.feedback.domain.appeals import ScoreAppeal
from services.feedback.domain.peers import Matter
from services.feedback.domain.scores import Counted, Expectation, Publication, Score, Sums, Weights
from services.feedback.store.kpis import FILTERS, FROM

PUBLICATIONS = Rows("publications", Publication, key=("period", "version"))
EXPECTATIONS = Rows(
    "expectations", Expectation, key=("period", "base", "unit_code", "category1", "category2", "urgency", "district")
)
COUNTED = Rows("counted", Counted, key=("ticket_id", "round"))
SCORES = Rows("scores", Score, key=("period", "unit_code", "version"))
SECONDS = 900
"""A month of a large city has some million answers."""
AT_ONCE = 20_000

_COUNTS = FILTERS["counts"].format(row="r", unit="r.unit_code")
_VALUES = (
    "category1, category2, urgency, district, apart, responded, solved, satisfied, response_in_time, completion_in_time"
)
_DRAWN = f"""
SELECT r.unit_code, r.ticket_id, r.round, coalesce(c.category ->> 0, '') AS category1,
    coalesce(c.category ->> 1, '') AS category2, coalesce(c.urgency, '') AS urgency,
    coalesce(c.district, '') AS district,
    coalesce(c.urgency = ANY($4::text[]) OR c.returns >= $5 OR c.support >= $6, false) AS apart,
    r.contacted AS responded, r.resolved = 'yes' AS solved, r.satisfied >= 4 AS satisfied,
    r.response_in_time, r.completion_in_time
FROM {FROM["reviewed"]} >= $2 AND r.answered_at < $3 AND r.unit_code IS NOT NULL AND {_COUNTS}
"""  # noqa: S608 words of these files
_STANDS = "k.period = $1 AND k.until_version IS NULL"
_SAME = "(k.unit_code, k.ticket_id, k.round) = (d.unit_code, d.ticket_id, d.round)"
_ALIKE = " AND ".join(f"k.{name.strip()} IS NOT DISTINCT FROM d.{name.strip()}" for name in _VALUES.split(","))
END_CHANGED = f"""
UPDATE counted k SET until_version = $7 WHERE {_STANDS}
AND NOT EXISTS (SELECT FROM ({_DRAWN}) d WHERE {_SAME} AND {_ALIKE})
"""  # noqa: S608 the same
COUNT_NEW = f"""
INSERT INTO counted (period, since_version, unit_code, ticket_id, round, {_VALUES})
SELECT $1, $7::int, d.* FROM ({_DRAWN}) d
WHERE NOT EXISTS (SELECT FROM counted k WHERE {_STANDS} AND {_SAME})
"""  # noqa: S608 the same
_OF_TICKETS = f"{_DRAWN} AND r.ticket_id = ANY($8::uuid[])"
END_EXCLUDED = f"""
UPDATE counted k SET until_version = $7 WHERE {_STANDS} AND k.ticket_id = ANY($8::uuid[])
AND NOT EXISTS (SELECT FROM ({_OF_TICKETS}) d WHERE {_SAME}) RETURNING k.unit_code
"""  # noqa: S608 the same
COUNT_LIFTED = f"""
INSERT INTO counted (period, since_version, unit_code, ticket_id, round, {_VALUES})
SELECT $1, $7::int, d.* FROM ({_OF_TICKETS}) d
WHERE NOT EXISTS (SELECT FROM counted k WHERE {_STANDS} AND {_SAME}) RETURNING unit_code
"""  # noqa: S608 the same
ANSWERED_IN = "SELECT DISTINCT period FROM reviews WHERE ticket_id = ANY($1) AND state = 'answered' ORDER BY period"
SUMS = """
SELECT unit_code, category1, category2, urgency, district, apart, count(*) AS counted,
    count(*) FILTER (WHERE responded) AS responded, count(*) FILTER (WHERE solved) AS solved,
    count(*) FILTER (WHERE satisfied) AS satisfied,
    sum(($4::float8 * responded::int + $5::float8 * solved::int + $6::float8 * satisfied::int) ^ 2)::float8 AS squares,
    count(response_in_time) AS response_known, count(*) FILTER (WHERE response_in_time) AS response_in_time,
    count(completion_in_time) AS completion_known, count(*) FILTER (WHERE completion_in_time) AS completion_in_time
FROM counted
WHERE period = $1 AND since_version <= $2 AND (until_version IS NULL OR until_version > $2)
  AND ($3::text[] IS NULL OR unit_code = ANY($3))
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""
LEAVE_OUT = """
UPDATE counted SET until_version = $5
WHERE period = $1 AND unit_code = $2 AND ticket_id = $3 AND round = ANY($4::int[]) AND until_version IS NULL
"""
COUNTED_ROUNDS = """
SELECT round FROM counted WHERE period = $1 AND unit_code = $2 AND ticket_id = $3 AND until_version IS NULL ORDER BY 1
"""
_THERE = "period = $1 AND unit_code = $2 AND since_version <= $3 AND (until_version IS NULL OR until_version > $3)"
OF_TICKETS = f"""
WHERE {_THERE} AND ticket_id IN (
    SELECT DISTINCT ticket_id FROM counted WHERE {_THERE} AND ticket_id > $4 ORDER BY ticket_id LIMIT $5
) ORDER BY ticket_id, round
"""  # noqa: S608 the same
HELPERS = """
WHERE period = $1 AND base = $2 AND category1 = $3 AND category2 = $4 AND unit_code = ANY($5::text[])
"""
STANDING = """
WHERE (period, unit_code, version) IN (
    SELECT period, unit_code, max(version) FROM scores
    WHERE period = $1 AND version <= $2 AND ($3::text[] IS NULL OR unit_code = ANY($3)) GROUP BY 1, 2
) ORDER BY unit_code
"""
LAST = "WHERE period = $1 ORDER BY version DESC LIMIT 1"
ANY_ANSWER = "SELECT EXISTS (SELECT FROM reviews WHERE state = 'answered' AND answered_at >= $1 AND answered_at < $2)"


@dataclass(frozen=True, slots=True)
class Draw:
    """What is counted for a publication: the answers of a month, and which of them are set apart."""

    period: str
    since: datetime
    until: datetime
    apart: Apart


async def count(tx: Tx, version: int, draw: Draw) -> None:
    """Count the answers of a month as the record has them by now; what was counted and stays so, stays as it is."""
    for statement in (END_CHANGED, COUNT_NEW):
        await tx.connection.execute(statement, *_given(draw, version), timeout=SECONDS)


async def recount(tx: Tx, version: int, draw: Draw, tickets: Sequence[UUID]) -> list[str]:
    """Count no more what was excluded of these tickets, and again what is not; return the units it moves."""
    moved = [
        row["unit_code"]
        for statement in (END_EXCLUDED, COUNT_LIFTED)
        for row in await tx.connection.fetch(statement, *_given(draw, version), list(tickets))
    ]
    return sorted(set(moved))


def _given(draw: Draw, version: int) -> tuple[object, ...]:
    apart = draw.apart
    return draw.period, draw.since, draw.until, list(apart.urgency), apart.returns, apart.support, version


async def answered_in(tx: Tx, tickets: Sequence[UUID]) -> list[str]:
    """Return the months in which reporters of these tickets answered."""
    return [row["period"] for row in await tx.connection.fetch(ANSWERED_IN, list(tickets))]


async def leave_out(tx: Tx, version: int, appeal: ScoreAppeal) -> None:
    """Count no more what a unit appealed against, from a version on."""
    what = (appeal.period, appeal.unit_code, appeal.ticket_id, list(appeal.rounds))
    await tx.connection.execute(LEAVE_OUT, *what, version)


async def counted_rounds(tx: Tx, period: str, unit: str, ticket: UUID) -> tuple[int, ...]:
    """Return the rounds of a ticket that are counted for a unit in a month."""
    return tuple(row["round"] for row in await tx.connection.fetch(COUNTED_ROUNDS, period, unit, ticket))


async def sums(
    connection: Any, period: str, version: int, weights: Weights, units: Sequence[str] | None = None
) -> list[Sums]:
    """Return what a version counts, by unit and matter."""
    shares = (weights.responded, weights.solved, weights.satisfied)
    rows = await connection.fetch(SUMS, period, version, units, *shares, timeout=SECONDS)
    return [Sums(**row) for row in rows]


async def counted(
    database: Database, publication: Publication, unit: str, after: UUID, tickets: int
) -> list[Counted]:  # fmt: skip
    """Return what a version counts for a unit, of so many tickets from behind `after`."""
    return await COUNTED.load(database.pool, OF_TICKETS, publication.period, unit, publication.version, after, tickets)


async def save_publication(tx: Tx, publication: Publication, scores: Iterable[Score]) -> None:
    """Store a version, and the scores that changed with it."""
    await PUBLICATIONS.save(tx.connection, [publication])
    await SCORES.save(tx.connection, scores)


async def save_expectations(tx: Tx, expectations: Sequence[Expectation]) -> None:
    """Store what is expected of each unit in each matter."""
    for start in range(0, len(expectations), AT_ONCE):
        await EXPECTATIONS.save(tx.connection, expectations[start : start + AT_ONCE])


async def expected_of(connection: Any, publication: Publication, unit: str) -> dict[tuple[str, Matter], float]:
    """Return what was expected of a unit by the standards of a version."""
    where = "WHERE period = $1 AND base = $2 AND unit_code = $3"
    found = await EXPECTATIONS.load(connection, where, publication.period, publication.base, unit)
    return {(unit, one.matter): one.expected for one in found}


async def had_of(
    connection: Any, publication: Publication, category: tuple[str, str], units: Sequence[str]
) -> list[Expectation]:
    """Return what these units had of a category (levels 1 and 2), and what was expected of it."""
    return await EXPECTATIONS.load(connection, HELPERS, publication.period, publication.base, *category, list(units))


async def last_publication(connection: Any, period: str) -> Publication | None:
    """Return the last version of a month, None before the first."""
    return next(iter(await PUBLICATIONS.load(connection, LAST, period)), None)


async def publication_of(connection: Any, period: str, version: int) -> Publication | None:
    """Return one version of a month."""
    where = "WHERE period = $1 AND version = $2"
    return next(iter(await PUBLICATIONS.load(connection, where, period, version)), None)


async def publications(database: Database, period: str) -> list[Publication]:
    """Return all versions of a month, the first first."""
    return await PUBLICATIONS.load(database.pool, "WHERE period = $1 ORDER BY version", period)


async def scores_of(connection: Any, period: str, version: int, units: Sequence[str] | None = None) -> list[Score]:
    """Return the scores as a version of a month has them: of each unit the last that is not later."""
    return await SCORES.load(connection, STANDING, period, version, units)


async def any_answer(database: Database, since: datetime, until: datetime) -> bool:
    """Whether anything was answered in a period."""
    return bool(await database.pool.fetchval(ANY_ANSWER, since, until))
