"""The clocks."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from libs.common.contracts.vocabulary import Light
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.sla.domain import Clock

CLOCKS = Rows("clocks", Clock, key=("ticket_id", "round", "name"))

# The two clocks of a ticket may be due at one moment, which a cursor cannot stand between.
PAGE = """
WHERE state IN ('running', 'paused') AND (due_at, ticket_id) > ($1, $2)
  AND ($3::text[] IS NULL OR unit_code = ANY($3)) AND ($4::text IS NULL OR light = $4)
ORDER BY due_at, ticket_id FETCH FIRST ($5::bigint) ROWS WITH TIES
"""


async def clocks_of(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, list[Clock]]:
    """Return the clocks of each ticket, oldest round first."""
    clocks: dict[UUID, list[Clock]] = {ticket: [] for ticket in tickets}
    where = "WHERE ticket_id = ANY($1) ORDER BY ticket_id, round, name DESC"
    for clock in await CLOCKS.load(tx.connection, where, list(tickets)):
        clocks[clock.ticket_id].append(clock)
    return clocks


async def open_clocks(
    database: Database, units: Sequence[str] | None, light: Light | None, after: tuple[datetime, UUID], limit: int
) -> list[Clock]:
    """Return clocks of these units, None for all, that still run or stand, soonest due first, from behind `after`.

    `limit` of them, and more only that end at one place.
    """
    return await CLOCKS.load(database.pool, PAGE, *after, units, light, limit)


async def save_clocks(tx: Tx, clocks: Sequence[Clock]) -> None:
    """Store clocks as they are now."""
    await CLOCKS.save(tx.connection, clocks)
