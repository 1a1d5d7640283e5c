"""The embedded form: all five services in one process, on a memory bus and a private PostgreSQL. No Docker, no broker."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import uvloop

from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.app import process_app
from libs.common.runtime.clock import Clock
from libs.common.runtime.privacy import Secrets
from libs.common.runtime.process import Stage, bind, ensure_private, serve, stop_stages
from libs.common.runtime.security import ROLES, KeyRing
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings
from libs.common.runtime.telemetry import configure_logs
from services.classify.service import SERVICE as CLASSIFY
from services.dispatch.service import SERVICE as DISPATCH
from services.feedback.service import SERVICE as FEEDBACK
from services.intake.service import SERVICE as INTAKE
from services.sla.service import SERVICE as SLA

SERVICES: tuple[Service, ...] = (INTAKE, CLASSIFY, DISPATCH, SLA, FEEDBACK)
DEVELOPER = "developer"


class HomeTakenError(RuntimeError):
    """Another Jiesu runs on the same home."""


def prepare_home(settings: Settings) -> Path:
    """Make the home folder with its secret and a development key of every role; return the key's file (mode 600)."""
    ensure_private(settings.home)
    if not settings.secret_file.exists():
        Secrets.create(settings.secret_file)
    keys, file = KeyRing(settings.keys_file), settings.home / "dev.key"
    if not file.exists() or keys.holder(file.read_text().strip()) is None:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(keys.issue(DEVELOPER, ROLES) + "\n")
    return file


@contextmanager
def sole_user(home: Path) -> Iterator[None]:
    """Hold the home for this process alone. Raises HomeTakenError; a killed process leaves nothing behind."""
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HomeTakenError(
                f"another Jiesu runs on {home}; stop it, or set JIESU_HOME to another folder"
            ) from error
        yield


def run(settings: Settings, on_up: Callable[[], None]) -> None:
    """Run the whole platform until Ctrl-C or SIGTERM, and leave its data for the next time.

    Raises:
        PortTakenError: someone else listens on the port.
        HomeTakenError: another Jiesu uses the home.
    """
    configure_logs(settings.log_level)
    listening = bind(settings.host, settings.port)
    prepare_home(settings)
    with sole_user(settings.home):
        postgres = PrivatePostgres(settings.home / "postgres")
        postgres.start()
        try:
            postgres.ensure_database([service.name for service in SERVICES])
            uvloop.run(_run(settings, postgres, listening, on_up))
        finally:
            postgres.stop()


async def _run(settings: Settings, postgres: PrivatePostgres, listening, on_up: Callable[[], None]) -> None:
    bus, clock = MemoryBus(), Clock.parse(settings.clock)
    for service in SERVICES:
        bus.expect(f"jiesu.{service.name}", service.topics)
    stages: list[Stage] = []
    try:
        for service in SERVICES:
            own = replace(settings, database_url=postgres.dsn(service.name), classify_url=settings.base_url)
            stages.append(await Stage.start(service, own, bus, clock))
        await serve(process_app(stages), listening, on_up)
    finally:
        await stop_stages(stages)
        await bus.close()
