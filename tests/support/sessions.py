"""Sessions with a person, over HTTP and WebSocket: one or two processes on one database, citizens and seats."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.app import process_app
from libs.common.runtime.process import Stage, bind, serve
from libs.common.runtime.security import KeyRing
from services.intake.service import SERVICE
from tests.support.stages import ManualClock, client, running, settings_for

SPOKEN = Path("tests/support/spoken/water.ogg")


class World:
    """One or two processes on one database, and the keys they know."""

    def __init__(self, stages: list[Stage], ports: list[int], keys: dict[str, str], clock: ManualClock) -> None:
        self.stages, self.ports, self.keys, self.clock = stages, ports, keys, clock
        self.pool = stages[0].context.database.pool
        self.app, self.seat, self.other, self.lead = (
            client([stages[0]], keys[name]) for name in ("app", "seat", "other", "lead")
        )  # fmt: skip

    async def opened(self, **wish: Any) -> dict[str, Any]:
        """Open a session."""
        answer = await self.app.post("/intake/v1/sessions", json={"kind": "chat"} | wish)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def queue(self) -> list[str]:
        """Return the sessions that wait, next first."""
        return [one["session_id"] for one in (await self.seat.get("/intake/v1/sessions")).json()["items"]]

    def chat(self, session: str, process: int = 0) -> connect:
        """Return a connection to a chat, at one of the processes."""
        return connect(f"ws://127.0.0.1:{self.ports[process]}/intake/v1/sessions/{session}/chat")


async def until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next thing of this kind that comes."""
    async with asyncio.timeout(60):
        while (said := json.loads(await socket.recv()))["type"] != kind:
            pass
    return dict(said)


@asynccontextmanager
async def running_sessions(home: Path, dsn: str, processes: int = 1, model: Path | None = None) -> AsyncIterator[World]:
    """Serve intake in so many processes' worth of stages."""
    settings = replace(settings_for(home, dsn), speech_model=model)
    ring = KeyRing(settings.keys_file)
    keys = {
        "seat": ring.issue("seat-1", ["seat"]), "other": ring.issue("seat-2", ["seat"]),
        "lead": ring.issue("lead", ["supervisor"]), "app": ring.issue("app", ["adapter"]),
    }  # fmt: skip
    clock, stages, ports, serving = ManualClock(), [], [], []
    async with AsyncExitStack() as stack:
        for _ in range(processes):
            stages.append(await stack.enter_async_context(running(SERVICE, settings, MemoryBus(), clock)))
            socket = bind("127.0.0.1", 0)
            ports.append(socket.getsockname()[1])
            serving.append(asyncio.create_task(serve(process_app([stages[-1]]), socket)))
        yield World(stages, ports, keys, clock)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
