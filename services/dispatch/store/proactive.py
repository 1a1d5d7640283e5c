"""Work before the appeal, as it was last heard of."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.dispatch.domain.proactive import Proactive, ProactiveState

PROACTIVE = Rows("proactive_orders", Proactive, key=("order_id",))
LIST = """
WHERE ($1::text[] IS NULL OR unit_code = ANY($1)) AND ($2::text IS NULL OR state = $2)
  AND (proposed_at, order_id) > ($3, $4) ORDER BY proposed_at, order_id LIMIT $5
"""


async def proactive_of(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Proactive]:
    """Return those of these pieces of work that were heard of."""
    found = await PROACTIVE.load(tx.connection, "WHERE order_id = ANY($1)", list(ids))
    return {one.order_id: one for one in found}


async def save_proactive(tx: Tx, work: Sequence[Proactive]) -> None:
    """Store what was heard."""
    await PROACTIVE.save(tx.connection, work)


async def list_proactive(
    pool: Any, units: Sequence[str] | None, state: ProactiveState | None, after: tuple[datetime, UUID], limit: int
) -> list[Proactive]:
    """Return the work of units, of all if None, proposed first first, from behind `after`."""
    return await PROACTIVE.load(pool, LIST, units, state, *after, limit)
