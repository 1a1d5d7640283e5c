"""intake with files: who uploads, what is stored, and what its citizen sees of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.intake.service import SERVICE
from tests.support.stages import ManualClock, Peer, Probe, client, probing, running, settings_for


@dataclass
class FilesWorld:
    """The service under test and all around it."""

    stage: Stage
    clock: ManualClock
    probe: Probe
    peer: Peer
    keys: KeyRing
    home: Path
    http: httpx.AsyncClient
    public: httpx.AsyncClient

    def as_(self, name: str, *roles: Role, units: tuple[str, ...] = ()) -> httpx.AsyncClient:
        """Return a client with a key of its own."""
        return client([self.stage], self.keys.issue(name, roles, units))

    async def upload(self, content: bytes = b"words", http: httpx.AsyncClient | None = None) -> dict[str, Any]:
        """Upload a file and return what its sender gets; a moment after the one before, for the order of files."""
        self.clock.advance(milliseconds=1)
        answer = await (http or self.http).post("/intake/v1/files", content=content)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def post(self, *files: str, http: httpx.AsyncClient | None = None, **more: Any) -> httpx.Response:
        """Post an appeal with files."""
        body = {"channel": "web", "text": "路灯不亮", "attachments": list(files)} | more
        return await (http or self.http).post("/intake/v1/tickets", json=body)

    async def received(self, *files: str) -> dict[str, Any]:
        """Post an appeal with files and wait until it was screened."""
        answer = await self.post(*files)
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = answer.json()
        await self.probe.named("ticket.snapshot", subject=UUID(found["ticket_id"]))
        return found

    async def listed(self, ticket: dict[str, Any]) -> list[dict[str, Any]]:
        """List a ticket's files as its citizen."""
        path, code = f"/intake/v1/tickets/{ticket['ticket_id']}/files", ticket["query_code"]
        items: list[dict[str, Any]] = (await self.public.get(path, params={"code": code})).json()["items"]
        return items

    def stored(self) -> list[Path]:
        """Return what lies in the store."""
        return [path for path in (self.home / "files").rglob("*") if path.is_file()]

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what the database answers."""
        return [tuple(row) for row in await self.stage.context.database.pool.fetch(query)]


@asynccontextmanager
async def files_world(dsn: str, home: Path) -> AsyncIterator[FilesWorld]:
    """Run intake until the block ends."""
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(home, dsn)
    topics = ("jiesu.intake.v1", "jiesu.tickets.v1")
    async with probing(bus, *topics) as probe, running(SERVICE, settings, bus, clock) as stage:
        http, public = client([stage], (home / "key").read_text()), client([stage])
        async with http, public:
            yield FilesWorld(stage, clock, probe, Peer(bus, clock), KeyRing(settings.keys_file), home, http, public)
