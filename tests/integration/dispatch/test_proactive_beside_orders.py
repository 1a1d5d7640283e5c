"""Work before the appeal stands beside a unit's orders, by what feedback tells of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.common.contracts.feedback import ProactiveDeclined, ProactiveDone, ProactiveProposed
from libs.common.contracts.vocabulary import UnitRef
from tests.support.orders import World, orders_world
from tests.support.stages import NOON

UNIT = UnitRef(code="co-heating", name="市热力集团")
PROPOSED = ProactiveProposed(
    unit=UNIT, code="heating-01-01", why="供暖季将于2026-11-15开始", by_date=NOON + timedelta(days=9), rule="season",
    what="打压试水", codes=("heating-01-01", "heating-01-02"), at=NOON,
)  # fmt: skip
DONE = ProactiveDone(unit=UNIT, code="heating-01-01", note="已试水", evidence=2, at=NOON)
DECLINED = ProactiveDeclined(unit=UNIT, code="heating-01-01", ground="done_already", note="上月已试", at=NOON)


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with orders_world(fresh_database, tmp_path) as world:
        yield world


async def listed(world: World, **params: Any) -> list[tuple[str, str]]:
    answer = await world.http.get("/dispatch/v1/proactive", params=params)
    assert answer.status_code == 200, answer.text
    return [(work["what"], work["state"]) for work in answer.json()["items"]]


@pytest.mark.parametrize(("end", "state"), [(DONE, "done"), (DECLINED, "declined")])
async def test_work_is_listed_for_its_unit_until_feedback_hears_that_it_ended(
    world: World, end: ProactiveDone | ProactiveDeclined, state: str
) -> None:
    work = world.clock.new_id()
    await world.peer.say(work, PROPOSED)
    assert await listed(world, unit="co-heating", state="open") == [("打压试水", "open")]
    assert await listed(world, unit="co-gas") == []
    await world.peer.say(work, end)
    assert await listed(world, unit="co-heating") == [("打压试水", state)]
    assert await listed(world, state="open") == []


async def test_an_end_whose_beginning_was_never_heard_is_nothing(world: World) -> None:
    await world.peer.say(world.clock.new_id(), DONE)
    assert await listed(world) == []


async def test_what_is_told_twice_is_there_once_and_an_end_stays(world: World) -> None:
    work = world.clock.new_id()
    await world.peer.say(work, PROPOSED, DONE, PROPOSED)
    assert await listed(world) == [("打压试水", "done")]


async def test_a_units_key_sees_its_own(world: World) -> None:
    await world.peer.say(world.clock.new_id(), PROPOSED)

    async def seen(unit: str) -> int:
        key = world.key("unit", units=(unit,))
        return len((await world.http.get("/dispatch/v1/proactive", headers=key)).json()["items"])

    assert (await seen("co-heating"), await seen("co-gas")) == (1, 0)
    other = world.key("unit", units=("co-gas",))
    refused = await world.http.get("/dispatch/v1/proactive", params={"unit": "co-heating"}, headers=other)
    assert refused.status_code == 403
