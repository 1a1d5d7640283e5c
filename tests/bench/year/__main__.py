"""A simulated year: are the planted ones found, and the honest not shamed?

    python -m tests.bench.year [--per-day 225] [--seed 1] [--until 2026-01-19]

A city that does not exist (`town`) has a year of appeals (`lives`); all that other stages would say of them goes to
feedback as events, citizens answer what it asks, its jobs run each day (`play`). Feedback runs as it is, on a
PostgreSQL of its own in a temporary folder. Then what it says over HTTP (`reading`) is judged by what was planted
(`judging`), and its three rates by an auditor's own count of the events (`ledger`). Prints a table, writes nothing.

Planted: five class problems; units that are slow and pass the buck; units that say of a third of their orders at once
that they are done; and what must not be taken for either: small streets, whose months go badly by chance, and units
that work well on hard matters. Answers are given to the handler behind POST /review, many in a transaction.
"""

import argparse
import os
import platform
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from libs.common.city.pack import load_city
from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.memory import MemoryBus
from tests.bench.year import judging
from tests.bench.year.judging import Row
from tests.bench.year.lives import BEIJING, Lives
from tests.bench.year.play import PLAYED, Year
from tests.bench.year.reading import MONTHS, Reading
from tests.bench.year.town import FIRST, town
from tests.support.stages import CITY, ManualClock, client, probing, running, settings_for

APPEALED, APPEAL_ON = "2025-06", date(2025, 7, 10)
"""The month a unit appeals against, and when: by the ruling six later months are published."""
out = Console(highlight=False, width=150)


async def evaluate(folder: Path, dsn: str, asked: argparse.Namespace) -> None:
    """Play the year, judge it, print both."""
    lives = Lives(town(load_city(CITY), asked.seed), asked.per_day, asked.seed)
    clock, bus = ManualClock(datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) - BEIJING), MemoryBus()
    settings = settings_for(folder, dsn)
    async with (
        probing(bus, "jiesu.feedback.v1") as probe,
        running(PLAYED, settings, bus, clock) as stage,
        client([stage], (folder / "key").read_text()) as http,
    ):
        year, reading, began = Year(stage, bus, clock, probe, lives), Reading(http), time.perf_counter()
        await _play(year, FIRST, APPEAL_ON)
        appeal = await _appeal(reading, lives)
        await _play(year, APPEAL_ON, asked.until)
        show("The year", played(year, time.perf_counter() - began))
        show("Seconds", [(name, f"{seconds:.1f}") for name, seconds in year.seconds.items()])
        began = time.perf_counter()
        ruled = [row async for row in _ruled(reading, year, appeal)]
        for name, rows in (await _judged(reading, year)).items():
            show(name, rows)
        show("Rates and an appeal", ruled)
        out.print(f"judged in {time.perf_counter() - began:.0f} s")


async def _play(year: Year, day: date, until: date) -> None:
    """Play month by month, and say how far it is."""
    while day < until:
        after = min(until, (day.replace(day=1) + timedelta(days=32)).replace(day=1))
        await year.run(day, after)
        out.print(f"until {after}: {len(year.lives.lives)} appeals, {time.process_time():.0f} s of CPU")
        day = after


def played(year: Year, seconds: float) -> Iterator[Row]:
    """Yield what the year was."""
    lives, used = year.lives, resource.getrusage(resource.RUSAGE_SELF)
    yield (
        "appeals",
        f"{len(lives.lives)}, of them {sum(life.parent is not None for life in lives.lives.values())} repeats",
    )
    yield "units, questions", f"{len(lives.town.units)}, {len(lives.town.matters)}"
    yield "events of other stages; events of feedback's", f"{year.ledger.events}; {len(year.probe.seen)}"
    yield (
        "rounds of work, of them false closings",
        (f"{len(lives.done)}, {sum(lives.truth[key].false for key in lives.done)}"),
    )
    yield "answers taken; refused", f"{year.taken}; {sum(year.refused.values())} {dict(year.refused) or ''}"
    yield "time; CPU of ours", f"{seconds:.0f} s; {used.ru_utime + used.ru_stime:.0f} s"
    yield "machine", f"{os.cpu_count()} cores, {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the end"


