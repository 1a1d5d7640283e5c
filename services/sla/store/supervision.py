"""The supervision cases."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.sla.domain import Case

CASES = Rows("supervision", Case, key=("ticket_id",))

OPEN_CASES = """
WHERE closed_at IS NULL AND level >= $1 AND (opened_at, ticket_id) > ($2, $3)
ORDER BY opened_at, ticket_id LIMIT $4
"""


async def cases_of(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, Case]:
    """Return the supervision case of each ticket that has one."""
    cases = await CASES.load(tx.connection, "WHERE ticket_id = ANY($1)", list(tickets))
    return {case.ticket_id: case for case in cases}


async def open_cases(database: Database, level: int, after: tuple[datetime, UUID], limit: int) -> list[Case]:
    """Return the open supervision cases of at least this level, oldest first, from behind `after`."""
    return await CASES.load(database.pool, OPEN_CASES, level, *after, limit)


async def save_cases(tx: Tx, cases: Sequence[Case]) -> None:
    """Store cases as they are now."""
    await CASES.save(tx.connection, cases)
