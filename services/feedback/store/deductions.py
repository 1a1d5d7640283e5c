"""Points that it is proposed to take off units."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.city.scoring import Fault
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.feedback.domain.deductions import Deduction, Found

DEDUCTIONS = Rows("deductions", Deduction, key=("proposal",))
LISTED = """
WHERE ($1::text[] IS NULL OR unit_code = ANY($1)) AND ($2::text IS NULL OR state = $2)
  AND ($3::text IS NULL OR period = $3) AND (proposed_at, proposal) > ($4, $5)
ORDER BY proposed_at, proposal LIMIT $6
"""
FOUND: dict[Fault, str] = {
    "passed_on": """
        SELECT returned_by AS unit_code, count(*) AS times,
            array_agg(ticket_id ORDER BY ruled_at) AS tickets, array_agg(ruled_at ORDER BY ruled_at) AS moments
        FROM bounces LEFT JOIN cases c USING (ticket_id, round)
        WHERE against = 'unit' AND ruled_at >= $1 AND ruled_at < $2 AND c.excluded IS NOT TRUE GROUP BY returned_by
    """,
    "false_closing": """
        SELECT d.unit_code, count(*) AS times,
            array_agg(ticket_id ORDER BY ruled_at) AS tickets, array_agg(ruled_at ORDER BY ruled_at) AS moments
        FROM doubts d LEFT JOIN cases c USING (ticket_id, round)
        WHERE upheld AND ruled_at >= $1 AND ruled_at < $2 AND c.excluded IS NOT TRUE GROUP BY d.unit_code
    """,
}
"""What units are to answer for, by when it was ruled so; not what a ruling took out of the rates."""


async def found(tx: Tx, fault: Fault, since: datetime, until: datetime) -> list[Found]:
    """Return which units had a fault, and how often, in a period."""
    rows = await tx.connection.fetch(FOUND[fault], since, until)
    return [
        Found(row["unit_code"], row["times"], tuple(zip(row["tickets"], row["moments"], strict=True))) for row in rows
    ]


async def known(tx: Tx, proposals: Collection[UUID]) -> set[UUID]:
    """Return those of these proposals that are kept already."""
    rows = await tx.connection.fetch("SELECT proposal FROM deductions WHERE proposal = ANY($1)", list(proposals))
    return {row["proposal"] for row in rows}


async def deduction_of(connection: Any, proposal: UUID) -> Deduction | None:
    """Return one proposal."""
    return next(iter(await DEDUCTIONS.load(connection, "WHERE proposal = $1", proposal)), None)


async def deductions_in(connection: Any, period: str, unit: str | None = None) -> list[Deduction]:
    """Return the proposals of a month, or those of one unit."""
    where = "WHERE period = $1 AND ($2::text IS NULL OR unit_code = $2) ORDER BY proposed_at, proposal"
    return await DEDUCTIONS.load(connection, where, period, unit)


async def deductions(
    database: Database, units: Sequence[str] | None, state: str | None, period: str | None,
    after: tuple[datetime, UUID], limit: int,
) -> list[Deduction]:  # fmt: skip
    """Return proposals on these units, None for all, oldest first, from behind `after`."""
    return await DEDUCTIONS.load(database.pool, LISTED, units, state, period, *after, limit)


async def save_deductions(tx: Tx, deductions: Sequence[Deduction]) -> None:
    """Store proposals as they are now."""
    await DEDUCTIONS.save(tx.connection, deductions)
