"""A service in motion, and the process that runs one or several: started in order, stopped in order."""

import asyncio
import contextlib
import ctypes
import gc
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import structlog
import uvicorn
from starlette.types import ASGIApp

from libs.common.messaging import inbox
from libs.common.messaging.bus import Bus
from libs.common.messaging.consumer import Consumer
from libs.common.messaging.loop import Loop
from libs.common.messaging.relay import Relay
from libs.common.messaging.transaction import Speaker, Tx
from libs.common.runtime.clock import Clock
from libs.common.runtime.database import migrate, open_database
from libs.common.runtime.directory import Directory
from libs.common.runtime.notify import Courier
from libs.common.runtime.privacy import Secrets
from libs.common.runtime.security import KeyRing
from libs.common.runtime.service import Context, Service
from libs.common.runtime.settings import Settings
from libs.common.runtime.timers import Timers

log = structlog.get_logger(__name__)
GRACE_SECONDS = 10
SOCKET_MESSAGE_BYTES = 2 * 1024 * 1024
"""Of one message over a WebSocket; what is sent there has limits of its own below this."""
PURGE_SECONDS = 3600.0
KEEPALIVES = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
"""Within 20 s the server notices that a relay's whole machine is gone, and lets another process lead."""


class PortTakenError(RuntimeError):
    """Someone else listens where we should."""


@dataclass(slots=True)
class Stage:
    """One service, running: its context and the background work around it."""

    service: Service
    context: Context[Any]
    consumer: Consumer | None
    loops: list[Loop]
    relay: Relay
    relay_loop: Loop
    tasks: dict[str, asyncio.Task[None]]

    @classmethod
    async def start(cls, service: Service, settings: Settings, bus: Bus, clock: Clock) -> "Stage":
        """Migrate, build the engine, and begin to consume, relay, fire timers, and carry notices."""
        context = await _context(service, settings, clock)
        database = context.database
        relay = Relay(service.name, partial(_connect, settings.database_url), bus)
        relay_loop = Loop(f"{service.name} relay", relay.step)
        timers = Timers(service.name, database, clock, service.timers, context)
        loops = [Loop(name, partial(job, context)) for name, job in service.jobs.items()]
        if service.timers:
            loops.append(Loop("timers", timers.step))
        if service.notifies:
            letters = partial(service.letters, context) if service.letters else None
            courier = Courier(service.name, database, clock, Directory(settings.notify_file), settings, letters)
            loops.append(Loop("courier", courier.step))
        loops.append(Loop("inbox", partial(_forget, context)))
        context.loops.update({loop.name: loop for loop in loops})
        for name in service.jobs_first:
            await service.jobs[name](context)
        consumer = Consumer(service.name, bus, database.begin, service.consumes, context) if service.consumes else None
        stage = cls(service, context, consumer, loops, relay, relay_loop, {})
        database.after_commit.append(stage.wake)
        stage.run("relay", relay_loop.run())
        if consumer:
            stage.run("consumer", consumer.run())
        for loop in loops:
            stage.run(loop.name, loop.run())
        return stage

    def run(self, name: str, work: Any) -> None:
        """Run one piece of background work; readiness turns red if it ever ends by itself."""
        self.tasks[name] = asyncio.create_task(work, name=f"{self.service.name} {name}")

    def wake(self, tx: Tx) -> None:
        """Wake what the commit gave something to do."""
        if tx.spoke:
            self.relay_loop.wake()
        if tx.scheduled and "timers" in self.context.loops:
            self.context.loops["timers"].wake()

    async def not_ready(self) -> list[str]:
        """Return what keeps this service from its work, in words."""
        wrong = [f"{name} ended" for name, task in self.tasks.items() if task.done()]
        wrong += [f"{loop.name}: {loop.failing}" for loop in (*self.loops, self.relay_loop) if loop.failing]
        if self.consumer and self.consumer.halted:
            wrong.append(self.consumer.halted)
        try:
            await self.context.database.pool.fetchval("SELECT 1", timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            wrong.append(f"database: {type(error).__name__}")
        return wrong

    async def finish(self, names: Sequence[str]) -> None:
        """Wait for pieces of background work that were asked to stop, for a while, then end them."""
        waiting = [self.tasks[name] for name in names if name in self.tasks]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def _context(service: Service, settings: Settings, clock: Clock) -> Context[Any]:
    await migrate(settings.database_url, service.migrations)
    speaker = Speaker(service.name, service.emits, clock.now, clock.new_id)
    database = await open_database(settings.database_url, speaker, settings.database_connections)
    secrets = Secrets.load(settings.secret_file)
    engine = await asyncio.to_thread(service.engine, settings, secrets)
    return Context(settings, clock, KeyRing(settings.keys_file), secrets, database, engine)


async def _connect(url: str) -> "asyncpg.Connection[Any]":
    return await asyncpg.connect(url, command_timeout=60, server_settings=KEEPALIVES)


async def _forget(context: Context[Any]) -> float:
    """Purge the inbox of what no topic can repeat any more, and return the seconds until the next time."""
    await inbox.purge(context.database.pool, context.clock.now() - timedelta(days=context.settings.inbox_days))
    return PURGE_SECONDS


async def stop_stages(stages: Sequence[Stage]) -> None:
    """Stop what was started, after HTTP: jobs and timers, then relays, then consumers, whom relays wait for."""
    for stage in stages:
        for loop in stage.loops:
            loop.stop()
    for stage in stages:
        await stage.finish([loop.name for loop in stage.loops])
    for stage in stages:
        stage.relay_loop.stop()
    for stage in stages:
        await stage.finish(["relay"])
        await stage.relay.let_go()
    for stage in stages:
        if stage.consumer:
            stage.consumer.stop()
    for stage in stages:
        await stage.finish(["consumer"])
        await stage.context.database.close()


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens there. Raises PortTakenError saying what to do."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise PortTakenError(
            f"cannot listen on {host}:{port} ({error.strerror}); stop what uses it or set JIESU_PORT to another"
        ) from error
    return listening


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling: the process stops more than HTTP."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _give_back() -> None:
    """Return to the system what start-up took and no longer needs: a tenth of a service's memory, with glibc."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


async def serve(app: ASGIApp, listening: socket.socket, on_up: Callable[[], None] = lambda: None) -> None:
    """Serve until Ctrl-C or SIGTERM, then let what is under way finish."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", server_header=False, proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS, ws_max_size=SOCKET_MESSAGE_BYTES,
    )  # fmt: skip
    server = _Server(config)
    # What start-up made lives as long as the process: to search it for garbage over and over takes a fifth of the CPU.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    _give_back()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    loop.call_later(0, on_up)
    await server.serve(sockets=[listening])


def ensure_private(path: Path) -> None:
    """Make a folder that only its owner can look into."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