async def _appeal(reading: Reading, lives: Lives) -> dict[str, Any]:
    """Have the plain unit with most answers appeal against one that says no, and return what it appealed against."""
    scores = await reading.scores(APPEALED)
    unit = max(scores.keys() & lives.town.with_manner("plain"), key=lambda code: (scores[code]["counted"], code))
    counted = await reading.pages(f"scores/{APPEALED}/counted", unit=unit)
    ticket = next(one["ticket_id"] for one in counted if not any(answer["solved"] for answer in one["answers"]))
    made = await reading.post(
        f"scores/{APPEALED}/appeals", unit=unit, ticket_id=ticket, ground="unreasonable", note="诉求超出政策"
    )
    return {"appeal": made["appeal_id"], "unit": unit, "ticket": ticket}


async def _ruled(reading: Reading, year: Year, appeal: dict[str, Any]) -> AsyncIterator[Row]:
    """Uphold the appeal, and yield what that moved and how the rates stand against the auditor's count."""
    before = await reading.everything()
    await reading.post(f"score-appeals/{appeal['appeal']}/ruling", upheld=True, note="属实")
    await year.settle()
    for row in judging.moved(before, await reading.everything(), APPEALED, appeal["unit"]):
        yield row
    first, last = await judging.rates(reading, year.ledger, (APPEALED, (appeal["ticket"], appeal["unit"])))
    for name, checked in (("as first published", first), ("as they stand, and live figures", last)):
        yield (
            f"rates {name}, against the auditor",
            (f"{checked.rates} compared, {len(checked.wrong)} units and months differ {checked.wrong[:4] or ''}"),
        )


async def _judged(reading: Reading, year: Year) -> dict[str, list[Row]]:
    """Read all that is judged by what was planted, and judge it."""
    lives, of = year.lives, year.lives.town
    scores = {month: await reading.scores(month) for month in MONTHS}
    diagnoses = {
        (month, unit): await reading.get(f"diagnosis/{unit}", period=month)
        for month in MONTHS for unit in judging.chosen(of) if unit in scores[month]
    }  # fmt: skip
    doubts = [doubt for month in MONTHS for doubt in await reading.doubts(month)]
    topics = {month: await reading.get("topics", period=month) for month in MONTHS}
    indices = {month: await reading.get("quality", period=month) for month in MONTHS}
    return {
        "Class problems": list(judging.topics(of, topics)),
        "Fair scores": [
            *judging.standings(of, scores), *judging.diagnosed(of, diagnoses),
            *judging.bounces(of, await reading.figures("passed_on")),
        ],
        "False closings": list(
            judging.closings(of, lives, doubts, await reading.get("false-closings", period="2025"))
        ),
        "Measured without asking": list(judging.quality(lives, await reading.get("quality/models"), indices)),
    }  # fmt: skip


def show(name: str, rows: Iterable[Row]) -> None:
    """Print a table of what and how much."""
    table = Table(title=name, title_justify="left", show_header=False)
    for what, figure in rows:
        table.add_row(what, figure)
    out.print(table)


def main() -> None:
    """Make a server, evaluate, and take it away again."""
    parser = argparse.ArgumentParser(prog="tests.bench.year")
    parser.add_argument("--per-day", type=float, default=225.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", type=date.fromisoformat, default=date(2026, 1, 19))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # As root PostgreSQL runs as a lesser user, who must get through.
        folder.chmod(0o711)
        os.environ.setdefault("JIESU_MODELS", str(folder / "models"))
        server = PrivatePostgres(folder / "postgres", durable=False)
        server.start()
        try:
            server.ensure_database(["year"])
            uvloop.run(evaluate(folder, server.dsn("year"), asked))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
