"""Live transcript: a WebSocket takes a call's audio and gives its words as they are spoken. Nothing of it is kept.

The client first sends one line of JSON, `{"key": …, "rate": 8000 | 16000, "language": "zh"}` (the key may stand in the
Authorization header, the language may be left out), then audio as binary messages: mono, 16 bits, little-endian. It
gets `{"type": "partial" | "final", "text", "begins", "ends"}`; a partial replaces the one before it. `{"end": true}`
asks for the rest, after which `{"type": "end"}` comes. What goes wrong comes as `{"type": "error", "problem": …}`
before the close.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Annotated, Literal

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import StringConstraints, ValidationError

from libs.common.runtime.http import Body
from libs.common.runtime.problems import Problem, invalid
from libs.common.runtime.reading import Heard, ReadError, TooSlowError, Words, transcript
from services.intake.appeal import Language
from services.intake.handlers import Here

router = APIRouter()
HELLO_SECONDS = 10
SILENT_SECONDS = 300
"""Who sends nothing for so long, not even silence, keeps a machine from others and is let go."""
LARGEST_PIECE = 1024 * 1024
POLICY_VIOLATION, TRY_AGAIN_LATER, ERROR = 1008, 1013, 1011


class Hello(Body):
    """What a client says first."""

    key: Annotated[str, StringConstraints(max_length=200)] | None = None
    rate: Literal[8000, 16000] = 16000
    language: Language | None = None


class End(Body):
    """What a client says last."""

    end: Literal[True]


@router.websocket("/transcripts/live")
async def live_transcript(socket: WebSocket) -> None:
    """Transcribe what a seat hears. The role is seat; as many at once as JIESU_SPEECH_SESSIONS."""
    here: Here = socket.app.state.context
    await socket.accept()
    try:
        hello = await _hello(socket, here)
        async with here.engine.reading.call() as reader:

            async def read(pcm: bytes) -> Words:
                return await reader.speech(pcm, hello.rate, hello.language)

            async with aclosing(transcript(_audio(socket), hello.rate, read)) as utterances:
                async for heard in utterances:
                    await socket.send_json(_told(heard))
        await socket.send_json({"type": "end"})
        await socket.close()
    except Problem as problem:
        await _refuse(socket, problem, TRY_AGAIN_LATER if problem.status == 503 else POLICY_VIOLATION)
    except TooSlowError:
        await _refuse(socket, Problem(503, "the machine cannot follow; try again when fewer are transcribed"), ERROR)
    except ReadError:
        await _refuse(socket, Problem(503, "the transcription broke off; begin again"), ERROR)
    except TimeoutError:
        await _refuse(socket, Problem(408, f"no audio came for {SILENT_SECONDS} s"), POLICY_VIOLATION)
    except WebSocketDisconnect:
        pass


def _told(heard: Heard) -> dict[str, object]:
    kind = "final" if heard.final else "partial"
    return {"type": kind, "text": heard.text, "begins": round(heard.begins, 2), "ends": round(heard.ends, 2)}


async def _hello(socket: WebSocket, here: Here) -> Hello:
    try:
        said = await asyncio.wait_for(socket.receive_text(), HELLO_SECONDS)
        hello = Hello.model_validate_json(said)
    except ValidationError as error:
        raise invalid(error) from None
    except (TimeoutError, KeyError):
        raise Problem(422, 'the first message must be text such as {"key": "…", "rate": 16000}') from None
    key = hello.key or socket.headers.get("authorization", "").partition(" ")[2]
    holder = here.keys.holder(key.strip())
    if holder is None:
        raise Problem(401, "the key is not known")
    if not holder.may("seat", "supervisor"):
        raise Problem(403, "this needs the role seat or supervisor")
    return hello


async def _audio(socket: WebSocket) -> AsyncIterator[bytes]:
    """Yield audio until the client says that it ends. Raises WebSocketDisconnect when it just goes, TimeoutError."""
    while True:
        async with asyncio.timeout(SILENT_SECONDS):
            message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        pcm = message.get("bytes")
        if pcm is None:
            _ended(message["text"])
            return
        if len(pcm) > LARGEST_PIECE:
            raise Problem(413, f"a message may have at most {LARGEST_PIECE} bytes of audio")
        yield pcm


def _ended(said: str) -> None:
    try:
        End.model_validate_json(said)
    except ValidationError:
        raise Problem(422, 'after the first, the only text message is {"end": true}') from None


async def _refuse(socket: WebSocket, problem: Problem, code: int) -> None:
    # The client may be gone by then.
    with suppress(RuntimeError, WebSocketDisconnect):
        await socket.send_json({"type": "error", "problem": problem.body()})
        await socket.close(code)
