"""Timers of one service: a due time per kind and subject, fired in the transaction of its effect.

Several processes share the work: each takes the first that no other is at. The aggregate is locked first and then its
timer taken, in the same order as every other transaction does, so a timer and an event about one ticket cannot
deadlock; a ticket that is busy is passed over and taken at the next look.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from libs.common.messaging.metrics import TIMER_LATENESS
from libs.common.messaging.retry import describe, is_transient
from libs.common.messaging.transaction import Aggregate, Tx
from libs.common.runtime.clock import Clock
from libs.common.runtime.database import Database

LIMIT = 500
LONGEST_NAP_SECONDS = 1.0
"""Another process may have scheduled something sooner than the soonest we knew of."""

PUT_OFF = timedelta(minutes=1)

log = structlog.get_logger(__name__)

NEXT = "SELECT min(due_at) FROM timers"
PEEK = "SELECT kind, subject FROM timers WHERE due_at <= $1 ORDER BY due_at LIMIT $2 OFFSET $3"
LOCK_FREE = """
UPDATE aggregates a SET version = a.version + 1
FROM (SELECT subject FROM aggregates WHERE subject = ANY($1::text[]) ORDER BY subject FOR UPDATE SKIP LOCKED) free
WHERE a.subject = free.subject
RETURNING a.subject, a.version, a.facts
"""
POSTPONE = "UPDATE timers SET due_at = $1 WHERE kind = $2 AND subject = $3 AND due_at <= $4"
TAKE = """
DELETE FROM timers USING unnest($1::text[], $2::text[]) t(k, s)
WHERE kind = t.k AND subject = t.s AND due_at <= $3
RETURNING kind, subject, due_at
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A timer that fired: what it was set for, and when it was due."""

    subject: str
    due_at: datetime


TimerHandler = Callable[[Sequence[Due], Tx, Any], Awaitable[None]]


class Timers:
    """One process's share in firing a service's timers. `step` is run by a `Loop`."""

    def __init__(
        self, service: str, database: Database, clock: Clock, handlers: Mapping[str, TimerHandler], context: Any
    ) -> None:
        self._service = service
        self._database = database
        self._clock = clock
        self._handlers = handlers
        self._context = context

    async def step(self) -> float:
        """Fire what is due and return the seconds until something else may be."""
        return 0 if await self.fire() else await self._nap()

    async def fire(self) -> int:
        """Fire up to `LIMIT` due timers and return how many it was. One that cannot be handled is put off, and told."""
        seen = 0
        while due := await self._database.pool.fetch(PEEK, self._clock.now(), LIMIT, seen):
            if fired := await self._fire_all(due):
                return fired
            # Others are at work on all of these: the next are ours.
            seen += len(due)
        return 0

    async def _fire_all(self, due: Sequence[Any]) -> int:
        try:
            return await self._fire(due)
        except Exception as error:
            if is_transient(error):
                raise
            return sum([await self._fire_alone(row) for row in due])

    async def _fire_alone(self, row: Any) -> int:
        try:
            return await self._fire([row])
        except Exception as error:
            if is_transient(error):
                raise
            log.error("timer put off", service=self._service, kind=row["kind"], error=describe(error))
            # Only if it is still due: someone may have set it anew, or taken it away, since it failed.
            now = self._clock.now()
            await self._database.pool.execute(POSTPONE, now + PUT_OFF, row["kind"], row["subject"], now)
            return 1

    async def _fire(self, due: Sequence[Any]) -> int:
        now = self._clock.now()
        async with self._database.begin() as tx:
            for row in await tx.connection.fetch(LOCK_FREE, sorted({row["subject"] for row in due})):
                tx.held[row["subject"]] = Aggregate(row["version"], row["facts"])
            mine = [row for row in due if row["subject"] in tx.held]
            taken = await tx.connection.fetch(TAKE, [r["kind"] for r in mine], [r["subject"] for r in mine], now)
            for kind, timers in rounds(taken):
                await self._handlers[kind](timers, tx, self._context)
        for row in taken:
            TIMER_LATENESS.labels(self._service).observe((now - row["due_at"]).total_seconds())
        return len(taken)

    async def _nap(self) -> float:
        soonest = await self._database.pool.fetchval(NEXT)
        if soonest is None:
            return LONGEST_NAP_SECONDS
        return min(LONGEST_NAP_SECONDS, max(0.01, self._clock.real_seconds(soonest - self._clock.now())))


def rounds(taken: Sequence[Any]) -> Iterable[tuple[str, list[Due]]]:
    """Yield what to call with which timers: the k-th due of each subject belongs to round k."""
    turns: list[dict[str, list[Due]]] = []
    seen: dict[str, int] = {}
    for row in sorted(taken, key=lambda row: row["due_at"]):
        turn = seen[row["subject"]] = seen.get(row["subject"], -1) + 1
        if turn == len(turns):
            turns.append({})
        turns[turn].setdefault(row["kind"], []).append(Due(row["subject"], row["due_at"]))
    for turn_timers in turns:
        yield from turn_timers.items()
