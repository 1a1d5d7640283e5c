"""What a search of the knowledge base costs with some ten thousand passages, in processor time.

    python -m tests.bench.knowledge_speed

An article is made of each question of the pack's catalogue, with four passages of what the catalogue says about it;
what they mean is left to chance, which costs the same. Counted is the processor time of the process and of PostgreSQL's
for it, which another load on the machine does not change.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from libs.common.city.catalogue import Catalogue
from libs.common.city.pack import load_city
from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.transaction import Speaker
from libs.common.runtime.database import migrate, open_database
from services.classify import handlers, store
from services.classify.domain import Content, Passage, published
from services.classify.knowledge import Finder, Matters, terms
from services.classify.model.meaning import ARCHIVE, WIDTH, Meaning, directions
from services.classify.service import SERVICE
from tests.bench.knowledge_quality import QUESTIONS, questions
from tests.support.stages import CITY, NOON, ManualClock

SENTENCES = 4
PERCENTILES = (50, 95, 99)
_CHANCE = np.random.default_rng(1)


def passages(catalogue: Catalogue) -> Iterator[tuple[str, str, list[Passage]]]:
    """Return code, title and passages of an article for each question."""
    for q in catalogue:
        half = len(q.phrases) // 2
        texts = [
            "。".join(q.ask),
            f"{q.evidence}。{q.out_of_scope}",
            "。".join(q.phrases[:half]),
            "。".join(q.phrases[half:]),
        ]
        asked = (q.phrases[:2], (), q.phrases[2:4], ())
        yield (
            q.code,
            q.l3,
            [
                Passage(f"{at}.1", q.l2, text, ways, _meant(1 + len(ways) + SENTENCES))
                for at, (text, ways) in enumerate(zip(texts, asked, strict=True), 1)
            ],
        )


def _meant(rows: int) -> bytes:
    return (directions(_CHANCE.normal(size=(rows, WIDTH))) * 254).clip(-127, 127).astype(np.int8).tobytes()


async def fill(here: Any, catalogue: Catalogue) -> int:
    """Store the articles; returns how many passages they have."""
    model, kept, read = here.engine.finder.model, [], {}
    for code, title, some in passages(catalogue):
        content = Content(
            code, title, "", "dept-water", None, None, None, None, None, (code,), (), (), code.encode()
        )  # fmt: skip
        kept.append(published(content, None, here.clock.new_id(), model, _meant(8), "bench", NOON))
        read[(code, 1)] = [(one, " ".join(terms(title, one))) for one in some]
    async with here.database.begin() as tx:
        await store.save_articles(tx, kept)
        await store.save_passages(tx, read)
    await here.database.pool.execute("ANALYZE")
    return sum(map(len, read.values()))


async def measure(here: Any) -> list[float]:
    """Ask every question of the quality bench, and return what each cost in milliseconds."""
    asked = [one.question for one in questions(QUESTIONS)]
    serving = await here.database.pool.fetch("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    backends = [Path(f"/proc/{row['pid']}/schedstat") for row in serving]
    cost = []
    for question in asked[:20] + asked:
        before = _spent(backends)
        await handlers.find(here, question, NOON)
        cost.append((_spent(backends) - before) * 1000)
    return cost[20:]


def _spent(backends: Sequence[Path]) -> float:
    """Return the seconds of processor time that this process and these have used."""
    return time.process_time() + sum(int(one.read_text().split()[0]) for one in backends) / 1e9


async def run(url: str) -> None:
    """Fill a database and print what a search costs."""
    city, clock = load_city(CITY), ManualClock(NOON)
    await migrate(url, SERVICE.migrations)
    database = await open_database(url, Speaker("classify", SERVICE.emits, clock.now, clock.new_id), 2)
    phrases = sum(len(q.phrases) for q in city.catalogue)
    matters = Matters(city.catalogue, directions(_CHANCE.normal(size=(phrases, WIDTH))).astype(np.float16))
    engine = SimpleNamespace(finder=Finder(city.catalogue, Meaning(ARCHIVE), matters))
    here = cast(Any, SimpleNamespace(engine=engine, database=database, clock=clock))
    try:
        stored = await fill(here, city.catalogue)
        cost = await measure(here)
    finally:
        await database.close()
    told = ", ".join(f"p{p} {np.percentile(cost, p):.1f}" for p in PERCENTILES)
    print(f"{stored} passages, {len(cost)} questions: {told} ms of one core")


def main() -> None:
    """Measure against a private PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = PrivatePostgres(Path(folder) / "postgres", durable=False)
        postgres.start()
        try:
            postgres.ensure_database(["knowledge"])
            asyncio.run(run(postgres.dsn("knowledge")))
        finally:
            postgres.stop()


if __name__ == "__main__":
    main()
