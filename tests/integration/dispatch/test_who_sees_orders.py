"""Keys of several units and desks, each trying to see and to command what is others'."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.orders import HEATING, NO_PLACE, RECEIVED, STREET, World, orders_world

LEAD, HELPER, STREET_UNIT = "co-heating", "dept-urban-management", "s-110105026"
READ = ("", "/tasks", "/files")
TASK = {"role": "sub_task", "unit": "dept-water", "task": "核实"}
COMMANDS: dict[str, Any] = {
    "accept": {}, "contact": {"method": "phone"}, "progress": {"note": "在办"}, "resolve": {"reply": "好了"},
    "reply-check": {"reply": "好了"}, "return": {"ground": "unclear", "note": "不清楚"}, "tasks": TASK,
    "reassign": {"unit": "dept-water", "note": "改派"},
}  # fmt: skip


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with orders_world(fresh_database, tmp_path) as world:
        yield world


async def statuses(world: World, as_: dict[str, str]) -> set[int]:
    return {(await world.see(path, as_)).status_code for path in READ}


async def test_an_order_is_seen_by_its_unit_who_stands_above_it_and_who_helps_and_by_no_other(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    seen = {
        "lead": (world.key("unit", units=(LEAD,)), {200}),
        "department above": (world.key("unit", units=(HELPER,)), {200}),
        "another company": (world.key("unit", units=("co-water",)), {403}),
        "the street where it is": (world.key("unit", units=(STREET_UNIT,)), {403}),
        "the centre's desk": (world.key("unit", units=("centre",)), {403}),
        "supervisor of the level": (world.key("supervisor", units=(HELPER,)), {200}),
        "supervisor of a district": (world.key("supervisor", units=("d-110105",)), {403}),
        "supervisor of the city": (world.key("supervisor"), {200}),
        "seat": (world.key("seat"), {200}),
        "analyst": (world.key("analyst"), {200}),
        "adapter": (world.key("adapter"), {403}),
    }
    assert {name: await statuses(world, key) for name, (key, _) in seen.items()} == {n: s for n, (_, s) in seen.items()}


async def test_a_refusal_says_why(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    refused = (await world.see(as_=world.key("unit", units=("co-water",)))).json()
    assert "a unit sees its own orders" in refused["detail"]
    assert "家里暖气不热" not in str(refused)


async def test_a_district_sees_and_lists_its_streets_orders_and_may_not_do_their_work(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, STREET)
    district, other = world.key("unit", units=("d-110105",)), world.key("unit", units=("d-110108",))
    lists = [(await world.http.get("/dispatch/v1/orders", headers=key)).json()["items"] for key in (district, other)]
    assert [len(items) for items in lists] == [1, 0]
    query = {"unit": STREET_UNIT}
    asked = [
        (await world.http.get("/dispatch/v1/orders", params=query, headers=k)).status_code for k in (district, other)
    ]
    assert asked == [200, 403]
    assert (await world.do("accept", {}, district)).status_code == 403
    assert (await world.do("accept", {}, world.key("unit", units=(STREET_UNIT,)))).status_code == 200


async def test_nobody_else_commands_an_order(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, STREET)
    for key in (
        world.key("unit", units=("co-water",)), world.key("seat"), world.key("analyst"),
        world.key("supervisor", units=("d-110108",)), world.key("unit", units=("d-110105",)),
    ):  # fmt: skip
        answers = {name: (await world.do(name, body, key)).status_code for name, body in COMMANDS.items()}
        assert set(answers.values()) == {403}, answers
    assert (await world.see()).json()["state"] == "dispatched"


async def test_a_supervisor_commands_on_its_level_and_a_seat_at_the_centres_desk(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, STREET)
    assert (await world.do("accept", {}, world.key("supervisor", units=("d-110105",)))).status_code == 200
    desk = World(world.stage, world.peer._bus, world.clock, world.probe, "")
    await world.peer.say(desk.ticket, RECEIVED, NO_PLACE)
    assert (await desk.do("accept", {}, world.key("seat"))).status_code == 200


async def test_a_helper_sees_its_part_and_not_what_the_others_owe_or_say(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, STREET)
    street = world.key("unit", units=(STREET_UNIT,))
    await world.do("tasks", TASK, street)
    await world.do("accept", {}, street)
    await world.do("resolve", {"reply": "已协调解决"}, street)
    helper = world.key("unit", units=("dept-water",))
    order = (await world.see(as_=helper)).json()
    assert (order["sight"], order["text"], order["reply"]) == ("part", "家里暖气不热", None)
    units = [task["unit"]["code"] for task in (await world.see("/tasks", helper)).json()["items"]]
    assert units == ["dept-water"]
    whole = (await world.see(as_=street)).json()
    assert (whole["sight"], whole["reply"]) == ("whole", "已协调解决")
    assert len((await world.see("/tasks", street)).json()["items"]) == 2
    assert (await world.http.get("/dispatch/v1/orders", headers=helper)).json()["items"] == []


async def test_a_work_list_is_narrowed_by_question_class_and_round_among_a_units_orders(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    mine = world.key("unit", units=(LEAD,))

    async def listed(**query: Any) -> int:
        answer = await world.http.get("/dispatch/v1/orders", params=query, headers=mine)
        return len(answer.json()["items"])

    assert await listed(code="heating-", urgency="livelihood", round=1) == 1
    assert [await listed(code="water-"), await listed(urgency="urgent"), await listed(round=2)] == [0, 0, 0]
    everywhere = await world.http.get("/dispatch/v1/orders", params={"code": "heating-"}, headers=world.key("seat"))
    assert (everywhere.status_code, everywhere.json()["errors"][0]["field"]) == (422, "unit")
