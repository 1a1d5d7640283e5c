"""Returns that were ruled on."""

from collections.abc import Collection, Sequence
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.feedback.domain import Bounce

BOUNCES = Rows("bounces", Bounce, key=("return_id",))


async def bounces(tx: Tx, returns: Collection[UUID]) -> list[Bounce]:
    """Return those of these returns that were ruled on."""
    return await BOUNCES.load(tx.connection, "WHERE return_id = ANY($1)", list(returns)) if returns else []


async def save_bounces(tx: Tx, ruled: Sequence[Bounce]) -> None:
    """Store what rulings came to."""
    await BOUNCES.save(tx.connection, ruled)
