"""Messages to those who wait with others: told of the ticket that leads, each person once, in no one's transaction."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.common.runtime.notify import Notice, enqueue
from services.intake.handlers import telling
from tests.support.citizens import (
    ASKED,
    DISPATCHED,
    PHONE,
    RESOLVED,
    CitizensWorld,
    citizens_world,
    classified,
)

COLD = ("家里暖气不热，屋里只有14度", "整个小区都停暖了，老人孩子冻得受不了", "暖气片冰凉，什么时候恢复供暖")
PLACE = "朝阳区望京街道花家地西里三区"
OTHER = {"text": "井盖丢了", "address": "海淀区中关村街道"}

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CitizensWorld]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with citizens_world(fresh_database, tmp_path) as world:
        yield world


async def too_cold(world: CitizensWorld, **reporter: Any) -> dict[str, Any]:
    """Have somebody complain of the cold, a second later than the last."""
    world.clock.advance(seconds=1)
    return await world.received(text=COLD[world.clock.at.second % 3], address=PLACE, **reporter)


async def cold(world: CitizensWorld, count: int) -> list[dict[str, Any]]:
    """Have so many neighbours complain of the same cold, each by another phone: the first leads, the rest follow."""
    return [await too_cold(world, phone=f"139001390{n:02}") for n in range(count)]


async def kinds(world: CitizensWorld, ticket: dict[str, Any]) -> list[str]:
    """Return what the reporter of a ticket was told of, once all are told."""
    await world.settled()
    return sorted(message["kind"] for message in (await world.messages(ticket))["messages"])


async def test_every_linked_reporter_is_told_by_their_own_number_who_has_it_and_what_was_answered(
    world: CitizensWorld,
) -> None:
    root, *children = await cold(world, 3)
    await world.say(root, DISPATCHED)
    await world.say(root, RESOLVED)
    texts = [text for _, text in await world.told(9)]
    for child in children:
        mine = [text for text in texts if child["number"] in text]
        assert [any(word in text for text in mine) for word in ("合并办理，有结果", "现已派至", "已答复与您")] == [
            True
        ] * 3
        assert all(f"/intake/tickets/{child['ticket_id']}?code={child['query_code']}" in text for text in mine)
        assert all(root["number"] not in text for text in mine)
        assert await kinds(world, child) == ["dispatched", "linked", "resolved"]
    assert await kinds(world, root) == ["dispatched", "received", "resolved"]


async def test_news_that_comes_twice_is_told_to_the_others_once(world: CitizensWorld) -> None:
    root, child = await cold(world, 2)
    await world.say(root, DISPATCHED)
    await world.say(root, DISPATCHED)
    assert await kinds(world, child) == ["dispatched", "linked"]


async def test_what_was_heard_of_the_lead_does_not_keep_back_what_is_ones_own_later(world: CitizensWorld) -> None:
    root, child = await cold(world, 2)
    await world.say(root, DISPATCHED, RESOLVED)
    await world.settled()
    await world.does(child, "unlink", reason="另一栋楼")
    await world.say(child, DISPATCHED, RESOLVED)
    assert await kinds(world, child) == ["dispatched", "dispatched", "linked", "resolved", "resolved"]
    await world.say(root, RESOLVED.model_copy(update={"round": 2}))
    assert len(await kinds(world, child)) == 5


async def test_who_was_told_that_a_unit_has_it_is_not_told_so_again_but_hears_each_answer(world: CitizensWorld) -> None:
    root, child = await world.received(phone="13900139001"), await world.received(**OTHER)
    await world.say(child, DISPATCHED, RESOLVED)
    await world.joined(child, root)
    await world.say(root, DISPATCHED, RESOLVED)
    assert await kinds(world, child) == ["dispatched", "linked", "received", "resolved", "resolved"]
    await world.say(root, DISPATCHED.model_copy(update={"round": 2}))
    assert (await kinds(world, child)).count("dispatched") == 2


async def test_who_comes_along_with_the_parent_is_not_told_the_same_twice(world: CitizensWorld) -> None:
    root, child = await cold(world, 2)
    lead = await world.received(**OTHER)
    await world.say(root, DISPATCHED)
    await world.settled()
    await world.joined(root, lead)
    await world.say(lead, DISPATCHED)
    assert await kinds(world, child) == ["dispatched", "linked"]
    assert await kinds(world, root) == ["dispatched", "linked", "received"]
    await world.say(lead, RESOLVED)
    assert await kinds(world, child) == ["dispatched", "linked", "resolved"]


async def test_each_link_made_by_a_person_is_told(world: CitizensWorld) -> None:
    root, child = await world.received(phone="13900139001"), await world.received(**OTHER)
    await world.joined(child, root)
    await world.does(child, "unlink", reason="x")
    await world.joined(child, root)
    assert await kinds(world, child) == ["linked", "linked", "received"]


async def test_who_takes_over_hears_of_the_own_order_and_of_a_later_link(world: CitizensWorld) -> None:
    root, heir, third = await cold(world, 3)
    await world.say(root, DISPATCHED)
    await world.settled()
    await world.does(root, "withdraw")
    await world.settled()
    await world.say(heir, DISPATCHED)
    assert await kinds(world, heir) == ["dispatched", "dispatched", "linked"]
    assert await kinds(world, third) == ["dispatched", "linked"]
    await world.joined(heir, await world.received(**OTHER))
    assert (await kinds(world, heir)).count("linked") == 2
    assert (await kinds(world, third)).count("linked") == 1


async def test_each_answer_is_told_without_its_words_even_if_the_first_reporter_left_no_address(
    world: CitizensWorld,
) -> None:
    root, child = await world.received(phone=None), await world.received(**OTHER)
    await world.joined(child, root)
    await world.does(root, "answer", text="张阿姨，请到窗口办理")
    await world.does(root, "answer", answered=False)
    await world.does(root, "answer", text="也可网上办理")
    assert await kinds(world, child) == ["answered", "answered", "linked", "received"]
    rows = await world.kept("SELECT text FROM notices")
    assert not any("窗口" in row["text"] or "网上" in row["text"] for row in rows)


async def test_a_transfer_is_told_to_all_who_wait(world: CitizensWorld) -> None:
    root, child = await cold(world, 2)
    body = next(iter(world.stage.context.engine.city.bodies.values()))
    await world.does(root, "transfer", body=body.code, reason="不属本市")
    assert await kinds(world, child) == ["linked", "transferred"]
    assert any(body.name.zh in text and child["number"] in text for _, text in await world.told(4))


async def test_a_person_hears_once_however_many_of_their_appeals_wait_and_a_device_not_at_all(
    world: CitizensWorld,
) -> None:
    root, child = await cold(world, 2)
    again = await too_cold(world, phone="13900139001")
    roots_own = await too_cold(world, phone="13900139000")
    device = await too_cold(world, reporter={"type": "sensor", "phone": PHONE})
    its_owner = await too_cold(world, phone=PHONE)
    await world.say(root, DISPATCHED)
    assert [await kinds(world, ticket) for ticket in (child, its_owner)] == [["dispatched", "linked"]] * 2
    assert [await kinds(world, ticket) for ticket in (again, roots_own, device)] == [["linked"]] * 3
    await world.does(child, "unlink", reason="x")
    await world.say(root, RESOLVED)
    assert await kinds(world, again) == ["linked", "resolved"]


async def test_however_many_wait_each_transaction_tells_some_and_nobody_is_left_out(
    world: CitizensWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    async def counted(connection: Any, notices: Sequence[Notice], now: Any) -> None:
        sizes.append(len(notices))
        await enqueue(connection, notices, now)

    monkeypatch.setattr(telling, "TOLD_AT_ONCE", 3)
    monkeypatch.setattr(telling, "enqueue", counted)
    root, *children = await cold(world, 9)
    await world.kept(
        "INSERT INTO supporters SELECT gen_random_uuid(), $1, 'p' || n, 'follow', now(), 'zh', '[\"sms\"]', '\\x00' "
        "FROM generate_series(1, 5) n",
        (await world.kept("SELECT ticket_id FROM tickets WHERE number = $1", root["number"]))[0]["ticket_id"],
    )
    await world.say(root, DISPATCHED, RESOLVED)
    for child in children:
        assert await kinds(world, child) == ["dispatched", "linked", "resolved"]
    (followers,) = await world.kept("SELECT count(*) AS n FROM notices WHERE \"to\" LIKE 'follower:%'")
    assert (followers["n"], max(sizes)) == (10, 3)
    assert await world.kept("SELECT FROM news WHERE NOT told") == []


async def test_what_others_wait_for_does_not_wake_them_at_night(world: CitizensWorld) -> None:
    root, child = await cold(world, 2)
    world.clock.advance(hours=11)
    await world.does(root, "answer", text="已恢复")
    await world.settled()
    by_kind = {message["kind"]: message for message in (await world.messages(child))["messages"]}
    assert by_kind["answered"]["state"] == "waiting"


async def test_a_city_that_does_not_tell_a_kind_tells_it_to_nobody(world: CitizensWorld) -> None:
    engine = world.stage.context.engine
    engine.telling = replace(engine.telling, off=frozenset({"dispatched"}))
    root, child = await cold(world, 2)
    await world.say(root, DISPATCHED)
    assert await kinds(world, child) == ["linked"]


async def test_what_is_asked_in_a_later_round_of_the_lead_is_among_the_messages(world: CitizensWorld) -> None:
    root, child = await cold(world, 2)
    await world.say(root, RESOLVED.model_copy(update={"round": 2}))
    await world.say(child, ASKED.model_copy(update={"round": 2, "at": ASKED.at + timedelta(days=1)}))
    assert await kinds(world, child) == ["asked", "linked", "resolved"]


@pytest.mark.parametrize(("language", "says"), [("zh", "已修好"), ("en", '<span lang="zh-CN">已修好</span>')])
async def test_the_page_that_the_message_leads_to_shows_the_answer_and_whose_number_it_is(
    world: CitizensWorld, language: str, says: str
) -> None:
    root, child = await cold(world, 2)
    await world.say(root, classified(), DISPATCHED, RESOLVED)
    answer = await world.browser.get(
        f"/intake/tickets/{child['ticket_id']}?code={child['query_code']}&lang={language}", follow_redirects=True
    )
    page = (await world.browser.get(answer.url.path, params={"lang": language})).text
    assert all(word in page for word in (says, root["number"], "市城市管理委员会", "路灯不亮"))
    assert not any(words in page for words in COLD)
