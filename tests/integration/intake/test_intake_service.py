"""intake on a real database: appeals in, events out, the citizen's view, the vault."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock
from uuid import UUID

import httpx
import pytest

from libs.common.contracts.classify import TicketClassified
from libs.common.contracts.dispatch import TicketDispatched
from libs.common.contracts.feedback import ReviewRequested, TicketClosed, TicketReopened
from libs.common.contracts.vocabulary import Receipt, UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.batching import MicroBatch
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.intake.service import SERVICE
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

UNIT = UnitRef(code="dept-water", name="市水务局")
PERSON = {"type": "person", "name": "欧阳婷", "phone": "13800138000"}
SECRETS = ("欧阳婷", "13800138000", "110105199003072316", "501室")
FULL = {
    "channel": "web",
    "text": "我叫欧阳婷，身份证110105199003072316，电话138-0013-8000，家里停水两天了",
    "reporter": PERSON,
    "address": "望京街道花家地小区3号楼2单元501室",
}


class World:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, key: str) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.peer = Peer(bus, clock)
        self.http = client([stage], key)

    async def post(self, **changes: Any) -> httpx.Response:
        """Post an appeal."""
        return await self.http.post("/intake/v1/tickets", json={"channel": "web", "text": "路灯不亮"} | changes)

    async def received(self, **changes: Any) -> dict[str, Any]:
        """Post an appeal and wait until it was screened."""
        answer: dict[str, Any] = (await self.post(**changes)).json()
        await self.probe.named("ticket.snapshot", subject=UUID(answer["ticket_id"]))
        return answer


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    topics = ("jiesu.intake.v1", "jiesu.tickets.v1")
    async with probing(bus, *topics) as probe, running(SERVICE, settings, bus, clock) as stage:
        world = World(stage, bus, clock, probe, (tmp_path / "key").read_text())
        async with world.http:
            yield world


async def test_an_appeal_is_answered_with_202_and_then_screened_and_told(world: World) -> None:
    answer = await world.post(**FULL)
    assert answer.status_code == 202
    assert answer.json().keys() == {"ticket_id", "number", "query_code", "status"}
    (event,) = await world.probe.named("ticket.received")
    assert (event.subject, event.data.number) == (answer.json()["ticket_id"], answer.json()["number"])


async def test_personal_data_is_in_no_event_and_in_no_table_in_the_clear(world: World) -> None:
    await world.received(**FULL)
    told = "".join(event.data.model_dump_json() for event in world.probe.seen)
    pool = world.stage.context.database.pool
    tables = await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [str(await pool.fetch(f"SELECT t::text FROM {table['tablename']} t")) for table in tables]  # noqa: S608
    assert not [secret for secret in SECRETS for text in (told, *rows) if secret in text]
    assert "⟦phone-1⟧" in told


async def test_the_handling_unit_opens_the_vault_and_it_is_kept_who_did(world: World) -> None:
    answer = await world.received(**FULL)
    opened = await world.http.post(f"/intake/v1/tickets/{answer['ticket_id']}/contact", json={"purpose": "callback"})
    assert (opened.json()["name"], opened.json()["phone"]) == (PERSON["name"], PERSON["phone"])
    assert "欧阳婷" in opened.json()["text"]
    kept = await world.stage.context.database.pool.fetch("SELECT by, purpose FROM audit")
    assert [tuple(row) for row in kept] == [("test", "callback")]


async def test_the_same_key_gives_the_same_ticket_and_another_text_under_it_is_refused(world: World) -> None:
    async def send(text: str) -> httpx.Response:
        body = {"channel": "web", "text": text}
        return await world.http.post("/intake/v1/tickets", json=body, headers={"Idempotency-Key": "k1"})

    first, again, other = await send("路灯不亮"), await send("路灯不亮"), await send("井盖丢了")
    assert first.json() == again.json()
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_the_same_external_reference_of_a_channel_gives_the_same_ticket(world: World) -> None:
    first, again = await world.post(external_ref="A-1"), await world.post(external_ref="A-1")
    elsewhere = await world.post(external_ref="A-1", channel="app")
    assert first.json()["ticket_id"] == again.json()["ticket_id"] != elsewhere.json()["ticket_id"]


async def test_the_external_reference_of_another_client_is_another_appeal(world: World, tmp_path: Path) -> None:
    keys = KeyRing(tmp_path / "keys.json")
    one, two = (client([world.stage], keys.issue(name, ["adapter"])) for name in ("app one", "app two"))
    body = {"channel": "web", "text": "路灯不亮", "external_ref": "A-1"}
    first, other, again = [(await by.post("/intake/v1/tickets", json=body)).json() for by in (one, two, one)]
    assert first["ticket_id"] == again["ticket_id"] != other["ticket_id"]


async def test_the_same_words_of_the_same_reporter_are_joined_to_the_first(world: World) -> None:
    first = await world.received(**FULL)
    second = await world.received(**FULL)
    (linked,) = await world.probe.named("ticket.linked")
    assert (linked.subject, str(linked.data.parent)) == (second["ticket_id"], first["ticket_id"])


@pytest.mark.parametrize("end", [TicketClosed(outcome="no_answer", round=1, at=NOON), None])
async def test_nothing_is_joined_to_a_ticket_that_has_ended(world: World, end: TicketClosed | None) -> None:
    first, repeat = await world.received(**FULL), await world.received(**FULL)
    if end:
        await world.peer.say(first["ticket_id"], end)
    else:
        for taken_back in (repeat, first):
            await world.http.post(f"/intake/v1/tickets/{taken_back['ticket_id']}/withdraw", json={})
    again = await world.received(**FULL)
    shown = (await world.http.get(f"/intake/v1/tickets/{again['ticket_id']}")).json()
    assert (shown["status"], shown["linked_to"]) == ("received", None)
    linked = await world.probe.named("ticket.linked")
    assert [event.subject for event in linked] == [repeat["ticket_id"]]


async def test_a_repeat_of_what_was_reopened_is_joined_to_it(world: World) -> None:
    first = await world.received(**FULL)
    await world.peer.say(first["ticket_id"], TicketClosed(outcome="linked", round=1, at=NOON))
    await world.peer.say(first["ticket_id"], TicketReopened(reason="ruling", round=2, at=NOON))
    again = await world.received(**FULL)
    shown = (await world.http.get(f"/intake/v1/tickets/{again['ticket_id']}")).json()
    assert shown["linked_to"] == first["ticket_id"]


async def test_a_withdrawn_ticket_asks_for_no_review(world: World) -> None:
    answer = await world.received()
    ticket, code = answer["ticket_id"], {"code": answer["query_code"]}
    await world.peer.say(ticket, ReviewRequested(method="link", round=1, at=NOON, until=NOON))
    asked = (await world.http.get(f"/intake/v1/tickets/{ticket}", params=code)).json()
    await world.http.post(f"/intake/v1/tickets/{ticket}/withdraw", json={})
    after = (await world.http.get(f"/intake/v1/tickets/{ticket}", params=code)).json()
    assert asked["review_url"]
    assert after["review_url"] is None


async def test_an_emergency_gets_its_number_and_is_answered(world: World) -> None:
    answer = await world.received(text="楼下着火了，火越烧越大！")
    (event,) = await world.probe.named("ticket.answered")
    shown = (await world.http.get(f"/intake/v1/tickets/{answer['ticket_id']}")).json()
    assert (event.data.emergency, shown["status"]) == ("119", "answered")


async def test_a_batch_answers_each_line_and_sending_it_again_receives_nothing_twice(world: World) -> None:
    lines = [
        {"channel": "mail", "text": "垃圾没人清", "external_ref": "1"},
        {"channel": "pigeon", "text": "x"},
        {"channel": "mail", "text": "噪声扰民", "external_ref": "2"},
    ]
    body = "\n".join(json.dumps(line) for line in lines) + "\nnot json\n"

    async def send() -> list[dict[str, Any]]:
        answer = await world.http.post("/intake/v1/tickets/batch", content=body)
        return [json.loads(line) for line in answer.text.splitlines()]

    first, again = await send(), await send()
    assert first == again
    assert [line["line"] for line in first] == [1, 2, 3, 4]
    assert first[1]["problem"]["errors"][0]["field"] == "channel"
    assert first[3]["problem"]["status"] == 400


async def test_a_batch_with_a_key_goes_on_after_a_break_also_where_its_lines_have_no_names(world: World) -> None:
    lines = [json.dumps({"channel": "sensor", "text": "井盖倾斜", "external_ref": "m-7:tilt"})] * 2

    async def send(body: list[str], key: str) -> list[dict[str, Any]]:
        headers = {"Idempotency-Key": key}
        answer = await world.http.post("/intake/v1/tickets/batch", content="\n".join(body), headers=headers)
        return [json.loads(line) for line in answer.text.splitlines()]

    cut = await send(lines[:1], "monday")
    whole = await send(lines, "monday")
    assert [whole[0], whole[1]["ticket_id"] != whole[0]["ticket_id"]] == [cut[0], True]
    assert await send(lines, "monday") == whole
    assert {line["ticket_id"] for line in await send(lines, "tuesday")}.isdisjoint(line["ticket_id"] for line in whole)
    (other,) = await send([json.dumps({"channel": "web", "text": "x"})], "monday")
    assert other["problem"]["errors"][0]["field"] == "Idempotency-Key"


async def test_a_command_is_answered_in_the_language_of_who_gives_it(world: World) -> None:
    ticket = (await world.received())["ticket_id"]
    for command, body in (("supplement", {"text": "还是没人管"}), ("withdraw", {})):
        path = f"/intake/v1/tickets/{ticket}/{command}"
        answer = await world.http.post(path, json=body, headers={"Accept-Language": "en"})
        assert answer.json()["timeline"][0]["text"] == "We have received your appeal."


async def test_the_citizen_follows_the_ticket_by_its_query_code(world: World) -> None:
    answer = await world.received()
    ticket = answer["ticket_id"]
    receipt = Receipt(number="n", channel="web", text="t", received_at=NOON)
    await world.peer.say(
        ticket,
        TicketClassified(
            receipt=receipt, code="facil-01-01", category=("市政设施", "路灯", "路灯不亮"), kind="report",
            urgency="general", confidence=0.9, summary="s", owner_kind="department", judged_by="model",
            model="m", catalogue="c",
        ),
        TicketDispatched(unit=UNIT, rule="duty", why=("w",), round=1, at=NOON),
        ReviewRequested(method="link", round=1, at=NOON, until=NOON),
    )  # fmt: skip
    public = client([world.stage])
    shown = (await public.get(f"/intake/v1/tickets/{ticket}", params={"code": answer["query_code"].lower()})).json()
    assert (shown["status"], shown["unit"]) == ("dispatched", {"code": "dept-water", "name": "市水务局"})
    assert [line["text"] for line in shown["timeline"]][:2] == [
        "已收到您的诉求。",
        "已归类为：市政设施 / 路灯 / 路灯不亮",
    ]
    wrong = await public.get(f"/intake/v1/tickets/{ticket}", params={"code": "AAAAAAAAAA"})
    none = await public.get(f"/intake/v1/tickets/{ticket}")
    assert (wrong.status_code, none.status_code) == (403, 401)


async def test_a_later_round_outweighs_an_earlier_end(world: World) -> None:
    answer = await world.received()
    ticket = answer["ticket_id"]
    await world.peer.say(ticket, TicketReopened(reason="not_solved", round=2, at=NOON))
    await world.peer.say(ticket, TicketClosed(outcome="unsolved", round=1, at=NOON))
    assert (await world.http.get(f"/intake/v1/tickets/{ticket}")).json()["status"] == "reopened"


@pytest.mark.parametrize(
    ("role", "status"), [("unit", 403), ("analyst", 403), ("adapter", 403), ("seat", 200), ("supervisor", 200)]
)
async def test_only_a_seat_speaks_for_a_citizen_whose_code_it_has_not(
    world: World, tmp_path: Path, role: Role, status: int
) -> None:
    ticket = (await world.received(text="路灯不亮"))["ticket_id"]
    other = client([world.stage], KeyRing(tmp_path / "keys.json").issue("other", [role]))
    path = f"/intake/v1/tickets/{ticket}"
    added = await other.post(f"{path}/supplement", json={"text": "还有井盖"})
    brought = await other.post(f"{path}/files", content=b"")
    taken = await other.post(f"{path}/withdraw", json={})
    assert [added.status_code, brought.status_code == 403, taken.status_code] == [status, status == 403, status]


async def test_the_reason_of_a_withdrawal_does_not_tell_the_reporters_name(world: World) -> None:
    ticket = (await world.received(**FULL))["ticket_id"]
    await world.http.post(f"/intake/v1/tickets/{ticket}/withdraw", json={"reason": "欧阳婷本人已自行解决"})
    (withdrawn,) = await world.probe.named("ticket.withdrawn")
    assert withdrawn.data.reason == "⟦name-1⟧本人已自行解决"


async def test_a_withdrawn_ticket_is_told_and_cannot_be_withdrawn_twice(world: World) -> None:
    answer = await world.received()
    path = f"/intake/v1/tickets/{answer['ticket_id']}/withdraw"
    first, again = await world.http.post(path, json={}), await world.http.post(path, json={})
    assert (first.json()["status"], again.status_code) == ("withdrawn", 409)
    await world.probe.named("ticket.withdrawn")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"channel": "pigeon", "text": "x"}, 422, "channel"),
        ({"channel": "web", "text": "   "}, 422, "text"),
        ({"channel": "web", "text": "字" * 350_000}, 422, "text"),
        ({"channel": "web", "text": "a\0b"}, 422, "text"),
        ({"channel": "web", "text": "x", "location": {"lat": 91, "lon": 0}}, 422, "location.lat"),
        ({"channel": "web", "text": 7}, 422, "text"),
        ({"channel": "web", "text": "x", "txet": "y"}, 422, "txet"),
        ({"channel": "web", "text": "x", "reporter": {"phone": "call me"}}, 422, "reporter.phone"),
        ({"channel": "web", "text": "x", "occurred_at": "2026-03-01"}, 422, "occurred_at"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_stored(
    world: World, body: dict[str, Any], status: int, field: str
) -> None:
    answer = await world.http.post("/intake/v1/tickets", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)
    assert answer.headers["content-type"] == "application/problem+json"
    assert await world.stage.context.database.pool.fetchval("SELECT count(*) FROM vault") == 0


async def test_whoever_comes_when_too_many_wait_is_asked_to_come_back(world: World) -> None:
    full: MicroBatch[Any, Any] = MicroBatch(AsyncMock(), longest_queue=0)
    world.stage.context.engine.door = full
    by_key = await world.post()
    by_form = await client([world.stage]).post("/intake/appeal/files", data={"text": "路灯不亮"})
    assert [(a.status_code, "retry-after" in a.headers) for a in (by_key, by_form)] == [(503, True)] * 2


async def test_broken_json_is_refused_and_a_key_is_needed_that_may_send(world: World, tmp_path: Path) -> None:
    broken = await world.http.post("/intake/v1/tickets", content=b'{"channel": ')
    without = await client([world.stage]).post("/intake/v1/tickets", json={})
    wrong = await client([world.stage], "jk_wrong").post("/intake/v1/tickets", json={})
    reader = KeyRing(tmp_path / "keys.json").issue("reader", ["analyst"])
    forbidden = await client([world.stage], reader).post("/intake/v1/tickets", json={})
    assert [a.status_code for a in (broken, without, wrong, forbidden)] == [400, 401, 401, 403]


@pytest.mark.parametrize("name", ["occurred_at", "received_at"])
@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_an_instant_at_the_end_of_the_calendar_is_refused_and_stops_nobody_else(
    world: World, name: str, at: str
) -> None:
    answer = await world.post(**{name: at})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == name
    await world.received(text="暖气不热")


async def test_a_spreadsheet_is_received_row_by_row_and_once_however_often_it_is_sent(world: World) -> None:
    table = (
        "external_ref,channel,text,reporter_name,reporter_phone\r\n"
        "P-1,petition,南门大街路灯不亮,李四,13800138000\r\n"
        "P-2,pigeon,井盖丢了,,\r\n"
        "\r\n"
        'P-3,walk_in,"两件事,\n一起说",,\r\n'
    ).encode("gb18030")

    async def send() -> list[dict[str, Any]]:
        answer = await world.http.post("/intake/v1/tickets/batch", content=table, headers={"Content-Type": "text/csv"})
        assert answer.status_code == 200
        return [json.loads(line) for line in answer.text.splitlines()]

    first, again = await send(), await send()
    assert [line["line"] for line in first] == [2, 3, 5]
    assert first[1]["problem"]["errors"][0]["field"] == "channel"
    assert [line.get("ticket_id") for line in first] == [line.get("ticket_id") for line in again]


async def test_a_table_that_breaks_off_is_answered_for_as_far_as_it_was_received(world: World) -> None:
    async def table() -> AsyncIterator[bytes]:
        yield "channel,text\nweb,路灯不亮\n".encode()
        yield b"web,\xff\xff\xff\n"

    answer = await world.http.post("/intake/v1/tickets/batch", content=table(), headers={"Content-Type": "text/csv"})
    received, broken = [json.loads(line) for line in answer.text.splitlines()]
    assert (received["status"], broken["line"], broken["problem"]["status"]) == ("received", 3, 400)
    unknown = await world.http.post(
        "/intake/v1/tickets/batch", content=b"channel,words\n", headers={"Content-Type": "text/csv"}
    )
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "header")
