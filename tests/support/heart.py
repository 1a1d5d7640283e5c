"""The smallest service there is, on a real database: it writes down what it hears and says it again."""

import asyncio
import inspect
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from libs.common.contracts.dispatch import TicketProgressed
from libs.common.contracts.envelope import Envelope, Event, decode, headers_of
from libs.common.contracts.intake import TicketSupplemented
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.bus import Bus, Message
from libs.common.messaging.consumer import Consumer, On
from libs.common.messaging.loop import Loop
from libs.common.messaging.memory import MemoryBus
from libs.common.messaging.relay import Relay
from libs.common.messaging.schema import HEART_1
from libs.common.messaging.transaction import Speaker, Tx
from libs.common.runtime.clock import Clock
from libs.common.runtime.database import Database, open_database
from libs.common.runtime.service import Service
from tests.support.stages import NOON, ManualClock

NAME = "echo"
HEARD, SAID, DEAD = TicketSupplemented.topic, TicketProgressed.topic, f"jiesu.{NAME}.dead.v1"
POISON = "poison"
CONSUMER = "the consumer's task"
PATIENCE_SECONDS = 20
UNIT = UnitRef(code="dept-water", name="市水务局")
SCHEMA = f"""{HEART_1}
CREATE TABLE heard (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    words text NOT NULL,
    number int
);
"""


def supplement(words: str) -> TicketSupplemented:
    """Return an event that says these words."""
    return TicketSupplemented(text=words, at=NOON)


def message(subject: str, words: str, sequence: int, clock: Clock, trace: str | None = None) -> Message:
    """Return the message of such an event."""
    event = supplement(words)
    headers = headers_of(event.type, "intake", clock.new_id(), subject, clock.now(), sequence, trace)
    return Message(HEARD, subject, tuple(headers), event.model_dump_json().encode())


async def prepare(events: Sequence[Envelope[Any]], _: Any) -> Sequence[str]:
    """Work something out for each event before the transaction."""
    return [event.data.text.upper() for event in events]


async def hear(events: Sequence[Envelope[Any]], tx: Tx, _: Any) -> None:
    """Write down and repeat. The word `poison` cannot be heard."""
    for event in events:
        if event.data.text == POISON:
            raise ValueError("this cannot be heard")
        await save(tx, event.subject, event.ready)
        tx.emit(event.subject, TicketProgressed(unit=UNIT, note=event.ready, round=1, at=NOON))


