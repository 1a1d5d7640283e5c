"""An appeal that names a company goes to it, is told why, and is kept with the name for a backtest."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.orders import HEATING, RECEIPT, RECEIVED, World, orders_world


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with orders_world(fresh_database, tmp_path) as world:
        yield world


async def test_the_company_in_the_title_leads_and_the_decision_keeps_who_was_named(world: World) -> None:
    receipt = RECEIPT.model_copy(update={"title": "金房供热不达标"})
    await world.peer.say(world.ticket, RECEIVED, HEATING.model_copy(update={"receipt": receipt}))
    (told,) = await world.probe.named("ticket.dispatched")
    assert (told.data.unit.code, told.data.rule) == ("co-heating-jinfang", "named")
    assert told.data.why[0].startswith("诉求点名")
    async with world.stage.context.database.pool.acquire() as connection:
        kept = await connection.fetchval("SELECT matter FROM decisions WHERE ticket_id = $1", world.ticket)
    assert (kept["named"], kept["words"]) == ("co-heating-jinfang", "")


async def test_a_return_of_what_was_named_goes_to_who_stands_above_it(world: World) -> None:
    receipt = RECEIPT.model_copy(update={"text": "金房供热不达标"})
    await world.peer.say(world.ticket, RECEIVED, HEATING.model_copy(update={"receipt": receipt}))
    unit = world.key("unit", units=("co-heating-jinfang",))
    assert (
        await world.do("return", {"ground": "not_our_duty", "note": "供热设施由小区自行管理"}, unit)
    ).status_code == 200
    ruled = (await world.do("rule", {"upheld": True, "note": "确实不是"})).json()
    assert ruled["unit"]["code"] == "dept-urban-management"


async def test_a_dry_run_reads_names_in_its_words(world: World) -> None:
    body = {"code": "heating-01-01", "address": "京能热力第三换热站"}
    answer = (await world.http.post("/dispatch/v1/routes", json=body)).json()
    assert (answer["unit"]["code"], answer["rule"]) == ("co-heating-jingneng", "named")
