"""Sweeps: background work that goes through all tickets, a batch in each transaction, and goes on where it was left.

Whatever is killed in the middle, the batch in hand is undone as a whole and done again. Between batches a sweep
rests for as long as one took, so it never takes more than half of a connection.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from prometheus_client import Counter, Gauge

from libs.common.messaging.transaction import Tx
from services.intake import store
from services.intake.handlers.around import Here

DONE = Counter("jiesu_intake_sweep_done_total", "What sweeps through all tickets have done", ["sweep"])
LEFT = Gauge("jiesu_intake_sweep_left", "What the sweep under way has yet to do, where that is counted", ["sweep"])
AGAIN = timedelta(days=1)
"""A finished sweep is done anew after this: a restored backup may have brought work back."""


async def _uncounted(_: Tx) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Sweeping:
    """A kind of sweep. `count` says beforehand how much it will have to do in all.

    `batch` does some tickets behind one, and returns the last it looked at, if there was any, and how many it did.
    """

    name: str
    batch: Callable[[Here, Tx, UUID], Awaitable[tuple[UUID | None, int]]]
    count: Callable[[Tx], Awaitable[int]] = _uncounted


async def sweep(here: Here, kind: Sweeping) -> float | None:
    """Do one batch and return for how many seconds to rest; None if nothing is to do, or another process does it."""
    started = time.perf_counter()
    async with here.database.begin() as tx:
        held = await store.hold_sweep(tx, kind.name, AGAIN, kind.count)
        if held is None:
            return None
        last, done = await kind.batch(here, tx, held.cursor)
        after = replace(held, done=held.done + done, cursor=last or held.cursor)
        after = after if last else replace(after, finished_at=tx.now)
        await store.save_sweep(tx, after)
    DONE.labels(kind.name).inc(done)
    LEFT.labels(kind.name).set(0 if after.finished_at else max(0, after.total - after.done))
    return time.perf_counter() - started
