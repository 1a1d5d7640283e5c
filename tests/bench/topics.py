"""Whether topics find what is wrong: a year of a city that does not exist, with five class problems in it.

`python -m tests.bench.topics` prints at which place the planted problems of tests/support/topics.py come out, and what
only looks so, of eight seeds: with the same month of the year before in the record, and without. Then the record of the
first is written into a PostgreSQL of its own, and counted and proposed from as the service does it.
"""

import asyncio
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from libs.common.city.pack import City, load_city
from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.memory import MemoryBus
from services.feedback.domain.candidates import candidates
from services.feedback.domain.matters import WEEK, weeks_of
from services.feedback.domain.periods import period_of
from services.feedback.handlers.matters import count_next
from services.feedback.handlers.topics import propose
from services.feedback.service import SERVICE
from tests.support.stages import CITY, ManualClock, running, settings_for
from tests.support.topics import Came, Town, appeals, judged, keep, town

MONTH = period_of("2026-11")
BEGINS = ("2025-11", "2025-12")
SEEDS = range(1, 9)
AFTER = datetime(2026, 12, 4, tzinfo=UTC)


def record(of: Town, seed: int) -> Iterator[Came]:
    """Yield the appeals of a year and a month."""
    first = weeks_of(period_of(BEGINS[0]))[0]
    return appeals(of, first, (weeks_of(MONTH)[-1] - first) // WEEK + 1, seed + 100)


def found(city: City, seed: int) -> Iterator[str]:
    """Yield a line for each beginning of the record: places, and how far apart the ends of scores are."""
    made, rules = town(city, seed), city.topics
    came = list(record(made, seed))
    for begin in BEGINS:
        ranked = candidates(judged(city, came, weeks_of(period_of(begin))[0], MONTH), rules)
        places = {one.matter.category: place for place, one in enumerate(ranked, 1)}
        lows = {one.matter.category: one.score.low for one in ranked}
        planted, decoys = ([lows.get(g, 0.0) for g in some.values()] for some in (made.planted, made.decoys))
        others = [low for group, low in lows.items() if group not in made.planted.values()]
        worst = min(places.get(group, len(ranked) + 1) for group in made.decoys.values())
        at = sorted(places[group] for group in made.planted.values())
        yield (
            f"seed {seed}, {len(came)} appeals from {begin}: planted at {at}, from {min(planted):.0f} on; "
            f"first decoy at {worst}, {max(decoys):.0f}; no other above {max(others):.0f}"
        )


async def counted(folder: Path, dsn: str, city: City) -> None:
    """Write the record of the first seed, count its weeks and propose, and print what that took."""
    made, clock = town(city, 1), ManualClock(AFTER)
    async with running(SERVICE, settings_for(folder, dsn), MemoryBus(), clock) as stage:
        here = stage.context
        count = await keep(here.database.pool, city, record(made, 1))
        await here.database.pool.execute("ANALYZE")
        began = time.perf_counter()
        weeks = 0
        while await count_next(here):
            weeks += 1
        took = time.perf_counter() - began
        print(f"{count} appeals of {weeks} weeks counted in {took:.1f} s, {count / took:.0f} a second")
        began = time.perf_counter()
        topics = await propose(here, MONTH)
        names = {group: name for name, group in made.planted.items()}
        print(f"proposed in {time.perf_counter() - began:.1f} s:", [names.get(one.category, "-") for one in topics])


def main() -> None:
    """Measure and print."""
    city = load_city(CITY)
    for seed in SEEDS:
        for line in found(city, seed):
            print(line, flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        server = PrivatePostgres(folder / "postgres", durable=False)
        server.start()
        try:
            server.ensure_database(["topics"])
            asyncio.run(counted(folder, server.dsn("topics"), city))
        finally:
            server.stop()
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_utime:.0f} s of one core")


if __name__ == "__main__":
    main()
