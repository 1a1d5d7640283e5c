"""What a route costs, and what it costs to try rules on a month of tickets.

    python -m tests.bench.routes [decisions, 100000]

CPU seconds of this process, for other programs may have the cores. Every question of the catalogue is routed at a place
known to the street, by the city's own rules and by as many again as the city has streets, each for one street and one
level-1 category. A backtest reads its decisions from a private PostgreSQL, whose own work is not counted.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

from pydantic import TypeAdapter

from libs.common.city.pack import City, load_city
from libs.common.city.problems import Problems
from libs.common.city.rules import FILE, Known, RuleSet, read_rules
from libs.common.city.versions import TextVersion
from libs.common.contracts.vocabulary import Place
from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.memory import MemoryBus
from services.dispatch.domain import Matter
from services.dispatch.handlers import Here, backtests
from services.dispatch.routing import Index, Router, matter_at
from services.dispatch.service import SERVICE
from services.dispatch.store import backtests as kept
from services.dispatch.store.rules import RULES
from tests.support.stages import CITY, NOON, ManualClock, running, settings_for

ROUNDS = 9
PLAIN = TypeAdapter(Matter)
RULE = """[[rule]]
id = "r{number}"
street = ["{street}"]
category = ["{category}"]
lead = "street"
why = {{ zh = "由{{unit}}先行上门", en = "{{unit}} looks first" }}

"""
FILL = """
INSERT INTO decisions (decision_id, ticket_id, number, round, at, unit, rule, rules, catalogue, model, why, matter)
SELECT (lpad(to_hex(floor(extract(epoch FROM t.at) * 1000)::bigint), 12, '0') || '7000' || '8000'
        || lpad(to_hex(n), 12, '0'))::uuid,
    ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n::text, 1, t.at, 'co-heating', 'duty', 'x', 'c',
    'm', '["why"]', m.matter
FROM generate_series(1, $1::int) n
JOIN LATERAL (SELECT $2::timestamptz + n * interval '20 seconds' AS at) t ON true
JOIN matters m ON m.id = n % $3::int
"""


@dataclass(frozen=True, slots=True)
class RouteCost:
    """Microseconds of CPU that a route takes by so many rules, with its sentences; and the explanation of one."""

    rules: int
    route: float
    account: float


def matters(city: City) -> list[Matter]:
    """Return every question at a place that is known to the street."""
    streets = [unit for unit in city.units.values() if unit.kind in {"street", "town"}]
    found = []
    for number, question in enumerate(city.catalogue):
        street = streets[number % len(streets)]
        place = Place(
            district=street.district or "", district_name="区", street=street.code, street_name=street.name.zh,
            confidence=0.9, matched=(street.short,),
        )  # fmt: skip
        found.append(matter_at(question, place, outside=False))
    return found


def many(city: City) -> RuleSet:
    """Return the city's rules behind as many others as it has streets."""
    streets = [unit.code for unit in city.units.values() if unit.kind in {"street", "town"}]
    categories = list(city.catalogue.level1.values())
    more = "".join(
        RULE.format(number=number, street=street, category=categories[number % len(categories)])
        for number, street in enumerate(streets)
    )
    rules = read_rules(FILE, (more + city.rules.text).encode(), Known(city.units, city.catalogue), Problems())
    if rules is None:
        raise ValueError("the rules of the bench cannot be read")
    return rules


def route_costs(city: City) -> list[RouteCost]:
    """Measure routes by few rules and by many."""
    router, asked = Router(city), matters(city)
    costs = []
    for rules in (city.rules, many(city)):
        index = Index(rules, city)
        route = microseconds(partial(router.route, at=NOON, index=index), asked)
        account = microseconds(partial(router.account, at=NOON, index=index), asked[:200])
        costs.append(RouteCost(len(rules.rules), route, account))
    return costs


def microseconds(work: Callable[[Matter], object], asked: Sequence[Matter]) -> float:
    """Return the median over rounds of what one call takes."""
    took = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for matter in asked:
            work(matter)
        took.append(1e6 * (time.process_time() - started) / len(asked))
    return median(took)


async def fill(here: Here, city: City, count: int) -> None:
    """Store so many decisions, 20 seconds apart."""
    some = matters(city)[::7]
    async with here.database.pool.acquire() as connection:
        await connection.execute("CREATE TEMP TABLE matters (id int PRIMARY KEY, matter jsonb)")
        rows = [(number, PLAIN.dump_python(matter, mode="json")) for number, matter in enumerate(some)]
        await connection.executemany("INSERT INTO matters VALUES ($1, $2)", rows)
        await connection.execute(FILL, count, NOON, len(some))
        await connection.execute("ANALYZE decisions")


async def run(folder: Path, dsn: str, count: int) -> None:
    """Fill and measure a backtest."""
    city = load_city(CITY)
    async with running(SERVICE, settings_for(folder, dsn), MemoryBus(), ManualClock()) as stage:
        here: Here = stage.context
        for loop in stage.loops:
            loop.stop()
        await fill(here, city, count)
        rules = many(city)
        async with here.database.begin() as tx:
            await RULES.add(tx, TextVersion(rules.version, NOON, "bench", None, len(rules.rules)), rules.text)
        until = NOON + timedelta(seconds=20 * count + 20)
        asked = await backtests.request_backtest(here, rules.version, NOON, until, {}, "bench")
        started, wall = time.process_time(), time.perf_counter()
        while await backtests.do_backtests(here) == 0:
            pass
        cpu, took = time.process_time() - started, time.perf_counter() - wall
        done = await kept.backtest_of(here.database.pool, asked.backtest_id)
        report = done.report if done else None
        if report is None or report.tickets != count:
            sys.exit(f"the backtest is not whole: {report}")
        print(
            f"backtest of {count:,} tickets by {len(rules.rules)} rules: {cpu:.1f} s CPU ({took:.0f} s), "
            f"{1e6 * cpu / count:.0f} us a ticket; {report.moved:,} would move in {report.ways:,} ways"
        )


def main(arguments: Sequence[str]) -> None:
    """Measure on a server of its own, which is gone afterwards."""
    for cost in route_costs(load_city(CITY)):
        print(f"{cost.rules:4} rules: {cost.route:.1f} us CPU a route, {cost.account:.0f} us with its explanation")
    with tempfile.TemporaryDirectory(prefix="jiesu-routes-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        os.environ.setdefault("JIESU_MODELS", str(folder / "models"))
        server = PrivatePostgres(folder / "postgres")
        server.start()
        try:
            server.ensure_database(["dispatch"])
            asyncio.run(run(folder, server.dsn("dispatch"), int(arguments[0]) if arguments else 100_000))
        finally:
            server.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
