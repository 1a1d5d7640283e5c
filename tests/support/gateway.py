"""A gateway for short messages, on a socket of this machine: it keeps what it is sent and answers as it is told."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Posted:
    """One request: its headers, with names in lower case, and its JSON body."""

    headers: dict[str, str]
    body: dict[str, Any]


class Gateway:
    """Answers 200, unless `answers` holds other statuses for the next requests; None is no answer at all."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        self.answers: deque[int | None] = deque()
        self.reached = asyncio.Event()
        self.port = 0
        self._closing = asyncio.Event()
        self._at_work: set[asyncio.Task[None] | None] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request."""
        self._at_work.add(asyncio.current_task())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in head.splitlines()[1:])
            }
            body = json.loads(await reader.readexactly(int(headers["content-length"])))
            self.posted.append(Posted(headers, body))
            self.reached.set()
            status = self.answers.popleft() if self.answers else 200
            if status is None:
                await self._closing.wait()
            else:
                writer.write(f"HTTP/1.1 {status} Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
        finally:
            writer.close()
            self._at_work.discard(asyncio.current_task())

    async def close(self) -> None:
        """Let go of who still waits for an answer."""
        self._closing.set()
        await asyncio.gather(*(task for task in self._at_work if task), return_exceptions=True)


@asynccontextmanager
async def running_gateway() -> AsyncIterator[Gateway]:
    """Run a gateway until the block ends."""
    gateway = Gateway()
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    gateway.port = server.sockets[0].getsockname()[1]
    async with server:
        yield gateway
        await gateway.close()


class Mailbox:
    """A mail server that takes everything: the recipients and the text of each mail."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], str]] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak just enough SMTP (RFC 5321)."""
        recipients: list[str] = []
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().strip():
            verb = line.upper()
            if verb.startswith("RCPT TO:"):
                recipients.append(line[8:].strip(" <>").partition(">")[0])
            if verb == "DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append((recipients, (await reader.readuntil(b"\r\n.\r\n")).decode()))
            writer.write(b"221 bye\r\n" if verb == "QUIT" else b"250 fine\r\n")
            if verb == "QUIT":
                break
        writer.close()


@asynccontextmanager
async def running_mailbox() -> AsyncIterator[Mailbox]:
    """Run a mail server until the block ends."""
    mailbox = Mailbox()
    server = await asyncio.start_server(mailbox.serve, "127.0.0.1", 0)
    mailbox.port = server.sockets[0].getsockname()[1]
    async with server:
        yield mailbox
