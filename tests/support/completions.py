"""A language model's endpoint, on a socket of this machine: it keeps what it is asked and answers as it is told."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

SILENCE = object()
"""Stands for no answer at all, until the endpoint is closed or told to go on."""
HANG_UP = object()
"""Stands for a connection that ends in the middle of an answer."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request: its headers, with names in lower case, and its JSON body."""

    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """What the model is given to work on."""
        read: dict[str, Any] = json.loads(self.body["messages"][1]["content"])
        return read

    @property
    def codes(self) -> list[str]:
        """The questions that are offered."""
        return [question["code"] for question in self.data["questions"]]


def said(answer: Mapping[str, object] | str, usage: object = None) -> bytes:
    """Return what an endpoint sends when the model says this."""
    content = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()


Answer = bytes | int | object | Callable[[Call], bytes]
"""A body, a status, silence, a hung-up connection, or what makes a body of the call."""


class Completions:
    """Answers as `answers` say for the next requests; after them, the last one of these again."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: deque[Answer] = deque()
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self.url = ""
        self._at_work: set[asyncio.Task[None] | None] = set()

    def will(self, *answers: Answer) -> None:
        """Answer so from now on."""
        self.answers = deque(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request."""
        self._at_work.add(asyncio.current_task())
        try:
            call = await _read(reader)
            self.calls.append(call)
            self.reached.set()
            answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
            await self._write(writer, answer(call) if callable(answer) else answer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # who asked did not wait
        finally:
            writer.close()
            self._at_work.discard(asyncio.current_task())

    async def _write(self, writer: asyncio.StreamWriter, answer: object) -> None:
        if answer is SILENCE:
            await self.go_on.wait()
            return
        status, body = (answer, b'{"error": {"message": "no"}}') if isinstance(answer, int) else (200, answer)
        sent = b'{"choices": [' if body is HANG_UP else body
        assert isinstance(sent, bytes)
        length = len(sent) + (100 if body is HANG_UP else 0)
        head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
        writer.write(f"{head}Location: /elsewhere\r\nConnection: close\r\n\r\n".encode() + sent)
        await writer.drain()

    async def close(self) -> None:
        """Let go of who still waits for an answer."""
        self.go_on.set()
        await asyncio.gather(*(task for task in self._at_work if task), return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Call:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert head.startswith("POST /v1/chat/completions ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.splitlines()[1:])}
    return Call(headers, json.loads(await reader.readexactly(int(headers["content-length"]))))


@asynccontextmanager
async def running_completions() -> AsyncIterator[Completions]:
    """Run an endpoint until the block ends."""
    completions = Completions()
    server = await asyncio.start_server(completions.serve, "127.0.0.1", 0)
    completions.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server:
        yield completions
        await completions.close()
