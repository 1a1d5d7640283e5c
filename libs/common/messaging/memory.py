"""The bus of the embedded form. `publish` returns when every subscriber has committed.

So the publisher's outbox is the queue: nothing is held here that a crash could lose, and a slow subscriber slows its
emitters. What is published before anyone subscribes waits for `expect`ed groups; others never see it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

from libs.common.messaging.bus import BusClosedError, Message

POLL_SECONDS = 0.1


class _Parcel:
    """What one publish owes one group."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = messages
        self.open = len(messages)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(self) -> None:
        self.open -= 1
        if not self.open and not self.done.done():
            self.done.set_result(None)


class _Group:
    """One group's queue. It outlives its members, so that what was published between two of them is not lost."""

    def __init__(self, topics: Sequence[str]) -> None:
        self.topics = frozenset(topics)
        self.waiting: deque[tuple[Message, _Parcel]] = deque()
        self.unacked: dict[tuple[str, int], tuple[Message, _Parcel]] = {}
        self.arrived = asyncio.Event()

    def put(self, parcel: _Parcel) -> None:
        self.waiting.extend((message, parcel) for message in parcel.messages)
        self.arrived.set()

    def take_back(self) -> None:
        """Put what was handed over but never acked in front again, as a broker does when a member leaves."""
        self.waiting.extendleft(reversed(self.unacked.values()))
        self.unacked.clear()
        if self.waiting:
            self.arrived.set()


class MemorySubscription:
    """A member of a group. One member at a time, as the embedded form has one process."""

    def __init__(self, group: _Group) -> None:
        self._group = group

    async def receive(self, limit: int) -> Sequence[Message]:
        """See `Subscription.receive`."""
        group = self._group
        if not group.waiting:
            group.arrived.clear()
            try:
                await asyncio.wait_for(group.arrived.wait(), POLL_SECONDS)
            except TimeoutError:
                return ()
        taken = [group.waiting.popleft() for _ in range(min(limit, len(group.waiting)))]
        group.unacked.update(((message.topic, message.offset), (message, parcel)) for message, parcel in taken)
        return [message for message, _ in taken]

    async def ack(self, messages: Sequence[Message]) -> None:
        """See `Subscription.ack`."""
        for message in messages:
            _, parcel = self._group.unacked.pop((message.topic, message.offset))
            parcel.settle()

    async def hold(self, seconds: float) -> None:
        """See `Subscription.hold`."""
        await asyncio.sleep(seconds)


class MemoryBus:
    """A bus inside one process."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}
        self._offsets = count()
        self._closed = False

    async def publish(self, messages: Sequence[Message]) -> None:
        """See `Bus.publish`."""
        if self._closed:
            raise BusClosedError("the memory bus is closed")
        numbered = [Message(m.topic, m.key, m.headers, m.body, 0, next(self._offsets)) for m in messages]
        parcels = [parcel for group in self._groups.values() if (parcel := self._parcel(group, numbered))]
        await asyncio.gather(*(parcel.done for parcel in parcels))

    @staticmethod
    def _parcel(group: _Group, messages: Sequence[Message]) -> _Parcel | None:
        mine = [message for message in messages if message.topic in group.topics]
        if not mine:
            return None
        parcel = _Parcel(mine)
        group.put(parcel)
        return parcel

    @asynccontextmanager
    async def subscribe(self, group: str, topics: Sequence[str]) -> AsyncIterator[MemorySubscription]:
        """See `Bus.subscribe`."""
        self.expect(group, topics)
        try:
            yield MemorySubscription(self._groups[group])
        finally:
            self._groups[group].take_back()

    def expect(self, group: str, topics: Sequence[str]) -> None:
        """Hold messages for a group from now on, although no member has joined it yet."""
        known = self._groups.get(group)
        if known is None:
            self._groups[group] = _Group(topics)

    async def close(self) -> None:
        """See `Bus.close`."""
        self._closed = True
        for group in self._groups.values():
            for _, parcel in [*group.waiting, *group.unacked.values()]:
                if not parcel.done.done():
                    parcel.done.set_exception(BusClosedError("the memory bus was closed"))
