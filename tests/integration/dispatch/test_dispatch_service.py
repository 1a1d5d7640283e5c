"""dispatch on a real database: events in, orders and events out, commands obeyed, routes tried."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from libs.common.contracts.feedback import TicketClosed, TicketReopened
from libs.common.contracts.intake import (
    TicketAnswered,
    TicketErased,
    TicketLinked,
    TicketUnlinked,
    TicketWithdrawn,
)
from libs.common.runtime.process import bind
from tests.support.orders import HEATING, NO_PLACE, RECEIPT, RECEIVED, STREET, World, orders_world
from tests.support.stages import NOON


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with orders_world(fresh_database, tmp_path) as world:
        yield world


async def test_a_classified_ticket_is_handed_to_its_lead_and_can_be_read(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    (told,) = await world.probe.named("ticket.dispatched")
    assert (told.data.unit.code, told.data.rule, told.data.round) == ("co-heating", "duty", 1)
    order = (await world.http.get(f"/dispatch/v1/orders/{world.ticket}")).json()
    assert (order["state"], order["unit"]["name"]) == ("dispatched", "北京市热力集团有限责任公司")
    assert (order["text"], order["access_needs"], order["street_name"]) == ("家里暖气不热", ["elderly"], "望京街道")
    assert order["why"][-1] == "协办：北京市城市管理委员会"


async def test_the_whole_work_on_an_order_is_told_and_the_citizens_data_stays_out(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await world.do("accept")
    await world.do("contact", {"method": "phone", "note": "已联系13812345678"})
    world.clock.advance(hours=1)
    await world.do("progress", {"note": "正在检修"})
    done = (await world.do("resolve", {"reply": "已修好，有事打13812345678"})).json()
    assert (done["state"], done["reply"]) == ("resolved", "已修好，有事打⟦phone-1⟧")
    told = await world.probe.named("ticket.accepted", "ticket.contacted", "ticket.progressed", "ticket.resolved")
    assert (told[1].data.note, told[1].data.first_at) == ("已联系⟦phone-1⟧", NOON)
    assert (told[-1].data.contacted, told[-1].data.reply) == (True, done["reply"])


async def test_a_better_judgement_moves_an_order_before_it_is_signed_for_and_not_after(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING, STREET)
    moved = (await world.probe.named("ticket.reassigned"))[0].data
    assert (moved.unit.code, moved.previous.code) == ("s-110105026", "co-heating")
    await world.do("accept")
    await world.peer.say(world.ticket, STREET.model_copy(update={"owner_kind": "district", "urgency": "complex"}))
    order = (await world.http.get(f"/dispatch/v1/orders/{world.ticket}")).json()
    assert (order["unit"]["code"], order["urgency"], order["state"]) == ("s-110105026", "complex", "accepted")


async def test_a_withdrawn_ticket_is_never_dispatched_even_when_that_is_heard_first(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, TicketWithdrawn(at=NOON))
    await world.peer.say(world.ticket, HEATING)
    refused = await world.do("accept")
    assert (refused.status_code, refused.headers.get("retry-after")) == (409, None)
    assert (await world.http.get("/dispatch/v1/orders")).json() == {"items": [], "next": None}


async def test_a_linked_order_is_recalled_and_dispatched_again_when_the_link_was_wrong(world: World) -> None:
    linked = TicketLinked(**RECEIPT.model_dump(), parent=world.clock.new_id(), reason="重复")
    await world.peer.say(world.ticket, RECEIVED, HEATING, linked)
    assert (await world.do("accept")).status_code == 409
    await world.peer.say(world.ticket, TicketUnlinked(parent=linked.parent, reason="不是同一件事"), RECEIVED)
    told = await world.probe.until(lambda seen: len(seen) == 3)
    assert [event.data.name for event in told] == ["ticket.dispatched", "ticket.recalled", "ticket.dispatched"]
    assert (await world.do("accept")).json()["round"] == 1


async def test_a_judgement_of_a_repeat_heard_before_the_link_is_not_handed_out(world: World) -> None:
    await world.peer.say(world.ticket, HEATING)
    linked = TicketLinked(**RECEIPT.model_dump(), parent=world.clock.new_id(), reason="重复")
    await world.peer.say(world.ticket, linked)
    world.clock.advance(minutes=6)
    other = world.clock.new_id()
    await world.peer.say(other, RECEIVED, HEATING)
    await world.probe.named("ticket.dispatched", subject=other)
    assert {event.ticket for event in world.probe.seen} == {other}
    looked = await world.see()
    assert (looked.status_code, looked.json()["detail"]) == (404, "this ticket was never handed to a unit")


async def test_a_judged_ticket_whose_receipt_was_lost_is_dispatched_all_the_same(world: World) -> None:
    await world.peer.say(world.ticket, HEATING)
    assert (await world.http.get("/dispatch/v1/orders")).json()["items"] == []
    world.clock.advance(minutes=6)
    (told,) = await world.probe.named("ticket.dispatched")
    assert told.data.unit.code == "co-heating"


async def test_an_answer_that_was_none_becomes_an_order_of_round_two(world: World) -> None:
    await world.peer.say(world.ticket, TicketAnswered(**RECEIPT.model_dump(), answer="今晚恢复"), HEATING)
    await world.peer.say(world.ticket, TicketReopened(reason="not_solved", round=2, at=NOON))
    assert (await world.do("accept")).status_code == 409
    await world.peer.say(world.ticket, RECEIVED)
    (told,) = await world.probe.named("ticket.dispatched")
    assert (told.data.round, told.data.rule) == (2, "duty")


async def test_a_reopened_ticket_goes_back_to_its_lead_in_a_new_round_and_closes(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await world.do("accept")
    await world.do("resolve", {"reply": "修好了"})
    await world.peer.say(world.ticket, TicketReopened(reason="not_solved", round=2, at=NOON))
    order = (await world.do("accept")).json()
    assert (order["unit"]["code"], order["round"], order["rule"]) == ("co-heating", 2, "duty")
    await world.peer.say(world.ticket, TicketClosed(outcome="solved", round=2, at=NOON))
    page = await world.http.get("/dispatch/v1/orders", params={"state": "closed"})
    assert [item["ticket_id"] for item in page.json()["items"]] == [str(world.ticket)]


async def test_an_upheld_return_goes_to_the_next_unit_and_a_refused_one_stays(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    returned = (await world.do("return", {"ground": "not_our_duty", "note": "供热设施由小区自行管理"})).json()
    assert (returned["state"], returned["returns"], returned["return_ground"]) == ("returned", 1, "not_our_duty")
    stayed = (await world.do("rule", {"upheld": False, "note": "属于你们"})).json()
    assert (stayed["state"], stayed["unit"]["code"], stayed["return_ground"]) == ("dispatched", "co-heating", None)
    await world.do("return", {"ground": "not_our_area", "note": "现场不在我们的管网范围内"})
    moved = (await world.do("rule", {"upheld": True, "note": "确实"})).json()
    assert (moved["unit"]["code"], moved["why"][0]) == ("dept-urban-management", "裁定改派：确实")
    ruled, reassigned = (await world.probe.named("ticket.ruled", "ticket.reassigned"))[1:]
    assert (ruled.data.upheld, ruled.data.unit.code) == (True, "dept-urban-management")
    assert (reassigned.data.previous.code, reassigned.data.unit.code) == ("co-heating", "dept-urban-management")


async def test_a_ruling_may_name_the_unit_or_the_right_question(world: World) -> None:
    for said, code in (
        ({"right_code": "water-01-01"}, "co-water"),
        ({"unit": "d-110105"}, "d-110105"),
        ({"right_code": "heating-01-01"}, "dept-urban-management"),
    ):
        world.ticket = world.clock.new_id()
        await world.peer.say(world.ticket, RECEIVED, HEATING)
        await world.do("return", {"ground": "not_our_duty", "note": "供热设施由小区自行管理"})
        ruled = await world.do("rule", {"upheld": True, "note": "对", **said})
        assert ruled.json()["unit"]["code"] == code


async def test_after_the_second_return_only_the_centre_rules(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    above = world.key("supervisor", units=("dept-urban-management",))
    verdict = {"upheld": False, "note": "属于你们"}
    ruled = []
    for ground in ("unclear", "not_our_area"):
        await world.do("return", {"ground": ground, "note": "没有说明地点，也不在管网内"})
        ruled.append((await world.do("rule", verdict, above)).status_code)
    assert ruled == [200, 403]
    assert (await world.do("rule", verdict, world.key("supervisor"))).status_code == 200


async def test_a_unit_sees_and_works_on_its_own_orders_only(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    mine, other = world.key("unit", units=("co-heating",)), world.key("unit", units=("co-water",))
    helper = world.key("unit", units=("dept-urban-management",))
    path = f"/dispatch/v1/orders/{world.ticket}"
    assert [(await world.do("accept", {}, key)).status_code for key in (other, helper, mine)] == [403, 403, 200]
    assert [(await world.http.get(path, headers=key)).status_code for key in (other, helper, mine)] == [403, 200, 200]
    lists = [(await world.http.get("/dispatch/v1/orders", headers=key)).json()["items"] for key in (other, mine)]
    assert [len(items) for items in lists] == [0, 1]
    foreign = await world.http.get("/dispatch/v1/orders", params={"unit": "co-heating"}, headers=other)
    assert foreign.status_code == 403


async def test_a_seat_works_and_reassigns_at_the_centres_desk_only(world: World) -> None:
    seat = world.key("seat")
    await world.peer.say(world.ticket, RECEIVED, NO_PLACE)
    assert (await world.do("accept", {}, seat)).json()["desk"]
    move = {"unit": "s-110105026", "note": "群众说在望京"}
    moved = (await world.do("reassign", move, seat)).json()
    assert (moved["unit"]["code"], moved["district"], moved["state"]) == ("s-110105026", "110105", "dispatched")
    assert (await world.do("reassign", {"unit": "centre", "note": "收回"}, seat)).status_code == 403
    assert (await world.do("reassign", move, world.key("unit"))).status_code == 403


async def test_unknown_codes_are_named(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await world.do("return", {"ground": "unclear", "note": "没有说明地点，联系两次未果"})
    for body in (
        {"upheld": True, "unit": "dept-of-magic", "note": "对"},
        {"upheld": False, "unit": "co-water", "note": "不对"},
        {"upheld": True, "right_code": "magic-01-01", "note": "对"},
    ):
        problem = await world.do("rule", body)
        assert problem.status_code == 422
        assert problem.json()["errors"][0]["field"] in body
    moved = await world.do("rule", {"upheld": False, "note": "属于你们"})
    assert moved.status_code == 200
    problem = await world.do("reassign", {"unit": "dept-of-magic", "note": "对"})
    assert (problem.status_code, problem.json()["errors"][0]["field"]) == (422, "unit")


async def test_orders_are_listed_page_by_page_longest_waiting_first(world: World) -> None:
    tickets = [str(world.clock.new_id()) for _ in range(3)]
    for ticket in tickets:
        world.clock.advance(minutes=1)
        await world.peer.say(ticket, RECEIVED, HEATING)
    query: dict[str, Any] = {"unit": "co-heating", "state": "dispatched", "limit": 2}
    first = (await world.http.get("/dispatch/v1/orders", params=query)).json()
    second = (await world.http.get("/dispatch/v1/orders", params={**query, "cursor": first["next"]})).json()
    assert [item["ticket_id"] for item in first["items"] + second["items"]] == tickets
    assert second["next"] is None


async def test_an_unknown_ticket_is_not_yet_known_while_young_and_not_found_later(world: World) -> None:
    young = await world.do("accept")
    world.clock.advance(minutes=2)
    old = await world.do("accept")
    assert (young.status_code, young.headers["retry-after"], old.status_code) == (409, "1", 404)


async def test_a_route_is_tried_by_category_and_by_code_and_stores_nothing(world: World) -> None:
    by_code = (await world.route(code="heating-01-01", address="朝阳区望京街道")).json()
    by_category = (await world.route(category=["供热采暖", "供热质量", "暖气不热"], address="朝阳区望京街道")).json()
    assert by_code == by_category
    assert by_code["unit"] == {"code": "co-heating", "name": "北京市热力集团有限责任公司"}
    assert [unit["code"] for unit in by_code["alternatives"]][-2:] == ["d-110105", "centre"]
    assert (await world.http.get("/dispatch/v1/orders")).json()["items"] == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "category"),
        ({"code": "heating-01-01", "text": "暖气不热"}, "category"),
        ({"code": "magic-01-01"}, "code"),
        ({"category": ["一", "二", "三"]}, "category"),
    ],
)
async def test_a_route_that_asks_for_nothing_we_know_names_the_field(
    world: World, asked: dict[str, object], field: str
) -> None:
    problem = await world.route(**asked)
    assert (problem.status_code, problem.json()["errors"][0]["field"]) == (422, field)


@asynccontextmanager
async def a_classify(world: World, answer: JSONResponse, asked: list[Request]) -> AsyncIterator[None]:
    """Stand in for classify on a port of its own, and have dispatch ask there."""

    async def suggest(request: Request) -> JSONResponse:
        await request.body()
        asked.append(request)
        return answer

    app = Starlette(routes=[Route("/classify/v1/suggestions", suggest, methods=["POST"])])
    listening = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    world.stage.context.settings = replace(world.stage.context.settings, classify_url=url)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


async def test_a_text_is_routed_by_what_classify_says_of_it_asked_with_the_callers_key(world: World) -> None:
    asked: list[Request] = []
    async with a_classify(world, JSONResponse({"category": ["供热采暖", "供热质量", "暖气不热"]}), asked):
        route = await world.route(text="屋里冷得像冰窖", address="朝阳区望京街道")
    assert route.json()["unit"]["code"] == "co-heating"
    assert await asked[0].json() == {"text": "屋里冷得像冰窖", "address": "朝阳区望京街道"}
    assert asked[0].headers["authorization"] == world.http.headers["authorization"]


@pytest.mark.parametrize(("said", "status"), [(500, 503), (403, 403)])
async def test_what_classify_refuses_is_refused_and_where_it_fails_is_not_available(
    world: World, said: int, status: int
) -> None:
    async with a_classify(world, JSONResponse({}, said), []):
        assert (await world.route(text="屋里冷")).status_code == status


async def test_without_classify_a_text_cannot_be_routed_now_and_a_code_still_can(world: World) -> None:
    away = await world.route(text="屋里冷")
    assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    assert away.headers["content-type"] == "application/problem+json"
    assert (await world.route(code="heating-01-01")).status_code == 200


async def test_health_is_green_and_metrics_are_told(world: World) -> None:
    assert (await world.http.get("/readyz")).json() == {"ready": True, "wrong": {}}
    assert "jiesu_events_handled_total" in (await world.http.get("/metrics")).text


async def test_after_an_erasure_the_order_stays_and_its_words_are_gone_those_written_late_too(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await world.do("accept")
    await world.peer.say(world.ticket, TicketErased(words=True, at=NOON))
    await world.do("contact", {"method": "phone", "note": "琉璃瓦旁边"})
    await world.do("resolve", {"reply": "琉璃瓦旁的阀门已修好"})
    await world.peer.say(world.ticket, STREET)
    order = (await world.http.get(f"/dispatch/v1/orders/{world.ticket}")).json()
    assert (order["state"], order["unit"]["code"], order["code"]) == ("resolved", "co-heating", "heating-01-01")
    assert (order["text"], order["summary"], order["why"], order["reply"]) == ("", "", [], None)
    pool = world.stage.context.database.pool
    stored = str([await pool.fetch(f"SELECT t::text FROM {table} t") for table in ("orders", "aggregates")])  # noqa: S608
    assert [word for word in ("家里暖气不热", "琉璃瓦") if word in stored] == []
