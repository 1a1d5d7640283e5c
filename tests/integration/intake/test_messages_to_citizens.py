"""Messages to citizens: each step told once, to the one it concerns, and nothing of them where others could read it."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.common.runtime.telemetry import configure_logs
from tests.support.citizens import (
    ASKED,
    CLOSED,
    DISPATCHED,
    PHONE,
    RESOLVED,
    CitizensWorld,
    citizens_world,
    classified,
)

# One of apprise's plugins tries this module of the standard library.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CitizensWorld]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with citizens_world(fresh_database, tmp_path) as world:
        yield world


async def test_a_citizen_is_told_each_step_and_asked_by_a_link_that_opens(world: CitizensWorld) -> None:
    ticket = await world.received()
    await world.told(1)
    await world.say(ticket, classified(), DISPATCHED)
    await world.say(ticket, RESOLVED)
    await world.say(ticket, ASKED)
    await world.say(ticket, CLOSED)
    told = await world.told(5)
    texts = [text for _, text in told]
    assert {to for to, _ in told} == {"+8613800138000"}
    assert [any(word in text for text in texts) for word in ("已收到", "已派至", "已答复", "评价", "已办结")] == [
        True
    ] * 5
    assert all(ticket["number"] in text for text in texts)
    assert f"?code={ticket['query_code']}" in texts[0]
    (review,) = [text for text in texts if "/feedback/v1/review/" in text]
    assert world.stage.context.engine.review_link(_id(ticket), 1) in review


def _id(ticket: dict[str, Any]) -> UUID:
    return UUID(ticket["ticket_id"])


async def test_whom_a_seat_phones_is_not_asked_by_a_message_as_well(world: CitizensWorld) -> None:
    ticket = await world.received(channel="phone")
    await world.say(ticket, RESOLVED, ASKED.model_copy(update={"method": "callback"}), CLOSED)
    told = await world.told(3)
    assert [text for _, text in told if "/feedback/v1/review/" in text] == []
    assert sorted(message["kind"] for message in (await world.messages(ticket))["messages"]) == [
        "closed", "received", "resolved",
    ]  # fmt: skip


async def test_an_event_that_comes_twice_is_told_once(world: CitizensWorld) -> None:
    ticket = await world.received()
    await world.say(ticket, DISPATCHED)
    await world.say(ticket, DISPATCHED)
    await world.say(ticket, CLOSED)
    told = await world.told(3)
    assert len(told) == 3
    assert len(await world.kept("SELECT key FROM notices")) == 3


async def test_neither_address_nor_code_is_kept_with_the_message_or_logged(
    world: CitizensWorld, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    configure_logs("debug")
    world.gateway.answers.append(500)
    ticket = await world.received(reporter={"phone": PHONE, "name": "欧阳婷婷"})
    await world.say(ticket, ASKED)
    await world.told(2)
    review = world.stage.context.engine.review_link(_id(ticket), 1).rpartition("/")[2]
    rows = "".join(str(dict(row)) for row in await world.kept("SELECT * FROM notices"))
    told = rows + caplog.text + "".join(capsys.readouterr())
    assert ticket["number"] in rows
    assert [secret for secret in (PHONE, "欧阳婷婷", ticket["query_code"], review) if secret in told] == []


async def test_a_seat_sees_what_became_of_each_message_and_not_where_it_went(world: CitizensWorld) -> None:
    world.gateway.answers.append(500)
    ticket = await world.received()
    await world.told(1)
    (failed,) = (await world.messages(ticket))["messages"]
    while failed["state"] == "sending":
        (failed,) = (await world.messages(ticket))["messages"]
    assert (failed["kind"], failed["state"], failed["attempts"], failed["error"]) == (
        "received",
        "waiting",
        1,
        "http_500",
    )
    world.clock.advance(minutes=1)
    await world.told(2)
    shown = await world.messages(ticket)
    assert shown["ways"] == ["sms"]
    assert PHONE not in str(shown)


async def test_only_seats_see_messages(world: CitizensWorld) -> None:
    ticket = await world.received()
    answer = await world.browser.get(f"/intake/v1/tickets/{ticket['ticket_id']}/messages")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "reporter",
    [{}, {"phone": "010-65123456"}, {"phone": PHONE, "anonymous": True}],
    ids=["nobody", "landline", "anonymous"],
)
async def test_who_cannot_be_written_to_is_not(world: CitizensWorld, reporter: dict[str, object]) -> None:
    ticket = await world.received(reporter=reporter)
    await world.say(ticket, DISPATCHED)
    assert await world.messages(ticket) == {"ways": [], "messages": []}


async def test_without_a_gateway_each_message_is_recorded_as_failed_and_never_tried(
    fresh_database: str, tmp_path: Path
) -> None:
    async with citizens_world(fresh_database, tmp_path, sms_gateway="") as world:
        ticket = await world.received()
        await world.say(ticket, DISPATCHED)
        told = (await world.messages(ticket))["messages"]
        assert {m["kind"] for m in told} == {"received", "dispatched"}
        assert {(m["state"], m["error"], m["attempts"]) for m in told} == {("failed", "no_gateway", 0)}


async def test_a_city_switches_off_what_it_does_not_want_told(world: CitizensWorld) -> None:
    engine = world.stage.context.engine
    engine.telling = replace(engine.telling, off=frozenset({"received"}))
    ticket = await world.received()
    await world.say(ticket, DISPATCHED)
    assert [message["kind"] for message in (await world.messages(ticket))["messages"]] == ["dispatched"]


async def test_at_night_only_what_is_awaited_is_told(world: CitizensWorld) -> None:
    world.clock.advance(hours=11)
    ticket = await world.received()
    await world.say(ticket, DISPATCHED)
    await world.told(1)
    by_kind = {message["kind"]: message for message in (await world.messages(ticket))["messages"]}
    assert by_kind["dispatched"]["state"] == "waiting"
    world.clock.advance(hours=9)
    (_, (_, morning)) = await world.told(2)
    assert "已派至" in morning


async def test_an_emergency_is_told_its_number_at_any_hour(world: CitizensWorld) -> None:
    world.clock.advance(hours=14)
    await world.received(text="楼里着火了，快来人")
    ((_, text),) = await world.told(1)
    assert "119" in text


async def test_who_took_the_appeal_back_hears_no_more_of_it(world: CitizensWorld) -> None:
    ticket = await world.received()
    await world.told(1)
    await world.http.post(f"/intake/v1/tickets/{ticket['ticket_id']}/withdraw", json={})
    await world.say(ticket, CLOSED)
    assert [message["kind"] for message in (await world.messages(ticket))["messages"]] == ["received"]


async def test_who_was_answered_twice_is_told_twice(world: CitizensWorld) -> None:
    ticket = await world.received()
    path = f"/intake/v1/tickets/{ticket['ticket_id']}"
    await world.http.post(f"{path}/answer", json={"text": "请到窗口办理"})
    await world.http.post(f"{path}/answer", json={"answered": False})
    await world.http.post(f"{path}/answer", json={"text": "也可网上办理"})
    texts = [text for _, text in await world.told(3)]
    assert any("请到窗口办理" in text for text in texts)
    assert any("也可网上办理" in text for text in texts)


async def test_who_reads_english_is_told_in_english(world: CitizensWorld) -> None:
    await world.received(language="en", text="The street lamp has been broken for three days")
    ((_, text),) = await world.told(1)
    assert "We have your appeal" in text


async def test_who_was_erased_before_the_message_went_out_is_not_written_to(world: CitizensWorld) -> None:
    world.clock.advance(hours=11)
    ticket = await world.received()
    await world.told(1)
    await world.say(ticket, DISPATCHED)
    await world.kept("DELETE FROM vault_keys WHERE ticket_id = $1", _id(ticket))
    world.clock.advance(hours=12)
    world.stage.context.loops["courier"].wake()
    state = "waiting"
    while state in {"waiting", "sending"}:
        by_kind = {message["kind"]: message for message in (await world.messages(ticket))["messages"]}
        state = by_kind["dispatched"]["state"]
    assert state == "no_address"


async def test_a_round_more_is_told_anew(world: CitizensWorld) -> None:
    ticket = await world.received()
    await world.say(ticket, ASKED)
    await world.say(ticket, ASKED.model_copy(update={"round": 2, "at": ASKED.at + timedelta(days=1)}))
    assert len(await world.told(3)) == 3
