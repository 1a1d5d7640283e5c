"""Outward transfers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.intake.domain import Transferred, TransferState
from services.intake.store.speaking import about_ticket

TRANSFERS = Rows("transfers", Transferred, key=("transfer_id",))
WAITING = f"""
WHERE state = $1 AND (at, transfer_id) > ($2, $3) AND {about_ticket("transfers", "$5")}
ORDER BY at, transfer_id LIMIT $4
"""


async def last_transfer(tx: Tx, ticket_id: UUID) -> Transferred | None:
    """Return the last transfer of a ticket."""
    found = await TRANSFERS.load(
        tx.connection, "WHERE ticket_id = $1 ORDER BY at DESC, transfer_id DESC LIMIT 1", ticket_id
    )
    return next(iter(found), None)


async def save_transfer(tx: Tx, transfer: Transferred) -> None:
    """Store a transfer as it is now."""
    await TRANSFERS.save(tx.connection, [transfer])


async def transfers_in(
    connection: Any, state: TransferState, language: str | None, after: tuple[datetime, UUID], limit: int
) -> list[Transferred]:
    """Return transfers in a state, oldest first, behind a place: all, or of tickets in a language."""
    return await TRANSFERS.load(connection, WAITING, state, *after, limit, language)
