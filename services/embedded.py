"""The embedded form: all five services in one process, a memory bus, a private PostgreSQL. No Docker, no broker."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import FrameType

import uvloop

from libs.common.local.home import keep_clock, prepare_home, sole_user
from libs.common.local.ingress import HOME_PAGE
from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.app import process_app
from libs.common.runtime.clock import Clock
from libs.common.runtime.process import Stage, bind, serve, stop_stages
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings
from libs.common.runtime.telemetry import configure_logs
from services.classify.service import SERVICE as CLASSIFY
from services.dispatch.service import SERVICE as DISPATCH
from services.feedback.service import SERVICE as FEEDBACK
from services.intake.service import SERVICE as INTAKE
from services.sla.service import SERVICE as SLA

SERVICES: tuple[Service, ...] = (INTAKE, CLASSIFY, DISPATCH, SLA, FEEDBACK)


def run(settings: Settings, on_up: Callable[[], None]) -> None:
    """Run the whole platform until Ctrl-C or SIGTERM, and leave its data for the next time.

    `on_up` is called when it listens.

    Raises:
        HomeTakenError: another Jiesu uses the home.
        PortTakenError: someone else listens on the port.
        PostgresError: the private PostgreSQL did not start.
    """
    configure_logs(settings.log_level)
    prepare_home(settings)
    with _until_told(), sole_user(settings.home, f"make run on {settings.base_url}"):
        settings = replace(settings, clock=keep_clock(settings.home, settings.clock))
        listening = bind(settings.host, settings.port)
        postgres = PrivatePostgres(settings.home / "postgres")
        try:
            postgres.start()
            postgres.ensure_database([service.name for service in SERVICES])
            uvloop.run(_run(settings, postgres, listening, on_up))
        finally:
            postgres.stop()


@contextmanager
def _until_told() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, and either for a wish to stop rather than an error, also while still starting."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        with suppress(KeyboardInterrupt, asyncio.CancelledError):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


async def _run(
    settings: Settings, postgres: PrivatePostgres, listening: socket.socket, on_up: Callable[[], None]
) -> None:
    bus, clock = MemoryBus(), Clock.parse(settings.clock)
    for service in SERVICES:
        bus.expect(f"jiesu.{service.name}", service.topics)
    stages: list[Stage] = []
    try:
        _cancel_on_signals()
        for service in SERVICES:
            own = replace(settings, database_url=postgres.dsn(service.name), classify_url=settings.base_url)
            stages.append(await Stage.start(service, own, bus, clock))
        await serve(process_app(stages, [HOME_PAGE]), listening, on_up)
    finally:
        await stop_stages(stages)
        await bus.close()


def _cancel_on_signals() -> None:
    """Let either signal end the start; once all runs, `serve` sets its own way to stop."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel if task else loop.stop)
