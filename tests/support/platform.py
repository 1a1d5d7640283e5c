"""All five services in this process, on real PostgreSQL and one memory bus: the embedded form, without its socket."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.clock import Clock
from libs.common.runtime.process import Stage, stop_stages
from services.embedded import SERVICES
from tests.support.stages import Probe, client, probing, settings_for

TOPICS = ("jiesu.intake.v1", "jiesu.classify.v1", "jiesu.dispatch.v1", "jiesu.sla.v1", "jiesu.feedback.v1")
PATIENCE_SECONDS = 30


class Platform:
    """The running platform, a client with every role, and a probe on every topic."""

    def __init__(self, stages: Sequence[Stage], probe: Probe, key: str) -> None:
        self.stages = {stage.service.name: stage for stage in stages}
        self.probe = probe
        self.http = client(stages, key)

    async def post(self, **appeal: Any) -> dict[str, Any]:
        """Post an appeal and return what the sender gets."""
        answer = await self.http.post("/intake/v1/tickets", json={"channel": "web", **appeal})
        assert answer.status_code == 202, answer.text
        received: dict[str, Any] = answer.json()
        return received

    async def ticket(self, id_: str) -> dict[str, Any]:
        """Return a ticket as intake shows it."""
        shown: dict[str, Any] = (await self.http.get(f"/intake/v1/tickets/{id_}")).json()
        return shown

    async def order(self, id_: str, command: str, **body: Any) -> httpx.Response:
        """Do something to a ticket's order."""
        return await self.http.post(f"/dispatch/v1/orders/{id_}/{command}", json=body)

    async def rows(self, service: str, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        """Return what one service's database answers."""
        pool = self.stages[service].context.database.pool
        return [tuple(row) for row in await pool.fetch(query, *arguments)]


@asynccontextmanager
async def running_platform(postgres: PrivatePostgres, home: Path, clock: Clock) -> AsyncIterator[Platform]:
    """Run the platform on databases of its own until the block ends."""
    tag = uuid.uuid4().hex
    postgres.ensure_database([f"{service.name}_{tag}" for service in SERVICES])
    bus = MemoryBus()
    for service in SERVICES:
        bus.expect(f"jiesu.{service.name}", service.topics)
    async with probing(bus, *TOPICS, "jiesu.tickets.v1") as probe:
        stages: list[Stage] = []
        try:
            for service in SERVICES:
                settings = settings_for(home, postgres.dsn(f"{service.name}_{tag}"))
                stages.append(await Stage.start(service, replace(settings, database_connections=4), bus, clock))
            platform = Platform(stages, probe, (home / "key").read_text())
            async with platform.http:
                yield platform
        finally:
            await stop_stages(stages)


async def eventually(holds: Any, what: str) -> Any:
    """Return the first truthy answer of `holds`, asked again as the platform goes on; fail with `what` in the end."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_SECONDS
    while loop.time() < end:
        if answer := await holds():
            return answer
    raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}")
