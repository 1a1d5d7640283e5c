"""Keeping why each order got its lead."""

from collections.abc import Iterable, Sequence

from libs.common.contracts.envelope import Event
from libs.common.messaging.transaction import Tx
from services.dispatch.domain import Classified, Order, decisions
from services.dispatch.handlers.around import Here
from services.dispatch.store import deciding as store

PURGE_SECONDS = 3600.0
AT_ONCE = 1000

Named = tuple[Order, Classified, Sequence[Event]]
"""An order as it is now, what is known of its appeal, and what is told of it."""


async def note_decisions(tx: Tx, here: Here, named: Iterable[Named]) -> None:
    """Keep the decision behind each lead that was named, all in one statement."""
    await store.add_decisions(
        tx, [one for order, known, said in named for one in decisions(here.clock.new_id(), order, known, said)]
    )


async def purge_decisions(here: Here) -> float:
    """Delete decisions whose time is over, some at once."""
    before = here.clock.now() - here.engine.router.city.retention.decisions
    purged = await store.purge_decisions(here.database.pool, before, AT_ONCE)
    return 0 if purged == AT_ONCE else PURGE_SECONDS
