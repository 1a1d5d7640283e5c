"""The load: a light HTTP/1.1 client, so that the generator takes as little as it can of the cores it shares."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import httptools

CONNECTIONS = 64
TICKETS = "/intake/v1/tickets"
BATCH = "/intake/v1/tickets/batch"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connect to a server on this machine."""
        transport, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        connection._transport = transport
        return connection

    async def ask(self, request: bytes) -> Answer:
        """Send a request and return its answer. Raises ConnectionError if the server goes away."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError("the server closed the connection")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Hang up."""
        if self._transport:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Take what came; the parser calls back."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that no answer will come."""
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionError("the server closed the connection"))

    def on_body(self, body: bytes) -> None:
        """Collect a piece of the answer's body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Hand the answer over."""
        if self._waiting:
            self._waiting.set_result(Answer(self._parser.get_status_code(), bytes(self._body)))
        self._body.clear()


@asynccontextmanager
async def connections(port: int, count: int) -> AsyncIterator[list[Connection]]:
    """Open connections and close them at the end."""
    opened = [await Connection.open(port) for _ in range(count)]
    try:
        yield opened
    finally:
        for connection in opened:
            connection.close()


def post(path: str, body: bytes, key: str) -> bytes:
    """Return the bytes of one request."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass(slots=True)
class Posted:
    """What came of posting: each ticket with the instant (`time.time()`) of its 202, and how long each answer took."""

    began: float = field(default_factory=time.time)
    ended: float = 0.0
    seconds: list[float] = field(default_factory=list)
    bodies: list[tuple[float, bytes]] = field(default_factory=list)
    errors: int = 0

    def note(self, began: float, answer: Answer) -> None:
        """Keep one answer; nothing is parsed while the load runs."""
        now = time.time()
        self.seconds.append(now - began)
        self.ended = now
        if answer.status == 202:
            self.bodies.append((now, answer.body))
        else:
            self.errors += 1

    @property
    def per_second(self) -> float:
        """Accepted requests in a second."""
        return len(self.bodies) / (self.ended - self.began)

    def tickets(self) -> dict[UUID, float]:
        """Return when each ticket was accepted."""
        return {UUID(json.loads(body)["ticket_id"]): at for at, body in self.bodies}


async def hammer(port: int, requests: Sequence[bytes], count: int = CONNECTIONS) -> Posted:
    """Send requests as fast as `count` connections, each waiting for its answer, let them through."""
    async with connections(port, count) as opened:
        posted, left = Posted(), iter(requests)
        await asyncio.gather(*(_drain(connection, left, posted) for connection in opened))
    return posted


async def _drain(connection: Connection, left: Iterator[bytes], posted: Posted) -> None:
    for request in left:
        began = time.time()
        posted.note(began, await connection.ask(request))


async def pace(port: int, requests: Iterable[bytes], per_second: float, posted: Posted) -> None:
    """Send requests at a fixed rate, whatever the server does; each waits for no other."""
    async with connections(port, CONNECTIONS) as opened:
        free: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in opened:
            free.put_nowait(connection)

        async def one(due: float, request: bytes) -> None:
            connection = await free.get()
            posted.note(due, await connection.ask(request))
            free.put_nowait(connection)

        async with asyncio.TaskGroup() as group:
            for turn, request in enumerate(requests):
                due = posted.began + turn / per_second
                await asyncio.sleep(due - time.time())
                group.create_task(one(due, request))


async def send_batches(port: int, bodies: Sequence[bytes], key: str, lines: int = 2000) -> tuple[float, list[UUID]]:
    """Post appeals as NDJSON, `lines` at a time over one connection; return the first instant and the tickets.

    Raises:
        RuntimeError: an appeal was not accepted.
    """
    requests = [
        post(BATCH, b"\n".join(bodies[at : at + lines]), key) for at in range(0, len(bodies), lines)
    ]  # fmt: skip
    async with connections(port, 1) as (connection,):
        began = time.time()
        answers = [await connection.ask(request) for request in requests]
    told = [json.loads(line) for answer in answers for line in answer.body.splitlines()]
    refused = [line for line in told if "ticket_id" not in line]
    if refused or len(told) != len(bodies):
        raise RuntimeError(f"{len(bodies)} appeals sent, {len(told)} answered, of these refused: {refused[:3]}")
    return began, [UUID(line["ticket_id"]) for line in told]
