"""Returns, and how they are counted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.contracts.dispatch import Against, ReturnGround
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.dispatch.domain.returning import Return, ReturnState

RETURNS = Rows("returns", Return, key=("return_id",))

# What waited too long was due before anything that did not, so it stands on top.
PAGE = """
WHERE state = $1 AND (due_at, return_id) > ($2, $3) AND ($4::text[] IS NULL OR unit_code = ANY($4))
  AND (NOT $5 OR centre OR escalated_at IS NOT NULL)
ORDER BY due_at, return_id LIMIT $6
"""
BOUNCES = """
SELECT unit_code, max(unit_name) AS unit_name, ground, state AS outcome, against,
    CASE WHEN state = 'upheld' THEN rule END AS rule, count(*) AS count
FROM returns
WHERE state IN ('upheld', 'overturned', 'refused') AND ended_at >= $1 AND ended_at < $2
  AND ($3::text[] IS NULL OR unit_code = ANY($3))
GROUP BY 1, 3, 4, 5, 6 ORDER BY count DESC, 1, 3, 4, 5, 6
"""


@dataclass(frozen=True, slots=True)
class Bounces:
    """How often a unit returned orders on a ground with the same outcome, and whom that counts against."""

    unit_code: str
    unit_name: str
    ground: ReturnGround
    outcome: ReturnState
    against: Against
    rule: str | None
    count: int


async def returns_of(connection: Any, tickets: Sequence[UUID]) -> dict[UUID, list[Return]]:
    """Return the returns of each ticket that has any, in their order."""
    found: dict[UUID, list[Return]] = {}
    for one in await RETURNS.load(connection, "WHERE ticket_id = ANY($1) ORDER BY ticket_id, turn", list(tickets)):
        found.setdefault(one.ticket_id, []).append(one)
    return found


async def save_returns(tx: Tx, returns: Iterable[Return]) -> None:
    """Store returns as they are now."""
    await RETURNS.save(tx.connection, returns)


async def list_returns(
    database: Database, state: ReturnState, units: Sequence[str] | None, after: tuple[datetime, UUID], limit: int,
    *, for_centre: bool,
) -> list[Return]:  # fmt: skip
    """Return the returns of these units (of all if None) in a state, due first, from behind `after`."""
    return await RETURNS.load(database.pool, PAGE, state, *after, units, for_centre, limit)


async def bounces(connection: Any, units: Sequence[str] | None, since: datetime, until: datetime) -> list[Bounces]:
    """Count the returns of these units (of all if None) that were ruled on from an instant to before another."""
    return [Bounces(**row) for row in await connection.fetch(BOUNCES, since, until, units)]
