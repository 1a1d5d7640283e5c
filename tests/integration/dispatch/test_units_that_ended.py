"""A unit of the pack that is no more: what is sent to it over HTTP reaches who has its duties, or says who that is."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.routing import Dispatching, dispatching
from tests.support.stages import CITY

OLD, NEW = "co-heating", "co-grid"


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[Dispatching]:
    pack = tmp_path / "pack"
    shutil.copytree(CITY, pack)
    (pack / "changes.csv").write_text(f"unit,from,until,successor\n{OLD},,2026-03-02,{NEW}\n")
    async with dispatching(fresh_database, tmp_path, city=pack) as world:
        yield world


async def test_orders_tasks_looks_and_hands_reach_its_successor(world: Dispatching) -> None:
    ticket = await world.judged()
    order = await world.get(f"orders/{ticket}")
    assert (order["unit"]["code"], order["rule"]) == (NEW, "duty")
    again = await world.http.post(f"/dispatch/v1/orders/{ticket}/reassign", json={"unit": OLD, "note": "改派"})
    assert (again.status_code, "already" in again.json()["detail"]) == (409, True)
    other = await world.judged(owner="co-gas")
    task = await world.post(f"orders/{other}/tasks", {"role": "sub_task", "unit": OLD, "task": "核实"})
    assert task["unit"]["code"] == NEW
    await world.post(f"orders/{other}/return", {"ground": "not_our_area", "note": "不在我公司管网范围之内"})
    look = await world.post(f"orders/{other}/verification", {"task": "核实", "unit": OLD})
    assert look["unit"]["code"] == NEW
    moved = await world.post(f"orders/{other}/rule", {"upheld": True, "unit": OLD, "note": "由承接单位办理"})
    assert moved["unit"]["code"] == NEW


async def test_a_handover_to_it_says_who_has_its_duties(world: Dispatching) -> None:
    command = {"from_unit": "co-gas", "to_unit": OLD, "note": "移交"}
    refused = await world.http.post("/dispatch/v1/handovers", json=command)
    assert (refused.status_code, NEW in refused.json()["detail"]) == (422, True)
    ticket = await world.judged(owner="co-gas")
    begun = await world.post("handovers", command | {"from_unit": "co-gas", "to_unit": NEW})
    await world.ended(f"handovers/{begun['handover_id']}")
    assert (await world.get(f"orders/{ticket}"))["unit"]["code"] == NEW
