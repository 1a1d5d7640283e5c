"""Neighbours behind a public ticket: seen by anyone, counted once each, told if they wish, forgotten on their word."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from libs.common.contracts.envelope import Envelope
from tests.support.citizens import (
    CLOSED,
    DISPATCHED,
    PHONE,
    PRIVATE,
    CitizensWorld,
    citizens_world,
    classified,
)

NEIGHBOUR, OTHER = "13900139001", "13900139002"


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CitizensWorld]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with citizens_world(fresh_database, tmp_path) as world:
        yield world


async def listed(world: CitizensWorld, **params: Any) -> list[str]:
    answer = await world.browser.get("/intake/v1/public", params=params)
    assert answer.status_code == 200, answer.text
    return [item["ticket_id"] for item in answer.json()["items"]]


async def test_anyone_sees_public_tickets_and_neither_who_nor_in_what_words(world: CitizensWorld) -> None:
    ticket = await world.public(text="我叫欧阳婷婷，路灯不亮三天了", reporter={"name": "欧阳婷婷", "phone": PHONE})
    await world.say(ticket, DISPATCHED)
    (item,) = (await world.browser.get("/intake/v1/public")).json()["items"]
    assert (item["category"], item["unit"]["name"]) == (["市政设施", "照明", "路灯不亮"], "市城市管理委员会")
    page = (await world.browser.get(f"/intake/public/{ticket['ticket_id']}")).text
    assert "路灯不亮" in page
    assert [word for word in ("三天了", "欧阳", PHONE) if word in str(item) + page] == []


async def test_what_is_of_no_public_matter_is_on_no_list_and_cannot_be_supported(world: CitizensWorld) -> None:
    ticket = await world.received(text="公司拖欠我三个月工资")
    await world.say(ticket, classified(PRIVATE))
    assert await listed(world) == []
    assert await listed(world, q=ticket["number"]) == []
    assert (await world.support(ticket, kind="confirm")).status_code == 404
    assert (await world.browser.get(f"/intake/public/{ticket['ticket_id']}")).status_code == 404


async def test_public_tickets_are_found_near_a_point_by_words_and_by_number(world: CitizensWorld) -> None:
    near = await world.public(location={"lat": 39.9905, "lon": 116.4801})
    far = await world.public(location={"lat": 39.9, "lon": 116.3}, text="路灯坏了", address="海淀区中关村街道")
    assert await listed(world, near="39.985,116.485") == [near["ticket_id"]]
    assert await listed(world, q="望京") == [near["ticket_id"]]
    assert await listed(world, q="中关村 照明") == [far["ticket_id"]]
    assert await listed(world, q="中关村 供水") == []
    assert await listed(world, q="100%_\\") == []
    assert await listed(world, q=f" {near['number']} ") == [near["ticket_id"]]
    assert set(await listed(world)) == {near["ticket_id"], far["ticket_id"]}


async def test_the_list_goes_on_where_the_page_before_ended(world: CitizensWorld) -> None:
    tickets = []
    for number in range(5):
        world.clock.advance(seconds=1)
        tickets.append((await world.public(text=f"第{number}盏路灯不亮", address=f"海淀区第{number}大街"))["ticket_id"])
    first = (await world.browser.get("/intake/v1/public", params={"limit": 3})).json()
    rest = (await world.browser.get("/intake/v1/public", params={"limit": 3, "cursor": first["next"]})).json()
    assert [item["ticket_id"] for item in first["items"] + rest["items"]] == tickets[::-1]
    assert rest["next"] is None


@pytest.mark.parametrize("near", ["91,0", "0,181", "x", "1", "1,2,3", "1;2"])
async def test_a_point_off_the_earth_is_refused(world: CitizensWorld, near: str) -> None:
    assert (await world.browser.get("/intake/v1/public", params={"near": near})).status_code == 422


async def test_a_neighbour_counts_once_by_phone_whatever_the_channel(world: CitizensWorld) -> None:
    ticket = await world.public()
    first = await world.support(ticket, kind="confirm", reporter={"phone": NEIGHBOUR})
    again = await world.support(ticket, kind="confirm", reporter={"phone": f"+86 {NEIGHBOUR}"})
    other = await world.support(ticket, kind="confirm", reporter={"phone": OTHER})
    assert [(a.json()["support"], a.json()["counted"]) for a in (first, again, other)] == [
        (1, True),
        (1, False),
        (2, True),
    ]
    totals: list[int] = []

    def both(seen: Sequence[Envelope[Any]]) -> bool:
        totals[:] = [event.data.support for event in seen if event.data.name == "ticket.supported"]
        return totals == [1, 2]

    await world.probe.until(both)


async def test_who_gives_nothing_counts_once_by_the_token_that_comes_back(world: CitizensWorld) -> None:
    ticket = await world.public()
    first = (await world.support(ticket, kind="confirm")).json()
    again = (await world.support(ticket, kind="confirm", token=first["token"])).json()
    assert (first["counted"], again["counted"], again["support"]) == (True, False, 1)
    forged = await world.support(ticket, kind="confirm", token="0" * 32 + "." + "A" * 22)
    assert forged.status_code == 422


async def test_the_reporter_does_not_stand_behind_the_own_ticket(world: CitizensWorld) -> None:
    ticket = await world.public()
    mine = (await world.support(ticket, kind="confirm", reporter={"phone": PHONE})).json()
    assert (mine["counted"], mine["support"]) == (False, 0)


async def test_a_hundred_taps_at_once_of_one_neighbour_count_once(world: CitizensWorld) -> None:
    ticket = await world.public()
    await asyncio.gather(*(world.support(ticket, kind="confirm", reporter={"phone": NEIGHBOUR}) for _ in range(100)))
    shown = await world.http.get("/intake/v1/public")
    assert shown.json()["items"][0]["support"] == 1


async def test_a_closed_ticket_takes_nobody_more(world: CitizensWorld) -> None:
    ticket = await world.public()
    await world.say(ticket, CLOSED)
    assert (await world.support(ticket, kind="confirm")).status_code == 409


async def test_a_follower_is_told_and_stops_it_by_the_link_in_the_message(world: CitizensWorld) -> None:
    ticket = await world.public(reporter={})
    followed = await world.support(ticket, kind="follow", reporter={"phone": NEIGHBOUR})
    assert followed.json()["counted"]
    await world.say(ticket, DISPATCHED)
    ((to, text),) = await world.told(1)
    assert to == f"+86{NEIGHBOUR}"
    assert f"/intake/public/{ticket['ticket_id']}" in text
    stop = re.search(r"/intake/following/\S+", text)
    assert stop
    assert (await world.browser.get(stop[0])).status_code == 200
    assert len(await world.kept("SELECT FROM supporters WHERE contact IS NOT NULL")) == 1
    assert "已停止" in (await world.browser.post(stop[0])).text
    assert await world.kept("SELECT FROM supporters WHERE contact IS NOT NULL") == []
    (supporter,) = await world.kept("SELECT supporter_id FROM supporters")
    assert await world.kept("SELECT FROM vault_keys WHERE ticket_id = $1", supporter["supporter_id"]) == []
    await world.say(ticket, CLOSED)
    assert len(world.gateway.posted) == 1


async def test_nobody_stops_the_messages_of_another(world: CitizensWorld) -> None:
    ticket = await world.public()
    await world.support(ticket, kind="follow", reporter={"phone": NEIGHBOUR})
    (supporter,) = await world.kept("SELECT supporter_id FROM supporters")
    answer = await world.browser.post(f"/intake/following/{supporter['supporter_id']}/{'A' * 22}")
    assert answer.status_code == 404
    assert len(await world.kept("SELECT FROM supporters WHERE contact IS NOT NULL")) == 1


async def test_where_a_follower_is_reached_is_kept_sealed(world: CitizensWorld) -> None:
    ticket = await world.public()
    await world.support(ticket, kind="follow", reporter={"phone": NEIGHBOUR, "name": "欧阳婷婷"})
    tables = [
        row["tablename"] for row in await world.kept("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ]
    kept = "".join([str(await world.kept(f"SELECT t::text FROM {table} t")) for table in tables])  # noqa: S608
    assert NEIGHBOUR not in kept
    assert "欧阳" not in kept


async def test_to_follow_one_gives_a_way_to_be_told(world: CitizensWorld) -> None:
    ticket = await world.public()
    answer = await world.support(ticket, kind="follow", reporter={"phone": "010-65123456"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reporter.phone")


async def test_support_of_a_repeat_goes_to_the_ticket_it_belongs_to(world: CitizensWorld) -> None:
    first, second = await world.public(), await world.received(text="别的事", phone=OTHER)
    await world.joined(second, first)
    came = await world.support(second, kind="confirm", reporter={"phone": NEIGHBOUR})
    assert (came.json()["ticket_id"], came.json()["support"]) == (first["ticket_id"], 2)
    mine = await world.support(first, kind="confirm", reporter={"phone": OTHER})
    assert mine.json()["counted"] is False


async def test_a_neighbour_confirms_from_the_page_once_for_each_browser(world: CitizensWorld) -> None:
    ticket = await world.public()
    path = f"/intake/public/{ticket['ticket_id']}"
    first = await world.browser.post(f"{path}/support")
    again = await world.browser.post(f"{path}/support")
    assert [a.headers["location"].rpartition("=")[2] for a in (first, again)] == ["counted", "counted_before"]
    assert "1 人" in (await world.browser.get(path)).text
    assert {"HttpOnly", "SameSite=strict", "Path=/intake/public"} <= set(first.headers["set-cookie"].split("; "))


async def test_a_withdrawn_repeat_takes_only_its_own_part_out(world: CitizensWorld) -> None:
    first, second = await world.public(), await world.received(text="别的事", phone=OTHER)
    await world.joined(second, first)
    answer = await world.http.post(f"/intake/v1/tickets/{second['ticket_id']}/withdraw", json={})
    assert answer.json()["status"] == "withdrawn"
    (item,) = (await world.http.get("/intake/v1/public")).json()["items"]
    assert (item["ticket_id"], item["support"]) == (first["ticket_id"], 0)
    assert (await world.http.get(f"/intake/v1/tickets/{first['ticket_id']}")).json()["status"] == "classified"


async def test_words_added_to_a_repeat_travel_to_its_parent_without_its_numbered_marks(world: CitizensWorld) -> None:
    first, second = await world.public(), await world.received(text="别的事", phone=OTHER)
    await world.joined(second, first)
    added = {"text": f"今晚更黑了，请打{OTHER}"}
    answer = await world.http.post(f"/intake/v1/tickets/{second['ticket_id']}/supplement", json=added)
    assert answer.status_code == 200
    (mine,) = await world.probe.named("ticket.supplemented", subject=second["ticket_id"])
    (parents,) = await world.probe.named("ticket.supplemented", subject=first["ticket_id"])
    assert mine.data.text == "今晚更黑了，请打⟦phone-1⟧"
    assert parents.data.text == "今晚更黑了，请打⟦phone⟧"
    shown = (await world.http.get(f"/intake/v1/tickets/{first['ticket_id']}")).json()
    assert all("今晚更黑了" not in line["text"] for line in shown["timeline"])
    opened = await world.http.get(f"/intake/v1/tickets/{second['ticket_id']}")
    assert any("今晚更黑了" in line["text"] for line in opened.json()["timeline"])


async def test_who_confirmed_and_then_appeals_counts_by_the_appeal_alone(world: CitizensWorld) -> None:
    first = await world.public()
    await world.support(first, kind="follow", reporter={"phone": NEIGHBOUR})
    await world.support(first, kind="confirm", reporter={"phone": OTHER})
    await world.joined(await world.received(text="别的事", phone=NEIGHBOUR), first)
    assert await world.supports(first) == 2
    assert len(await world.kept("SELECT FROM supporters")) == 1
    assert len(await world.kept("SELECT FROM vault_keys")) == 2


async def test_who_stands_behind_a_ticket_goes_along_when_it_is_joined_to_another(world: CitizensWorld) -> None:
    first, second = await world.public(), await world.public(text="井盖丢了", phone=OTHER, address="海淀区中关村街道")
    await world.support(first, kind="confirm", reporter={"phone": NEIGHBOUR})
    await world.support(second, kind="confirm", reporter={"phone": NEIGHBOUR})
    await world.support(second, kind="follow", reporter={"phone": "13900139003"})
    await world.support(second, kind="confirm", reporter={"phone": PHONE})
    await world.joined(second, first)
    assert (await world.supports(first), await world.supports(second)) == (3, 0)
    await world.say(first, DISPATCHED)
    told = {to for to, text in await world.told(6) if "关注" in text}
    assert told == {"+8613900139003"}
