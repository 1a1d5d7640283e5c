"""Returns over HTTP: who may still make one, who rules on it, who looks on the spot, and whom it counts against."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.common.contracts.classify import TicketClassified
from libs.common.contracts.feedback import TicketReopened
from libs.common.contracts.intake import TicketErased, TicketLinked, TicketSupplemented, TicketWithdrawn
from tests.support.orders import HEATING, RECEIPT, RECEIVED, STREET, World, orders_world
from tests.support.stages import NOON

NOTE = "供热设施由小区自行管理，有合同为据"
STREET_UNIT = ("s-110105026",)
LEAK = {"code": "heating-02-01", "category": ("供热采暖", "抢修与设施", "暖气漏水")}


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with orders_world(fresh_database, tmp_path) as world:
        yield world


async def back(world: World, ground: str = "not_our_duty", note: str = NOTE, **headers: str) -> httpx.Response:
    return await world.do("return", {"ground": ground, "note": note}, headers)


async def rules(world: World, *, upheld: bool, as_: dict[str, str] | None = None, **said: Any) -> httpx.Response:
    return await world.do("rule", {"upheld": upheld, "note": "对照权责清单", **said}, as_)


async def returns(world: World, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await world.http.get("/dispatch/v1/returns", params=query)).json()["items"]
    return items


async def test_grounds_are_listed_with_what_proves_them_in_the_reader_s_language(world: World) -> None:
    answer = await world.http.get("/dispatch/v1/grounds", headers={"Accept-Language": "en"})
    grounds = {ground["code"]: ground for ground in answer.json()}
    assert set(grounds) == {"not_our_duty", "not_our_area", "duplicate", "unclear", "out_of_scope"}
    assert grounds["not_our_area"]["on_the_spot"]
    assert (grounds["not_our_duty"]["name"], grounds["not_our_duty"]["within_minutes"]["urgent"]) == (
        "Not this unit's duty", 30,
    )  # fmt: skip


async def test_a_return_without_what_proves_it_says_what_would(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    short = await back(world, note="不归我们")
    assert (short.status_code, short.json()["errors"][0]["field"]) == (422, "note")
    assert "至少10个字" in short.json()["detail"]
    english = await back(world, note="no", **{"Accept-Language": "en"})
    assert "at least 10 characters" in english.json()["detail"]


async def test_a_return_comes_in_time_or_not_at_all_and_the_answer_says_when_and_what_instead(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    world.clock.advance(hours=4, seconds=1)
    late = await back(world)
    assert (late.status_code, "2026-03-02 16:00" in late.json()["detail"], "协办" in late.json()["detail"]) == (
        409, True, True,
    )  # fmt: skip
    assert (await back(world, "not_our_area")).status_code == 200


async def test_who_signed_and_spoke_with_the_citizen_may_only_say_what_shows_on_the_spot(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await world.do("accept")
    await world.do("contact", {"method": "phone"})
    bound = await back(world)
    assert (bound.status_code, "首接负责" in bound.json()["detail"]) == (409, True)
    assert (await back(world, "not_our_area")).status_code == 200
    unproved = await rules(world, upheld=True)
    assert (unproved.status_code, "look on the spot" in unproved.json()["detail"]) == (409, True)
    look = (await world.do("verification", {"task": "请核实换热站归属"})).json()
    assert look["unit"]["code"] == STREET_UNIT[0]
    found = {"done": False, "duty": "dept-housing", "note": "换热站由物业自管，电话13812345678"}
    seen = await world.do("verify", found, world.key("unit", units=STREET_UNIT))
    assert (seen.json()["state"], seen.json()["note"]) == ("done", "换热站由物业自管，电话⟦phone-1⟧")
    ruled = await rules(world, upheld=True, unit="dept-housing", verification=look["verification_id"])
    assert ruled.json()["unit"]["code"] == "dept-housing"
    told = await world.probe.named("verification.ordered", "ticket.verified", "ticket.ruled")
    assert [event.data.verification for event in told] == [told[0].data.verification] * 3
    assert (told[1].data.duty.code, told[1].data.unit.code) == ("dept-housing", STREET_UNIT[0])


async def test_the_unit_that_is_sent_sees_its_part_and_adds_files_and_others_may_not_speak_for_it(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await back(world, "not_our_area")
    street, other = world.key("unit", units=STREET_UNIT), world.key("unit", units=("co-water",))
    assert (await world.see(as_=street)).status_code == 403
    await world.do("verification", {"task": "请核实换热站归属"})
    assert (await world.see(as_=street)).json()["sight"] == "part"
    listed = (await world.http.get("/dispatch/v1/verifications", headers=street)).json()["items"]
    assert [item["task"] for item in listed] == ["请核实换热站归属"]
    finding = {"done": False, "note": "不在辖区"}
    assert [(await world.do("verify", finding, key)).status_code for key in (other, street, street)] == [403, 200, 409]
    again = await world.do("verification", {"task": "再看一次", "unit": "co-heating"})
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "unit")
    refused = await rules(world, upheld=False, verification=str(world.ticket))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "verification")


async def test_who_helps_cannot_return_and_is_told_what_it_can(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    helper = await world.do(
        "return", {"ground": "not_our_duty", "note": NOTE}, world.key("unit", units=("dept-urban-management",))
    )
    assert (helper.status_code, "relief" in helper.json()["detail"]) == (403, True)


async def test_what_was_refused_is_not_said_again_and_the_last_word_is_the_centre_s(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await back(world)
    await rules(world, upheld=False)
    again = await back(world, **{"Accept-Language": "en"})
    assert (again.status_code, "refused at 2026-03-02 12:00" in again.json()["detail"]) == (409, True)
    assert (await back(world, "not_our_area")).status_code == 200
    (open_,) = await returns(world)
    assert (open_["centre"], open_["turn"]) == (True, 2)
    assert (
        await rules(world, upheld=False, as_=world.key("supervisor", units=("dept-urban-management",)))
    ).status_code == 403
    await rules(world, upheld=False)
    final = await back(world, "unclear")
    assert (final.status_code, "终局" in final.json()["detail"]) == (409, True)
    told = await world.probe.until(lambda seen: sum(event.data.name == "ticket.ruled" for event in seen) == 2)
    (first, second) = [event.data for event in told if event.data.name == "ticket.ruled"]
    assert [(ruled.final, ruled.against) for ruled in (first, second)] == [(False, "unit"), (True, "unit")]


async def test_a_return_that_nobody_rules_on_goes_to_the_centre_and_the_order_stays(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await back(world)
    world.clock.advance(hours=4, seconds=1)
    (told,) = await world.probe.named("ticket.escalated")
    assert (told.data.unit.code, told.data.ground) == ("co-heating", "not_our_duty")
    other = world.clock.new_id()
    await world.peer.say(other, RECEIVED, HEATING.model_copy(update={"urgency": "general"}))
    await world.http.post(f"/dispatch/v1/orders/{other}/return", json={"ground": "not_our_duty", "note": NOTE})
    assert [item["ticket_id"] for item in await returns(world)] == [str(world.ticket), str(other)]
    assert [item["ticket_id"] for item in await returns(world, centre="true")] == [str(world.ticket)]
    order = (await world.see()).json()
    assert (order["state"], order["unit"]["code"]) == ("returned", "co-heating")
    above = await rules(world, upheld=False, as_=world.key("supervisor", units=("dept-urban-management",)))
    assert (above.status_code, (await rules(world, upheld=False)).status_code) == (403, 200)
    notices = await world.stage.context.database.pool.fetch('SELECT "to", text FROM notices')
    assert [notice["to"] for notice in notices] == ["unit:centre"]


async def test_a_graver_class_shortens_the_time_there_is_to_rule(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await back(world)
    await world.peer.say(world.ticket, STREET.model_copy(update={"urgency": "urgent"}))
    (open_,) = await returns(world)
    assert (open_["due_at"], open_["unit"]["code"]) == ("2026-03-02T04:30:00Z", "co-heating")
    world.clock.advance(minutes=31)
    await world.probe.named("ticket.escalated")


@pytest.mark.parametrize(
    "end",
    [
        TicketWithdrawn(at=NOON),
        TicketLinked(**RECEIPT.model_dump(), parent=UUID(int=7), reason="重复"),
        TicketReopened(reason="not_solved", round=2, at=NOON),
    ],
    ids=["withdrawn", "linked", "reopened"],
)
async def test_a_return_is_void_when_its_order_ends_or_begins_anew_and_nobody_looks_any_more(
    world: World, end: Any
) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await back(world, "not_our_area")
    await world.do("verification", {"task": "请核实换热站归属"})
    await world.peer.say(world.ticket, end)
    (void,) = await returns(world, state="void")
    assert (void["ticket_id"], void["against"]) == (str(world.ticket), None)
    assert (await world.http.get("/dispatch/v1/verifications")).json()["items"] == []
    assert (await rules(world, upheld=True)).status_code == 409
    world.clock.advance(days=1)
    assert (await world.http.get("/dispatch/v1/bounces")).json()["total"] == 0


async def test_bounces_are_counted_against_who_pushed_back_and_what_sent_wrongly(world: World) -> None:
    for upheld, right_code in ((False, None), (True, None), (True, "water-01-01")):
        world.ticket = world.clock.new_id()
        await world.peer.say(world.ticket, RECEIVED, HEATING)
        await back(world)
        await rules(world, upheld=upheld, right_code=right_code)
    await back(world)
    await rules(world, upheld=True, unit="dept-water")
    counted = (await world.http.get("/dispatch/v1/bounces", params={"period": "2026-03"})).json()
    found = {(i["unit"]["code"], i["outcome"], i["against"], i["rule"]): i["count"] for i in counted["items"]}
    assert counted["total"] == 4
    assert found == {
        ("co-heating", "refused", "unit", None): 1, ("co-heating", "upheld", "routing", "duty"): 1,
        ("co-heating", "upheld", "model", "duty"): 1, ("co-water", "upheld", "person", "ruled"): 1,
    }  # fmt: skip
    mine = await world.http.get("/dispatch/v1/bounces", headers=world.key("unit", units=("co-water",)))
    assert mine.json()["total"] == 1
    assert (await world.http.get("/dispatch/v1/bounces", params={"period": "2026-02"})).json()["total"] == 0
    assert (await world.http.get("/dispatch/v1/bounces", params={"period": "2026-13"})).status_code == 422


async def test_what_is_added_to_an_appeal_reaches_the_order_whichever_comes_first_and_goes_with_the_words(
    world: World,
) -> None:
    early, late = (TicketSupplemented(text=text, at=NOON) for text in ("暖气片漏水", "三楼也不热"))
    await world.peer.say(world.ticket, early)
    await world.peer.say(world.ticket, RECEIVED, HEATING, late)
    assert [one["text"] for one in (await world.see()).json()["supplements"]] == ["暖气片漏水", "三楼也不热"]
    await back(world)
    await world.peer.say(world.ticket, TicketErased(words=True, at=NOON))
    await world.peer.say(world.ticket, TicketSupplemented(text="琉璃瓦旁边", at=NOON))
    assert (await world.see()).json()["supplements"] == []
    look = {"task": "看琉璃瓦", "unit": STREET_UNIT[0]}
    assert (await world.do("verification", look)).status_code == 201
    await world.do("verify", {"done": False, "note": "琉璃瓦完好"}, world.key("unit", units=STREET_UNIT))
    await rules(world, upheld=False, note="琉璃瓦由你们负责")
    await world.do("accept")
    await world.do("contact", {"method": "phone", "note": "琉璃瓦"})
    await world.do("tasks", {"role": "sub_task", "unit": "co-water", "task": "琉璃瓦"})
    await world.do("reassign", {"unit": "dept-water", "note": "琉璃瓦"})
    written = ("contacted", "verified", "ruled", "assigned", "reassigned")
    await world.probe.named(*(f"ticket.{name}" for name in written))
    assert [event.data for event in world.probe.seen if "琉璃瓦" in event.data.model_dump_json()] == []
    pool = world.stage.context.database.pool
    tables = ("orders", "returns", "supplements", "aggregates", "verifications")
    stored = str([await pool.fetch(f"SELECT t::text FROM {table} t") for table in tables])  # noqa: S608
    assert [word for word in ("暖气片", "琉璃瓦", "自行管理") if word in stored] == []


async def ruled_alike(world: World, times: int, judged: TicketClassified = HEATING) -> None:
    for _ in range(times):
        world.ticket = world.clock.new_id()
        await world.peer.say(world.ticket, RECEIVED, judged)
        await back(world)
        world.clock.advance(minutes=5)
        await rules(world, upheld=True, unit="dept-housing")


async def test_rulings_alike_propose_a_rule_that_a_supervisor_takes_into_a_version_to_be_tried(world: World) -> None:
    await ruled_alike(world, 2)
    assert (await world.http.get("/dispatch/v1/proposals")).json() == []
    await ruled_alike(world, 1)
    (one,) = (await world.http.get("/dispatch/v1/proposals")).json()
    assert (one["rule"], one["from_unit"]["code"], one["to_unit"]["code"], one["tickets"]) == (
        "duty", "co-heating", "dept-housing", 3,
    )  # fmt: skip
    assert one["conditions"] == {"category": ["heating-01-01"], "street": ["s-110105026"]}
    assert one["numbers"] == [RECEIPT.number]
    path = f"/dispatch/v1/proposals/{one['proposal_id']}"
    below = world.key("supervisor", units=("d-110105",))
    assert (await world.http.post(f"{path}/adopt", headers=below)).status_code == 403
    adopted = (await world.http.post(f"{path}/adopt")).json()
    text = (await world.http.get(f"/dispatch/v1/rules/{adopted['version']}")).json()["text"]
    assert text.index("dept-housing") < text.index('id = "duty"')
    before = (await world.route(code="heating-01-01", address="朝阳区望京街道")).json()
    assert before["unit"]["code"] == "co-heating"
    tried = await world.http.post(
        "/dispatch/v1/routes",
        json={"code": "heating-01-01", "address": "朝阳区望京街道", "rules": adopted["version"]},
    )
    assert tried.json()["unit"]["code"] == "dept-housing", tried.text
    assert (await world.http.get("/dispatch/v1/proposals")).json() == []
    assert (await world.http.post(f"{path}/adopt")).status_code == 404


async def test_a_proposal_that_was_dismissed_comes_again_when_as_many_more_say_the_same(world: World) -> None:
    await ruled_alike(world, 3)
    (one,) = (await world.http.get("/dispatch/v1/proposals")).json()
    path = f"/dispatch/v1/proposals/{one['proposal_id']}"
    assert (await world.http.post(f"{path}/dismiss", json={"note": "个案"})).json()["state"] == "dismissed"
    await ruled_alike(world, 2)
    assert (await world.http.get("/dispatch/v1/proposals")).json() == []
    await ruled_alike(world, 1)
    assert len((await world.http.get("/dispatch/v1/proposals")).json()) == 1
    (answer,) = (await world.http.get("/dispatch/v1/proposals/answers")).json()
    assert (answer["note"], answer["version"]) == ("个案", None)
    world.clock.advance(days=31)
    assert (await world.http.get("/dispatch/v1/proposals")).json() == []


async def test_nobody_rules_on_a_return_of_their_own_unit(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await back(world)
    own, above = (world.key("supervisor", units=(unit,)) for unit in ("co-heating", "dept-urban-management"))
    assert (await rules(world, upheld=True, as_=own)).status_code == 403
    assert (await rules(world, upheld=True, unit="dept-housing", as_=above)).status_code == 200


async def test_a_final_ruling_that_sends_an_order_back_counts_the_first_return_against_its_unit(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await back(world)
    await rules(world, upheld=True, unit="dept-housing")
    await back(world)
    await rules(world, upheld=True, unit="co-heating")
    counted = (await world.http.get("/dispatch/v1/bounces")).json()
    assert {(i["unit"]["code"], i["outcome"], i["against"], i["rule"]) for i in counted["items"]} == {
        ("co-heating", "overturned", "unit", None), ("dept-housing", "upheld", "person", "ruled"),
    }  # fmt: skip
    told = await world.probe.until(lambda seen: sum(event.data.name == "ticket.ruled" for event in seen) == 2)
    first, final = [event.data for event in told if event.data.name == "ticket.ruled"]
    assert (final.final, final.overturns) == (True, (first.return_id,))


async def test_a_supervisor_of_some_units_neither_undoes_a_ruling_nor_passes_on_what_is_their_own_unit_s(
    world: World,
) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    own, above = (world.key("supervisor", units=(unit,)) for unit in ("co-heating", "dept-urban-management"))
    away = {"unit": "dept-housing", "note": "不归我们"}
    passed = await world.do("reassign", away, own)
    assert (passed.status_code, "return it" in passed.json()["detail"]) == (403, True)
    assert (await world.do("reassign", away, above)).status_code == 200
    await back(world)
    await rules(world, upheld=True, unit="co-heating")
    undone = await world.do("reassign", away, above)
    assert (undone.status_code, "ruling" in undone.json()["detail"]) == (403, True)
    assert (await world.do("reassign", away, world.key("supervisor"))).status_code == 200


async def test_a_look_on_the_spot_puts_a_ruling_off_by_no_more_than_the_city_lets_it(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await back(world, "not_our_area")
    world.clock.advance(hours=3)
    for due_at in ("2199-01-01T00:00:00+08:00", "2026-03-02T17:00:01+08:00", "2026-03-02T15:00:00+08:00"):
        refused = await world.do("verification", {"task": "请核实", "due_at": due_at})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "due_at")
    look = {"task": "请核实", "due_at": "2026-03-02T17:00:00+08:00"}
    assert (await world.do("verification", look)).status_code == 201
    assert [one["due_at"] for one in await returns(world)] == ["2026-03-02T09:00:00Z"]
    world.clock.advance(hours=2, seconds=1)
    await world.probe.named("ticket.escalated")


async def test_proposals_adopted_one_after_another_are_all_in_the_last_version(world: World) -> None:
    await ruled_alike(world, 3)
    await ruled_alike(world, 3, HEATING.model_copy(update=LEAK))
    proposed = (await world.http.get("/dispatch/v1/proposals")).json()
    adopted = [await world.http.post(f"/dispatch/v1/proposals/{one['proposal_id']}/adopt") for one in proposed]
    versions = [answer.json()["version"] for answer in adopted]
    texts = [(await world.http.get(f"/dispatch/v1/rules/{version}")).json()["text"] for version in versions]
    assert [text.count('id = "ruled_') for text in texts] == [1, 2]
    for version in versions:
        await world.http.post(f"/dispatch/v1/rules/{version}/activate", json={})
    world.clock.advance(seconds=6)
    await world.stage.service.jobs["rules"](world.stage.context)
    for code in ("heating-01-01", "heating-02-01"):
        assert (await world.route(code=code, address="朝阳区望京街道")).json()["unit"]["code"] == "dept-housing"
