"""The tables of sla and all its SQL."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from libs.common.contracts.vocabulary import Light
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.sla.domain import Case, Clock

CLOCKS = Rows("clocks", Clock, key=("ticket_id", "round", "name"))
CASES = Rows("supervision", Case, key=("ticket_id",))

PAGE = """
WHERE state IN ('running', 'paused') AND (due_at, ticket_id) > ($1, $2)
  AND ($3::text IS NULL OR unit_code = $3) AND ($4::text IS NULL OR light = $4)
ORDER BY due_at, ticket_id LIMIT $5
"""
OPEN_CASES = """
WHERE closed_at IS NULL AND level >= $1 AND (opened_at, ticket_id) > ($2, $3)
ORDER BY opened_at, ticket_id LIMIT $4
"""


async def clocks_of(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, list[Clock]]:
    """Return the clocks of each ticket, oldest round first."""
    clocks: dict[UUID, list[Clock]] = {ticket: [] for ticket in tickets}
    where = "WHERE ticket_id = ANY($1) ORDER BY ticket_id, round, name DESC"
    for clock in await CLOCKS.load(tx.connection, where, list(tickets)):
        clocks[clock.ticket_id].append(clock)
    return clocks


async def cases_of(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, Case]:
    """Return the supervision case of each ticket that has one."""
    cases = await CASES.load(tx.connection, "WHERE ticket_id = ANY($1)", list(tickets))
    return {case.ticket_id: case for case in cases}


async def save(tx: Tx, clocks: Sequence[Clock], cases: Sequence[Case]) -> None:
    """Store clocks and cases as they are now."""
    await CLOCKS.save(tx.connection, clocks)
    await CASES.save(tx.connection, cases)


async def open_clocks(
    database: Database, unit: str | None, light: Light | None, after: tuple[datetime, UUID], limit: int
) -> list[Clock]:
    """Return clocks that still run or stand, soonest due first, from behind `after`."""
    return await CLOCKS.load(database.pool, PAGE, *after, unit, light, limit)


async def open_cases(database: Database, level: int, after: tuple[datetime, UUID], limit: int) -> list[Case]:
    """Return the open supervision cases of at least this level, oldest first, from behind `after`."""
    return await CASES.load(database.pool, OPEN_CASES, level, *after, limit)
