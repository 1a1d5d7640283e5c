"""`make bench`: what the platform does end to end on this machine, and the bare floor beneath it, in the same run.

    python -m tests.bench [--tickets 10000] [--runs 3]

1. Runs of the platform and of the floor take turns: `--tickets` appeals are posted in batches of 2,000 lines over one
   connection, and a run is over when every one of them has an order with its clock, or is held for a person; intake's
   timeline shows the order and feedback knows the ticket. Then every count is checked, ticket by ticket.
2. 50 appeals a second for 20 s: from each 202 to its running clock.
3. The whole life of 1,000 tickets to ticket.closed, units and citizens by script.
4. POST after POST over 64 connections: with all five services at work, then intake alone, taking turns with its floor.
5. What a route costs by the city's rules, and by hundreds.
6. What a core classifies, from an event's text to its verdict, taking turns with its floor.

What each floor does and leaves out, `floor`, `door` and `classifying` say. Ends with 1 if anything
was lost or doubled; refused POSTs are counted in the table.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import islice

import uvloop

from libs.common.city.pack import load_city
from libs.common.local.ports import free_port, is_taken
from libs.common.runtime.settings import Settings
from services.cli.processes import NAMES
from tests.bench import classifying, meter, report
from tests.bench.appeals import appeals
from tests.bench.broker import broker
from tests.bench.floor import Floor, end, floor, smaller, started
from tests.bench.life import clocked, live
from tests.bench.load import TICKETS, Posted, hammer, post, send_batches
from tests.bench.meter import Plan
from tests.bench.platform import Moment, Platform, moment, platform
from tests.bench.routes import route_costs
from tests.bench.watch import MismatchError, Watch, watching

TICKETS_A_RUN, RUNS = 10_000, 3
WARM_UP = 1_000
PACE, PACE_SECONDS = 50, 20
LIFE = 1_000
POSTS = 10_000
SEALED = "SELECT avg(octet_length(appeal))::int FROM (SELECT appeal FROM vault LIMIT 2000) v"


class Bench:
    """One bench: the platform, who watches it, and appeals without end."""

    def __init__(self, platform_: Platform, watch: Watch, tickets: int, runs: int) -> None:
        self._platform = platform_
        self._watch = watch
        self._tickets = tickets
        self._runs = runs
        self._appeals: Iterator[bytes] = appeals(load_city(Settings().city))
        self._loads: list[float] = []

    async def measure(self) -> report.Figures:
        """Measure everything, in the order of the module's text."""
        say(f"Warming up with {WARM_UP:,} tickets")
        await self._run(WARM_UP)
        before = await meter.read(self._watch)
        runs = [await self._platform_run()]
        after = await meter.read(self._watch)
        plan = await meter.plan_between(self._watch, before, after, self._tickets)
        floor_runs = []
        async with floor(self._platform, Settings().kafka_partitions) as under:
            await under.run(smaller(plan, WARM_UP))
            floor_runs.append(await self._floor_run(under, plan))
            for _ in range(self._runs - 1):
                runs.append(await self._platform_run())
                floor_runs.append(await self._floor_run(under, plan))
        say(f"{PACE} tickets/s for {PACE_SECONDS} s")
        latency = await clocked(self._platform, self._watch, self._take(PACE * PACE_SECONDS), PACE)
        await self._watch.until_drained(time.time() + 60)
        say(f"The whole life of {LIFE:,} tickets")
        lived = await live(self._platform, self._watch, self._take(LIFE))
        crowd, drained = await self._crowd()
        figures = report.Figures(plan, latency, lived, crowd, drained, runs, floor_runs, loads=self._loads)
        await self._posts(figures)
        say("Classifying on one core")
        figures.classified = await asyncio.to_thread(classifying.measure)
        say("The cost of a route")
        figures.routes += route_costs(load_city(Settings().city))
        return figures

    def _take(self, count: int) -> list[bytes]:
        return list(islice(self._appeals, count))

    async def _run(self, tickets: int) -> report.Run:
        bodies = self._take(tickets)
        before = moment(self._platform.usage())
        began, accepted = await send_batches(self._platform.port("intake"), bodies, self._platform.key)
        done = await self._watch.until_done(accepted)
        return report.Run(began, tickets, done, before.until(moment(self._platform.usage())))

    async def _platform_run(self) -> report.Run:
        self._loads.append(os.getloadavg()[0])
        run = await self._run(self._tickets)
        say(f"Platform: {run.rate:,.0f} tickets/s, {run.drained_rate:,.0f} until drained, {run.done.held:,} held")
        return run

    async def _floor_run(self, under: Floor, plan: Plan) -> report.FloorRun:
        def now() -> Moment:
            return moment({**under.usage(), **self._platform.server_usage()})

        before = now()
        run = report.FloorRun(plan.tickets, await under.run(plan), before.until(now()))
        say(f"Floor: {run.rate:,.0f} tickets/s")
        return run

    async def _post(self, port: int) -> Posted:
        return await hammer(port, [post(TICKETS, body, self._platform.key) for body in self._take(POSTS)])

    async def _crowd(self) -> tuple[Posted, float]:
        """POST after POST with all five at work; return also the seconds until the last ticket was done."""
        say(f"{POSTS:,} POSTs with all five services at work")
        posted = await self._post(self._platform.port("intake"))
        done = await self._watch.until_done(list(posted.tickets()))
        return posted, done.done - posted.began

    async def _posts(self, figures: report.Figures) -> None:
        """POST after POST to intake alone, taking turns with the floor."""
        self._platform.stop(*(name for name in NAMES if name != "intake"))
        size = await self._watch.database("intake").fetchval(SEALED)
        async with _door(self._platform, size) as port:
            await hammer(port, [post(TICKETS, body, "") for body in self._take(WARM_UP)])
            for _ in range(self._runs):
                figures.posts.append(await self._post(self._platform.port("intake")))
                await self._screened()
                figures.floor_posts.append(await self._post(port))
                rates = figures.posts[-1].per_second, figures.floor_posts[-1].per_second
                say("POST: {:,.0f}/s by intake, {:,.0f}/s by the floor".format(*rates))

    async def _screened(self) -> None:
        """Wait until intake has nothing left to do, so that it does not share the cores with the floor."""
        left = "SELECT EXISTS (SELECT FROM inbound) OR EXISTS (SELECT FROM outbox)"
        while await self._watch.database("intake").fetchval(left):
            await asyncio.sleep(0.1)


