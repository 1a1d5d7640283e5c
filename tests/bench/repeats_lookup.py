"""How long it takes to find repeats among many open tickets, and what reading and finding cost an appeal.

    python -m tests.bench.repeats_lookup [open tickets, 1000000]

Fills a private PostgreSQL with sketches of open tickets in 12,000 places, of which some are named far more often than
others, and looks up appeals that name such places: one at a time, in batches of 200 as screening does, and over HTTP.
Statistics are left as they are after the filling; no ANALYZE helps the planner.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import numpy as np

from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.memory import MemoryBus
from services.intake import store
from services.intake.handlers import Here
from services.intake.repeats import Known, Said
from services.intake.repeats.places import key_of
from services.intake.service import SERVICE
from tests.bench.repeats_pairs import read_pairs
from tests.support.stages import NOON, ManualClock, client, running, settings_for

PLACES, GROUPS, SINGLE, BATCH, BATCHES = 12_000, 25, 1_000, 200, 20
SYLLABLES = "安百长东丰福光海和华嘉金康兰乐龙明宁平青瑞石顺天望西新阳永玉园远云泽芝中紫"
FILL = """
INSERT INTO likenesses (ticket_id, received_at, model, keys, sketch)
SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $1::timestamptz - n * interval '1 second', $2,
       ARRAY[n::bigint, p.keys[1], p.keys[2 + n % 25], p.keys[2 + (n / 7) % 25]], s.sketch
FROM (
    SELECT n, floor(power(random(), 2) * $4::int)::int AS place FROM generate_series(1, $3::int) n OFFSET 0
) t JOIN places p ON p.id = t.place JOIN sketches s ON s.id = n % $5::int
"""
KEYS = "INSERT INTO likeness_keys (key, ticket_id) SELECT DISTINCT unnest(keys), ticket_id FROM likenesses"


def names() -> list[str]:
    """Return the names of the places: of a thousand endings, so that a key leads to many names as well."""
    triples = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]
    return Random(3).sample(triples, PLACES)


def appeals(random: Random, count: int) -> list[Said]:
    """Return appeals of the labelled kind, each about one of the places."""
    texts = [labelled.said.text for labelled in read_pairs("training").appeals]
    places = names()
    return [
        Said(
            text=random.choice(texts),
            received_at=NOON,
            address=f"{places[int(random.random() ** 2 * PLACES)]}小区",
            reporter=str(number),
        )
        for number in range(count)
    ]


async def fill(here: Here, connection: Any, size: int) -> None:
    """Store so many open tickets."""
    rows = [
        (i, [key_of(f"place {end}"), *(key_of(f"{key_of(f'place {end}')} {group}") for group in range(GROUPS))])
        for i, end in enumerate(name[-2:] for name in names())
    ]
    sketches = here.engine.repeats.read(appeals(Random(1), 2_000)).sketches
    await connection.execute("CREATE TEMP TABLE places (id int PRIMARY KEY, keys bigint[])")
    await connection.copy_records_to_table("places", records=rows)
    await connection.execute("CREATE TEMP TABLE sketches (id int PRIMARY KEY, sketch bytea)")
    await connection.copy_records_to_table("sketches", records=[(i, s.tobytes()) for i, s in enumerate(sketches)])
    await connection.execute(FILL, NOON, here.engine.repeats.model, size, PLACES, len(sketches))
    await connection.execute(KEYS)


async def look_up(here: Here, some: Sequence[Said]) -> int:
    """Find the likely repeats of appeals as screening does; return how many candidates were compared."""
    repeats = here.engine.repeats
    read = repeats.read(some)
    async with here.database.begin() as tx:
        keys = {key for some in read.keys for key in some.looked_for}
        known = Known(*await store.found_under(tx.connection, keys, repeats.model))
    repeats.among(read, known)
    return len(known.sketches)


async def timed(work: Callable[[int], Awaitable[object]], count: int) -> tuple[np.ndarray[Any, Any], float]:
    """Return the milliseconds of each of so many calls, and this process's CPU seconds for all."""
    took, cpu = [], time.process_time()
    for number in range(count):
        started = time.perf_counter()
        await work(number)
        took.append(1000 * (time.perf_counter() - started))
    return np.array(took), time.process_time() - cpu


def tell(what: str, took: np.ndarray[Any, Any], note: str = "") -> None:
    """Print one line."""
    p50, p99 = np.percentile(took, (50, 99))
    print(f"{what:34} p50 {p50:7.2f} ms   p99 {p99:7.2f} ms   {note}")


async def measure(here: Here, http: Any) -> None:
    """Print what it takes."""
    some = appeals(Random(2), SINGLE)
    await look_up(here, some[:BATCH])
    took, _ = await timed(lambda n: look_up(here, [some[n]]), SINGLE)
    tell("one appeal, read and found", took)
    found: list[int] = []

    async def batch(n: int) -> None:
        found.append(await look_up(here, some[n * BATCH % SINGLE :][:BATCH]))

    took, cpu = await timed(batch, BATCHES)
    each = 1e6 * cpu / (BATCHES * BATCH)
    tell(f"a batch of {BATCH}", took, f"{each:.0f} us CPU an appeal, {np.mean(found) / BATCH:.1f} candidates each")
    started = time.process_time()
    for n in range(BATCHES):
        here.engine.repeats.read(some[n * BATCH % SINGLE :][:BATCH])
    print(f"{'reading alone':34} {1e6 * (time.process_time() - started) / (BATCHES * BATCH):.0f} us CPU an appeal")
    took, _ = await timed(
        lambda n: http.post("/intake/v1/similar", json={"text": some[n].text, "address": some[n].address}), SINGLE
    )
    tell("POST /intake/v1/similar", took)


async def run(folder: Path, dsn: str, size: int) -> None:
    """Fill and measure."""
    settings = settings_for(folder, dsn)
    async with running(SERVICE, settings, MemoryBus(), ManualClock()) as stage:
        connection = await asyncpg.connect(dsn)
        started = time.perf_counter()
        await fill(stage.context, connection, size)
        counted = await connection.fetchval("SELECT count(*) FROM likeness_keys")
        bytes_ = await connection.fetchval(
            "SELECT pg_total_relation_size('likeness_keys') + pg_total_relation_size('likenesses')"
        )
        seconds = time.perf_counter() - started
        print(f"{size:,} open tickets, {counted:,} keys, {bytes_ / 2**20:.0f} MB, filled in {seconds:.0f} s")
        await connection.close()
        async with client([stage], (folder / "key").read_text()) as http:
            await measure(stage.context, http)


def main(arguments: Sequence[str]) -> None:
    """Measure on a server of its own, which is gone afterwards."""
    size = int(arguments[0]) if arguments else 1_000_000
    with tempfile.TemporaryDirectory(prefix="jiesu-repeats-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        os.environ.setdefault("JIESU_MODELS", str(folder / "models"))
        server = PrivatePostgres(folder / "postgres")
        server.start()
        try:
            server.ensure_database(["intake"])
            asyncio.run(run(folder, server.dsn("intake"), size))
        finally:
            server.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
