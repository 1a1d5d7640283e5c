"""What grassroots met and registered goes to them, whatever the rules say, on the same clock."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.orders import HEATING, RECEIPT, RECEIVED, STREET, World, orders_world

UNIT = "s-110105019"
RECEIPT_OF_UNIT = RECEIPT.model_copy(update={"handled_by": UNIT})


def judged(**changes: Any) -> Any:
    return HEATING.model_copy(update={"receipt": RECEIPT_OF_UNIT, **changes})


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with orders_world(fresh_database, tmp_path) as world:
        yield world


async def test_it_goes_to_the_unit_that_registered_it_and_no_judgement_moves_it(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, judged())
    await world.peer.say(world.ticket, STREET.model_copy(update={"receipt": RECEIPT_OF_UNIT}))
    (told,) = await world.probe.named("ticket.dispatched")
    assert (told.data.unit.code, told.data.rule, told.data.desk) == (UNIT, "self", False)
    assert "基层直办" in told.data.why[0]
    order = (await world.see()).json()
    assert (order["unit"]["code"], order["urgency"], order["state"]) == (UNIT, "livelihood", "dispatched")
    unit = world.key("unit", units=(UNIT,))
    assert (await world.do("accept", {}, unit)).status_code == 200
    assert (await world.do("resolve", {"reply": "已清理"}, unit)).json()["state"] == "resolved"


@pytest.mark.parametrize(
    ("changes", "rule", "unit"),
    [({"outside": True}, "outside", "centre"), ({"urgency": "urgent"}, "duty", "co-heating")],
)
async def test_what_is_another_citys_or_endangers_life_goes_by_the_rules_and_who_met_it_helps(
    world: World, changes: dict[str, Any], rule: str, unit: str
) -> None:
    await world.peer.say(world.ticket, RECEIVED, judged(**changes))
    (told,) = await world.probe.named("ticket.dispatched")
    assert (told.data.unit.code, told.data.rule) == (unit, rule)
    assert UNIT in [helper.code for helper in told.data.co_handlers]
    assert (await world.see(as_=world.key("unit", units=(UNIT,)))).json()["sight"] == "part"


async def test_a_unit_the_city_does_not_have_any_more_is_passed_over(world: World) -> None:
    gone = RECEIPT.model_copy(update={"handled_by": "s-of-a-newer-pack"})
    await world.peer.say(world.ticket, RECEIVED, judged(receipt=gone))
    (told,) = await world.probe.named("ticket.dispatched")
    assert told.data.unit.code == "co-heating"
