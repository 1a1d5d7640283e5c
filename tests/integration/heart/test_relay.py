"""The relay says what was committed: in order, by one process at a time, and never not at all."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import asyncpg
import pytest

from libs.common.contracts.dispatch import TicketProgressed
from libs.common.contracts.envelope import decode
from libs.common.messaging.bus import Message
from libs.common.messaging.memory import MemoryBus
from libs.common.messaging.relay import BATCH, FOLLOW_SECONDS, POLL_SECONDS, RELAY_LOCK, Relay
from tests.support.heart import PATIENCE_SECONDS, UNIT, Heart
from tests.support.stages import NOON


class Wire(MemoryBus):
    """A bus that keeps what went over it; it can be cut, and it can be slow."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Message] = []
        self.cut: Exception | None = None
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def publish(self, messages: Sequence[Message]) -> None:
        if self.cut:
            raise self.cut
        self.said += messages
        self.reached.set()
        await self.open.wait()

    @property
    def notes(self) -> list[int]:
        """The numbers that were said, in order."""
        return [_number(message) for message in self.said]


def _number(message: Message) -> int:
    event = decode(message.headers, message.body).data
    assert isinstance(event, TicketProgressed)
    return int(event.note)


@pytest.fixture
def wire() -> Wire:
    return Wire()


async def _say(heart: Heart, *numbers: int) -> None:
    """Commit events that carry these numbers, over three subjects."""
    async with heart.database.begin() as tx:
        await tx.lock("abc")
        for number in numbers:
            tx.emit("abc"[number % 3], TicketProgressed(unit=UNIT, note=str(number), round=1, at=NOON))


async def _takes_the_lead(relay: Relay) -> None:
    """Step until the relay leads: the server may take a moment to notice that the last leader is gone."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await relay.step() == FOLLOW_SECONDS:
            pass


async def test_what_was_committed_is_said_in_order_and_leaves_the_outbox(heart: Heart, wire: Wire) -> None:
    relay = heart.relay(wire)
    await _say(heart, 1, 2, 3)
    await _say(heart, 4, 5)
    assert await relay.step() == POLL_SECONDS
    await _say(heart, 6)
    await relay.step()
    assert wire.notes == [1, 2, 3, 4, 5, 6]
    assert await heart.count("outbox") == 0
    await relay.let_go()


async def test_more_than_a_batch_is_taken_at_once_again(heart: Heart, wire: Wire) -> None:
    relay = heart.relay(wire)
    for start in range(0, BATCH + 10, 500):
        await _say(heart, *range(start, min(start + 500, BATCH + 10)))
    assert [await relay.step(), await relay.step()] == [0, POLL_SECONDS]
    assert wire.notes == list(range(BATCH + 10))
    await relay.let_go()


async def test_nothing_that_was_rolled_back_is_said(heart: Heart, wire: Wire) -> None:
    relay = heart.relay(wire)
    with suppress(ZeroDivisionError):
        async with heart.database.begin() as tx:
            await tx.lock("a")
            tx.emit("a", TicketProgressed(unit=UNIT, note="1", round=1, at=NOON))
            raise ZeroDivisionError
    await relay.step()
    assert wire.said == []
    await relay.let_go()


async def test_the_first_failure_stops_the_line_and_it_goes_on_in_the_same_order(heart: Heart, wire: Wire) -> None:
    relay = heart.relay(wire)
    await _say(heart, 1, 2)
    wire.cut = ConnectionResetError("no broker")
    for _ in range(3):
        with pytest.raises(ConnectionResetError):
            await relay.step()
        await _say(heart, 3)
    assert await heart.count("outbox") == 5
    wire.cut = None
    await _takes_the_lead(relay)
    assert wire.notes == [1, 2, 3, 3, 3]
    assert await heart.count("outbox") == 0
    await relay.let_go()


async def test_what_a_relay_that_was_killed_had_said_but_not_committed_is_said_again(heart: Heart, wire: Wire) -> None:
    await _say(heart, 1, 2, 3)
    wire.open.clear()
    killed = heart.relay(wire)
    step = asyncio.create_task(killed.step())
    await wire.reached.wait()
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    wire.open.set()
    next_one = heart.relay(wire)
    await _takes_the_lead(next_one)
    ids = [dict(message.headers)["ce_id"] for message in wire.said]
    assert wire.notes == [1, 2, 3, 1, 2, 3]
    assert ids[:3] == ids[3:]
    assert await heart.count("outbox") == 0
    await next_one.let_go()


async def test_of_two_relays_one_leads_and_the_other_takes_over_when_its_connection_ends(
    heart: Heart, wire: Wire
) -> None:
    first, second = heart.relay(wire), heart.relay(wire)
    await _say(heart, 1)
    await first.step()
    await _say(heart, 2)
    assert await second.step() == FOLLOW_SECONDS
    assert wire.notes == [1]
    await heart.database.pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND granted",
        RELAY_LOCK,
    )
    await _takes_the_lead(second)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await first.step()
    assert await first.step() == FOLLOW_SECONDS
    await _say(heart, 3)
    await second.step()
    assert wire.notes == [1, 2, 3]
    await second.let_go()
    await _takes_the_lead(first)
    await first.let_go()


async def test_a_relay_that_cannot_ask_for_the_lead_keeps_no_connection(heart: Heart, wire: Wire) -> None:
    class Broken:
        """A connection that the server ends right away."""

        terminated = False

        async def fetchval(self, *_: object) -> bool:
            raise ConnectionResetError

        def terminate(self) -> None:
            self.terminated = True

    broken = Broken()

    async def connect() -> Broken:
        return broken

    with pytest.raises(ConnectionResetError):
        await Relay("echo", connect, wire).step()
    assert broken.terminated


async def test_what_was_committed_while_nobody_relayed_is_said_by_the_next(heart: Heart, wire: Wire) -> None:
    first = heart.relay(wire)
    await first.step()
    await first.let_go()
    await _say(heart, 1, 2)
    second = heart.relay(wire)
    await _takes_the_lead(second)
    assert wire.notes == [1, 2]
    await second.let_go()
