"""`replay`: a file of records through the platform, and where each record ended up."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from libs.common.city.pack import load_city
from libs.common.local.home import clock_of, key_file
from libs.common.runtime.clock import Clock
from libs.common.runtime.settings import Settings, read_settings
from services.cli.client import client
from services.cli.outcomes import Outcomes, OutcomesError
from services.cli.records import FIELDS, ColumnMap, RecordsError, Source, map_columns, open_source
from services.cli.screen import out, say, shown, table
from services.cli.sending import Ledger, Replay, Report

FIRST_LINES = 5
"""How many lines are named for each reason of refusal."""
SKEW = timedelta(seconds=2)
"""How far the clock of the platform may be behind ours."""


def replay(
    file: Annotated[Path, typer.Argument(help="A CSV file, plain or .gz.")],
    maps: Annotated[
        list[str],
        typer.Option(
            "--map", help=f"field=column, repeated. Fields: {', '.join(FIELDS)}. Twice the same joins columns."
        ),
    ],
    channel: Annotated[str, typer.Option(help="The channel they came by, where no column says it.")] = "web",
    ref: Annotated[str, typer.Option(help="The column of a record's own number; without it, its line counts.")] = "",
    url: Annotated[str, typer.Option(help="The platform; without it, the one of this home.")] = "",
    key: Annotated[str, typer.Option("--key-file", help="The file of the key; without it, the home's dev.key.")] = "",
    date_format: Annotated[str, typer.Option(help="How dates are written, if it cannot be guessed: '%d %b %Y'.")] = "",
    timezone: Annotated[str, typer.Option(help="Of dates that name none; without it, the city's.")] = "",
    received: Annotated[
        bool, typer.Option("--received", help="Bring the past along: occurred_at is the receipt.")
    ] = False,
    wait: Annotated[float, typer.Option(help="For how many seconds the tickets are followed.")] = 60,
) -> None:
    """Send the records of a CSV file as appeals, each once, and say where they ended up."""
    settings = read_settings()
    source = open_source(file)
    zone = _zone(timezone or load_city(settings.city).timezone)
    columns = map_columns(source, maps, channel, ref, date_format, zone, received=received)
    key_path = Path(key) if key else key_file(settings)
    asyncio.run(_replay(settings, source, columns, url or settings.base_url, key_path, wait))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise RecordsError(f"--timezone {name}: there is none of that name; such are Asia/Shanghai, UTC") from None


async def _replay(
    settings: Settings, source: Source, columns: ColumnMap, url: str, key_path: Path, wait: float
) -> None:
    ledger = Ledger(settings.home / "replays", source, columns, url)
    started: datetime = Clock.parse(clock_of(settings.home)).now() - SKEW
    async with client(url, key_path) as http:
        replayed = Replay(http, ledger, started)
        try:
            await _send(replayed, source, columns)
        finally:
            _tell(replayed.report, source, ledger)
        if replayed.report.tickets:
            await _follow(http, replayed.report, wait)


def _progress() -> Progress:
    shape = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*shape, console=out, transient=True, disable=not out.is_terminal)


async def _send(replayed: Replay, source: Source, columns: ColumnMap) -> None:
    with _progress() as progress:
        task = progress.add_task("Sending", total=sum(1 for _ in source))
        await replayed.run(source, columns, lambda lines: progress.advance(task, lines))


def _tell(report: Report, source: Source, ledger: Ledger) -> None:
    rows: list[tuple[str, int]] = [
        ("sent", report.sent),
        ("accepted", report.accepted),
        ("already known to the platform", report.known),
        ("refused", sum(map(len, report.refused.values()))),
        ("sent by an earlier run, not again", report.skipped),
    ]
    table(f"Records of {source.path.name}", ("what", "records"), rows)
    if report.refused:
        reasons = sorted(report.refused.items(), key=lambda item: -len(item[1]))
        say()
        table("Refused", ("records", "why", "lines"), [(len(at), why, _lines(at)) for why, at in reasons])
    if report.skipped and not report.sent:
        say(f"Nothing was sent: an earlier run sent all of it. Delete {shown(ledger.path)} to send it again.")


def _lines(lines: list[int]) -> str:
    first = ", ".join(map(str, lines[:FIRST_LINES]))
    return first + (", …" if len(lines) > FIRST_LINES else "")


async def _follow(http: httpx.AsyncClient, report: Report, wait: float) -> None:
    with _progress() as progress:
        task = progress.add_task("Following", total=len(report.tickets))
        try:
            found = await Outcomes(http, report.tickets).follow(wait, lambda n: progress.update(task, completed=n))
        except OutcomesError as error:
            say(f"Where they ended up is not told: {error}")
            return
    say()
    table("Where the tickets are", ("outcome", "tickets"), found.most_common())
