"""Asking for a person over HTTP: the queue, taking, calls back, who may see what, who left without a word."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from prometheus_client import REGISTRY

from services.intake.handlers.waits import watch_sessions
from tests.support.sessions import World, running_sessions


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with running_sessions(tmp_path, fresh_database) as world:
        yield world


async def test_who_needs_it_most_comes_first_and_then_who_came_first(world: World) -> None:
    first = await world.opened()
    world.clock.advance(seconds=1)
    second = await world.opened()
    world.clock.advance(seconds=1)
    elderly = await world.opened(needs=["elderly", "elderly"])
    assert [one["ahead"] for one in (first, second, elderly)] == [0, 1, 0]
    assert elderly["needs"] == ["elderly"]
    queue = (await world.seat.get("/intake/v1/sessions", params={"limit": 2})).json()
    assert [one["session_id"] for one in queue["items"]] == [elderly["session_id"], first["session_id"]]
    rest = (await world.seat.get("/intake/v1/sessions", params={"after": queue["next"]})).json()
    assert [one["session_id"] for one in rest["items"]] == [second["session_id"]]
    nowhere = await world.seat.get("/intake/v1/sessions", params={"after": str(UUID(int=7))})
    assert nowhere.status_code == 422


async def test_nothing_that_is_said_or_left_stands_in_the_clear(world: World) -> None:
    session = await world.opened(phone="13800138000", name="欧阳婷", question="我住花家地3号楼501室")
    path = f"/intake/v1/sessions/{session['session_id']}"
    await world.app.post(f"{path}/messages", params={"pass": session["pass"]}, json={"text": "我叫欧阳婷"})
    for table in ("sessions", "spoken", "vault_keys"):
        rows = str(await world.pool.fetch(f"SELECT t::text FROM {table} t"))  # noqa: S608 names of ours
        assert not [secret for secret in ("欧阳婷", "13800138000", "501室") if secret in rows]


async def test_when_all_are_busy_the_question_is_left_and_the_citizen_is_called_back(world: World) -> None:
    session = await world.opened(question="什么时候来水", name="欧阳婷")
    path = f"/intake/v1/sessions/{session['session_id']}"
    world.clock.advance(minutes=2)
    mine = {"pass": session["pass"]}
    assert (await world.app.get(path, params=mine)).json()["offer_callback"]
    left = {"phone": "13800138000", "name": "欧阳"}
    assert (await world.app.post(f"{path}/callback", params=mine, json=left)).json()["kind"] == "callback"
    taken = (await world.seat.post(f"{path}/take")).json()
    assert (taken["phone"], taken["name"], taken["question"]) == ("13800138000", "欧阳", "什么时候来水")
    assert (await world.seat.post(f"{path}/end", json={"outcome": "helped"})).json()["state"] == "ended"
    found = (await world.seat.get("/intake/v1/sessions/quality", params={"period": "2026-03"})).json()
    assert (found["groups"]["chat"]["called_back"], found["groups"]["chat"]["reached"]) == (1, 1)


async def test_who_did_not_take_the_call_comes_again_after_a_while_and_first(world: World) -> None:
    call = await world.opened(kind="callback", phone="13800138000")
    path = f"/intake/v1/sessions/{call['session_id']}"
    await world.seat.post(f"{path}/take")
    assert (await world.seat.post(f"{path}/missed")).json()["tries"] == 1
    world.clock.advance(seconds=1)
    later = await world.opened(kind="callback", phone="13900139000")
    assert later["ahead"] == 0
    assert await world.queue() == [later["session_id"]]
    world.clock.advance(minutes=15)
    assert await world.queue() == [call["session_id"], later["session_id"]]


async def test_only_the_two_who_speak_may_read(world: World) -> None:
    session = await world.opened()
    path = f"/intake/v1/sessions/{session['session_id']}"
    await world.seat.post(f"{path}/take")
    other = await world.opened()
    assert (await world.other.get(f"{path}/messages")).status_code == 403
    assert (await world.app.get(f"{path}/messages")).status_code == 403
    assert (await world.app.get(f"{path}/messages", params={"pass": other["pass"]})).status_code == 403
    assert (await world.other.post(f"{path}/take")).status_code == 403
    assert (await world.other.post(f"{path}/release")).status_code == 403


async def test_a_supervisor_puts_back_who_waits_for_a_seat_that_is_gone(world: World) -> None:
    session = await world.opened()
    path = f"/intake/v1/sessions/{session['session_id']}"
    await world.seat.post(f"{path}/take")
    assert (await world.lead.post(f"{path}/release")).json()["state"] == "waiting"
    assert (await world.other.post(f"{path}/take")).json()["state"] == "taken"


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"kind": "video"}, 409),
        ({"kind": "callback"}, 422),
        ({"kind": "letter"}, 422),
        ({"phone": "abc"}, 422),
        ({"language": "zh" + "-aa" * 40}, 422),
    ],
)
async def test_a_wish_that_cannot_be_is_told_why(world: World, wish: dict[str, str], status: int) -> None:
    answer: httpx.Response = await world.app.post("/intake/v1/sessions", json={"kind": "chat"} | wish)
    assert answer.status_code == status


@pytest.mark.parametrize("command", [{"outcome": "ticket"}, {"outcome": "ticket", "ticket_id": str(UUID(int=7))}])
async def test_a_ticket_that_came_of_a_session_is_one_that_there_is(world: World, command: dict[str, str]) -> None:
    path = f"/intake/v1/sessions/{(await world.opened())['session_id']}"
    await world.seat.post(f"{path}/take")
    assert (await world.seat.post(f"{path}/end", json=command)).status_code == 422


async def test_a_video_leads_both_to_the_same_room_and_nobody_else(world: World) -> None:
    engine = world.stages[0].context.engine
    engine.city = replace(engine.city, access=replace(engine.city.access, video_url="https://video.example.org/{room}"))
    session = await world.opened(kind="video", needs=["sign_language"])
    path = f"/intake/v1/sessions/{session['session_id']}"
    assert (await world.seat.get(path)).json()["video_url"] is None
    taken = (await world.seat.post(f"{path}/take")).json()
    assert taken["video_url"] == session["video_url"] == (await world.seat.get(path)).json()["video_url"]
    assert taken["video_url"].startswith("https://video.example.org/")
    assert (await world.other.get(path)).json()["video_url"] is None


async def test_who_tells_of_danger_is_told_whom_to_call_while_they_wait(world: World) -> None:
    session = await world.opened(question="我家着火了，快来人")
    assert "119" in session["emergency"]
    path = f"/intake/v1/sessions/{session['session_id']}/messages"
    mine = {"pass": session["pass"]}
    assert "120" in (await world.app.post(path, params=mine, json={"text": "老人晕倒了叫不醒"})).json()["emergency"]
    assert (await world.app.post(path, params=mine, json={"text": "路灯不亮"})).json()["emergency"] is None


async def test_who_has_not_looked_for_long_has_left_and_who_waits_for_a_call_has_not(world: World) -> None:
    gone = await world.opened()
    looks = await world.opened()
    world.clock.advance(seconds=1)
    calls = await world.opened(kind="callback", phone="13800138000")
    path = f"/intake/v1/sessions/{looks['session_id']}"
    for _ in range(3):
        world.clock.advance(minutes=20)
        await world.app.get(path, params={"pass": looks["pass"]})
        await watch_sessions(world.stages[0].context)
    assert await world.queue() == [looks["session_id"], calls["session_id"]]
    seen = (await world.seat.get(f"/intake/v1/sessions/{gone['session_id']}")).json()
    assert (seen["state"], seen["outcome"]) == ("gone", "left")
    assert (await world.seat.get(path)).json()["state"] == "waiting"


async def test_a_seat_that_looks_does_not_stand_for_the_citizen(world: World) -> None:
    session = await world.opened()
    path = f"/intake/v1/sessions/{session['session_id']}"
    await world.seat.post(f"{path}/take")
    for _ in range(2):
        world.clock.advance(minutes=20)
        await world.seat.get(f"{path}/messages")
        await watch_sessions(world.stages[0].context)
    assert (await world.seat.get(path)).json()["state"] == "gone"


@pytest.mark.parametrize("leaves", [True, False])
async def test_old_sessions_are_forgotten_and_only_the_counts_stay(world: World, leaves: bool) -> None:
    session = await world.opened(kind="callback", phone="13800138000")
    path = f"/intake/v1/sessions/{session['session_id']}"
    if leaves:
        await world.app.post(f"{path}/leave", params={"pass": session["pass"]})
    world.clock.advance(days=181)
    await watch_sessions(world.stages[0].context)
    left = await world.pool.fetchrow("SELECT card, ticket_id, state FROM sessions")
    assert left
    assert tuple(left) == (b"", None, "gone")
    assert await world.pool.fetchval("SELECT (SELECT count(*) FROM spoken) + (SELECT count(*) FROM vault_keys)") == 0
    assert (await world.seat.post(f"{path}/take")).status_code == 409
    found = (await world.seat.get("/intake/v1/sessions/quality", params={"period": "2026"})).json()
    assert (found["groups"]["callback"]["asked"], found["groups"]["callback"]["gone"]) == (1, 1)


async def test_the_waits_of_those_who_were_taken_are_ranked_by_kind_and_need(world: World) -> None:
    opened = [await world.opened(needs=["elderly"] if n < 2 else []) for n in range(4)]
    for one in opened[:3]:
        world.clock.advance(seconds=10)
        await world.seat.post(f"/intake/v1/sessions/{one['session_id']}/take")
    last = f"/intake/v1/sessions/{opened[3]['session_id']}"
    await world.app.post(f"{last}/leave", params={"pass": opened[3]["pass"]})
    groups = (await world.seat.get("/intake/v1/sessions/quality", params={"period": "2026-03-02"})).json()["groups"]
    assert groups.keys() == {"chat", "elderly"}
    chat = groups["chat"]
    assert (chat["asked"], chat["taken"], chat["gone"], chat["half_waited"], chat["most_waited"]) == (4, 3, 1, 20, 30)
    assert (groups["elderly"]["asked"], groups["elderly"]["most_waited"]) == (2, 20)


async def test_a_wait_is_measured_once_however_often_the_seat_opens_the_session(world: World) -> None:
    def measured() -> float:
        return REGISTRY.get_sample_value("jiesu_intake_session_wait_seconds_count", {"kind": "chat"}) or 0

    before, session = measured(), await world.opened()
    for _ in range(2):
        await world.seat.post(f"/intake/v1/sessions/{session['session_id']}/take")
    await watch_sessions(world.stages[0].context)
    assert measured() == before + 1


async def test_a_wish_sent_again_under_its_key_is_one_session_and_another_wish_needs_another_key(world: World) -> None:
    async def ask(key: str, http: httpx.AsyncClient = world.app, **wish: str) -> httpx.Response:
        body = {"kind": "callback", "phone": "13800138000"} | wish
        return await http.post("/intake/v1/sessions", json=body, headers={"Idempotency-Key": key})

    first, again, next_ = await ask("k1"), await ask("k1"), await ask("k2")
    assert [one.status_code for one in (first, again, next_)] == [201] * 3
    assert first.json()["session_id"] == again.json()["session_id"] != next_.json()["session_id"]
    assert len(await world.queue()) == 2
    other = await ask("k1", phone="13900139000")
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    elsewhere = await ask("k1", http=world.seat)
    assert elsewhere.json()["session_id"] != first.json()["session_id"]


async def test_two_wishes_under_one_key_at_once_are_one_session(world: World) -> None:
    keyed = {"Idempotency-Key": "k"}
    both = await asyncio.gather(
        *(world.app.post("/intake/v1/sessions", json={"kind": "chat"}, headers=keyed) for _ in range(2))
    )
    assert len({one.json()["session_id"] for one in both}) == len(await world.queue()) == 1


async def test_the_queue_is_listed_by_language(world: World) -> None:
    for language in ("zh", "en", "zh-Hant"):
        await world.opened(language=language)
        world.clock.advance(seconds=1)

    async def languages(wanted: str) -> list[str]:
        found = await world.seat.get("/intake/v1/sessions", params={"language": wanted})
        return [one["language"] for one in found.json()["items"]]

    assert [await languages(one) for one in ("zh", "en", "zh-Hant", "fr")] == [
        ["zh", "zh-Hant"], ["en"], ["zh-Hant"], [],
    ]  # fmt: skip
