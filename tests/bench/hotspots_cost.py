"""What hot events cost: a look at a city of 100,000 appeals a day, and each appeal as it is counted.

    python -m tests.bench.hotspots_cost [appeals a day, 100000]

Fills a private PostgreSQL with eight days of what is counted, learns the whole days one by one, and takes looks: at the
quick windows, as every minute; at the slow ones, as every fifth; and at a week of words, as every hour. Then it reads
the grams and the mood of appeals, and counts them in batches of 200. Times are of the processor, PostgreSQL's included.
"""

import asyncio
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil

from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.memory import MemoryBus
from services.classify import handlers, store
from services.classify.domain import Sighting
from services.classify.handlers import Here
from services.classify.service import SERVICE
from tests.support.stages import ManualClock, running, settings_for

MONDAY = datetime(2026, 3, 1, 16, tzinfo=UTC)
"""Midnight of Monday in Beijing."""
DAYS, WORDS, VOCABULARY, BATCH, BATCHES, LOOKS = 8, 10, 300_000, 200, 20, 5
COLUMNS = tuple(Sighting.__dataclass_fields__)


class Busy:
    """Counts processor time: of this process, and of a PostgreSQL with all its processes."""

    def __init__(self, server: PrivatePostgres) -> None:
        (pid,) = server.folder.rglob("postmaster.pid")
        self._postmaster = psutil.Process(int(pid.read_text().split()[0]))

    def __call__(self) -> float:
        """Return the seconds until now."""
        main = self._postmaster.cpu_times()
        ended = main.user + main.system + main.children_user + main.children_system
        live = (process.cpu_times() for process in self._postmaster.children())
        return time.process_time() + ended + sum(spent.user + spent.system for spent in live)


def sightings(here: Here, day: int, count: int) -> list[Sighting]:
    """Draw what is counted of a day's appeals."""
    chance, rules = np.random.default_rng(day), here.engine.rules
    codes = [question.code for question in rules.catalogue]
    places = [place.split("/") for place in here.engine.detector.places if place != "/"]
    rates = np.random.default_rng(0).lognormal(0, 1.3, len(codes))
    drawn = zip(
        np.sort(chance.uniform(0, 86_400, count)), chance.choice(len(codes), count, p=rates / rates.sum()),
        chance.choice(len(places), count), (VOCABULARY ** chance.random((count, WORDS))).astype(int),
        strict=True,
    )  # fmt: skip
    began = MONDAY + timedelta(days=day)
    return [
        Sighting(
            here.clock.new_id(), began + timedelta(seconds=float(second)), codes[code],
            district=places[place][0], street=places[place][1],
            voice=day * count + number, urgent=False, mood=-0.2, vulnerable=False, safety=False,
            words=tuple(_pair(int(word)) for word in dict.fromkeys(words)),
        )
        for number, (second, code, place, words) in enumerate(drawn)
    ]  # fmt: skip


def _pair(number: int) -> str:
    return chr(0x4E00 + number // 600) + chr(0x4E00 + number % 600)


async def fill(here: Here, count: int) -> None:
    """Store eight days of what is counted."""
    for day in range(DAYS):
        drawn = sightings(here, day, count)
        for start in range(0, count, 10_000):
            async with here.database.begin() as tx:
                await store.save_sightings(tx, drawn[start : start + 10_000], [])


async def looks(here: Here, clock: ManualClock, busy: Busy, minute: int) -> None:
    """Take looks at this minute of some hours, and print what one takes."""
    taken = []
    for _ in range(LOOKS):
        clock.at += timedelta(hours=1)
        clock.at = clock.at.replace(minute=minute)
        started = busy()
        await handlers.watch(here)
        taken.append(busy() - started)
    kind = {0: "every hour", 5: "every 5 minutes"}.get(minute, "every minute")
    print(f"A look as {kind:16}: {1000 * np.median(taken):8.0f} ms")


async def counting(here: Here, busy: Busy, count: int) -> None:
    """Read and count appeals in batches, and print what one takes."""
    detector, text = (
        here.engine.detector,
        "小区门口新来的紫冠卡推销员天天敲门，物业不管，谁来管管，老人被骗了八百块。" * 3,
    )
    started = busy()
    for _ in range(BATCH * BATCHES):
        detector.grams.of(text)
        detector.lexicon.mood(text)
        detector.lexicon.vulnerable.search(text)
        detector.lexicon.safety.search(text)
    read = (busy() - started) / (BATCH * BATCHES)
    drawn = sightings(here, DAYS, BATCH * BATCHES)
    started = busy()
    for start in range(0, len(drawn), BATCH):
        async with here.database.begin() as tx:
            await store.save_sightings(tx, drawn[start : start + BATCH], [])
    kept = (busy() - started) / len(drawn)
    print(f"An appeal of {len(text)} characters: read in {1e6 * read:.0f} us, counted in {1e6 * kept:.0f} us")


async def bench(home: Path, dsn: str, busy: Busy, count: int) -> None:
    """Fill, learn, look and count."""
    clock = ManualClock(MONDAY + timedelta(days=DAYS - 1, hours=2))
    async with running(SERVICE, settings_for(home, dsn), MemoryBus(), clock) as stage:
        stage.context.loops["hotspots"].stop()
        await stage.tasks["hotspots"]
        here: Here = stage.context
        await fill(here, count)
        print(f"{DAYS} days of {count:,} appeals")
        started = busy()
        for _ in range(DAYS - 1):
            clock.advance(minutes=1)
            await handlers.watch(here)
        learnt = (busy() - started) / (DAYS - 1)
        print(f"A day is learnt in {learnt:.1f} s, up to {here.engine.detector.until}")
        clock.advance(hours=4)
        for minute in (1, 5, 0):
            await looks(here, clock, busy, minute)
        await counting(here, busy, count)
        print(f"Memory of this process: {psutil.Process().memory_info().rss / 1e6:.0f} MB")


def main() -> None:
    """Read the argument and run."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="jiesu-bench-") as folder:
        home = Path(folder)
        os.environ.setdefault("JIESU_MODELS", str(home / "models"))
        home.chmod(0o711)
        server = PrivatePostgres(home / "postgres")
        server.start()
        try:
            server.ensure_database(["hotspots"])
            asyncio.run(bench(home, server.dsn("hotspots"), Busy(server), count))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
