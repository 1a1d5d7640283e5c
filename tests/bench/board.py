"""What the board costs at so many running clocks: to keep its counts, to read them, to sum them up, to list.

    python -m tests.bench.board [running clocks, 1000000]

Fills a private PostgreSQL with clocks of 500 units and 25 categories, of which some have far more than others, due over
two weeks. Times of the database are from EXPLAIN ANALYZE, those of the process are of its processor. The clocks are
vacuumed once, as the server would by itself before long; the counts are as the filling left them.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.memory import MemoryBus
from services.sla.domain import Picture, board, by_unit, fingerprint
from services.sla.handlers import Here, fold_changes
from services.sla.service import SERVICE
from services.sla.store import board as store
from services.sla.watch import soon_of
from tests.support.stages import NOON, ManualClock, client, running, settings_for

UNITS, CATEGORIES, PAGES = 500, 25, 20
FILL = """
INSERT INTO clocks (ticket_id, round, name, state, urgency, policy, started_at, limit_seconds, due_at, fired, light,
    unit_code, unit_name, category)
SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n / 2), 12, '0'))::uuid, 1,
    CASE n % 2 WHEN 0 THEN 'response' ELSE 'completion' END,
    CASE n % 50 WHEN 7 THEN 'paused' ELSE 'running' END, 'general', 'p', $1::timestamptz - interval '7 days', 604800,
    due, CASE WHEN due < $1 THEN 4 ELSE 0 END,
    CASE WHEN due < $1 - interval '1 day' THEN 'red' WHEN due < $1 THEN 'yellow' ELSE 'green' END,
    'unit-' || u, 'unit ' || u, 'category ' || c
FROM (SELECT n, $1::timestamptz + (random() * 13 - 3) * interval '1 day' AS due, floor(power(random(), 2) * $4) AS u,
    floor(power(random(), 2) * $5) AS c FROM generate_series($2::int, $3::int - 1) n) t
"""
FIRE = """
UPDATE clocks SET light = 'red', fired = 5 WHERE (ticket_id, round, name) IN (
    SELECT ticket_id, round, name FROM clocks WHERE light = 'yellow' AND state = 'running' LIMIT 500)
"""


@contextmanager
def cpu(what: str, times: int = 1) -> Iterator[None]:
    """Print what a block costs this process."""
    started = time.process_time()
    yield
    print(f"{what}: {(time.process_time() - started) / times * 1000:.1f} ms of this process")


async def explain(connection: Any, what: str, statement: str, *arguments: object) -> None:
    """Print what a statement costs the database."""
    said = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *arguments)
    (plan,) = json.loads(said)
    reads = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    print(f"{what}: {plan['Execution Time']:.1f} ms, {reads:,} pages, planned in {plan['Planning Time']:.1f} ms")


async def fill(here: Here, size: int) -> None:
    """Fill the table in pieces, fold as the service does, and say what the counting cost."""
    pool, step = here.database.pool, 50_000
    started = time.perf_counter()
    for first in range(0, size, step):
        await pool.execute(FILL, NOON, first, min(size, first + step), UNITS, CATEGORIES, timeout=300)
        while await fold_changes(here) == 0:
            pass
    await pool.execute("VACUUM ANALYZE clocks")
    print(f"{size:,} open clocks filled in {time.perf_counter() - started:.0f} s")


async def measure(here: Here, http: Any) -> None:
    """Print every cost."""
    async with here.database.pool.acquire() as connection:
        for kept in (True, False) * 3:
            await connection.execute(f"ALTER TABLE clocks {'ENABLE' if kept else 'DISABLE'} TRIGGER USER")
            await explain(connection, f"500 clocks change, {'counted' if kept else 'not counted'}", FIRE)
        await connection.execute("ALTER TABLE clocks ENABLE TRIGGER USER")
        await explain(connection, "Whether anything changed", store.VERSION)
        await explain(connection, "The counts", store.COUNTS)
        await connection.execute("VACUUM ANALYZE board_counts, board_changes")
        await explain(connection, "The counts, once vacuumed", store.COUNTS)
        await explain(connection, "Due within 4 hours", store.SOON_DUE, NOON, NOON + timedelta(hours=4))
        await explain(connection, "Cases", store.OPEN_CASES)
    with cpu("Read the picture"):
        soon, cases = await store.coming(here.database, NOON)
        picture = Picture(
            by_unit(await store.counts(here.database)), by_unit(soon_of(soon, here.engine.lateness)), by_unit(cases)
        )
    lines = [sum(map(len, part.values())) for part in (picture.counts, picture.soon)]
    print("{:,} counts, {:,} of what is due soon".format(*lines))
    with cpu("Sum up for the city"):
        whole = board(picture, None)
    with cpu("Sum up for 30 units"):
        board(picture, {f"unit-{number}" for number in range(30)})
    with cpu("Its id"):
        fingerprint(whole)
    for query in ("", "light=red", "unit=unit-499", "category=category 20", "soon=true", "clock=response&light=yellow"):
        started = time.perf_counter()
        for _ in range(PAGES):
            assert (await http.get(f"/sla/v1/board/clocks?{query}")).status_code == 200
        print(f"A page of clocks, {query or 'all'}: {(time.perf_counter() - started) / PAGES * 1000:.1f} ms")
    with cpu("The board over HTTP", PAGES):
        for _ in range(PAGES):
            assert (await http.get("/sla/v1/board")).status_code == 200
    with cpu("A table of all that is red"):
        answer = await http.get("/sla/v1/board/clocks.csv?light=red")
    print(f"{answer.text.count(chr(10)):,} lines")


async def run(folder: Path, dsn: str, size: int) -> None:
    """Fill and measure."""
    service = SERVICE
    async with running(service, settings_for(folder, dsn), MemoryBus(), ManualClock()) as stage:
        await fill(stage.context, size)
        async with client([stage], (folder / "key").read_text()) as http:
            await measure(stage.context, http)


def main(arguments: Sequence[str]) -> None:
    """Measure on a server of its own, which is gone afterwards."""
    size = int(arguments[0]) if arguments else 1_000_000
    with tempfile.TemporaryDirectory(prefix="jiesu-board-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        os.environ.setdefault("JIESU_MODELS", str(folder / "models"))
        server = PrivatePostgres(folder / "postgres")
        server.start()
        try:
            server.ensure_database(["sla"])
            asyncio.run(run(folder, server.dsn("sla"), size))
        finally:
            server.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
