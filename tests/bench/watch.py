"""Looks from outside whether the platform has done all it must for each ticket, and counts exactly."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from libs.common.contracts.envelope import EVENTS
from services.cli.processes import NAMES
from tests.bench.broker import Broker
from tests.bench.platform import Platform

POLL_SECONDS = 0.1
PATIENCE_SECONDS = 120
TOPICS = sorted({event.topic for event in EVENTS.values()})

ORDERS = "SELECT ticket_id FROM orders WHERE ticket_id >= $1"
HELD = "SELECT ticket_id FROM verdicts WHERE ticket_id >= $1 AND state = 'held'"
CLOCKS = "SELECT ticket_id FROM clocks WHERE ticket_id >= $1 AND name = 'completion' AND unit_code IS NOT NULL"
TOLD = "SELECT ticket_id FROM timeline WHERE ticket_id >= $1 AND type = 'ticket.dispatched'"
KNOWN = "SELECT subject::uuid FROM aggregates WHERE subject >= $1::uuid::text AND facts ? 'received'"
JUDGED = "SELECT subject::uuid FROM aggregates WHERE subject >= $1::uuid::text AND facts ? 'classified'"
NEW = "SELECT ticket_id FROM orders WHERE ticket_id >= $1 AND state = 'dispatched'"
CLOSED = "SELECT ticket_id FROM timeline WHERE ticket_id >= $1 AND type = 'ticket.closed'"
ASKED = "SELECT ticket_id FROM reviews WHERE ticket_id >= $1 AND state = 'requested'"
TICKING = """
SELECT ticket_id FROM clocks
WHERE ticket_id = ANY($1) AND name = 'completion' AND state = 'running' AND unit_code IS NOT NULL
"""


class MismatchError(RuntimeError):
    """The platform lost, doubled or never finished something; the text has the counts."""


@dataclass(frozen=True, slots=True)
class Done:
    """One run: `done` is when the last ticket had all it must have, `drained` when nothing at all was under way."""

    done: float
    drained: float
    orders: int
    held: int


class Watch:
    """Connections to the five databases and to Kafka. A poll is one statement for all tickets of a run."""

    def __init__(self, databases: Mapping[str, "asyncpg.Connection[asyncpg.Record]"], broker: Broker) -> None:
        self._databases = databases
        self.broker = broker

    def database(self, name: str) -> "asyncpg.Connection[asyncpg.Record]":
        """Return the connection to a service's database."""
        return self._databases[name]

    async def ids(self, name: str, statement: str, argument: object) -> list[UUID]:
        """Return the tickets that a statement finds."""
        return [row[0] for row in await self._databases[name].fetch(statement, argument)]

    async def count(self, name: str, statement: str, first: UUID) -> int:
        """Return how many tickets from `first` on a statement finds."""
        counted: int = await self._databases[name].fetchval(f"SELECT count(*) FROM ({statement}) found", first)  # noqa: S608 ours
        return counted

    async def until_done(self, tickets: Sequence[UUID]) -> Done:
        """Return when everything is done for each of these, the newest tickets of the platform; then check them.

        Raises:
            MismatchError: it was not done in time, or not exactly once.
        """
        first, deadline = min(tickets), time.time() + PATIENCE_SECONDS
        while await self.count("dispatch", ORDERS, first) + await self.count("classify", HELD, first) < len(tickets):
            await self._pause(deadline, tickets)
        orders = await self.count("dispatch", ORDERS, first)
        for name, statement, wanted in (
            ("sla", CLOCKS, orders),
            ("feedback", KNOWN, len(tickets)),
            ("feedback", JUDGED, orders),
            ("intake", TOLD, orders),
        ):
            while await self.count(name, statement, first) < wanted:
                await self._pause(deadline, tickets)
        done = time.time()
        await self.until_drained(deadline)
        drained = time.time()
        held = await self.check(tickets)
        return Done(done, drained, len(tickets) - held, held)

    async def _pause(self, deadline: float, tickets: Sequence[UUID]) -> None:
        if time.time() > deadline:
            await self.check(tickets)
        await asyncio.sleep(POLL_SECONDS)

    async def until_drained(self, deadline: float) -> None:
        """Return when no message, no row of an outbox and no appeal waits any more."""
        while await self._waiting():
            if time.time() > deadline:
                raise MismatchError(f"after {PATIENCE_SECONDS} s there is still work under way")
            await asyncio.sleep(POLL_SECONDS)

    async def _waiting(self) -> bool:
        for name, connection in self._databases.items():
            if await connection.fetchval("SELECT EXISTS (SELECT FROM outbox)"):
                return True
            if name == "intake" and await connection.fetchval("SELECT EXISTS (SELECT FROM inbound)"):
                return True
        ends = await self.broker.ends(TOPICS)
        for name in NAMES:
            read = await self.broker.read_by(f"jiesu.{name}")
            if any(read[place] < ends[place] for place in read):
                return True
        return False

    async def check(self, tickets: Sequence[UUID]) -> int:
        """Count exactly, ticket by ticket, and return how many are held. Raises MismatchError."""
        first = min(tickets)
        orders = await self.ids("dispatch", ORDERS, first)
        held = await self.ids("classify", HELD, first)
        wanted = (
            ("orders and held reviews", [*orders, *held], tickets),
            ("completion clocks with their unit", await self.ids("sla", CLOCKS, first), orders),
            ("ticket.dispatched in the timeline", await self.ids("intake", TOLD, first), orders),
            ("tickets known to feedback", await self.ids("feedback", KNOWN, first), tickets),
            ("judgements known to feedback", await self.ids("feedback", JUDGED, first), orders),
        )
        wrong = [told for what, found, right in wanted if (told := _difference(what, found, right))]
        for name, connection in self._databases.items():
            if dead := await connection.fetchval("SELECT count(*) FROM dead_letters"):
                wrong.append(f"{dead} dead letters in {name}")
        if wrong:
            raise MismatchError("; ".join(wrong))
        return len(held)


def _difference(what: str, found: Iterable[UUID], right: Iterable[UUID]) -> str | None:
    got, due = Counter(found), Counter(right)
    missing, surplus = (due - got).total(), (got - due).total()
    return f"{what}: {missing} missing, {surplus} too many of {due.total()}" if missing or surplus else None


@asynccontextmanager
async def watching(platform: Platform, broker: Broker) -> AsyncIterator[Watch]:
    """Connect to the five databases."""
    async with AsyncExitStack() as stack:
        databases = {}
        for name in NAMES:
            databases[name] = connection = await asyncpg.connect(platform.postgres.dsn(name))
            stack.push_async_callback(connection.close)
        yield Watch(databases, broker)
