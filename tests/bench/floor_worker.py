"""One worker of the floor, in the place of one service; `floor` says what it does and what it leaves out.

`python -m tests.bench.floor_worker NAME BOOTSTRAP DSN` takes commands as JSON lines on stdin and answers on stdout.
"""

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from libs.common.messaging.outbox import pack_headers
from services.cli.processes import NAMES
from tests.bench.floor import PLANS, PREFIX
from tests.bench.meter import EMITTER, TablePlan, TopicPlan, WorkerPlan

LIMIT = 500
RELAY_LIMIT = 1000
ROW_OVERHEAD = 24 + 16 + 4
"""Bytes of a row beside its blob: the header, the key, the blob's length."""
RUN_STRIDE = 10**12
HEART = """
CREATE TABLE IF NOT EXISTS outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL, key text NOT NULL, headers text NOT NULL, body bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS inbox (event_id uuid PRIMARY KEY);
"""
CLAIM = "INSERT INTO inbox (event_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING event_id"
PUT = """
INSERT INTO outbox (topic, key, headers, body)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
"""
TAKE = """
DELETE FROM outbox WHERE id = ANY(ARRAY(SELECT id FROM outbox ORDER BY id LIMIT $1))
RETURNING id, topic, key, body
"""


@dataclass(slots=True)
class Share:
    """Deals `total` things evenly over `over` pieces of work: after the last piece, all have been dealt."""

    total: int
    over: int
    seen: int = 0
    dealt: int = 0

    def take(self, pieces: int) -> int:
        """Return how many things belong to the next pieces."""
        self.seen += pieces
        due = self.seen * self.total // self.over if self.over else 0
        taken, self.dealt = due - self.dealt, due
        return taken


class Table:
    """One table: its first upserts insert its keys, the later ones update them, oldest first."""

    def __init__(self, name: str, plan: TablePlan, work: int, base: int) -> None:
        self.create = (
            f'CREATE TABLE IF NOT EXISTS "t_{name}" (id uuid PRIMARY KEY, blob bytea NOT NULL) WITH (fillfactor = 80)'
        )
        self.upsert = (
            f'INSERT INTO "t_{name}" (id, blob) SELECT * FROM unnest($1::uuid[], $2::bytea[]) '  # noqa: S608 the name of a table
            "ON CONFLICT (id) DO UPDATE SET blob = excluded.blob"
        )
        self.delete = f'DELETE FROM "t_{name}" WHERE id = ANY($1::uuid[])'  # noqa: S608 the same
        self._blob = b"x" * max(0, plan.width - ROW_OVERHEAD)
        self._keys = plan.inserts or plan.updates
        self._writes = Share(plan.inserts + plan.updates, work)
        self._deletes = Share(plan.deletes, work)
        self._base = base

    async def write(self, connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]", pieces: int) -> None:
        """Write what belongs to so many pieces of work."""
        begin, count = self._writes.dealt, self._writes.take(pieces)
        for first in range(begin, begin + count, self._keys or 1):
            # Sorted, so that two transactions never wait for each other; a statement writes no key twice.
            numbers = sorted(i % self._keys for i in range(first, min(first + self._keys, begin + count)))
            await connection.execute(self.upsert, self._ids(numbers), [self._blob] * len(numbers))
        begin, count = self._deletes.dealt, self._deletes.take(pieces)
        if count:
            await connection.execute(self.delete, self._ids(range(begin, begin + count)))

    def _ids(self, numbers: Sequence[int]) -> list[UUID]:
        return [UUID(int=self._base + number) for number in numbers]


class Topic:
    """One topic that the worker writes to."""

    def __init__(self, name: str, plan: TopicPlan, work: int) -> None:
        self.name = PREFIX + name
        self.headers = [(header, b"x" * size) for header, size in plan.shape.headers]
        self.packed = pack_headers(self.headers)
        self.body = b"x" * plan.shape.body
        self.share = Share(plan.messages, work)


class Run:
    """What is left to do of one run."""

    def __init__(self, name: str, plan: WorkerPlan, reads: Mapping[str, int], tickets: int, number: int) -> None:
        self.base = number * RUN_STRIDE
        self.entering = tickets if name == NAMES[0] else 0
        self.reading = sum(reads.values())
        work = self.entering + self.reading
        self.claims = Share(plan.claims, self.reading)
        self.tables = [Table(table, each, work, self.base) for table, each in plan.tables.items()]
        before = [topic for topic in reads if NAMES.index(EMITTER[topic]) < NAMES.index(name)]
        self.drivers = {PREFIX + topic for topic in before}
        first_hand = self.entering + sum(reads[topic] for topic in before)
        self.topics = [Topic(topic, each, first_hand) for topic, each in plan.produces.items()]
        self.publishing = sum(each.messages for each in plan.produces.values())

    @property
    def finished(self) -> bool:
        """Whether everything was entered, read and published."""
        return not (self.entering or self.reading or self.publishing)


