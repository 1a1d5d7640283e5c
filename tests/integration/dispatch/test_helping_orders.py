"""Parts of an order that other units owe, over HTTP: drawn in, taken on, done, asked off, counted."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.contracts.classify import TicketReclassified
from libs.common.contracts.feedback import TicketClosed, TicketReopened
from libs.common.contracts.intake import TicketErased, TicketWithdrawn
from tests.support.orders import HEATING, JUDGED, RECEIVED, STREET, World, orders_world
from tests.support.stages import NOON

HELPER = ("dept-urban-management",)
STREET_UNIT = ("s-110105026",)
HEATING_AGAIN = TicketReclassified.model_validate(JUDGED | {"previous": "heating-01-01", "reason": "补充核实"})
WHISTLE = {"role": "whistle", "unit": "co-water", "task": "现场渗漏，请到场处置"}


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with orders_world(fresh_database, tmp_path) as world:
        yield world


async def tasks(world: World, as_: dict[str, str] | None = None) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await world.see("/tasks", as_)).json()["items"]
    return items


async def do(
    world: World, task: dict[str, Any], command: str, body: object = None, as_: dict[str, str] | None = None
) -> httpx.Response:
    return await world.do(f"tasks/{task['task_id']}/{command}", body, as_)


async def test_a_co_handler_that_the_route_names_owes_a_part_within_half_the_time(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    (told,) = await world.probe.named("ticket.dispatched")
    (part,) = await tasks(world)
    assert (part["role"], part["unit"]["code"], part["state"], part["named"]) == (
        "co_handler", "dept-urban-management", "assigned", True,
    )  # fmt: skip
    assert part["due_at"] == "2026-03-02T16:00:00Z"
    assert told.data.help_due_at.isoformat() == "2026-03-02T16:00:00+00:00"
    helper = world.key("unit", units=HELPER)
    listed = (await world.http.get("/dispatch/v1/tasks", headers=helper)).json()["items"]
    assert [item["task_id"] for item in listed] == [part["task_id"]]


async def test_a_helper_takes_its_part_does_it_and_is_told_of_with_all_who_help(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    (part,) = await tasks(world)
    helper = world.key("unit", units=HELPER)
    taken = (await do(world, part, "accept", {"contact": "供热科，手机13812345678"}, helper)).json()
    assert (taken["state"], taken["contact"]) == ("accepted", "供热科，手机⟦phone-1⟧")
    assert (await world.do("return", {"ground": "not_our_duty", "note": "推"}, helper)).status_code == 403
    done = (await do(world, part, "done", {"note": "已督促恢复供热"}, helper)).json()
    assert (done["state"], done["note"]) == ("done", "已督促恢复供热")
    steps = [event.data for event in await world.probe.until(assisted(2)) if event.data.name == "ticket.assisted"]
    assert [(step.state, step.helpers) for step in steps] == [("accepted", HELPER), ("done", HELPER)]


def assisted(count: int) -> Any:
    return lambda seen: sum(event.data.name == "ticket.assisted" for event in seen) == count


async def test_only_the_helper_takes_its_part_and_only_the_centre_relieves_it(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING.model_copy(update={"co_handlers": ("dept-housing",)}))
    (part,) = await tasks(world)
    lead, other = world.key("unit", units=("co-heating",)), world.key("unit", units=("co-water",))
    helper, centre = world.key("unit", units=("dept-housing",)), world.key("supervisor")
    assert [(await do(world, part, "accept", {}, key)).status_code for key in (lead, other)] == [403, 403]
    asked = {"ground": "not_our_duty", "note": "不归我们"}
    assert (await do(world, part, "relief", asked, lead)).status_code == 403
    assert (await do(world, part, "relief", asked, helper)).json()["relief_ground"] == "not_our_duty"
    waiting = await world.http.get("/dispatch/v1/tasks", params={"relief": "true"}, headers=centre)
    assert [item["task_id"] for item in waiting.json()["items"]] == [part["task_id"]]
    verdict = {"upheld": True, "note": "属实"}
    above_the_lead = world.key("supervisor", units=("dept-urban-management",))
    refused = [await do(world, part, "rule", verdict, key) for key in (helper, above_the_lead)]
    assert [answer.status_code for answer in refused] == [403, 403]
    assert "only the centre" in refused[1].json()["detail"]
    assert (await do(world, part, "rule", verdict, centre)).json()["state"] == "relieved"
    assert (await world.see(as_=helper)).status_code == 403


async def test_a_street_whistles_a_company_to_the_spot_and_its_turning_up_is_scored(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, STREET)
    street, company = world.key("unit", units=STREET_UNIT), world.key("unit", units=("co-water",))
    called = await world.do("tasks", WHISTLE, street)
    assert (called.status_code, called.json()["due_at"]) == (201, "2026-03-03T04:00:00Z")
    assert called.json()["contact"] == "供水抢修与客服热线 96116"
    again = await world.do("tasks", WHISTLE, street)
    assert (again.status_code, "already" in again.json()["detail"]) == (409, True)
    late = (await world.do("tasks", {**WHISTLE, "unit": "co-gas"}, street)).json()
    world.clock.advance(hours=2)
    there = (await do(world, called.json(), "arrive", {"contact": "抢修一班"}, company)).json()
    assert (there["state"], there["contact"]) == ("arrived", "抢修一班")
    world.clock.advance(days=2)
    await do(world, late, "arrive", {}, world.key("unit", units=("co-gas",)))
    await world.do("tasks", {**WHISTLE, "unit": "co-heating"}, street)
    world.clock.advance(days=2)
    seen = (await world.http.get("/dispatch/v1/whistles")).json()["items"]
    assert {one["unit"]["code"]: (one["called"], one["in_time"], one["late"], one["never"]) for one in seen} == {
        "co-water": (1, 1, 0, 0), "co-gas": (1, 0, 1, 0), "co-heating": (1, 0, 0, 1),
    }  # fmt: skip
    mine = (await world.http.get("/dispatch/v1/whistles", headers=company)).json()["items"]
    assert [(one["unit"]["code"], one["mean_seconds"]) for one in mine] == [("co-water", 7200.0)]
    foreign = await world.http.get("/dispatch/v1/whistles", params={"unit": "co-gas"}, headers=company)
    assert foreign.status_code == 403
    (told, *_) = await world.probe.named("ticket.assisted")
    assert (told.data.state, told.data.turned_up_in_seconds) == ("arrived", 7200.0)


async def test_who_may_draw_whom_in(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    lead, helper = world.key("unit", units=("co-heating",)), world.key("unit", units=HELPER)
    assert (await world.do("tasks", WHISTLE, lead)).status_code == 409
    assert (await world.do("tasks", {**WHISTLE, "role": "sub_task"}, helper)).status_code == 403
    for unit, field in (("dept-of-magic", "unit"), ("centre", "unit")):
        refused = await world.do("tasks", {**WHISTLE, "role": "sub_task", "unit": unit}, lead)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    itself = await world.do("tasks", {**WHISTLE, "role": "sub_task", "unit": "co-heating"}, lead)
    assert itself.status_code == 409
    past = {**WHISTLE, "role": "sub_task", "due_at": "2026-03-01T12:00:00+08:00"}
    assert (await world.do("tasks", past, lead)).json()["errors"][0]["field"] == "due_at"
    asked = {**WHISTLE, "role": "sub_task", "due_at": "2026-03-04T12:00:00+08:00"}
    given = (await world.do("tasks", asked, lead)).json()
    assert (given["due_at"], given["asked"]) == ("2026-03-04T04:00:00Z", "现场渗漏，请到场处置")
    assert (await do(world, given, "drop", {"note": "不需要了"}, lead)).json()["state"] == "recalled"


async def test_a_whistle_is_for_departments_and_companies(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, STREET)
    refused = await world.do("tasks", {**WHISTLE, "unit": "d-110105"}, world.key("unit", units=STREET_UNIT))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "unit")


async def test_open_parts_do_not_hold_the_lead_up_and_are_told(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await world.do("accept")
    reply = {"reply": "我公司3月2日上门检修，更换了阀门，暖气已恢复。服务电话96069。"}
    checked = (await world.do("reply-check", reply)).json()
    done = (await world.do("resolve", reply)).json()
    assert (done["state"], done["reply_faults"]) == ("resolved", [])
    assert [unit["code"] for unit in done["owed"]] == [unit["code"] for unit in checked["owed"]] == list(HELPER)
    assert "首接负责" in done["hints"][-1]
    (told,) = await world.probe.named("ticket.resolved")
    assert (told.data.open_tasks, told.data.evidence, told.data.reply_faults) == (1, 0, ())


async def test_hints_to_a_reply_come_in_the_readers_language_and_change_nothing(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await world.do("accept")
    reply = {"reply": "您好，您反映的问题已转相关部门处理。"}
    headers = {"Accept-Language": "en"}
    checked = (await world.do("reply-check", reply, headers)).json()
    assert (checked["reply_faults"], checked["hints"][0][:9]) == (["boilerplate"], "The reply")
    assert (await world.see()).json()["state"] == "accepted"
    stranger = world.key("unit", units=("co-water",))
    assert (await world.do("reply-check", reply, stranger)).status_code == 403
    await world.do("resolve", reply)
    (told,) = await world.probe.named("ticket.resolved")
    assert told.data.reply_faults == ("boilerplate",)


async def test_what_is_owed_ends_with_the_order_and_begins_anew_in_a_new_round(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    (part,) = await tasks(world)
    await do(world, part, "accept", {}, world.key("unit", units=HELPER))
    await world.peer.say(world.ticket, TicketClosed(outcome="unsolved", round=1, at=NOON))
    await world.peer.say(world.ticket, TicketReopened(reason="not_solved", round=2, at=NOON))
    assert {task["round"]: task["state"] for task in await tasks(world)} == {1: "recalled", 2: "assigned"}
    await world.peer.say(world.ticket, TicketWithdrawn(at=NOON))
    assert {task["state"] for task in await tasks(world)} == {"recalled"}


async def test_a_move_of_the_order_moves_what_is_owed(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await world.do("reassign", {"unit": "dept-urban-management", "note": "由城管委牵头"}, world.key("supervisor"))
    states = {task["unit"]["code"]: task["state"] for task in await tasks(world)}
    assert states["dept-urban-management"] == "recalled"
    told = await world.probe.named("ticket.reassigned", "ticket.assisted")
    assert told[-1].data.state == "recalled"


async def test_the_words_of_tasks_go_with_the_ticket_s(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, STREET)
    await world.do("tasks", {**WHISTLE, "task": "琉璃瓦旁渗水"}, world.key("unit", units=STREET_UNIT))
    await world.peer.say(world.ticket, TicketErased(words=True, at=NOON))
    await world.do("tasks", {**WHISTLE, "unit": "co-gas", "task": "琉璃瓦旁漏气"}, world.key("unit", units=STREET_UNIT))
    stored = str(await world.stage.context.database.pool.fetch("SELECT t::text FROM tasks t"))
    assert "whistle" in stored
    assert "琉璃瓦" not in stored


async def test_a_reply_and_a_contact_keep_the_numbers_of_offices_and_of_no_person(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, STREET)
    street = world.key("unit", units=("s-110105026",))
    asked = {"role": "sub_task", "unit": "dept-water", "task": "核实", "contact": "值班室 010-62345678，13812345678"}
    assert (await world.do("tasks", asked, street)).json()["contact"] == "值班室 010-62345678，⟦phone-2⟧"
    await world.do("accept", {}, street)
    reply = (
        "9月3日已致电您的电话62345679，更换了阀门。如有疑问请拨打我街道咨询电话010-62345678或96069，张建国13812345678。"
    )
    kept = (await world.do("resolve", {"reply": reply}, street)).json()["reply"]
    assert [number in kept for number in ("62345679", "010-62345678", "96069", "13812345678")] == [
        False, True, True, False,
    ]  # fmt: skip
    (told,) = await world.probe.named("ticket.resolved")
    assert told.data.reply == kept


async def test_a_contact_is_noted_later_and_a_failed_try_is_no_response(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await world.do("accept")
    world.clock.advance(hours=2)
    missed = (await world.do("contact", {"method": "phone", "reached": False})).json()
    assert (missed["state"], missed["contacted_at"]) == ("in_progress", None)
    met = (await world.do("contact", {"method": "visit", "at": "2026-03-02T13:00:00+08:00"})).json()
    assert met["contacted_at"] == "2026-03-02T05:00:00Z"
    for at in ("2026-03-02T20:00:00+08:00", "2026-03-02T11:00:00+08:00"):
        wrong = await world.do("contact", {"method": "phone", "at": at})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "at")
    told = await world.probe.until(lambda seen: sum(event.data.name == "ticket.contacted" for event in seen) == 2)
    assert [event.data.reached for event in told if event.data.name == "ticket.contacted"] == [False, True]


async def test_parts_of_an_order_that_becomes_graver_are_due_sooner_and_told_again(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    asked = {**WHISTLE, "role": "sub_task", "due_at": "2026-03-12T12:00:00+08:00"}
    given = (await world.do("tasks", asked)).json()
    (named,) = [part for part in await tasks(world) if part["role"] == "co_handler"]
    await world.peer.say(world.ticket, HEATING_AGAIN)
    assert {part["due_at"] for part in await tasks(world)} == {"2026-03-02T16:00:00Z", "2026-03-12T04:00:00Z"}
    world.clock.advance(minutes=10)
    await world.peer.say(world.ticket, HEATING_AGAIN.model_copy(update={"urgency": "urgent"}))
    assert {part["due_at"] for part in await tasks(world)} == {"2026-03-02T05:10:00Z"}
    told = await world.probe.until(lambda seen: sum(event.data.name == "ticket.assigned" for event in seen) == 3)
    again = [event.data for event in told if event.data.name == "ticket.assigned"][1:]
    assert {str(said.task_id) for said in again} == {given["task_id"], named["task_id"]}
    assert {said.due_at.isoformat() for said in again} == {"2026-03-02T05:10:00+00:00"}
