"""The live transcript over a real WebSocket: audio in, words out, and who is not let in."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.app import process_app
from libs.common.runtime.process import bind, serve
from libs.common.runtime.security import KeyRing
from services.intake.service import SERVICE
from tests.support.stages import ManualClock, running, settings_for

SPOKEN = Path("tests/support/spoken/water.ogg")


class Line:
    """Where the service listens, and the keys it knows."""

    def __init__(self, url: str, keys: dict[str, str]) -> None:
        self.url, self.keys = url, keys

    def connect(self) -> connect:
        """Return a connection to the live transcript."""
        return connect(self.url)


async def told(socket: ClientConnection) -> list[dict[str, Any]]:
    """Return all the service says until it closes."""
    said = []
    with suppress(ConnectionClosedError):
        async for message in socket:
            said.append(json.loads(message))  # noqa: PERF401 what came before it closed is wanted too
    return said


async def listening(home: Path, dsn: str, model: Path | None) -> AsyncIterator[Line]:
    """Serve intake on a port of its own."""
    settings = replace(settings_for(home, dsn), speech_model=model, speech_sessions=1)
    ring = KeyRing(settings.keys_file)
    keys = {"seat": (home / "key").read_text(), "adapter": ring.issue("app", ["adapter"])}
    async with running(SERVICE, settings, MemoryBus(), ManualClock()) as stage:
        socket = bind("127.0.0.1", 0)
        serving = asyncio.create_task(serve(process_app([stage]), socket))
        yield Line(f"ws://127.0.0.1:{socket.getsockname()[1]}/intake/v1/transcripts/live", keys)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


@pytest.fixture
async def line(fresh_database: str, tmp_path: Path) -> AsyncIterator[Line]:
    async for served in listening(tmp_path, fresh_database, None):
        yield served


@pytest.fixture
async def hearing(fresh_database: str, tmp_path: Path, speech_model: Path) -> AsyncIterator[Line]:
    async for served in listening(tmp_path, fresh_database, speech_model):
        yield served


def pcm(rate: int) -> bytes:
    """Return the spoken words as a telephone line carries them."""
    from faster_whisper.audio import decode_audio  # noqa: PLC0415 installed on demand

    return bytes((decode_audio(str(SPOKEN), sampling_rate=rate) * 32767).astype("<i2").tobytes())


@pytest.mark.parametrize("rate", [8000, 16000])
async def test_words_come_as_they_are_spoken_and_once_more_when_they_are_final(hearing: Line, rate: int) -> None:
    audio = pcm(rate) + np.zeros(rate, "<i2").tobytes()
    async with hearing.connect() as socket:
        await socket.send(json.dumps({"key": hearing.keys["seat"], "rate": rate, "language": "en"}))
        for start in range(0, len(audio), rate):
            await socket.send(audio[start : start + rate])
        await socket.send('{"end": true}')
        said = await told(socket)
    assert said[-1] == {"type": "end"}
    final = " ".join(one["text"] for one in said if one["type"] == "final")
    assert "building" in final


async def test_when_all_readers_are_lent_the_next_call_is_told_to_come_back(hearing: Line) -> None:
    async with hearing.connect() as first, hearing.connect() as second:
        await first.send(json.dumps({"key": hearing.keys["seat"]}))
        await first.send(pcm(16000)[:64000])
        assert json.loads(await first.recv())["type"] == "partial"
        await second.send(json.dumps({"key": hearing.keys["seat"]}))
        (refusal,) = await told(second)
    assert (refusal["type"], refusal["problem"]["status"], second.close_code) == ("error", 503, 1013)


async def test_without_a_model_the_seat_is_told_what_is_missing(line: Line) -> None:
    async with line.connect() as socket:
        await socket.send(json.dumps({"key": line.keys["seat"]}))
        (refusal,) = await told(socket)
    assert "JIESU_SPEECH_MODEL" in refusal["problem"]["detail"]


@pytest.mark.parametrize(
    ("hello", "status"),
    [
        ('{"key": "jk_none"}', 401),
        ("{}", 401),
        ('{"rate": 44100}', 422),
        ('{"colour": 1}', 422),
        ("no json", 400),
        (b"\0\0", 422),
    ],
)
async def test_who_does_not_say_who_it_is_gets_a_problem_and_is_let_go(
    line: Line, hello: str | bytes, status: int
) -> None:
    async with line.connect() as socket:
        await socket.send(hello)
        (refusal,) = await told(socket)
    assert (refusal["problem"]["status"], socket.close_code) == (status, 1008)


async def test_an_adapter_may_not_listen(line: Line) -> None:
    async with line.connect() as socket:
        await socket.send(json.dumps({"key": line.keys["adapter"]}))
        (refusal,) = await told(socket)
    assert refusal["problem"]["status"] == 403
