"""`simulate` and `demo`: a small city that lives on a running platform."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Annotated
from zoneinfo import ZoneInfo

import httpx
import typer
from rich.status import Status

from deploy.simulator.citizens import Citizens
from deploy.simulator.client import Platform
from deploy.simulator.life import Life
from deploy.simulator.plan import EVENTS, Event, Planned, event, plan, span
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
Rate = Annotated[
    float, typer.Option(min=0, help="Appeals in a minute of platform time; 0 is one in a second of real time.")
]
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
    _live(_scenario(rate, duration, seed, events), settings, url or settings.base_url, key_path, shown)


def demo(
    speed: Annotated[
        float, typer.Option(help="How many times real time the platform runs, unless JIESU_CLOCK says.")
    ] = 300,
    rate: Rate = 0,
    duration: Duration = "",
    seed: Seed = 1,
    events: Events = None,
) -> None:
    """Start a platform with an empty city of its own, and let the city live on it until Ctrl-C."""
    settings, scenario = read_settings(), _scenario(rate, duration, seed, events)
    home = settings.home / "demo"
    text = settings.clock or f"{datetime.now(UTC).isoformat()},{speed}"
    settings = replace(settings, home=home, clock=text, keys=None, secret=None)
    with suppress(KeyboardInterrupt), _term_as_interrupt(), platform_process(settings):
        _live(scenario, settings, settings.base_url, key_file(settings), Clock.parse(clock_of(home)))


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
def platform_process(settings: Settings) -> Iterator[None]:
    """Run the embedded form as a process of its own, on an empty home, until the block ends."""
    _clear(settings.home)
    own = {"JIESU_HOME": str(settings.home), "JIESU_CLOCK": settings.clock, "JIESU_CITY": str(settings.city)}
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


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the city does. `per_minute` is of platform time, None for one appeal in a second of real time."""

    per_minute: float | None
    lasts: timedelta | None
    seed: int
    events: tuple[Event, ...]


def _scenario(rate: float, duration: str, seed: int, events: Sequence[str] | None) -> Scenario:
    lasts = span(duration) if duration else None
    return Scenario(rate or None, lasts, seed, tuple(event(text) for text in events or ()))


def _live(scenario: Scenario, settings: Settings, url: str, key_path: Path, clock: Clock) -> None:
    city = load_city(settings.city)
    start = clock.now().astimezone(ZoneInfo(city.timezone))
    rate = scenario.per_minute or 60 / clock.rate
    appeals = plan(Citizens(city), scenario.seed, start, rate, scenario.events)
    seconds = clock.real_seconds(scenario.lasts) if scenario.lasts else None
    say(
        f"Simulating {city.name.zh} {city.name.en} on {url}: {rate:g} appeals a minute, {clock.rate:g} times real time."
    )
    asyncio.run(_simulate(client(url, key_path), clock, scenario.seed, appeals, seconds))


async def _simulate(
    http: httpx.AsyncClient, clock: Clock, seed: int, appeals: Iterator[Planned], seconds: float | None
) -> None:
    async with http:
        platform = Platform(http, clock)
        life = Life(platform, seed)
        with out.status("") as status:
            living = asyncio.create_task(life.run(appeals, seconds))
            telling = asyncio.create_task(_tell(platform, status))
            await _until_done(living)
            telling.cancel()
        steps, statuses = await tally(platform, life.posted)
        table("What became of the appeals", ("step", "tickets"), [("posted", len(life.posted)), *steps.items()])
        say()
        table("Where they are now", ("status", "tickets"), statuses.most_common())


async def _until_done(living: asyncio.Task[None]) -> None:
    """Wait until the time is over or somebody stops it; the next Ctrl-C stops the counting after it."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, living.cancel)
    with suppress(asyncio.CancelledError):
        await living
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(number)


async def _tell(platform: Platform, status: Status) -> None:
    """Keep one line up to date with the city's time and what was done."""
    while True:
        done = ", ".join(f"{what} {count}" for what, count in sorted(platform.done.items()))
        status.update(f"{platform.clock.now().astimezone():%m-%d %H:%M}  {done}")
        await asyncio.sleep(1)
