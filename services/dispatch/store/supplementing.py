"""What was added to appeals."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.dispatch.domain.supplementing import Supplement

SUPPLEMENTS = Rows("supplements", Supplement, key=("event_id",))
FORGET = "DELETE FROM supplements WHERE ticket_id = ANY($1::uuid[])"


async def add_supplements(tx: Tx, supplements: Iterable[Supplement]) -> None:
    """Keep what was added; the same event again is the same addition."""
    await SUPPLEMENTS.save(tx.connection, supplements)


async def supplements_of(connection: Any, ticket_id: UUID) -> list[Supplement]:
    """Return what was added to an appeal, oldest first."""
    return await SUPPLEMENTS.load(connection, "WHERE ticket_id = $1 ORDER BY sequence", ticket_id)


async def forget_supplements(tx: Tx, tickets: Sequence[UUID]) -> None:
    """Delete what was added to these appeals."""
    await tx.connection.execute(FORGET, tickets)
