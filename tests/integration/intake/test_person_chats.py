"""Chats over WebSockets: two processes, captions, what cannot be said, strangers who hold the door."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from services.intake.chats import Chats
from tests.support.sessions import SPOKEN, World, running_sessions, until


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with running_sessions(tmp_path, fresh_database, 2) as world:
        yield world


@pytest.fixture
async def hearing(fresh_database: str, tmp_path: Path, speech_model: Path) -> AsyncIterator[World]:
    async with running_sessions(tmp_path, fresh_database, 1, speech_model) as world:
        yield world


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


async def test_another_seat_may_not_listen(world: World) -> None:
    session = await world.opened()
    await world.seat.post(f"/intake/v1/sessions/{session['session_id']}/take")
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


async def test_a_citizen_in_danger_is_told_whom_to_call(world: World) -> None:
    session = await world.opened()
    async with world.chat(session["session_id"]) as socket:
        await socket.send(json.dumps({"pass": session["pass"]}))
        await socket.send(json.dumps({"text": "我家着火了，快来人"}))
        assert "119" in (await until(socket, "emergency"))["text"]


async def test_one_citizen_does_not_take_the_room_of_all_others(world: World) -> None:
    mine, yours = await world.opened(), await world.opened()
    async with AsyncExitStack() as stack:
        for _ in range(Chats.MOST_EACH):
            socket = await stack.enter_async_context(world.chat(mine["session_id"]))
            await socket.send(json.dumps({"pass": mine["pass"]}))
            await until(socket, "state")
        one_more = await stack.enter_async_context(world.chat(mine["session_id"]))
        await one_more.send(json.dumps({"pass": mine["pass"]}))
        assert (await until(one_more, "error"))["problem"]["status"] == 503
        other = await stack.enter_async_context(world.chat(yours["session_id"]))
        await other.send(json.dumps({"pass": yours["pass"]}))
        assert (await until(other, "state"))["state"] == "waiting"


async def test_without_a_machine_the_chat_goes_on_without_captions(world: World) -> None:
    session = await world.opened()
    await world.seat.post(f"/intake/v1/sessions/{session['session_id']}/take")
    async with world.chat(session["session_id"]) as seat:
        await seat.send(json.dumps({"key": world.keys["seat"], "rate": 16000}))
        for _ in range(3):
            await seat.send(bytes(32000))
        assert (await until(seat, "error"))["problem"]["status"] == 503
        await seat.send(json.dumps({"text": "请打字"}))
        assert (await until(seat, "message"))["text"] == "请打字"


async def test_who_still_waits_keeps_no_machine_busy(hearing: World) -> None:
    session = await hearing.opened()
    async with hearing.chat(session["session_id"]) as citizen:
        await citizen.send(json.dumps({"pass": session["pass"], "rate": 16000}))
        await citizen.send(bytes(64000))
        await citizen.send(json.dumps({"text": "有人吗"}))
        assert (await until(citizen, "message"))["text"] == "有人吗"
        async with hearing.stages[0].context.engine.reading.call(), hearing.stages[0].context.engine.reading.call():
            pass


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
