"""Flags on a real database: put, ruled on, told, appealed; never in the way of the appeal itself."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.contracts.vocabulary import UnitRef
from services.intake import handlers
from tests.support.screening import UNIT, ScreeningWorld, screening_world
from tests.support.stages import client

PERSON = {"name": "欧阳婷", "phone": "13800138000"}


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[ScreeningWorld]:
    async with screening_world(fresh_database, tmp_path) as world:
        yield world


async def flagged(world: ScreeningWorld, ticket: dict[str, Any], ground: str = "fabricated") -> dict[str, Any]:
    """Flag a ticket, and return the flag."""
    seat = world.holder("seat-1", "seat")
    answer = await world.ask(seat, ticket, "flag", ground=ground, evidence="现场核查，并无此事")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def rule(world: ScreeningWorld, who: httpx.AsyncClient, flag: dict[str, Any], *, upheld: bool) -> httpx.Response:
    """Rule on a flag, a second later."""
    world.clock.advance(seconds=1)
    return await who.post(f"/intake/v1/flags/{flag['flag_id']}/rule", json={"upheld": upheld, "note": "监控已核实"})


async def upheld(world: ScreeningWorld, ticket: dict[str, Any]) -> dict[str, Any]:
    """Return a flag that a supervisor upheld."""
    flag = await flagged(world, ticket)
    assert (await rule(world, world.holder("boss-1", "supervisor"), flag, upheld=True)).status_code == 200
    return flag


async def appeal(world: ScreeningWorld, ticket: dict[str, Any], code: str | None = None) -> httpx.Response:
    """Appeal against the ruling as the citizen, a second later."""
    world.clock.advance(seconds=1)
    path = f"/intake/v1/tickets/{ticket['ticket_id']}/appeal-screening"
    public = client([world.stage])
    return await public.post(path, params={"code": code or ticket["query_code"]}, json={"text": "我说的都是真的"})


async def test_a_verdict_is_told_to_scoring_and_to_the_citizen_with_the_reason_and_how_to_appeal(
    world: ScreeningWorld,
) -> None:
    ticket = await world.led()
    await upheld(world, ticket)
    await world.probe.named("ticket.screened")
    (said,) = world.told(ticket, "ticket.screened")
    assert (said.verdict, said.ground, said.why, said.lifted) == ("malicious", "fabricated", "监控已核实", False)
    line = (await world.seen(ticket))["timeline"][-1]
    assert line["type"] == "ticket.screened"
    assert "“捏造、歪曲事实”。理由：监控已核实。" in line["text"]
    assert "2026-03-17前申诉" in line["text"]
    assert "“Made up”" in (await world.seen(ticket, "en"))["timeline"][-1]["text"]


async def test_a_verdict_changes_neither_status_nor_unit_nor_what_other_services_know(world: ScreeningWorld) -> None:
    ticket = await world.led()
    before, told = await world.seen(ticket), len(world.told(ticket, "ticket.snapshot", "ticket.received"))
    await upheld(world, ticket)
    await appeal(world, ticket)
    after = await world.seen(ticket)
    assert {name: after[name] for name in after.keys() - {"timeline", "ruling"}} == {
        name: before[name] for name in before.keys() - {"timeline", "ruling"}
    }
    await world.probe.named("ticket.screened")
    assert len(world.told(ticket, "ticket.snapshot", "ticket.received")) == told


async def test_nobody_rules_on_what_they_had_a_hand_in(world: ScreeningWorld) -> None:
    ticket = await world.led()
    both = world.holder("seat-1", "seat", "supervisor")
    flag = (await world.ask(both, ticket, "flag", ground="fabricated", evidence="无此事")).json()
    assert (await rule(world, both, flag, upheld=True)).status_code == 403
    first, second = world.holder("boss-1", "supervisor"), world.holder("boss-2", "supervisor")
    assert (await rule(world, first, flag, upheld=True)).status_code == 200
    await appeal(world, ticket)
    assert [(await rule(world, who, flag, upheld=False)).status_code for who in (both, first, second)] == [
        403,
        403,
        200,
    ]


async def test_an_appeal_that_is_right_lifts_the_verdict(world: ScreeningWorld) -> None:
    ticket = await world.led()
    flag = await upheld(world, ticket)
    assert (await appeal(world, ticket)).status_code == 200
    lifted = await rule(world, world.holder("boss-2", "supervisor"), flag, upheld=False)
    assert lifted.json()["state"] == "lifted"
    await world.probe.until(lambda seen: sum(e.data.name == "ticket.screened" for e in seen) == 2)
    assert [said.lifted for said in world.told(ticket, "ticket.screened")] == [False, True]
    assert [line["type"] for line in (await world.seen(ticket))["timeline"][-3:]] == [
        "ticket.screened",
        "screening.appealed",
        "screening.lifted",
    ]


async def test_an_appeal_that_is_wrong_leaves_the_verdict_and_cannot_be_tried_again(world: ScreeningWorld) -> None:
    ticket = await world.led()
    flag = await upheld(world, ticket)
    await appeal(world, ticket)
    assert (await appeal(world, ticket)).status_code == 409
    await rule(world, world.holder("boss-2", "supervisor"), flag, upheld=True)
    assert (await appeal(world, ticket)).status_code == 409
    assert len(world.told(ticket, "ticket.screened")) == 1
    assert "认定“捏造、歪曲事实”不变" in (await world.seen(ticket))["timeline"][-1]["text"]


async def test_a_flag_that_is_dismissed_is_told_to_nobody(world: ScreeningWorld) -> None:
    ticket = await world.led()
    flag = await flagged(world, ticket)
    lines = (await world.seen(ticket))["timeline"]
    assert (await rule(world, world.holder("boss-1", "supervisor"), flag, upheld=False)).json()["state"] == "dismissed"
    assert (await world.seen(ticket))["timeline"] == lines
    assert world.told(ticket, "ticket.screened") == []
    assert (await appeal(world, ticket)).status_code == 409


async def test_there_is_one_flag_at_a_time_and_a_rejected_ground_is_not_tried_again(world: ScreeningWorld) -> None:
    ticket = await world.led()
    seat, boss = world.holder("seat-2", "seat"), world.holder("boss-1", "supervisor")
    flag = await flagged(world, ticket)
    again = await world.ask(seat, ticket, "flag", ground="settled", evidence="e")
    await rule(world, boss, flag, upheld=False)
    same = await world.ask(seat, ticket, "flag", ground="fabricated", evidence="e")
    other = await world.ask(seat, ticket, "flag", ground="settled", evidence="e")
    assert [answer.status_code for answer in (again, same, other)] == [409, 409, 200]


async def test_an_appeal_comes_too_late_when_the_time_for_it_is_over(world: ScreeningWorld) -> None:
    ticket = await world.led()
    await upheld(world, ticket)
    world.clock.advance(days=15)
    late = await appeal(world, ticket)
    assert (late.status_code, late.json()["detail"]) == (409, "the time to appeal the ruling is over")


async def test_the_unit_that_leads_may_flag_and_another_may_not(world: ScreeningWorld) -> None:
    ticket = await world.led()
    mine = world.holder("water", "unit", units=[UNIT.code])
    other = world.holder("gas", "unit", units=[UnitRef(code="co-gas", name="g").code])
    answers = [
        await world.ask(who, ticket, "flag", ground="excessive", evidence="标准内已补偿") for who in (other, mine)
    ]
    assert [answer.status_code for answer in answers] == [403, 200]


async def test_a_supervisor_of_some_units_neither_rules_on_flags_nor_appeals_for_the_citizen(
    world: ScreeningWorld,
) -> None:
    ticket = await world.led()
    mine = world.holder("head of water", "supervisor", units=[UNIT.code])
    flag = await flagged(world, ticket)
    assert (await rule(world, mine, flag, upheld=True)).status_code == 403
    assert (await world.ask(mine, ticket, "appeal-screening", text="t")).status_code == 403


async def test_only_the_citizen_the_sender_or_a_seat_appeals(world: ScreeningWorld) -> None:
    ticket = await world.led()
    await upheld(world, ticket)
    unit, analyst = world.holder("water", "unit"), world.holder("analyst", "analyst")
    refused = [await world.ask(who, ticket, "appeal-screening", text="t") for who in (unit, analyst)]
    wrong = await appeal(world, ticket, code="AAAAAAAAAA")
    seat = await world.ask(world.holder("seat-9", "seat"), ticket, "appeal-screening", text="市民来电申诉")
    assert [answer.status_code for answer in (*refused, wrong, seat)] == [403, 403, 403, 200]


async def test_personal_data_in_evidence_notes_and_appeals_goes_to_the_vault(world: ScreeningWorld) -> None:
    ticket = await world.led(reporter=PERSON)
    seat, boss = world.holder("seat-1", "seat"), world.holder("boss-1", "supervisor")
    flag = (await world.ask(seat, ticket, "flag", ground="insult", evidence="欧阳婷用13800138000来电辱骂")).json()
    path = f"/intake/v1/flags/{flag['flag_id']}/rule"
    await boss.post(path, json={"upheld": True, "note": "13800138000录音属实"})
    await world.probe.named("ticket.screened")
    rows = str(await world.stage.context.database.pool.fetch("SELECT f::text FROM flags f"))
    events = "".join(event.data.model_dump_json() for event in world.probe.seen)
    assert not [secret for secret in PERSON.values() if secret in rows + events]
    assert "⟦name-1⟧" in flag["evidence"]


async def test_supervisors_see_what_waits_oldest_first_and_page_by_page(world: ScreeningWorld) -> None:
    tickets = [await world.led(text=f"第{n}盏路灯不亮") for n in "一二三"]
    flags = []
    for ticket in tickets:
        world.clock.advance(minutes=1)
        flags.append(await flagged(world, ticket))
    first = (await world.http.get("/intake/v1/flags", params={"limit": 2})).json()
    rest = (await world.http.get("/intake/v1/flags", params={"limit": 2, "cursor": first["next"]})).json()
    assert [one["flag_id"] for one in first["items"] + rest["items"]] == [flag["flag_id"] for flag in flags]
    assert (rest["next"], first["items"][0]["number"]) == (None, tickets[0]["number"])
    assert (await world.holder("seat-1", "seat").get("/intake/v1/flags")).status_code == 403


@pytest.mark.parametrize(("text", "ground"), [("。。。", "blank"), ("测 试！", "test"), ("Testing...", "test")])
async def test_what_says_nothing_is_received_all_the_same_and_shown_to_a_person(
    world: ScreeningWorld, text: str, ground: str
) -> None:
    ticket = await world.received(text=text)
    assert world.told(ticket, "ticket.received")
    (flag,) = (await world.http.get("/intake/v1/flags")).json()["items"]
    assert (flag["ticket_id"], flag["ground"], flag["by"]) == (ticket["ticket_id"], ground, "rule")


async def test_a_burst_of_one_person_is_noticed_counted_on_and_in_nobodys_way(world: ScreeningWorld) -> None:
    for number in range(11):
        world.clock.advance(minutes=1)
        ticket = await world.received(text=f"{number}号楼的路灯不亮", reporter={"phone": "13800138000"})
    await world.received(reporter={"phone": "13900139000"})
    here = world.stage.context
    await handlers.notice_bursts(here)
    (flag,) = (await world.http.get("/intake/v1/flags")).json()["items"]
    assert (flag["ground"], flag["verdict"], flag["count"], flag["ticket_id"]) == (
        "burst", None, 11, ticket["ticket_id"],
    )  # fmt: skip
    await world.received(text="又一件", reporter={"phone": "13800138000"})
    await handlers.notice_bursts(here)
    (again,) = (await world.http.get("/intake/v1/flags")).json()["items"]
    assert (again["flag_id"], again["count"]) == (flag["flag_id"], 12)
    await rule(world, world.holder("boss-1", "supervisor"), flag, upheld=True)
    await handlers.notice_bursts(here)
    assert (await world.http.get("/intake/v1/flags")).json()["items"] == []
    assert world.told(ticket, "ticket.screened") == []
    assert (await flagged(world, ticket))["state"] == "open"


async def test_an_unknown_ground_flag_or_ticket_is_named(world: ScreeningWorld) -> None:
    ticket, nobody = await world.received(), "019caa3c-2c00-7000-8000-000000000001"
    wrong = await world.ask(world.http, ticket, "flag", ground="ugly", evidence="e")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "ground")
    missing = await world.http.post(f"/intake/v1/flags/{nobody}/rule", json={"upheld": True, "note": "n"})
    none = await world.http.post(f"/intake/v1/tickets/{nobody}/flag", json={"ground": "test", "evidence": "e"})
    assert (missing.status_code, none.status_code) == (404, 404)
