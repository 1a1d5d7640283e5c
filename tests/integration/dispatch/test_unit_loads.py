"""Loads: what units have in hand, from indexes; what rules know of it, and what a key sees of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.dispatch import handlers
from services.dispatch.store.loads import OPEN, OPEN_OF
from tests.support.routing import CHANGED, Dispatching, dispatching
from tests.support.stages import NOON

REPLY = {"reply": "2026年3月2日已上门检修管网并恢复供热，联系电话96069"}


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[Dispatching]:
    async with dispatching(fresh_database, tmp_path) as world:
        yield world


async def counted(world: Dispatching) -> None:
    await world.here.database.pool.execute("UPDATE unit_counts SET counted_at = '2000-01-01T00:00:00Z'")
    await handlers.keep_loads(world.here)


async def test_a_unit_s_open_orders_are_shown_by_state_class_and_age(world: Dispatching) -> None:
    await world.judged()
    world.clock.advance(days=2)
    signed = await world.judged(urgency="urgent")
    await world.post(f"orders/{signed}/accept")
    (load,) = await world.get("loads", unit="co-heating")
    assert (load["unit"]["name"], load["open"]) == ("北京市热力集团有限责任公司", 2)
    assert load["by_state"] == {"dispatched": 1, "accepted": 1}
    assert load["by_urgency"] == {"livelihood": 1, "urgent": 1}
    assert load["by_age"] == {"1_to_3_days": 1, "under_1_day": 1}
    assert (load["per_day"], load["days"], load["forecast"]) == (None, None, [])


async def test_pace_and_forecast_come_from_the_days_that_were_counted(world: Dispatching) -> None:
    days = [(NOON - timedelta(days=back)).date() for back in range(1, 57)]
    await world.here.database.pool.executemany(
        "INSERT INTO unit_days VALUES ($1, 'co-heating', 40, 20)", [(day,) for day in days]
    )
    for _ in range(3):
        done = await world.judged()
        await world.post(f"orders/{done}/accept")
        await world.post(f"orders/{done}/resolve", REPLY)
    await world.judged()
    (load,) = await world.get("loads", unit="co-heating")
    assert (load["per_day"], load["days"], len(load["forecast"])) == (20.0, 0.1, 7)
    assert load["forecast"][0] == {"day": "2026-03-02", "expected": 40.0, "low": 31.9, "high": 48.1}
    busy = CHANGED.replace('id = "heating"', 'id = "heating"\nbusy = { of = "owner", days = 5.0 }')
    await world.in_force(await world.brought(busy))
    await counted(world)
    row = await world.here.database.pool.fetchrow("SELECT arrived, resolved FROM unit_days WHERE day = $1", NOON.date())
    assert row
    assert (row["arrived"], row["resolved"]) == (4, 3)
    assert world.here.engine.router.loads["co-heating"].days == 0.1


async def test_a_rule_by_load_goes_by_what_was_looked_at_last(world: Dispatching) -> None:
    busy = CHANGED.replace('id = "heating"', 'id = "heating"\nbusy = { of = "owner", open = 1 }')
    await world.in_force(await world.brought(busy))
    first, second = await world.judged(), await world.judged()
    await handlers.keep_loads(world.here)
    third = await world.judged()
    leads = [(await world.get(f"orders/{ticket}"))["unit"]["code"] for ticket in (first, second, third)]
    assert leads == ["co-heating", "co-heating", "s-110105026"]


async def test_open_orders_are_counted_from_an_index_of_open_orders_alone(world: Dispatching) -> None:
    async with world.here.database.pool.acquire() as connection:
        await connection.execute("SET enable_seqscan = off")
        for query, arguments in ((OPEN, ()), (OPEN_OF, (["co-heating"], NOON))):
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}", *arguments))
            assert "orders_open" in plan
        await connection.execute("RESET enable_seqscan")


async def test_a_unit_sees_its_own_load_and_no_other(world: Dispatching) -> None:
    await world.judged()
    await world.judged(owner="co-water", code="water-01-01")
    own = world.key("unit", units=("co-heating",))
    shown = (await world.http.get("/dispatch/v1/loads", headers=own)).json()
    assert [load["unit"]["code"] for load in shown] == ["co-heating"]
    assert (await world.http.get("/dispatch/v1/loads?unit=co-water", headers=own)).status_code == 403
    assert [load["unit"]["code"] for load in await world.get("loads")] == ["co-heating", "co-water"]
