"""What is said in a session, over HTTP or a WebSocket; what is spoken comes as captions to who cannot hear it.

On the WebSocket the client first sends one line of JSON: `{"pass": …}` as the citizen or `{"key": …}` as the seat that
took the session, with `"after": seq` to go on behind what it has, and `"rate": 8000 | 16000` if it will send audio.
Then `{"text": …}` says something, and a binary message, once a seat is there, is audio: mono, 16 bits, little-endian.
It gets `{"type": "state", …}` when the session moves on, `{"type": "message", "seq", "at", "by", "heard", "text"}` for
every message in order, `{"type": "emergency", "text"}` if a citizen in danger should call another number at once, and,
while it speaks itself, `{"type": "partial", "text"}`. What goes wrong comes as `{"type": "error", "problem": …}`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from libs.common.runtime.http import Body, Note
from libs.common.runtime.problems import Problem, invalid
from libs.common.runtime.reading import ReadError, TooSlowError, transcript
from services.intake import handlers
from services.intake.api.around import Context, possible
from services.intake.api.sessions import Pass, side
from services.intake.domain import Side
from services.intake.handlers import Here

router = APIRouter()
HELLO_SECONDS = 10
IDLE_SECONDS = 1800
"""Who says nothing for so long is let go; until then the session knows that they are there."""
LOOK_SECONDS = 5.0
"""A listener looks for itself after so long, should it not have been woken."""
LARGEST_PIECE = 256 * 1024
POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013


class Hello(Body):
    """What a client says first."""

    pass_: Annotated[str, StringConstraints(max_length=80)] | None = Field(None, alias="pass")
    key: Annotated[str, StringConstraints(max_length=200)] | None = None
    after: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    rate: Literal[8000, 16000] | None = None


class SayCommand(Body):
    """A message."""

    text: Note


class WordsView(BaseModel):
    """What one side said in a session."""

    at: datetime
    by: Side
    text: str


class SpokenView(WordsView):
    """A message; `heard` by a machine from speech, or typed."""

    seq: int
    heard: bool


class SaidView(SpokenView):
    """What was said just now. `emergency` tells a citizen in danger whom to call at once, whoever waits here."""

    emergency: str | None


@router.get("/sessions/{session_id}/messages")
async def messages(
    request: Request,
    here: Context,
    session_id: UUID,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    pass_: Pass = None,
) -> list[SpokenView]:
    """List up to 100 messages behind a place, for the two who speak."""
    await party(request, here, session_id, pass_)
    return [SpokenView(**asdict(line)) for line in await handlers.said(here, session_id, after)]


@router.post("/sessions/{session_id}/messages", status_code=201)
async def say(request: Request, here: Context, session_id: UUID, command: SayCommand, pass_: Pass = None) -> SaidView:
    """Say something, without a WebSocket."""
    by, seat = side(request, here, session_id, pass_)
    async with here.database.begin() as tx:
        session, line = await possible(handlers.say(tx, here, session_id, by, seat, command.text, heard=False))
    here.engine.chats.ring(session_id)
    danger = handlers.danger_in(here, line.text, session.language) if by == "citizen" else None
    return SaidView(**asdict(line), emergency=danger)


async def party(request: Request, here: Here, session_id: UUID, given: str | None) -> None:
    """Let in the citizen, and the seat that took the session. Raises Problem 401 or 403 to others."""
    _, seat = side(request, here, session_id, given)
    session = (await handlers.look_at(here, session_id, citizen=seat is None)).session
    if seat is not None and session.taken_by != seat:
        raise Problem(403, "only the seat that took this session may read it")


class Party:
    """One side of a chat, at one socket."""

    def __init__(
        self, socket: WebSocket, here: Here, session_id: UUID, hello: Hello, by: Side, seat: str | None
    ) -> None:
        self.socket, self.here, self.session_id = socket, here, session_id
        self.after, self.rate, self.by, self.seat = hello.after, hello.rate, by, seat
        self.audio: asyncio.Queue[bytes] = asyncio.Queue()
        self.state: dict[str, Any] = {}

    async def run(self) -> None:
        """Speak and listen until one side goes."""
        await self._tell_state()
        tasks = [asyncio.create_task(work) for work in (self._listen(), self._tell(), self._caption())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        """Take what the client says."""
        while True:
            async with asyncio.timeout(IDLE_SECONDS):
                message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if (pcm := message.get("bytes")) is not None:
                self._hear(pcm)
            else:
                await self._type(message["text"])

    async def _type(self, text: str) -> None:
        """Say what was typed. What cannot be said is told, and the chat goes on."""
        try:
            await self._say(_said(text), heard=False)
        except Problem as problem:
            await self._complain(problem)

    def _hear(self, pcm: bytes) -> None:
        if self.rate is None:
            raise Problem(422, "rate: is needed in the first message of who sends audio")
        if len(pcm) > LARGEST_PIECE:
            raise Problem(413, f"a message may have at most {LARGEST_PIECE} bytes of audio")
        # What is spoken before a seat is there would keep a machine busy for nobody.
        if self.state["state"] == "taken":
            self.audio.put_nowait(pcm)

    async def _say(self, text: str, *, heard: bool) -> None:
        async with self.here.database.begin() as tx:
            session, _ = await possible(
                handlers.say(tx, self.here, self.session_id, self.by, self.seat, text, heard=heard)
            )
        self.here.engine.chats.ring(self.session_id)
        if self.by == "citizen" and (danger := handlers.danger_in(self.here, text, session.language)):
            await self.socket.send_json({"type": "emergency", "text": danger})

    async def _complain(self, problem: Problem) -> None:
        await self.socket.send_json({"type": "error", "problem": problem.body()})

    async def _tell(self) -> None:
        """Tell the client how the session goes and what is said, in order, until it is over."""
        async with self.here.engine.chats.listen(self.session_id) as news:
            # Nobody may have listened in this process until now.
            self.here.loops["chats"].wake()
            while True:
                news.clear()
                over = await self._tell_state()
                await self._tell_messages()
                if over:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), LOOK_SECONDS)

    async def _tell_state(self) -> bool:
        waited = await handlers.look_at(self.here, self.session_id, citizen=self.by == "citizen")
        session = waited.session
        state = {
            "type": "state", "state": session.state, "kind": session.kind, "ahead": waited.ahead,
            "offer_callback": waited.offer_callback, "outcome": session.outcome,
        }  # fmt: skip
        if self.seat is not None and session.taken_by != self.seat:
            raise Problem(403, "only the seat that took this session may read it")
        if state != self.state:
            self.state = state
            await self.socket.send_json(state)
        return session.over

    async def _tell_messages(self) -> None:
        while lines := await handlers.said(self.here, self.session_id, self.after):
            for line in lines:
                await self.socket.send_json(
                    {
                        "type": "message",
                        "seq": line.seq,
                        "at": line.at.isoformat(),
                        "by": line.by,
                        "heard": line.heard,
                        "text": line.text,
                    }
                )
                self.after = line.seq

    async def _caption(self) -> None:
        """Turn what this side speaks into messages. If that breaks off, the chat goes on without."""
        first = await self.audio.get()
        try:
            await self._captions(first)
        except Problem as problem:
            await self._complain(problem)
        except (TooSlowError, ReadError):
            await self._complain(Problem(503, "the captions broke off; come again for more, or speak on without"))
        while True:
            await self.audio.get()

    async def _captions(self, first: bytes) -> None:
        rate = self.rate or 0
        async with (
            self.here.engine.reading.call() as reader,
            aclosing(transcript(self._spoken(first), rate, lambda pcm: reader.speech(pcm, rate, None))) as utterances,
        ):
            async for heard in utterances:
                if heard.final:
                    await self._say(heard.text, heard=True)
                else:
                    await self.socket.send_json({"type": "partial", "text": heard.text})

    async def _spoken(self, first: bytes) -> AsyncIterator[bytes]:
        yield first
        while True:
            yield await self.audio.get()


@router.websocket("/sessions/{session_id}/chat")
async def chat(socket: WebSocket, session_id: UUID) -> None:
    """Chat, as the citizen who asked for it or the seat that took it."""
    here: Here = socket.app.state.context
    await socket.accept()
    try:
        hello = await _hello(socket)
        by, seat = _side(here, session_id, hello)
        await Party(socket, here, session_id, hello, by, seat).run()
        await _close(socket, 1000)
    except Problem as problem:
        await _refuse(socket, problem, TRY_AGAIN_LATER if problem.status == 503 else POLICY_VIOLATION)
    except (WebSocketDisconnect, TimeoutError):
        await _close(socket, 1001)


async def _hello(socket: WebSocket) -> Hello:
    try:
        return Hello.model_validate_json(await asyncio.wait_for(socket.receive_text(), HELLO_SECONDS))
    except ValidationError as error:
        raise invalid(error) from None
    except (TimeoutError, KeyError):
        raise Problem(422, 'the first message must be text such as {"pass": "…", "after": 0}') from None


def _side(here: Here, session_id: UUID, hello: Hello) -> tuple[Side, str | None]:
    """Return who speaks. Raises Problem 401 or 403 to strangers, 503 if too many listen already."""
    if not here.engine.chats.takes(session_id):
        raise Problem(503, "too many chats at once; try again, or ask to be called back")
    if hello.pass_ is not None:
        if not here.engine.passes.opens(hello.pass_, session_id, here.clock.now()):
            raise Problem(403, "pass: is not this session's, or its time is over")
        return "citizen", None
    seat = here.keys.holder(hello.key or "")
    if seat is None:
        raise Problem(401, "send the citizen's pass, or the key of a seat")
    if not seat.may("seat", "supervisor"):
        raise Problem(403, "this needs the role seat or supervisor")
    return "seat", seat.name


def _said(text: str) -> str:
    try:
        return SayCommand.model_validate_json(text).text
    except ValidationError as error:
        raise invalid(error) from None


async def _refuse(socket: WebSocket, problem: Problem, code: int) -> None:
    # The client may be gone by then.
    with suppress(RuntimeError, WebSocketDisconnect):
        await socket.send_json({"type": "error", "problem": problem.body()})
    await _close(socket, code)


async def _close(socket: WebSocket, code: int) -> None:
    with suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(code)
