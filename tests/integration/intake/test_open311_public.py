"""What anyone reads by Open311, which only the sender does, and what of it nobody does."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from libs.common.contracts.dispatch import TicketDispatched, TicketProgressed, TicketResolved
from libs.common.contracts.feedback import TicketClosed, TicketReopened
from libs.common.contracts.sla import ClockStarted
from services.intake import handlers
from tests.support.open311 import PRIVATE, UNIT, V2, Open311World, open311_world
from tests.support.stages import NOON

SECRETS = ("13800138000", "lin.wang@example.org", "王琳", "501")


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[Open311World]:
    async with open311_world(fresh_database, tmp_path) as world:
        yield world


def led(at: Any = NOON) -> TicketDispatched:
    return TicketDispatched(unit=UNIT, rule="duty", why=("w",), round=1, at=at)


async def test_anyone_reads_a_request_without_what_is_personal(world: Open311World) -> None:
    number, ticket_id = await world.sent(address_string="望京西路10号楼2单元501室")
    await world.classify(ticket_id)
    due = NOON + timedelta(days=7)
    clock = ClockStarted(
        clock="completion", urgency="general", started_at=NOON, due_at=due, round=1, limit_seconds=604800, policy="p"
    )
    await world.peer.say(ticket_id, led(), clock)
    for answer in (await world.get(f"requests/{number}.json"), await world.get(f"requests/{number}.xml")):
        assert answer.status_code == 200
        assert not [secret for secret in SECRETS if secret in answer.text]
    (told,) = (await world.get(f"requests/{number}.json")).json()
    assert told == {
        "service_request_id": number,
        "status": "open",
        "status_notes": "已派单",
        "service_name": "照明",
        "service_code": "facil-03",
        "description": "望京西路第三根灯杆不亮，我电话⟦phone-1⟧\n灯杆编号：WJ-0313\n什么故障：不亮",
        "agency_responsible": "北京市城市管理委员会",
        "service_notice": None,
        "requested_datetime": "2026-03-02T04:00:00Z",
        "updated_datetime": "2026-03-02T04:00:00Z",
        "expected_datetime": "2026-03-09T04:00:00Z",
        "address": "望京西路10号楼⟦door-1⟧",
        "address_id": None,
        "zipcode": None,
        "lat": 39.9955,
        "long": 116.4703,
        "media_url": None,
    }
    english = (await world.http.get(f"{V2}/requests/{number}.json", headers={"Accept-Language": "en"})).json()[0]
    assert english["service_name"] == "Street lighting"
    assert english["agency_responsible"] == "Beijing Municipal Commission of Urban Management"


async def test_a_request_can_be_asked_for_before_it_is_screened(world: Open311World) -> None:
    world.stage.context.loops["screening"].stop()
    number = (await world.post()).json()[0]["service_request_id"]
    (told,) = (await world.get(f"requests/{number}.json")).json()
    assert (told["status"], told["service_code"], told["description"]) == ("open", "facil-03", None)


async def test_what_came_by_another_door_shows_its_matter_but_not_its_words(world: Open311World) -> None:
    number, ticket_id = await world.posted()
    assert (await world.get(f"requests/{number}.json")).status_code == 404
    await world.classify(ticket_id)
    (told,) = (await world.get(f"requests/{number}.json")).json()
    assert (told["description"], told["address"]) == ("路灯不亮", "望京西路10号楼⟦door-1⟧")


@pytest.mark.parametrize(
    "appeal",
    [
        {"reporter": {"anonymous": True}},
        {"text": "路灯下有人持刀伤人"},
    ],
)
async def test_who_asked_to_stay_unknown_or_is_in_danger_is_not_shown(
    world: Open311World, appeal: dict[str, Any]
) -> None:
    number, ticket_id = await world.posted(**appeal)
    await world.classify(ticket_id)
    assert (await world.get(f"requests/{number}.json")).status_code == 404
    assert await world.listed() == []


async def test_what_turns_out_private_is_only_its_senders(world: Open311World) -> None:
    number, ticket_id = await world.sent()
    await world.classify(ticket_id, PRIVATE)
    other = world.keys.issue("other", ["adapter"])
    assert (await world.get(f"requests/{number}.json")).status_code == 404
    assert (await world.get(f"requests/{number}.json", api_key=other)).status_code == 404
    assert await world.listed() == await world.listed(service_request_id=number) == []
    (told,) = (await world.get(f"requests/{number}.json", api_key=world.key)).json()
    assert told["status"] == "open"
    assert (await world.get(f"requests/{number}.json", api_key="jk_x")).status_code == 403


async def test_what_came_by_another_door_goes_when_it_turns_out_private(world: Open311World) -> None:
    number, ticket_id = await world.posted()
    await world.classify(ticket_id)
    assert await world.listed() == [number]
    await world.classify(ticket_id, PRIVATE)
    assert await world.listed() == []


async def test_a_request_is_closed_once_the_citizen_had_its_word(world: Open311World) -> None:
    number, ticket_id = await world.sent()
    resolved = TicketResolved(unit=UNIT, reply="已更换灯头", round=1, at=NOON, contacted=True)
    await world.peer.say(ticket_id, led(), resolved)
    assert await world.listed(status="open") == [number]
    world.clock.advance(hours=3)
    await world.peer.say(ticket_id, TicketClosed(outcome="solved", round=1, at=world.clock.at))
    assert await world.listed(status="open") == []
    (told,) = (await world.get("requests.json", status="closed")).json()
    assert (told["status"], told["updated_datetime"]) == ("closed", "2026-03-02T07:00:00Z")
    await world.peer.say(ticket_id, TicketReopened(round=2, at=world.clock.at, reason="not_solved"))
    assert await world.listed(status="open") == await world.listed(status="open,closed") == [number]


async def test_a_request_that_is_taken_back_stays_closed_and_without_its_words(world: Open311World) -> None:
    number, ticket_id = await world.sent()
    headers = {"Authorization": f"Bearer {world.key}"}
    await world.http.post(f"/intake/v1/tickets/{ticket_id}/withdraw", json={}, headers=headers)
    (told,) = (await world.get(f"requests/{number}.json")).json()
    assert (told["status"], told["description"]) == ("closed", None)


async def test_requests_are_found_by_service_date_and_number_newest_first(world: Open311World) -> None:
    lamp, _ = await world.sent()
    world.clock.advance(hours=1)
    noise, _ = await world.sent(service_code="env-02", **{"attribute[lamp]": "", "attribute[fault]": ""})
    assert await world.listed() == [noise, lamp]
    assert await world.listed(service_code="env-02") == [noise]
    assert await world.listed(service_code="env-02,facil-03") == [noise, lamp]
    assert await world.listed(service_code="nothing") == []
    assert await world.listed(start_date="2026-03-02T04:00:00Z", end_date="2026-03-02T12:30:00+08:00") == [lamp]
    assert await world.listed(start_date="2026-03-02T12:30:00 08:00") == [noise]
    assert await world.listed(start_date="2026-03-02T12:30:00") == [noise]
    assert await world.listed(end_date="2026-03-02") == []
    assert await world.listed(service_request_id=f"{lamp},{noise},20260302-9999999,x") == [noise, lamp]
    assert await world.listed(service_request_id=lamp, status="closed") == [lamp]
    world.clock.advance(days=91)
    assert await world.listed() == []
    assert await world.listed(start_date="2026-03-01T00:00:00Z") == [noise, lamp]


async def test_requests_come_in_pages_and_by_when_they_changed(world: Open311World) -> None:
    numbers: list[str] = []
    for minute in range(5):
        number, ticket_id = await world.sent(email="", description=f"第{minute}盏")
        numbers.insert(0, number)
        world.clock.advance(minutes=1)
    pages = [await world.listed(page=str(page), page_size="2") for page in (1, 2, 3, 4)]
    assert pages == [numbers[:2], numbers[2:4], numbers[4:], []]
    world.clock.advance(hours=1)
    await world.peer.say(ticket_id, led(world.clock.at))
    assert await world.listed(updated_after="2026-03-02T05:00:00Z") == numbers[:1]
    assert (
        await world.listed(updated_after="2026-03-02T03:00:00Z", updated_before="2026-03-02T04:00:30Z") == numbers[4:]
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"start_date": "yesterday"}, {"start_date": "0001-01-01T00:00:00Z"}, {"end_date": "9999-12-31T23:59:59Z"},
        {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-05-01T00:00:00Z"}, {"status": "done"},
        {"page": "0"}, {"page": "9" * 30}, {"page_size": "1001"}, {"page_size": "²"}, {"updated_after": "x"},
        {"service_code": "a\x00b"}, {"service_request_id": ",".join(["1"] * 1001)},
    ],
)  # fmt: skip
async def test_a_query_that_makes_no_sense_is_refused(world: Open311World, arguments: dict[str, str]) -> None:
    for path in ("requests.json", "requests.xml"):
        answer = await world.get(path, **arguments)
        assert answer.status_code == 400, answer.text


async def test_updates_tell_what_happened_and_whether_it_is_open(world: Open311World) -> None:
    number, ticket_id = await world.sent()
    other, other_id = await world.posted()
    progress = TicketProgressed(unit=UNIT, note="已约电工", round=1, at=NOON)
    await world.classify(other_id)
    for event in (led(), progress):
        world.clock.advance(minutes=1)
        for each in (ticket_id, other_id):
            await world.peer.say(each, event)
    world.clock.advance(minutes=3)
    closed = TicketClosed(outcome="solved", round=1, at=world.clock.at)
    await world.peer.say(ticket_id, closed)
    world.clock.advance(minutes=5)
    told = (await world.get("servicerequestupdates.json")).json()
    mine = [update for update in told if update["service_request_id"] == number]
    theirs = [update for update in told if update["service_request_id"] == other]
    assert [(update["status"], update["external_status_code"]) for update in mine] == [
        ("open", "dispatched"), ("open", "progressed"), ("closed", "closed"),
    ]  # fmt: skip
    assert mine[1]["description"] == "北京市城市管理委员会报告了办理进展。\n已约电工"
    assert theirs[2]["description"] == "北京市城市管理委员会报告了办理进展。"
    assert mine[2]["updated_datetime"] == "2026-03-02T04:05:00Z"
    late = (await world.get("servicerequestupdates.json", start_date="2026-03-02T04:05:00Z")).json()
    assert [update["external_status_code"] for update in late] == ["closed"]
    own = (await world.get("servicerequestupdates.json", api_key=world.key)).json()
    assert own == mine
    xml = ET.fromstring((await world.get("servicerequestupdates.xml", api_key=world.key)).content)
    assert [update.findtext("update_id") for update in xml] == [update["update_id"] for update in mine]
    assert await _status(world, start_date="2026-01-01T00:00:00Z", end_date="2026-03-01T00:00:00Z") == 400


async def _status(world: Open311World, **arguments: str) -> int:
    return (await world.get("servicerequestupdates.json", **arguments)).status_code


async def test_a_client_adds_words_to_what_it_sent_once_for_each_update(world: Open311World) -> None:
    number, ticket_id = await world.sent()
    update = {
        "api_key": world.key, "service_request_id": number, "update_id": "7", "status": "FIXED",
        "updated_datetime": "2026-03-02T12:00:00+08:00", "description": "好像修好了，电话13800138000",
    }  # fmt: skip
    url = f"{V2}/servicerequestupdates.json"
    first, again = [await world.http.post(url, data=update) for _ in range(2)]
    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    (event,) = await world.probe.named("ticket.supplemented", subject=ticket_id)
    assert event.data.text == "好像修好了，电话⟦phone-1⟧\n来源平台标记：已解决"
    assert await world.listed(status="open") == [number]
    assert (await world.get("servicerequestupdates.json")).json() == []


async def test_an_update_that_cannot_be_is_refused(world: Open311World) -> None:
    number, ticket_id = await world.sent()
    theirs, _ = await world.posted()
    other = world.keys.issue("other", ["adapter"])
    update = {"api_key": world.key, "service_request_id": number, "description": "还没修"}
    for changes, status in (
        ({"api_key": ""}, 403),
        ({"api_key": other}, 404),
        ({"service_request_id": theirs}, 404),
        ({"service_request_id": "1"}, 404),
        ({"service_request_id": ""}, 400),
        ({"description": ""}, 400),
        ({"status": "MOVED"}, 400),
        ({"description": "长" * 4001}, 400),
    ):
        answer = await world.http.post(f"{V2}/servicerequestupdates.xml", data={**update, **changes})
        assert answer.status_code == status, answer.text
        assert ET.fromstring(answer.content).findtext("error/code") == str(status)
    await world.peer.say(ticket_id, TicketClosed(outcome="solved", round=1, at=NOON))
    assert (await world.http.post(f"{V2}/servicerequestupdates.json", data=update)).status_code == 400


async def test_a_repeat_of_another_door_is_seen_through_what_it_repeats(world: Open311World) -> None:
    first, first_id = await world.posted()
    again, again_id = await world.posted(text="湖水发臭好几天了", address="石景山区八角街道")
    for each in (first_id, again_id):
        await world.classify(each)
    assert set(await world.listed()) == {first, again}
    async with world.stage.context.database.begin() as tx:
        await handlers.link(tx, world.stage.context, again_id, first_id, "同一盏灯", "seat")
    assert await world.listed() == [first]


async def test_a_seat_takes_a_request_off_the_public_list_and_puts_it_back(world: Open311World) -> None:
    number, ticket_id = await world.sent()
    seat, adapter = world.keys.issue("moderator", ["seat"]), world.keys.issue("other", ["adapter"])

    async def hide(key: str, *, hidden: bool) -> tuple[int, list[str]]:
        answer = await world.http.post(
            f"/intake/v1/tickets/{ticket_id}/publicity",
            json={"hidden": hidden},
            headers={"Authorization": f"Bearer {key}"},
        )
        return answer.status_code, await world.listed()

    assert await hide(adapter, hidden=True) == (403, [number])
    assert await hide(seat, hidden=True) == (200, [])
    await world.classify(ticket_id)
    assert await world.listed() == []
    assert (await world.get(f"requests/{number}.json", api_key=world.key)).status_code == 200
    assert await hide(seat, hidden=False) == (200, [number])