class Worker:
    """Consumer and relay of one worker."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", consumer: AIOKafkaConsumer, producer: AIOKafkaProducer
    ) -> None:
        self._pool = pool
        self._consumer = consumer
        self._producer = producer
        self._run: Run | None = None
        self._spoke = asyncio.Event()

    async def begin(self, run: Run) -> None:
        """Make the tables and wait for work."""
        async with self._pool.acquire() as connection:
            await connection.execute(HEART)
            for table in run.tables:
                await connection.execute(table.create)
        self._run = run

    async def enter(self) -> None:
        """Do what intake does for tickets that come in, 500 in a transaction."""
        run = self._current()
        for first in range(0, run.entering, LIMIT):
            count = min(LIMIT, run.entering)
            keys = [str(UUID(int=run.base + first + i)) for i in range(count)]
            await self._transaction(run, 0, count, keys)
            run.entering -= count
        self._report(run)

    async def consume(self) -> None:
        """Read and write for ever."""
        while True:
            polled = await self._consumer.getmany(timeout_ms=500, max_records=LIMIT)
            records = [record for records in polled.values() for record in records]
            if records:
                await self._work(records)

    async def _work(self, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> None:
        run = self._current()
        keys = [record.key.decode() for record in records if record.topic in run.drivers]
        await self._transaction(run, len(records), len(records), keys)
        await self._consumer.commit()
        run.reading -= len(records)
        self._report(run)

    async def _transaction(self, run: Run, read: int, pieces: int, keys: Sequence[str]) -> None:
        claims = run.claims.dealt
        ids = [UUID(int=run.base + claims + i) for i in range(run.claims.take(read))]
        spoken = [(topic, keys[i % len(keys)]) for topic in run.topics for i in range(topic.share.take(len(keys)))]
        async with self._pool.acquire() as connection, connection.transaction():
            if ids:
                await connection.fetch(CLAIM, ids)
            for table in run.tables:
                await table.write(connection, pieces)
            if spoken:
                await connection.execute(
                    PUT,
                    [topic.name for topic, _ in spoken],
                    [key for _, key in spoken],
                    [topic.packed for topic, _ in spoken],
                    [topic.body for topic, _ in spoken],
                )
        if spoken:
            self._spoke.set()

    async def relay(self) -> None:
        """Publish the outbox for ever."""
        async with self._pool.acquire() as connection:
            while True:
                await self._spoke.wait()
                self._spoke.clear()
                while await self._publish(connection) == RELAY_LIMIT:
                    pass

    async def _publish(self, connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]") -> int:
        run = self._current()
        headers = {topic.name: topic.headers for topic in run.topics}
        async with connection.transaction():
            rows = await connection.fetch(TAKE, RELAY_LIMIT)
            if not rows:
                return 0
            rows.sort(key=lambda row: row["id"])
            sent = [
                await self._producer.send(r["topic"], r["body"], key=r["key"].encode(), headers=headers[r["topic"]])
                for r in rows
            ]
            await asyncio.gather(*sent)
        run.publishing -= len(rows)
        self._report(run)
        return len(rows)

    def _current(self) -> Run:
        if self._run is None:
            raise RuntimeError("there is work before there is a plan")
        return self._run

    @staticmethod
    def _report(run: Run) -> None:
        if run.finished:
            say(finished=time.time())


def say(**words: object) -> None:
    """Answer the bench."""
    print(json.dumps(words), flush=True)


async def main(name: str, bootstrap: str, dsn: str) -> None:
    """Do what the bench says until it stops us."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=f"floor.{name}", enable_auto_commit=False, auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 * 1024 * 1024, fetch_max_wait_ms=100,
    )  # fmt: skip
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=1, max_batch_size=256 * 1024
    )
    await producer.start()
    async with asyncpg.create_pool(dsn, min_size=3, max_size=3) as pool, asyncio.TaskGroup() as group:
        group.create_task(_obey(name, Worker(pool, consumer, producer), consumer, group))


async def _obey(name: str, worker: Worker, consumer: AIOKafkaConsumer, group: asyncio.TaskGroup) -> None:
    """Take commands: a plan, which is acknowledged, and for intake's place the word to go."""
    number = 0
    async for line in await _lines_of_stdin():
        command = json.loads(line)
        if "plan" not in command:
            await worker.enter()
            continue
        number += 1
        plan = PLANS.validate_python(command["plan"])
        await worker.begin(Run(name, plan, command["reads"], command["tickets"], number))
        if number == 1:
            consumer.subscribe([PREFIX + topic for topic in plan.consumes])
            await consumer.start()
            group.create_task(worker.consume())
            group.create_task(worker.relay())
        say(planned=number)


async def _lines_of_stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
