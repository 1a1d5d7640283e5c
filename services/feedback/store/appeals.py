"""Appeals of units against what was counted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.feedback.domain.appeals import ScoreAppeal

APPEALS = Rows("score_appeals", ScoreAppeal, key=("appeal_id",))
UPHELD = "SELECT count(*) FROM score_appeals WHERE period = $1 AND unit_code = $2 AND version <= $3"
LISTED = """
WHERE ($1::text[] IS NULL OR unit_code = ANY($1)) AND ($2::text IS NULL OR state = $2)
  AND ($3::text IS NULL OR period = $3) AND (appealed_at, appeal_id) > ($4, $5)
ORDER BY appealed_at, appeal_id LIMIT $6
"""


async def appeal_of(connection: Any, appeal_id: UUID) -> ScoreAppeal | None:
    """Return one appeal."""
    return next(iter(await APPEALS.load(connection, "WHERE appeal_id = $1", appeal_id)), None)


async def appeals_against(tx: Tx, period: str, unit: str, ticket: UUID) -> list[ScoreAppeal]:
    """Return the appeals that a unit made against a ticket in a month."""
    where = "WHERE ticket_id = $1 AND unit_code = $2 AND period = $3"
    return await APPEALS.load(tx.connection, where, ticket, unit, period)


async def upheld(connection: Any, period: str, unit: str, version: int) -> int:
    """Return how many appeals of a unit a version of a month has taken in."""
    return int(await connection.fetchval(UPHELD, period, unit, version))


async def appeals(
    database: Database, units: Sequence[str] | None, state: str | None, period: str | None,
    after: tuple[datetime, UUID], limit: int,
) -> list[ScoreAppeal]:  # fmt: skip
    """Return appeals of these units, None for all, oldest first, from behind `after`."""
    return await APPEALS.load(database.pool, LISTED, units, state, period, *after, limit)


async def save_appeal(tx: Tx, appeal: ScoreAppeal) -> None:
    """Store an appeal as it is now."""
    await APPEALS.save(tx.connection, [appeal])
