"""What a run wrote, by difference: rows and their width for each table, messages and their size for each topic.

The floor writes the same. Nothing of it is read from the services' code.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from libs.common.contracts.envelope import EVENTS
from services.cli.processes import NAMES
from tests.bench.broker import Offsets, Shape
from tests.bench.watch import TOPICS, Watch

STATS_SECONDS = 11
"""PostgreSQL keeps an idle connection's counts back for up to ten seconds."""
HEART = frozenset({"inbox", "outbox"})
EMITTER = {event.topic: event.emitter for event in EVENTS.values()}

WRITTEN = "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables"
WIDTH = 'SELECT avg(pg_column_size(t.*))::int FROM (SELECT * FROM "{}" LIMIT 2000) t'
EMPTY_WIDTH = 64
"""For a table whose rows have all gone again: a key and little else."""


@dataclass(frozen=True, slots=True)
class TablePlan:
    """Rows inserted, updated and deleted in one table, and their mean width in bytes."""

    inserts: int
    updates: int
    deletes: int
    width: int


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """Messages produced on one topic, and what they look like."""

    messages: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """What one service read and wrote for `Plan.tickets` tickets."""

    consumes: tuple[str, ...]
    claims: int
    tables: Mapping[str, TablePlan]
    produces: Mapping[str, TopicPlan]


@dataclass(frozen=True, slots=True)
class Plan:
    """What all five did."""

    tickets: int
    workers: Mapping[str, WorkerPlan]

    @property
    def messages(self) -> int:
        """Messages produced on all topics."""
        return sum(topic.messages for worker in self.workers.values() for topic in worker.produces.values())

    @property
    def rows(self) -> int:
        """Rows inserted, updated or deleted, those of inbox and outbox included."""
        tables = sum(t.inserts + t.updates + t.deletes for w in self.workers.values() for t in w.tables.values())
        return tables + sum(worker.claims for worker in self.workers.values()) + 2 * self.messages


Rows = dict[str, dict[str, tuple[int, int, int]]]


@dataclass(frozen=True, slots=True)
class Reading:
    """The counters at one moment."""

    ends: Offsets
    rows: Rows


async def read(watch: Watch) -> Reading:
    """Read the counters once they have caught up."""
    await asyncio.sleep(STATS_SECONDS)
    rows: Rows = {}
    for name in NAMES:
        found = await watch.database(name).fetch(WRITTEN)
        rows[name] = {row["relname"]: (row["n_tup_ins"], row["n_tup_upd"], row["n_tup_del"]) for row in found}
    return Reading(await watch.broker.ends(TOPICS), rows)


async def plan_between(watch: Watch, before: Reading, after: Reading, tickets: int) -> Plan:
    """Return what was done between two readings."""
    shapes = await watch.broker.shapes(before.ends)
    produced: dict[str, dict[str, TopicPlan]] = {name: {} for name in NAMES}
    for topic in TOPICS:
        messages = sum(end - before.ends[place] for place, end in after.ends.items() if place.topic == topic)
        if messages:
            produced[EMITTER[topic]][topic] = TopicPlan(messages, shapes[topic])
    return Plan(tickets, {name: await _worker(watch, name, before, after, produced[name]) for name in NAMES})


async def _worker(
    watch: Watch, name: str, before: Reading, after: Reading, produces: Mapping[str, TopicPlan]
) -> WorkerPlan:
    consumes = {place.topic for place in await watch.broker.read_by(f"jiesu.{name}")}
    tables = {}
    for table, counts in after.rows[name].items():
        then = before.rows[name][table]
        inserts, updates, deletes = (now - was for now, was in zip(counts, then, strict=True))
        if inserts + updates + deletes and table not in HEART:
            width = await watch.database(name).fetchval(WIDTH.format(table)) or EMPTY_WIDTH
            tables[table] = TablePlan(inserts, updates, deletes, width)
    claims = after.rows[name]["inbox"][0] - before.rows[name]["inbox"][0]
    return WorkerPlan(tuple(sorted(consumes)), claims, tables, produces)
