"""Lists of orders: in the order in which they were handed over, page by page, and read from an index."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.dispatch import store
from services.dispatch.domain import State
from services.dispatch.store.orders import ORDERS, _page
from tests.support.orders import HEATING, RECEIVED, World, orders_world
from tests.support.stages import NOON

ORDERS_IN_ALL = 14_000
STATES = ("closed", "closed", "closed", "closed", "resolved", "dispatched", "accepted")
# Fifty units; many orders were handed over at one moment.
FILL = f"""
INSERT INTO orders SELECT made.* FROM orders o, generate_series(2, {ORDERS_IN_ALL}) n, LATERAL jsonb_populate_record(o,
    jsonb_build_object('ticket_id', gen_random_uuid(), 'unit_code', 'unit-' || n * 7919 % 50,
        'state', ($1::text[])[n % 7 + 1], 'dispatched_at', $2::timestamptz + n / 3 * interval '1 minute')) made
"""  # noqa: S608 a constant
BEGINNING = (NOON - timedelta(days=1), UUID(int=0))


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with orders_world(fresh_database, tmp_path) as world:
        await world.peer.say(world.ticket, RECEIVED, HEATING)
        await world.stage.context.database.pool.execute(FILL, list(STATES), NOON)
        await world.stage.context.database.pool.execute("ANALYZE orders")
        yield world


ASKED = [
    (None, None), (["unit-7"], None), ([f"unit-{n}" for n in range(20)], None), (None, "closed"),
    (["unit-7"], "closed"), (None, "returned"), ([], None),
]  # fmt: skip


async def test_pages_put_together_are_all_orders_in_turn(world: World) -> None:
    database = world.stage.context.database
    every = await ORDERS.load(database.pool, "ORDER BY dispatched_at, ticket_id")
    for units, state in ASKED[1:]:
        wanted = [one for one in every if (units is None or one.unit_code in units) and state in {None, one.state}]
        found, after = [], BEGINNING
        while page := await store.list_orders(database, units, store.Filters(_state(state)), after, 500):
            found += page
            after = (page[-1].dispatched_at, page[-1].ticket_id)
        assert found == wanted


async def test_a_page_reads_no_more_than_the_first_orders_of_each_list_it_is_of(world: World) -> None:
    async with world.stage.context.database.pool.acquire() as connection:
        for units, state in ASKED:
            where, arguments = _page(units, store.Filters(_state(state)))
            states = [state] if state else list(set(STATES))
            statement = f"EXPLAIN (ANALYZE, FORMAT JSON) {ORDERS._select} {where}"
            (said,) = json.loads(await connection.fetchval(statement, *BEGINNING, 50, states, *arguments))
            lists = len(states) * (1 if units is None else len(units))
            assert sum(map(_read, _nodes(said["Plan"]))) <= 50 * (lists + 1)


def _state(state: str | None) -> State | None:
    return state  # type: ignore[return-value]  # those above are


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _read(node: dict[str, Any]) -> float:
    """Return how many orders a step of a plan looked at."""
    if node.get("Relation Name") != "orders":
        return 0
    seen: float = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return seen
