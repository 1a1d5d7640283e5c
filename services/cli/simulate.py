"""`simulate` and `demo`: a small city that lives on a running platform."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated
from zoneinfo import ZoneInfo

import httpx
import typer

from deploy.simulator.citizens import Citizens
from deploy.simulator.client import Platform
from deploy.simulator.life import Life
from deploy.simulator.plan import EVENTS, Planned, event, plan, span
from deploy.simulator.tally import tally
from libs.common.city.pack import load_city
from libs.common.local.home import clock_of, key_file, sole_user
from libs.common.local.postgres import PrivatePostgres
from libs.common.local.processes import wait_until
from libs.common.runtime.clock import Clock
from libs.common.runtime.settings import Settings, read_settings
from services.cli.client import client
from services.cli.screen import out, say, table

START_SECONDS = 120
Rate = Annotated[float, typer.Option(help="Appeals in a minute of platform time; 0 is one in a second of real time.")]
Duration = Annotated[str, typer.Option(help="How long, in platform time: 90s, 10m, 2h, 1d; without it, until Ctrl-C.")]
Seed = Annotated[int, typer.Option(help="Equal seeds send equal appeals.")]
Events = Annotated[
    list[str] | None,
    typer.Option("--event", help=f"A burst, what@when:how-many; what is {', '.join(EVENTS)} or a question's code."),
]


def simulate(
    url: Annotated[str, typer.Option(help="The platform; without it, the one of this home.")] = "",
    key: Annotated[str, typer.Option("--key-file", help="The file of the key; without it, the home's dev.key.")] = "",
    clock: Annotated[str, typer.Option(help="The platform's JIESU_CLOCK; without it, as this home keeps it.")] = "",
    rate: Rate = 0,
    duration: Duration = "",
    seed: Seed = 1,
    events: Events = None,
) -> None:
    """Let a small city live on a running platform: citizens appeal, units work, a centre rules and phones."""
    settings = read_settings()
    shown = Clock.parse(clock or clock_of(settings.home))
    key_path = Path(key) if key else key_file(settings)
    _live(settings, url or settings.base_url, key_path, shown, rate, duration, seed, events or [])


def demo(
    speed: Annotated[float, typer.Option(help="How many times real time the platform runs, unless JIESU_CLOCK says.")] = 300,
    rate: Rate = 0,
    duration: Duration = "",
    seed: Seed = 1,
    events: Events = None,
) -> None:
    """Start a platform with an empty city of its own, and let the city live on it until Ctrl-C."""
    settings = read_settings()
    home = settings.home / "demo"
    text = settings.clock or f"{datetime.now(UTC).isoformat()},{speed}"
    settings = replace(settings, home=home, clock=text, keys=None, secret=None)
    with suppress(KeyboardInterrupt), _term_as_interrupt(), _platform(settings):
        clock = Clock.parse(clock_of(home))
        _live(settings, settings.base_url, key_file(settings), clock, rate, duration, seed, events or [])


@contextmanager
def _term_as_interrupt() -> Iterator[None]:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _platform(settings: Settings) -> Iterator[None]:
    """Run the embedded form as a process of its own, on an empty home, until the block ends."""
    _clear(settings.home)
    own = {"JIESU_HOME": str(settings.home), "JIESU_CLOCK": settings.clock}
    kept = {name: value for name, value in os.environ.items() if name not in {"JIESU_KEYS", "JIESU_SECRET"}}
    # In a session of its own: the Ctrl-C that ends the city must not take the platform from under its last questions.
    child = subprocess.Popen([sys.executable, "-m", "services.cli", "run"], env=kept | own, start_new_session=True)
    try:
        wait_until(lambda: child.poll() is not None or _answers(settings.base_url), START_SECONDS)
        if child.poll() is not None:
            raise typer.Exit(child.returncode)
        yield
    finally:
        child.terminate()
        child.wait()


def _clear(home: Path) -> None:
    """Forget the city of the demo before, wherever its data is. Raises HomeTakenError while that one still runs."""
    if not home.exists():
        return
    with sole_user(home, "make demo"):
        postgres = PrivatePostgres(home / "postgres")
        postgres.stop()
        shutil.rmtree(postgres.folder, ignore_errors=True)
        shutil.rmtree(home)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False


def _live(
    settings: Settings, url: str, key_path: Path, clock: Clock, rate: float, duration: str, seed: int, events: Sequence[str]
) -> None:
    city = load_city(settings.city)
    start = clock.now().astimezone(ZoneInfo(city.timezone))
    appeals = plan(Citizens(city), seed, start, rate or 60 / clock.rate, [event(text) for text in events])
    seconds = clock.real_seconds(span(duration)) if duration else None
    asyncio.run(_simulate(url, key_path, clock, Life, seed, appeals, seconds))
