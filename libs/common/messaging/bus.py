"""What a bus must do, whichever carries the messages. tests/conformance holds every bus to it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


class BusClosedError(ConnectionError):
    """The bus, or the other end of it, went away before the messages were safe."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a bus carries. Messages of one topic and key keep their order."""

    topic: str
    key: str
    headers: tuple[tuple[str, bytes], ...]
    body: bytes
    partition: int = 0
    offset: int = 0


class Subscription(Protocol):
    """One consumer's place in its topics."""

    async def receive(self, limit: int) -> Sequence[Message]:
        """Wait for messages and return at most `limit`, those of one key in order. Empty when none came for a while."""
        ...

    async def ack(self, messages: Sequence[Message]) -> None:
        """Move on: these are never handed over again, unless the process dies before this returns."""
        ...

    async def hold(self, seconds: float) -> None:
        """Stay a member of the group without receiving anything, for `seconds`."""
        ...


class Bus(Protocol):
    """A way to publish and subscribe. At least once, in order per key."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Return when all are safe: on all in-sync replicas, or committed by every subscriber; else raise."""
        ...

    def subscribe(self, group: str, topics: Sequence[str]) -> AbstractAsyncContextManager[Subscription]:
        """Join `group`; each message of the topics goes to one member of it. The first joins at the beginning."""
        ...

    async def close(self) -> None:
        """Let go of everything; what is being published fails with `BusClosedError`."""
        ...
