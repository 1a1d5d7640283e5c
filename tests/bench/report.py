"""What was measured, for people: tables on the terminal and in docs/benchmarks.md, and one JSON line for machines."""

import os
import platform as machine
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table as RichTable

from services.cli.processes import NAMES
from tests.bench.classifying import Classified
from tests.bench.life import Clocked, Lived
from tests.bench.load import Posted
from tests.bench.meter import Plan
from tests.bench.platform import Cost, Usage
from tests.bench.routes import RouteCost
from tests.bench.watch import Done

PAGE = Path("docs/benchmarks.md")
MARKS = "<!-- measured: written by make bench -->", "<!-- end of measured -->"
SHOWN = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
QUIET_CORES = 0.2
"""What else a machine does that stands still: the bench's own idle processes among it."""
PRELIMINARY = "Other programs took part of the machine meanwhile: these figures are preliminary."
POM = Path("deploy/kafka/pom.xml")
out = Console(highlight=False, width=120)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the platform: when it began, what the watch saw, and what each process used meanwhile."""

    began: float
    tickets: int
    done: Done
    cost: Cost

    @property
    def rate(self) -> float:
        """Tickets in a second, from the first POST until the last ticket had all it must have."""
        return self.tickets / (self.done.done - self.began)

    @property
    def drained_rate(self) -> float:
        """Tickets in a second, from the first POST until nothing at all was under way."""
        return self.tickets / (self.done.drained - self.began)


@dataclass(frozen=True, slots=True)
class FloorRun:
    """One run of the floor."""

    tickets: int
    seconds: float
    cost: Cost

    @property
    def rate(self) -> float:
        """Tickets in a second."""
        return self.tickets / self.seconds


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a heading; every cell is text."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(slots=True)
class Figures:
    """All that the bench measures."""

    plan: Plan
    clocked: Clocked
    lived: Lived
    crowd: Posted
    crowd_drained: float
    runs: list[Run] = field(default_factory=list)
    floor_runs: list[FloorRun] = field(default_factory=list)
    posts: list[Posted] = field(default_factory=list)
    floor_posts: list[Posted] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    routes: list[RouteCost] = field(default_factory=list)
    classified: list[Classified] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        """Return the figures that are compared from change to change. Medians of the runs."""
        post = median(p.per_second for p in self.posts)
        return {
            "tickets_per_s": round(median(run.rate for run in self.runs), 1),
            "floor_ratio": round(
                median(run.drained_rate for run in self.runs) / median(run.rate for run in self.floor_runs), 3
            ),
            "closed_per_s": round(self.lived.rate, 1),
            "post_per_s": round(post, 1),
            "post_floor_ratio": round(post / median(p.per_second for p in self.floor_posts), 3),
            "post_p99_ms": round(median(percentile(p.seconds, 99) for p in self.posts), 1),
            "clocked_p50_ms": round(percentile(self.clocked.seconds, 50), 1),
            "clocked_p99_ms": round(percentile(self.clocked.seconds, 99), 1),
            "classified_per_core": round(median(self.classified[0].rates), 1),
            "route_us": round(self.routes[0].route, 1),
        }

    @property
    def disturbed(self) -> bool:
        """Whether other programs took so much of the machine that the figures are no more than preliminary."""
        costs = [run.cost for run in self.runs] + [run.cost for run in self.floor_runs]
        return max(cost.others for cost in costs) > QUIET_CORES

    def tables(self) -> list[Table]:
        """Return all there is to show."""
        return [self._rates(), self._posts(), self._latency(), self._usage(), self._written(), *self._alone()]

    def _rates(self) -> Table:
        shown = [
            ("tickets/s until each ticket has all it must have", [r.rate for r in self.runs]),
            ("tickets/s until nothing is under way", [r.drained_rate for r in self.runs]),
            ("tickets/s of the floor", [r.rate for r in self.floor_runs]),
        ]
        held = sum(run.done.held for run in self.runs) / sum(run.tickets for run in self.runs)
        rows: list[tuple[str, ...]] = [(what, *spread(values)) for what, values in shown]
        rows.append(
            (f"tickets/s to ticket.closed, {self.lived.closed:,} of them", f"{self.lived.rate:,.0f}", "one run")
        )
        for what, runs in (("platform", self.runs), ("floor", self.floor_runs)):
            others = [run.cost.others for run in runs]
            taken = " ".join(f"{cores:.2f}" for cores in others)
            rows.append((f"cores that other programs took from the {what}", f"{median(others):.2f}", taken))
        rows.append(("held for a person to look at", f"{held:.1%}", ""))
        return Table(f"End to end, {self.runs[0].tickets:,} tickets a run", ("", "median", "runs"), rows)

    def _alone(self) -> list[Table]:
        return [self._classified(), self._routes()]

    def _classified(self) -> Table:
        rows = [(one.kind, f"{one.characters:.0f}", *spread(one.rates), *spread(one.floor)) for one in self.classified]
        columns = ("", "characters", "appeals/s", "runs", "of the floor", "runs")
        return Table("classify: the whole path per core, in batches of 500, by CPU time", columns, rows)

    def _routes(self) -> Table:
        rows = [(f"{cost.rules}", f"{cost.route:.1f}", f"{cost.account:.0f}") for cost in self.routes]
        return Table("Whose work an appeal is: µs of CPU", ("rules", "a route", "with its explanation"), rows)

    def _posts(self) -> Table:
        rows: list[tuple[str, ...]] = []
        for what, posted in (
            ("intake, one worker, the other services stopped", self.posts),
            ("the bare floor of a POST", self.floor_posts),
            ("intake, with all five services at work", [self.crowd]),
        ):
            rates = spread([p.per_second for p in posted])
            quantiles = [f"{median(percentile(p.seconds, q) for p in posted):.1f}" for q in (50, 99)]
            rows.append((what, *rates, *quantiles, str(sum(p.errors for p in posted))))
        rows.append(("  its last ticket done after", f"{self.crowd_drained:.1f} s", "", "", "", ""))
        return Table("POST to 202, 64 connections", ("", "requests/s", "runs", "p50 ms", "p99 ms", "errors"), rows)

    def _latency(self) -> Table:
        seconds = self.clocked.seconds
        rows = [(f"p{q}", f"{percentile(seconds, q):.0f} ms") for q in (50, 90, 99, 100)]
        rows.append(("tickets", f"{len(seconds):,}, and {self.clocked.held} held"))
        return Table("From 202 to a running clock with its unit, at 50 tickets/s", ("", ""), rows)

    def _usage(self) -> Table:
        platform, floor = _per_ticket(self.runs), _per_ticket(self.floor_runs)
        lived = {name: 1000 * usage.cpu / self.lived.closed for name, usage in self.lived.cost.used.items()}
        memory, floor_memory = self.runs[-1].cost.used, self.floor_runs[-1].cost.used
        rows: list[tuple[str, ...]] = [
            (
                name,
                *(f"{each[name]:.3f}" for each in (platform, floor, lived)),
                _mega(memory[name]),
                _mega(floor_memory[name]),
            )
            for name in platform
        ]
        total = [f"{sum(each.values()):.3f}" for each in (platform, floor, lived)]
        rows.append(("all", *total, "", ""))
        columns = ("process", "ms CPU/ticket", "of the floor", "to ticket.closed", "MB", "of the floor")
        return Table("What it costs", columns, rows)

    def _written(self) -> Table:
        tickets = self.plan.tickets
        rows = []
        for name in NAMES:
            worker = self.plan.workers[name]
            tables = worker.tables.values()
            counts = [sum(getattr(t, kind) for t in tables) for kind in ("inserts", "updates", "deletes")]
            produced = sum(topic.messages for topic in worker.produces.values())
            size = sum(topic.messages * topic.shape.body for topic in worker.produces.values())
            shown = [*(f"{count / tickets:.2f}" for count in (worker.claims, *counts, produced))]
            rows.append((name, *shown, f"{size / produced:.0f}" if produced else ""))
        columns = ("service", "events taken", "rows inserted", "updated", "deleted", "messages sent", "bytes each")
        return Table("What it writes for each ticket, beside inbox and outbox; so does the floor", columns, rows)


def _per_ticket(runs: Sequence[Run] | Sequence[FloorRun]) -> dict[str, float]:
    """Return the median milliseconds of CPU per ticket of each process."""
    return {name: median(1000 * run.cost.used[name].cpu / run.tickets for run in runs) for name in runs[0].cost.used}


def percentile(seconds: Sequence[float], percent: int) -> float:
    """Return a percentile in milliseconds."""
    return float(np.percentile(np.array(seconds), percent)) * 1000


def spread(rates: Sequence[float]) -> tuple[str, str]:
    """Return the median, and the single values in their order."""
    return f"{median(rates):,.0f}", " ".join(f"{rate:,.0f}" for rate in rates)


def _mega(usage: Usage) -> str:
    return f"{usage.memory / 1e6:,.0f}"


async def facts(dsn: str, loads: Sequence[float]) -> list[str]:
    """Return what must be known of the machine and the settings to judge the numbers."""
    connection = await asyncpg.connect(dsn)
    try:
        postgres = {name: await connection.fetchval(f"SHOW {name}") for name in SHOWN}
    finally:
        await connection.close()
    cores, memory = len(os.sched_getaffinity(0)), psutil.virtual_memory().total / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "asyncpg", "aiokafka"))
    settings = ", ".join(f"{name}={value}" for name, value in postgres.items() if name != SHOWN[0])
    return [
        f"{cores} cores ({_cpu()}), {memory:.0f} GiB; load generator and all servers on the same cores",
        f"load average before the runs: {', '.join(f'{load:.1f}' for load in loads)}",
        f"Python {machine.python_version()}, {libraries}",
        f"PostgreSQL {postgres[SHOWN[0]]}: {settings}",
        f"Apache Kafka {_kafka()}, one broker: acks=all, idempotent producers",
    ]


def _cpu() -> str:
    told = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.+)", told.read_text()) if told.exists() else None
    return model[1] if model else machine.machine()


def _kafka() -> str:
    found = re.search(r"kafka_2\.13</artifactId>.*?<version>(.+?)</version>", POM.read_text(), re.DOTALL)
    return found[1] if found else "of another version"


def show(facts_: Sequence[str], tables: Sequence[Table]) -> None:
    """Print it."""
    for fact in facts_:
        out.print(fact, soft_wrap=True)
    for table in tables:
        drawn = RichTable(box=None, pad_edge=False)
        for at, column in enumerate(table.columns):
            drawn.add_column(column, justify="left" if at == 0 else "right", overflow="fold")
        for row in table.rows:
            drawn.add_row(*row)
        out.print(f"\n[bold]{table.title}")
        out.print(drawn)


def write_page(intro: str, facts_: Sequence[str], tables: Sequence[Table]) -> None:
    """Put it between the marks of docs/benchmarks.md."""
    begin, end = MARKS
    before, _, rest = PAGE.read_text().partition(begin)
    _, _, after = rest.partition(end)
    lines = [intro, "", *(f"- {fact}" for fact in facts_)]
    for table in tables:
        lines += ["", f"### {table.title}", "", *_markdown(table)]
    PAGE.write_text("\n".join([f"{before}{begin}", "", *lines, "", f"{end}{after}"]))


def _markdown(table: Table) -> list[str]:
    def line(cells: Sequence[Any]) -> str:
        return f"| {' | '.join(cells)} |"

    return [line(table.columns), line([":--", *("--:" for _ in table.columns[1:])]), *(line(row) for row in table.rows)]
