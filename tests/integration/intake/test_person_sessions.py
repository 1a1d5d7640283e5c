"""Asking for a person over HTTP and WebSocket: the queue, chats across two processes, captions, calls back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.app import process_app
from libs.common.runtime.process import Stage, bind, serve
from libs.common.runtime.security import KeyRing
from services.intake.service import SERVICE
from tests.support.stages import ManualClock, client, running, settings_for

SPOKEN = Path("tests/support/spoken/water.ogg")


class World:
    """One or two processes on one database, and the keys they know."""

    def __init__(self, stages: list[Stage], ports: list[int], keys: dict[str, str], clock: ManualClock) -> None:
        self.stages, self.ports, self.keys, self.clock = stages, ports, keys, clock
        self.seat, self.other, self.app = (
            client([stages[0]], keys[name]) for name in ("seat", "other", "app")
        )  # fmt: skip

    async def opened(self, **wish: Any) -> dict[str, Any]:
        """Open a session."""
        answer = await self.app.post("/intake/v1/sessions", json={"kind": "chat"} | wish)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def chat(self, session: str, process: int = 0) -> connect:
        """Return a connection to a chat, at one of the processes."""
        return connect(f"ws://127.0.0.1:{self.ports[process]}/intake/v1/sessions/{session}/chat")


async def until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next thing of this kind that comes."""
    async with asyncio.timeout(60):
        while (said := json.loads(await socket.recv()))["type"] != kind:
            pass
    return dict(said)


async def worlds(home: Path, dsn: str, processes: int, model: Path | None = None) -> AsyncIterator[World]:
    """Serve intake in so many processes' worth of stages."""
    settings = replace(settings_for(home, dsn), speech_model=model)
    ring = KeyRing(settings.keys_file)
    keys = {
        "seat": ring.issue("seat-1", ["seat"]), "other": ring.issue("seat-2", ["seat"]),
        "app": ring.issue("app", ["adapter"]),
    }  # fmt: skip
    clock, stages, ports, serving = ManualClock(), [], [], []
    async with AsyncExitStack() as stack:
        for _ in range(processes):
            stages.append(await stack.enter_async_context(running(SERVICE, settings, MemoryBus(), clock)))
            socket = bind("127.0.0.1", 0)
            ports.append(socket.getsockname()[1])
            serving.append(asyncio.create_task(serve(process_app([stages[-1]]), socket)))
        yield World(stages, ports, keys, clock)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async for world in worlds(tmp_path, fresh_database, 2):
        yield world


@pytest.fixture
async def hearing(fresh_database: str, tmp_path: Path, speech_model: Path) -> AsyncIterator[World]:
    async for world in worlds(tmp_path, fresh_database, 1, speech_model):
        yield world


async def test_who_needs_it_most_comes_first_and_then_who_came_first(world: World) -> None:
    first = await world.opened()
    world.clock.advance(seconds=1)
    second = await world.opened()
    world.clock.advance(seconds=1)
    elderly = await world.opened(needs=["elderly"])
    assert [one["ahead"] for one in (first, second, elderly)] == [0, 1, 0]
    queue = (await world.seat.get("/intake/v1/sessions", params={"limit": 2})).json()
    assert [one["session_id"] for one in queue["items"]] == [elderly["session_id"], first["session_id"]]
    rest = (await world.seat.get("/intake/v1/sessions", params={"after": queue["next"]})).json()
    assert [one["session_id"] for one in rest["items"]] == [second["session_id"]]


async def test_citizen_and_seat_speak_in_two_processes_and_each_hears_all_once_and_in_order(world: World) -> None:
    session = await world.opened(needs=["text_only"])
    path = f"/intake/v1/sessions/{session['session_id']}"
    async with world.chat(session["session_id"], 0) as citizen:
        await citizen.send(json.dumps({"pass": session["pass"]}))
        assert (await until(citizen, "state"))["state"] == "waiting"
        await citizen.send(json.dumps({"text": "我听不见，家里停水了"}))
        await until(citizen, "message")
        assert (await world.seat.post(f"{path}/take")).status_code == 200
        async with world.chat(session["session_id"], 1) as seat:
            await seat.send(json.dumps({"key": world.keys["seat"]}))
            assert (await until(seat, "message"))["text"] == "我听不见，家里停水了"
            await seat.send(json.dumps({"text": "请问您在哪里？"}))
            heard = await until(citizen, "message")
            assert (heard["by"], heard["text"]) == ("seat", "请问您在哪里？")
    async with world.chat(session["session_id"], 0) as again:
        await again.send(json.dumps({"pass": session["pass"], "after": heard["seq"]}))
        await world.seat.post(f"{path}/messages", json={"text": "还在吗？"})
        assert (await until(again, "message"))["text"] == "还在吗？"
        await world.seat.post(f"{path}/end", json={"outcome": "helped"})
        assert (await until(again, "state"))["state"] in {"taken", "ended"}
    told = (await world.app.get(f"{path}/messages", params={"pass": session["pass"]})).json()
    assert [line["text"] for line in told] == ["我听不见，家里停水了", "请问您在哪里？", "还在吗？"]


async def test_nothing_that_is_said_or_left_stands_in_the_clear(world: World) -> None:
    session = await world.opened(phone="13800138000", name="欧阳婷", question="我住花家地3号楼501室")
    path = f"/intake/v1/sessions/{session['session_id']}"
    await world.app.post(f"{path}/messages", params={"pass": session["pass"]}, json={"text": "我叫欧阳婷"})
    pool = world.stages[0].context.database.pool
    for table in ("sessions", "spoken", "vault_keys"):
        rows = str(await pool.fetch(f"SELECT t::text FROM {table} t"))  # noqa: S608 names of ours
        assert not [secret for secret in ("欧阳婷", "13800138000", "501室") if secret in rows]


