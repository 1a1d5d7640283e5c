"""The bare floor: what it costs on this machine to write a run's rows and messages, with no service in between.

Five workers, one in the place of each service, on the same Kafka and the same PostgreSQL with the same settings. Each
is a process of its own with a database of its own, a consumer of its own on topics of its own (`floor.` and the real
name, with as many partitions), and a relay of its own.

What the floor does, as often and as large as `meter` counted it in a run of the platform:
  - a worker takes up to 500 messages, and in one transaction inserts as many ids into its inbox as the service claimed,
    upserts and deletes as many rows of the same mean width in as many tables, and inserts as many outbox rows;
    then it commits, and then it commits its Kafka offsets;
  - a relay deletes up to 1,000 outbox rows, publishes them with acks=all from an idempotent producer as messages with
    the same key length, the same number and size of headers and the same size of body, and then commits;
  - the worker in intake's place begins: it enters the tickets, 500 in a transaction.

What the floor does not do, and the platform does:
  - HTTP, JSON, sealing, redaction, the text model, routing, any decision at all;
  - reading rows: it writes only. Decoding messages: it looks at the key and the topic only;
  - indexes beside the primary key, columns (a row is a key and one blob), jsonb;
  - two steps at intake's door (202 first, then screening): it needs one transaction for both;
  - taking turns when two events of a ticket come in one batch, and any lock but those of its upserts.

Rows are dealt evenly over a worker's work (tickets entered and messages read), messages over what comes from earlier
stages of the loop, so every count comes out exactly. A table's first upserts insert its keys, later ones update them.
"""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import psutil
from pydantic import TypeAdapter

from libs.common.messaging.kafka import KafkaAddress, ensure_topics
from services.cli.processes import COMPACTED, NAMES
from tests.bench.meter import Plan, TablePlan, TopicPlan, WorkerPlan
from tests.bench.platform import Platform, Usage, usage_of
from tests.bench.watch import TOPICS

PREFIX = "floor."
PATIENCE_SECONDS = 120
PLANS = TypeAdapter(WorkerPlan)


class FloorError(RuntimeError):
    """A worker of the floor failed; the text has its last words."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process."""

    name: str
    process: asyncio.subprocess.Process

    async def tell(self, **command: object) -> None:
        """Send a command."""
        if self.process.stdin:
            self.process.stdin.write(json.dumps(command).encode() + b"\n")
            await self.process.stdin.drain()

    async def hear(self) -> dict[str, float]:
        """Return the next thing it says. Raises FloorError if it has ended or says nothing for too long."""
        if self.process.stdout is None or self.process.stderr is None:
            raise FloorError(f"{self.name} was started without pipes")
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_SECONDS)
        except TimeoutError:
            raise FloorError(f"the floor's {self.name} says nothing for {PATIENCE_SECONDS} s") from None
        if not line:
            raise FloorError(f"the floor's {self.name} ended: {(await self.process.stderr.read()).decode()[-2000:]}")
        said: dict[str, float] = json.loads(line)
        return said


class Floor:
    """The five workers."""

    def __init__(self, workers: list[Worker]) -> None:
        self._workers = workers

    async def run(self, plan: Plan) -> float:
        """Do what `plan` says once; return the seconds from the first ticket to the last commit and publish."""
        for worker in self._workers:
            mine = plan.workers[worker.name]
            reads = {topic: _messages(plan, topic) for topic in mine.consumes}
            await worker.tell(plan=PLANS.dump_python(mine, mode="json"), reads=reads, tickets=plan.tickets)
        for worker in self._workers:
            await worker.hear()
        began = time.time()
        await self._workers[0].tell(go=True)
        said = [await worker.hear() for worker in self._workers]
        return max(word["finished"] for word in said) - began

    def usage(self) -> dict[str, Usage]:
        """Return what each worker has used."""
        return {worker.name: usage_of(psutil.Process(worker.process.pid)) for worker in self._workers}


def _messages(plan: Plan, topic: str) -> int:
    found = (worker.produces[topic].messages for worker in plan.workers.values() if topic in worker.produces)
    return next(found, 0)


def smaller(plan: Plan, tickets: int) -> Plan:
    """Return the same plan for fewer tickets, to warm up with."""

    def share(count: int) -> int:
        return count * tickets // plan.tickets

    def less(worker: WorkerPlan) -> WorkerPlan:
        tables = {
            name: TablePlan(share(t.inserts), share(t.updates), share(t.deletes), t.width)
            for name, t in worker.tables.items()
        }
        produces = {name: TopicPlan(share(t.messages), t.shape) for name, t in worker.produces.items()}
        return replace(worker, claims=share(worker.claims), tables=tables, produces=produces)

    return Plan(tickets, {name: less(worker) for name, worker in plan.workers.items()})


@asynccontextmanager
async def floor(platform: Platform, partitions: int) -> AsyncIterator[Floor]:
    """Start the five workers on topics and databases of their own, and stop them at the end."""
    address = KafkaAddress(platform.kafka.bootstrap)
    compacted = [PREFIX + topic for topic in COMPACTED]
    await ensure_topics(address, [PREFIX + t for t in TOPICS if t not in COMPACTED], compacted, partitions, 1)
    platform.postgres.ensure_database([f"floor_{name}" for name in NAMES])
    workers: list[Worker] = []
    try:
        for name in NAMES:
            arguments = (name, address.bootstrap, platform.postgres.dsn(f"floor_{name}"))
            workers.append(Worker(name, await started("tests.bench.floor_worker", *arguments)))
        yield Floor(workers)
    finally:
        for worker in workers:
            await end(worker.process)


async def started(module: str, *arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    # A session of its own: a Ctrl-C is for the bench, which then stops the workers.
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )  # fmt: skip


async def end(process: asyncio.subprocess.Process) -> None:
    """Stop a process that we started, and wait until it has gone."""
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()
