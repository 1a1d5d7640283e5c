"""A million running clocks, 10,000 of them due in one minute: how late marks take effect, and what an idle look costs.

    python -m tests.bench.clocks [--clocks 1000000] [--due 10000]

A private PostgreSQL with fsync on holds one ticket that sla really heard of, and copies of it that differ in when they
came; workers are processes of sla as they are deployed, without the broker. Lateness is from a mark's due time to the
commit of its effect, as PostgreSQL notes it: in one minute with one worker, in one with two, and when two begin after
an outage of an hour in which as many came due.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

import asyncpg
import psutil

from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.clock import Clock
from libs.common.runtime.timers import Timers
from services.sla.handlers import TIMER
from services.sla.service import SERVICE
from tests.support.clocking import clocking
from tests.support.stages import NOON, ManualClock, running, settings_for

A_MINUTE = timedelta(minutes=1)
MARK = timedelta(hours=12)
"""When the first reminder of a general matter comes: half of a day."""
AWAY = timedelta(minutes=45)
START_SPAN = timedelta(seconds=12)
"""How long a process of sla takes to come up on a busy machine."""
FEW = 1_000
LOOKS = 300
COPY = """
WITH made AS MATERIALIZED (
    SELECT n, ('01900000-0000-7000-9000-' || lpad(to_hex($1::bigint + n), 12, '0'))::uuid AS id,
        $2::timestamptz + n * $4::interval / $3::int AS at
    FROM generate_series(0, $3::int - 1) n
), known AS (
    INSERT INTO aggregates (subject, version, facts)
    SELECT id::text, 1, jsonb_set(jsonb_set(facts, '{received,is,at}', to_jsonb(at)),
        '{classified,is,received,at}', to_jsonb(at))
    FROM made, (SELECT facts FROM aggregates WHERE subject = $5) one
), timed AS (
    INSERT INTO timers (kind, subject, due_at) SELECT 'clock', id::text, at + $6::interval FROM made
)
INSERT INTO clocks SELECT (jsonb_populate_record(c, jsonb_build_object(
    'ticket_id', id, 'started_at', at, 'due_at', at + (c.due_at - c.started_at)))).*
