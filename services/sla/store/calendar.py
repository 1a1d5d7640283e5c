"""Days that were set by hand, by whose calendar clocks count, and the clocks that were counted by another."""

from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from services.sla.domain.days import DayEntry

ENTRIES = "SELECT entry_id, day, hours, reason, by, made_at FROM calendar_days ORDER BY number"
COUNT = "SELECT count(*) FROM calendar_days"
ADD = """
INSERT INTO calendar_days (entry_id, day, hours, reason, by, made_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
BASIS = "SELECT basis FROM calendar_basis"
SET_BASIS = "INSERT INTO calendar_basis (basis) VALUES ($1) ON CONFLICT (one) DO UPDATE SET basis = excluded.basis"
# Two ranges of an index, for one that leaves out what is counted already would read all of it at every look.
COUNTED_OTHERWISE = """
SELECT DISTINCT ticket_id FROM (
    (SELECT ticket_id FROM clocks
     WHERE calendar <> '' AND state IN ('running', 'paused') AND calendar < $1 LIMIT $2)
    UNION ALL
    (SELECT ticket_id FROM clocks
     WHERE calendar <> '' AND state IN ('running', 'paused') AND calendar > $1 LIMIT $2)
) counted LIMIT $2
"""


async def day_entries(connection: Any) -> list[DayEntry]:
    """Return all that people said of days, the first first; there are a few a year."""
    return [
        DayEntry(**{**row, "hours": None if row["hours"] is None else tuple(row["hours"])})
        for row in await connection.fetch(ENTRIES)
    ]


async def count_entries(connection: Any) -> int:
    """Return how many there are: none is ever changed or taken away."""
    counted: int = await connection.fetchval(COUNT)
    return counted


async def add_entry(tx: Tx, entry: DayEntry) -> None:
    """Keep what somebody said of a day."""
    e = entry
    hours = None if e.hours is None else list(e.hours)
    await tx.connection.execute(ADD, e.entry_id, e.day, hours, e.reason, e.by, e.made_at)


async def basis(connection: Any) -> str | None:
    """Return the days and hours that the process brought which started last."""
    found: str | None = await connection.fetchval(BASIS)
    return found


async def set_basis(connection: Any, version: str) -> None:
    """Have clocks counted by these days and hours."""
    await connection.execute(SET_BASIS, version)


async def counted_otherwise(connection: Any, version: str, limit: int) -> list[UUID]:
    """Return tickets with open clocks whose time hangs on another version of the calendar."""
    return [row["ticket_id"] for row in await connection.fetch(COUNTED_OTHERWISE, version, limit)]
