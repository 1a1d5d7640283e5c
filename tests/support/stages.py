"""A service running on real PostgreSQL and a memory bus, with a clock the test sets and peers the test plays."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from libs.common.contracts.envelope import Envelope, Event, decode, headers_of
from libs.common.messaging.bus import Message, Subscription
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.app import process_app
from libs.common.runtime.clock import Clock
from libs.common.runtime.privacy import Secrets
from libs.common.runtime.process import Stage, stop_stages
from libs.common.runtime.security import ROLES, KeyRing
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
"""Noon of a Monday in Beijing."""
PATIENCE_SECONDS = 15
"""How long a probe waits for what must come."""
CITY = Path("deploy/cities/beijing")


class ManualClock(Clock):
    """A clock that stands still until the test moves it."""

    def __init__(self, at: datetime = NOON) -> None:
        super().__init__()
        self.at = at

    def now(self) -> datetime:
        """Return the time the test set."""
        return self.at

    def advance(self, **span: float) -> None:
        """Move on by a timedelta's arguments."""
        self.at += timedelta(**span)


class Peer:
    """Plays the services a test does not run: publishes their events, in sequence."""

    def __init__(self, bus: MemoryBus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._sequence = itertools.count(1)

    def message(self, subject: object, event: Event, sequence: int | None = None) -> Message:
        """Return the message of one event."""
        number = next(self._sequence) if sequence is None else sequence
        headers = headers_of(
            event.type, event.emitter, self._clock.new_id(), str(subject), self._clock.now(), number, None
        )
        return Message(event.topic, str(subject), tuple(headers), event.model_dump_json().encode())

    async def say(self, subject: object, *events: Event) -> None:
        """Publish events of one subject; returns when every running service has committed them."""
        await self._bus.publish([self.message(subject, event) for event in events])


class Probe:
    """Collects what is published on some topics, as it comes."""

    def __init__(self) -> None:
        self.seen: list[Envelope[Any]] = []
        self._came = asyncio.Condition()

    async def collect(self, subscription: Subscription) -> None:
        """Take whatever comes, for as long as the probe lives; so no publisher waits for a test."""
        while True:
            messages = await subscription.receive(500)
            await subscription.ack(messages)
            async with self._came:
                self.seen += [decode(message.headers, message.body) for message in messages]
                self._came.notify_all()

    async def until(self, enough: Callable[[Sequence[Envelope[Any]]], object]) -> list[Envelope[Any]]:
        """Wait until `enough` says so of all seen; fails with what was seen if that does not come about."""
        async with self._came:
            try:
                await asyncio.wait_for(self._came.wait_for(lambda: enough(self.seen)), PATIENCE_SECONDS)
            except TimeoutError:
                raise AssertionError(f"saw only {[event.data.name for event in self.seen]}") from None
        return self.seen

    async def named(self, *names: str, subject: object = None) -> list[Envelope[Any]]:
        """Wait until every one of these event names was seen, and return those events in order."""
        mine: list[Envelope[Any]] = []

        def all_there(seen: Sequence[Envelope[Any]]) -> bool:
            mine[:] = [e for e in seen if e.data.name in names and (subject is None or str(subject) == e.subject)]
            return set(names) <= {event.data.name for event in mine}

        await self.until(all_there)
        return mine


@asynccontextmanager
async def probing(bus: MemoryBus, *topics: str) -> AsyncIterator[Probe]:
    """Watch topics from now on."""
    probe = Probe()
    async with bus.subscribe(f"probe {topics}", topics) as subscription:
        collecting = asyncio.create_task(probe.collect(subscription))
        yield probe
        collecting.cancel()
        await asyncio.gather(collecting, return_exceptions=True)


def settings_for(home: Path, dsn: str) -> Settings:
    """Return settings with a secret and a key of every role, whose text is `home`/key."""
    settings = Settings(home=home, models=Path(os.environ["JIESU_MODELS"]), city=CITY, database_url=dsn)
    if not settings.secret_file.exists():
        Secrets.create(settings.secret_file)
        (home / "key").write_text(KeyRing(settings.keys_file).issue("test", ROLES))
    return settings


@asynccontextmanager
async def running(service: Service, settings: Settings, bus: MemoryBus, clock: Clock) -> AsyncIterator[Stage]:
    """Run one service until the block ends."""
    bus.expect(f"jiesu.{service.name}", service.topics)
    stage = await Stage.start(service, settings, bus, clock)
    try:
        yield stage
    finally:
        await stop_stages([stage])


def client(stages: Sequence[Stage], key: str | None = None) -> httpx.AsyncClient:
    """Return an HTTP client on these services' app, with a key if one is given."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    transport = httpx.ASGITransport(process_app(stages))
    return httpx.AsyncClient(transport=transport, base_url="http://jiesu", headers=headers)