FROM made, clocks c WHERE c.ticket_id = $5::uuid
"""
LATENESS = """
SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - ((started_at + $3::interval) + $4::interval))::float8 AS late
FROM clocks WHERE name = 'response' AND started_at >= $1 AND started_at < $2 AND fired > 0 ORDER BY started_at
"""


def told(what: str, late: Sequence[float]) -> str:
    """Return a line on how late marks took effect, in seconds."""
    ranked = sorted(late)
    p50, p99 = (ranked[int(share * (len(ranked) - 1))] for share in (0.5, 0.99))
    return f"  {what:<28} {len(ranked):>7,} fired, p50 {p50:.2f} s, p99 {p99:.2f} s, the last {ranked[-1]:.2f} s late"


class Bench:
    """One database full of clocks, and workers on it."""

    def __init__(self, dsn: str, home: Path, clocks: int, due: int) -> None:
        self._dsn, self._home, self._tickets, self._due = dsn, home, clocks // 2, due
        self._copies = 0

    async def run(self) -> None:
        """Measure all of it, and print it."""
        sample = await self._lived()
        self._database = await asyncpg.connect(self._dsn, command_timeout=600)
        away = NOON + timedelta(hours=3)
        await self._copy(sample, FEW // 2, away, A_MINUTE)
        few = await self._idle()
        began = time.monotonic()
        first, second, outage = NOON, NOON + 2 * A_MINUTE, NOON + 10 * A_MINUTE
        for start, span in ((first, A_MINUTE), (second, A_MINUTE), (outage, AWAY)):
            await self._copy(sample, self._due, start, span)
        rest = self._tickets - self._copies
        for part in range(10):
            await self._copy(sample, rest // 10, away + part * timedelta(minutes=40), timedelta(minutes=40))
        many = await self._database.fetchval("SELECT count(*) FROM clocks WHERE state = 'running'")
        say(f"{many:,} running clocks, made in {time.monotonic() - began:.0f} s; load {os.getloadavg()[0]:.1f}")
        idle = await self._idle()
        say(f"  an idle look at {FEW:,}: {few:.2f} ms, at {many:,}: {idle:.2f} ms (median of {LOOKS})")
        await self._minute("in one minute, one worker", 1, first)
        await self._minute("in one minute, two workers", 2, second)
        await self._outage(outage)

    async def _minute(self, what: str, workers: int, start: datetime) -> None:
        """Let what is due in a minute fire as it comes due."""
        async with self._workers(workers, start - START_SPAN) as up:
            await asyncio.sleep((up.real(start + 1.2 * A_MINUTE) - datetime.now(UTC)).total_seconds())
        say(told(what, await self._late(start, A_MINUTE, up)), f"{up.spent:.1f} s of CPU")

    async def _outage(self, start: datetime) -> None:
        """Let what came due while nobody was there fire when two workers come."""
        async with self._workers(2, start + AWAY + A_MINUTE) as up:
            while await self._database.fetchval("SELECT EXISTS (SELECT FROM timers WHERE due_at <= $1)", start + AWAY):
                await asyncio.sleep(0.2)
        late = await self._late(start, AWAY, up)
        at = [seconds + AWAY.total_seconds() * number / len(late) for number, seconds in enumerate(late)]
        before = max(earlier - later for earlier, later in zip(accumulate(at, max), at, strict=True))
        say(f"  after an outage, two workers: {len(late):,} fired within {max(at) - min(at):.1f} s of the first;")
        say(f"    what was due later fired at most {before:.2f} s before what was due earlier")

    async def _lived(self) -> str:
        """Have one ticket received, judged and handed over for real; return its id."""
        async with clocking(self._dsn, self._home, clock=ManualClock()) as world:
            ticket = await world.ticket()
            await world.told("clock.started", 2, of=ticket)
        return str(ticket)

    async def _copy(self, sample: str, count: int, mark: datetime, span: timedelta) -> None:
        """Copy a ticket, so that the first marks are due evenly within a span from a time on."""
        await self._database.execute(COPY, self._copies, mark - MARK, count, span, sample, MARK)
        self._copies += count

    async def _idle(self) -> float:
        """Return what a look costs when nothing is due, in milliseconds."""
        settings = settings_for(self._home, self._dsn)
        async with running(SERVICE, settings, MemoryBus(), ManualClock(NOON - timedelta(hours=1))) as stage:
            here = stage.context
            timers = Timers("sla", here.database, here.clock, {TIMER: SERVICE.timers[TIMER]}, here)
            looks = []
            for _ in range(LOOKS):
                began = time.perf_counter()
                await timers.step()
                looks.append(time.perf_counter() - began)
        return statistics.median(looks) * 1000

    @asynccontextmanager
    async def _workers(self, count: int, start: datetime) -> AsyncIterator["Workers"]:
        """Run workers whose clock shows `start` now, until the block ends."""
        epoch = datetime.now(UTC)
        clock = f"{start.isoformat()},1,{epoch.isoformat()}"
        command = [sys.executable, "-m", "tests.bench.clocks", "--worker", self._dsn, str(self._home), clock]
        workers = [psutil.Popen(command) for _ in range(count)]
        up = Workers(epoch - start)
        try:
            yield up
            up.spent = sum(sum(worker.cpu_times()[:2]) for worker in workers)
        finally:
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.wait(30)

    async def _late(self, mark: datetime, span: timedelta, up: "Workers") -> list[float]:
        """Return how late those marks took effect that were due in this span, in the order of their due times."""
        rows = await self._database.fetch(LATENESS, mark - MARK, mark - MARK + span, MARK, up.ahead)
        return [row["late"] for row in rows]


@dataclass(slots=True)
class Workers:
    """Workers: how far real time is ahead of what their clock shows, and the CPU seconds they took, start and all."""

    ahead: timedelta
    spent: float = 0.0

    def real(self, shown: datetime) -> datetime:
        """Return when their clock shows this."""
        return shown + self.ahead


def say(*words: str) -> None:
    """Tell a result at once."""
    print(*words, flush=True)


async def work(dsn: str, home: str, clock: str) -> None:
    """Be one process of sla, until ended."""
    async with running(SERVICE, settings_for(Path(home), dsn), MemoryBus(), Clock.parse(clock)):
        await asyncio.Event().wait()


def main(arguments: Sequence[str]) -> None:
    """Measure, or be one of the workers."""
    parser = argparse.ArgumentParser(prog="tests.bench.clocks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clocks", type=int, default=1_000_000, help="running clocks (%(default)s)")
    parser.add_argument("--due", type=int, default=10_000, help="of them due in one minute (%(default)s)")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.worker:
        asyncio.run(work(*asked.worker))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("JIESU_MODELS", str(Path(folder) / "models"))
        server = PrivatePostgres(Path(folder) / "postgres")
        server.start()
        try:
            server.ensure_database(["clocks"])
            asyncio.run(_note_commits(server.dsn("clocks")))
            server.stop()
            server.start()
            asyncio.run(Bench(server.dsn("clocks"), Path(folder), asked.clocks, asked.due).run())
        finally:
            server.stop()


async def _note_commits(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    await connection.close()


if __name__ == "__main__":
    main(sys.argv[1:])
