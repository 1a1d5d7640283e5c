"""How far the sweeps have come that go through all tickets in the background."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows

START = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep goes from the oldest ticket to the newest. `cursor` is the last ticket it looked at."""

    name: str
    cursor: UUID
    total: int
    done: int = 0
    finished_at: datetime | None = None


SWEEPS = Rows("sweeps", Sweep, key=("name",))
NEW = "INSERT INTO sweeps (name, cursor, total) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING"
HOLD = "WHERE name = $1 FOR UPDATE SKIP LOCKED"


async def hold_sweep(tx: Tx, name: str, again: timedelta, count: Callable[[Tx], Awaitable[int]]) -> Sweep | None:
    """Hold a sweep, begun anew if it was finished so long ago; None if another process has it, or nothing is to do.

    `count` says how much a sweep will have to do.
    """
    await tx.connection.execute(NEW, name, START)
    held = await SWEEPS.load(tx.connection, HOLD, name)
    if not held or (held[0].finished_at and tx.now - held[0].finished_at < again):
        return None
    if held[0].cursor == START or held[0].finished_at:
        return Sweep(name, START, await count(tx))
    return held[0]


async def save_sweep(tx: Tx, sweep: Sweep) -> None:
    """Store how far a sweep has come."""
    await SWEEPS.save(tx.connection, [sweep])


async def sweeps(tx: Tx) -> list[Sweep]:
    """Return all sweeps there were."""
    return await SWEEPS.load(tx.connection, "ORDER BY name")