async def save(tx: Tx, subject: str, words: str, number: int | None = None) -> None:
    """Write down one thing heard."""
    await tx.connection.execute(
        "INSERT INTO heard (subject, words, number) VALUES ($1, $2, $3)", subject, words, number
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoService(Service):
    """The service as a whole, for what only a `Stage` does. Its migrations lie where the test puts them."""

    folder: Path

    @property
    def migrations(self) -> Path:
        """See `Service.migrations`."""
        return self.folder

    @classmethod
    def over(cls, folder: Path) -> "EchoService":
        """Return the service with its first migration written to a folder."""
        write_migrations(folder, {"0001": SCHEMA})
        consumes: dict[type[Event], On] = {TicketSupplemented: On(hear, prepare)}
        return cls(NAME, consumes, frozenset({TicketProgressed}), (), _no_engine, folder=folder)


def _no_engine(*_: object) -> None: ...


def write_migrations(folder: Path, schemas: Mapping[str, str]) -> None:
    """Write migrations, each one schema's statements, in the order of their revisions."""
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text("from libs.common.runtime.migrations import run\n\nrun()\n")
    before: str | None = None
    for revision, schema in schemas.items():
        (folder / "versions" / f"{revision}.py").write_text(
            "from libs.common.runtime.migrations import execute\n\n"
            f"revision, down_revision = {revision!r}, {before!r}\n\n\n"
            f"def upgrade() -> None:\n    execute({schema!r})\n"
        )
        before = revision


class Line(MemoryBus):
    """The bus that the service speaks on, of a class of its own so that a test can break it alone."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """See `Bus.publish`."""
        await super().publish(messages)


class Heart:
    """The service's parts on one database. It hears on `bus` and speaks on `line`, so that a test can break either."""

    def __init__(self, dsn: str, database: Database, clock: ManualClock) -> None:
        self.dsn, self.database, self.clock = dsn, database, clock
        self.bus, self.line = MemoryBus(), Line()
        self.bus.expect(f"jiesu.{NAME}", [HEARD])

    def consumer(self) -> Consumer:
        """Return another member of the service."""

        # They name what they call at the call and not before, so that a test can replace it at any time.
        async def handler(events: Sequence[Envelope[Any]], tx: Tx, context: Any) -> None:
            await hear(events, tx, context)

        async def before(events: Sequence[Envelope[Any]], context: Any) -> Sequence[Any]:
            return await prepare(events, context)

        return Consumer(NAME, self.bus, self.database.begin, {TicketSupplemented: On(handler, before)}, context=None)

    def relay(self, bus: Bus) -> Relay:
        """Return another relay of the service's outbox."""
        return Relay(NAME, lambda: asyncpg.connect(self.dsn), bus)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Consumer]:
        """Consume and relay until the block ends, as abruptly as a crash."""
        consumer, relay = self.consumer(), self.relay(self.line)
        loop = Loop("relay", relay.step)
        self.database.after_commit.append(lambda _: loop.wake())
        tasks = [asyncio.create_task(consumer.run(), name=CONSUMER), asyncio.create_task(loop.run())]
        try:
            yield consumer
        finally:
            # Stopped as well, for `wait_for` forgets that it was cancelled if what it waits for comes at that moment.
            consumer.stop()
            loop.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await relay.let_go()

    @asynccontextmanager
    async def listening(self, *topics: str) -> AsyncIterator[list[Message]]:
        """Take everything that is said on some topics until the block ends."""
        said: list[Message] = []

        async def listen() -> None:
            while True:
                messages = await subscription.receive(500)
                said.extend(messages)
                await subscription.ack(messages)

        async with self.line.subscribe("listener", topics) as subscription:
            listener = asyncio.create_task(listen())
            yield said
            listener.cancel()

    async def quiet(self) -> None:
        """Wait until everything was said."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.count("outbox"):
                pass

    async def heard(self) -> dict[str, list[str]]:
        """Return the words written down, by subject, in order."""
        rows = await self.database.pool.fetch("SELECT subject, words FROM heard ORDER BY n")
        words = defaultdict(list)
        for row in rows:
            words[row["subject"]].append(row["words"])
        return dict(words)

    async def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(await self.database.pool.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 a table's name


@asynccontextmanager
async def beating(dsn: str, schema: str = SCHEMA) -> AsyncIterator[Heart]:
    """Set the service up on an empty database."""
    clock = ManualClock()
    database = await open_database(dsn, Speaker(NAME, frozenset({TicketProgressed}), clock.now, clock.new_id), 8)
    await database.pool.execute(schema)
    heart = Heart(dsn, database, clock)
    try:
        yield heart
    finally:
        await database.close()


def as_told(said: Sequence[Message]) -> Mapping[str, list[Envelope[Any]]]:
    """Return the events said of each subject, without what was said again."""
    once: dict[UUID, Envelope[Any]] = {}
    for one in said:
        event = decode(one.headers, one.body)
        once.setdefault(event.id, event)
    told = defaultdict(list)
    for event in once.values():
        told[event.subject].append(event)
    return told


class Once:
    """Raises an error the first time it is asked."""

    def __init__(self, error: Exception) -> None:
        self._error: Exception | None = error

    @property
    def done(self) -> bool:
        """Whether it was asked."""
        return self._error is None

    def __call__(self) -> None:
        """Raise, if it did not before."""
        if self._error:
            error, self._error = self._error, None
            raise error


def always(*_: Any) -> bool:
    """Say yes to any call."""
    return True


def by_the_consumer(*_: Any) -> bool:
    """Say yes to a call that the consumer made."""
    task = asyncio.current_task()
    return task is not None and task.get_name() == CONSUMER


def break_once(
    patch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    once: Once,
    *,
    after: bool = False,
    when: Callable[..., bool] = always,
) -> None:
    """Have a function raise once, in the first call that `when` says yes to: instead of its work, or after it."""
    real = getattr(owner, name)

    async def waits(*arguments: Any) -> Any:
        if when(*arguments) and not after:
            once()
        result = await real(*arguments)
        if when(*arguments):
            once()
        return result

    def answers(*arguments: Any) -> Any:
        if when(*arguments) and not after:
            once()
        result = real(*arguments)
        if when(*arguments):
            once()
        return result

    patch.setattr(owner, name, waits if inspect.iscoroutinefunction(real) else answers)