@asynccontextmanager
async def _door(platform_: Platform, size: int) -> AsyncIterator[int]:
    """Serve the floor of a POST, and yield its port."""
    platform_.postgres.ensure_database(["floor_door"])
    port = free_port()
    process = await started("tests.bench.door", str(port), platform_.postgres.dsn("floor_door"), str(size))
    try:
        while not is_taken(port):
            await asyncio.sleep(0.05)
        yield port
    finally:
        await end(process)


def say(text: str) -> None:
    """Tell how far it is."""
    report.out.print(f"{datetime.now(UTC):%H:%M:%S} {text}", style="dim")


async def bench(up: Platform, tickets: int, runs: int) -> dict[str, float]:
    """Measure and report."""
    async with broker(up.kafka.bootstrap) as looking, watching(up, looking) as watch:
        figures = await Bench(up, watch, tickets, runs).measure()
        facts = await report.facts(up.postgres.dsn("postgres"), figures.loads)
    tables = figures.tables()
    report.show(facts, tables)
    if figures.disturbed:
        say(report.PRELIMINARY)
    if tickets >= TICKETS_A_RUN and runs >= RUNS:
        measured = f"Measured on {datetime.now(UTC):%Y-%m-%d}."
        report.write_page(f"{measured} {report.PRELIMINARY}" if figures.disturbed else measured, facts, tables)
    return figures.summary()


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tickets", type=int, default=TICKETS_A_RUN, help="tickets in a run (%(default)s)")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of the platform and of the floor (%(default)s)")
    wanted = parser.parse_args()
    # Whoever ends us, what we started is ended too.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with platform(say) as up:
            summary = uvloop.run(bench(up, wanted.tickets, wanted.runs))
    except KeyboardInterrupt:
        sys.exit("stopped")
    except MismatchError as error:
        sys.exit(f"the platform did not do its work: {error}")
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
