"""Processes of sla that are killed in the middle of telling somebody something."""

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from multiprocessing.synchronize import Event
from typing import Any, ParamSpec

import asyncpg

from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.directory import Directory
from libs.common.runtime.notify import Courier
from libs.common.runtime.process import Stage
from libs.common.runtime.settings import Settings
from libs.common.runtime.timers import Timers
from services.sla import handlers, store
from services.sla.service import SERVICE
from tests.support.stages import PATIENCE_SECONDS, ManualClock, running
from tests.support.waiting import until

P = ParamSpec("P")
Deed = Callable[[Stage, Settings, Event], Awaitable[None]]
_LEFT_OPEN = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'
"""
_SPAWN = multiprocessing.get_context("spawn")


def timers_of(stage: Stage) -> Timers:
    """Return what fires the timers of the service under test."""
    context = stage.context
    return Timers("sla", context.database, context.clock, SERVICE.timers, context)


async def fire(stage: Stage, _: Settings, reached: Event) -> None:
    """Let marks take effect, and tell nobody yet."""
    while await timers_of(stage).fire():
        pass
    await _hang(reached)


async def fire_half(stage: Stage, _: Settings, reached: Event) -> None:
    """Let marks take effect, and come no further than just before the commit."""
    store.add_alerts = _hanging(store.add_alerts, reached)
    await timers_of(stage).fire()


async def gather_half(stage: Stage, settings: Settings, reached: Event) -> None:
    """Let marks take effect, begin to make messages of them, and come no further than into that transaction."""
    while await timers_of(stage).fire():
        pass
    store.hand_on = _hanging(store.hand_on, reached)
    await handlers.send_due(stage.context)


def _hanging(act: Callable[P, Awaitable[None]], reached: Event) -> Callable[P, Coroutine[Any, Any, None]]:
    async def hang(*arguments: P.args, **named: P.kwargs) -> None:
        await act(*arguments, **named)
        await _hang(reached)

    return hang


async def carry(stage: Stage, settings: Settings, _: Event) -> None:
    """Send what is due to a gateway that does not answer; the gateway knows when it was reached."""
    context = stage.context
    await Courier("sla", context.database, context.clock, Directory(settings.notify_file), settings).step()


async def _hang(reached: Event) -> None:
    reached.set()
    await asyncio.Event().wait()


def _live(deed: Deed, settings: Settings, at: datetime, reached: Event) -> None:
    async def live() -> None:
        service = replace(SERVICE, timers={}, jobs={}, jobs_first=(), notifies=False)
        async with running(service, settings, MemoryBus(), ManualClock(at)) as stage:
            await deed(stage, settings, reached)

    asyncio.run(live())


@contextmanager
def doomed(deed: Deed, settings: Settings, at: datetime) -> Iterator[Event]:
    """Do something in a process of its own, which is killed with SIGKILL at the end of the block."""
    reached = _SPAWN.Event()
    process = _SPAWN.Process(target=_live, args=(deed, settings, at, reached))
    process.start()
    try:
        yield reached
    finally:
        process.kill()
        process.join()


async def killed_when_reached(deed: Deed, settings: Settings, at: datetime) -> None:
    """Kill a process once it has come so far, and wait until the server has let go of what it had locked."""
    with doomed(deed, settings, at) as reached:
        assert await asyncio.to_thread(reached.wait, 4 * PATIENCE_SECONDS)
    connection = await asyncpg.connect(settings.database_url)
    try:
        await until(lambda: connection.fetchval(_LEFT_OPEN), lambda left: left == 0)
    finally:
        await connection.close()
