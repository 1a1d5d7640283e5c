"""Looks on the spot."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.dispatch.domain.verifying import Verification

VERIFICATIONS = Rows("verifications", Verification, key=("verification_id",))

OPEN = """
WHERE state = 'open' AND (due_at, verification_id) > ($1, $2) AND ($3::text[] IS NULL OR unit_code = ANY($3))
ORDER BY due_at, verification_id LIMIT $4
"""
LOOKERS = "SELECT DISTINCT unit_code FROM verifications WHERE ticket_id = $1 AND state <> 'void'"


async def verifications_of(connection: Any, tickets: Sequence[UUID]) -> list[Verification]:
    """Return the looks that were ordered for these tickets, oldest first."""
    return await VERIFICATIONS.load(connection, "WHERE ticket_id = ANY($1) ORDER BY at, verification_id", list(tickets))


async def save_verifications(tx: Tx, looks: Iterable[Verification]) -> None:
    """Store looks as they are now."""
    await VERIFICATIONS.save(tx.connection, looks)


async def lookers(connection: Any, ticket_id: UUID) -> frozenset[str]:
    """Return the units that are to look, or looked, on the spot of a ticket."""
    return frozenset(row["unit_code"] for row in await connection.fetch(LOOKERS, ticket_id))


async def open_verifications(
    database: Database, units: Sequence[str] | None, after: tuple[datetime, UUID], limit: int
) -> list[Verification]:
    """Return where these units (all if None) are to look yet, due soonest first, from behind `after`."""
    return await VERIFICATIONS.load(database.pool, OPEN, *after, units, limit)