async def test_when_all_are_busy_the_question_is_left_and_the_citizen_is_called_back(world: World) -> None:
    session = await world.opened()
    path = f"/intake/v1/sessions/{session['session_id']}"
    world.clock.advance(minutes=2)
    mine = {"pass": session["pass"]}
    assert (await world.app.get(path, params=mine)).json()["offer_callback"]
    left = {"phone": "13800138000", "question": "什么时候来水"}
    assert (await world.app.post(f"{path}/callback", params=mine, json=left)).json()["kind"] == "callback"
    taken = (await world.seat.post(f"{path}/take")).json()
    assert (taken["phone"], taken["question"]) == ("13800138000", "什么时候来水")
    assert (await world.seat.post(f"{path}/missed")).json()["tries"] == 1
    await world.seat.post(f"{path}/take")
    assert (await world.seat.post(f"{path}/end", json={"outcome": "helped"})).json()["state"] == "ended"
    found = (await world.seat.get("/intake/v1/sessions/quality", params={"period": "2026-03"})).json()
    assert (found["groups"]["chat"]["called_back"], found["groups"]["chat"]["reached"]) == (1, 1)


async def test_only_the_two_who_speak_may_read(world: World) -> None:
    session = await world.opened()
    path = f"/intake/v1/sessions/{session['session_id']}"
    await world.seat.post(f"{path}/take")
    other = await world.opened()
    assert (await world.other.get(f"{path}/messages")).status_code == 403
    assert (await world.app.get(f"{path}/messages")).status_code == 403
    assert (await world.app.get(f"{path}/messages", params={"pass": other["pass"]})).status_code == 403
    assert (await world.other.post(f"{path}/take")).status_code == 403
    async with world.chat(session["session_id"]) as socket:
        await socket.send(json.dumps({"key": world.keys["other"]}))
        assert (await until(socket, "error"))["problem"]["status"] == 403


async def test_what_cannot_be_said_is_told_and_the_chat_goes_on(world: World) -> None:
    session = await world.opened()
    async with world.chat(session["session_id"]) as socket:
        await socket.send(json.dumps({"pass": session["pass"]}))
        for wrong in ('{"text": ""}', "no json", json.dumps({"text": "a\0b"}), json.dumps({"text": "x" * 5001})):
            await socket.send(wrong)
            assert (await until(socket, "error"))["problem"]["status"] in {400, 422}
        await socket.send(json.dumps({"text": "还在"}))
        assert (await until(socket, "message"))["text"] == "还在"


async def test_what_the_seat_says_is_read_by_who_cannot_hear_it(hearing: World) -> None:
    from faster_whisper.audio import decode_audio  # noqa: PLC0415 installed on demand

    session = await hearing.opened(needs=["text_only"])
    await hearing.seat.post(f"/intake/v1/sessions/{session['session_id']}/take")
    pcm = (decode_audio(str(SPOKEN), sampling_rate=16000) * 32767).astype("<i2").tobytes() + bytes(64000)
    async with hearing.chat(session["session_id"]) as citizen, hearing.chat(session["session_id"]) as seat:
        await citizen.send(json.dumps({"pass": session["pass"]}))
        await seat.send(json.dumps({"key": hearing.keys["seat"], "rate": 16000}))
        for start in range(0, len(pcm), 32000):
            await seat.send(pcm[start : start + 32000])
        caption = await until(citizen, "message")
    assert (caption["by"], caption["heard"], "days" in caption["text"]) == ("seat", True, True)


@pytest.mark.parametrize(
    ("wish", "status"),
    [({"kind": "video"}, 409), ({"kind": "callback"}, 422), ({"kind": "letter"}, 422), ({"phone": "abc"}, 422)],
)
async def test_a_wish_that_cannot_be_is_told_why(world: World, wish: dict[str, str], status: int) -> None:
    answer: httpx.Response = await world.app.post("/intake/v1/sessions", json={"kind": "chat"} | wish)
    assert answer.status_code == status


async def test_a_video_leads_both_to_the_same_room(world: World) -> None:
    engine = world.stages[0].context.engine
    engine.city = replace(engine.city, access=replace(engine.city.access, video_url="https://video.example.org/{room}"))
    session = await world.opened(kind="video", needs=["sign_language"])
    taken = (await world.seat.post(f"/intake/v1/sessions/{session['session_id']}/take")).json()
    assert taken["video_url"] == session["video_url"]
    assert taken["video_url"].startswith("https://video.example.org/")


async def test_old_sessions_are_forgotten_with_their_words_and_keys(world: World) -> None:
    session = await world.opened(phone="13800138000")
    path = f"/intake/v1/sessions/{session['session_id']}"
    await world.app.post(f"{path}/messages", params={"pass": session["pass"]}, json={"text": "在吗"})
    await world.app.post(f"{path}/leave", params={"pass": session["pass"]})
    world.clock.advance(days=181)
    pool = world.stages[0].context.database.pool
    async with asyncio.timeout(30):
        while await pool.fetchval("SELECT count(*) FROM sessions"):
            world.stages[0].context.loops["sessions"].wake()
            await pool.execute("SELECT pg_sleep(0.05)")
    assert await pool.fetchval("SELECT (SELECT count(*) FROM spoken) + (SELECT count(*) FROM vault_keys)") == 0
