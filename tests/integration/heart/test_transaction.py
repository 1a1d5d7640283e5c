"""The one transaction: what it locks, what it says, and that all of it happens or nothing."""

import asyncio
from datetime import timedelta

import pytest

from libs.common.contracts.dispatch import TicketAccepted, TicketProgressed
from libs.common.contracts.envelope import Envelope, decode
from libs.common.messaging.outbox import unpack_headers
from libs.common.messaging.transaction import STRIDE, NotLockedError
from libs.common.runtime.telemetry import TRACE
from tests.support.heart import UNIT, Heart
from tests.support.stages import NOON

TRACEPARENT = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


def _note(words: str = "x") -> TicketProgressed:
    return TicketProgressed(unit=UNIT, note=words, round=1, at=NOON)


async def _outbox(heart: Heart) -> list[Envelope[TicketProgressed]]:
    rows = await heart.database.pool.fetch("SELECT headers, body FROM outbox ORDER BY id")
    return [decode(unpack_headers(row["headers"]), row["body"]) for row in rows]  # type: ignore[misc]


async def test_an_event_the_service_does_not_declare_cannot_be_said(heart: Heart) -> None:
    async with heart.database.begin() as tx:
        await tx.lock("a")
        with pytest.raises(TypeError, match=r"echo does not declare that it emits ticket\.accepted"):
            tx.emit("a", TicketAccepted(unit=UNIT, round=1, at=NOON))


async def test_nothing_is_said_of_an_aggregate_that_is_not_locked(heart: Heart) -> None:
    async with heart.database.begin() as tx:
        await tx.lock("a")
        with pytest.raises(NotLockedError, match="b was not locked"):
            tx.emit("b", _note())


async def test_the_sequence_of_an_aggregate_grows_within_and_across_transactions(heart: Heart) -> None:
    for count in (2, 1, 3):
        async with heart.database.begin() as tx:
            await tx.lock("ab")
            for _ in range(count):
                tx.emit("a", _note())
            tx.emit("b", _note())
    sequences = [event.sequence for event in await _outbox(heart) if event.subject == "a"]
    assert sequences == [1001, 1002, 2001, 3001, 3002, 3003]


async def test_the_sequence_grows_in_the_order_of_the_outbox_however_many_write_at_once(heart: Heart) -> None:
    async def write(words: str) -> None:
        async with heart.database.begin() as tx:
            await tx.lock("ab")
            tx.emit("a", _note(words))
            tx.emit("b", _note(words))

    await asyncio.gather(*(write(str(n)) for n in range(20)))
    events = await _outbox(heart)
    for subject in "ab":
        sequences = [event.sequence for event in events if event.subject == subject]
        assert sequences == sorted(set(sequences))
        assert len(sequences) == 20


async def test_no_more_can_be_said_in_one_transaction_than_sequences_have_room_for(heart: Heart) -> None:
    async with heart.database.begin() as tx:
        await tx.lock("a")
        for _ in range(STRIDE - 1):
            tx.emit("a", _note())
        with pytest.raises(OverflowError, match="events of a in one transaction"):
            tx.emit("a", _note())


async def test_a_block_that_raises_leaves_nothing_behind_and_wakes_nobody(heart: Heart) -> None:
    woken: list[object] = []
    heart.database.after_commit.append(woken.append)

    async def fail() -> None:
        async with heart.database.begin() as tx:
            await tx.lock("a")
            tx.aggregate("a").facts["known"] = {"seq": 1, "is": 1}
            tx.aggregate("a").changed = True
            tx.schedule("k", "a", NOON)
            tx.emit("a", _note())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert [await heart.count(table) for table in ("aggregates", "outbox", "timers")] == [0, 0, 0]
    assert woken == []


async def test_what_was_learned_is_known_to_the_next_transaction_and_only_once_committed(heart: Heart) -> None:
    async with heart.database.begin() as tx:
        await tx.lock("a")
        assert not tx.aggregate("a").known
        tx.aggregate("a").facts["word"] = {"seq": 7, "is": {"text": "雨", "list": [1, [2]], "none": None}}
        tx.aggregate("a").changed = True
    async with heart.database.begin() as tx:
        await tx.lock("a")
        held = tx.aggregate("a")
        assert (held.known, held.version) == (True, 2)
        assert held.facts == {"word": {"seq": 7, "is": {"text": "雨", "list": [1, [2]], "none": None}}}


async def test_two_transactions_that_want_the_same_aggregates_cannot_deadlock(heart: Heart) -> None:
    subjects = [f"s{n:02}" for n in range(30)]

    async def write(order: list[str]) -> None:
        for _ in range(5):
            async with heart.database.begin() as tx:
                await tx.lock(order)

    await asyncio.gather(write(subjects), write(subjects[::-1]), write(subjects[::2]))
    versions = await heart.database.pool.fetch("SELECT version FROM aggregates ORDER BY subject")
    assert [row["version"] for row in versions] == [15, 10] * 15


async def test_an_event_carries_the_trace_of_what_caused_it(heart: Heart) -> None:
    token = TRACE.set(TRACEPARENT)
    async with heart.database.begin() as tx:
        await tx.lock("ab")
        tx.traces["b"] = TRACEPARENT.replace("a", "c")
        tx.emit("a", _note())
        tx.emit("b", _note())
    TRACE.reset(token)
    async with heart.database.begin() as tx:
        await tx.lock("a")
        tx.emit("a", _note())
    traces = [event.traceparent for event in await _outbox(heart)]
    assert traces == [TRACEPARENT, TRACEPARENT.replace("a", "c"), None]


async def test_the_last_word_on_a_timer_counts(heart: Heart) -> None:
    async with heart.database.begin() as tx:
        await tx.lock("ab")
        tx.schedule("k", "a", NOON)
        tx.schedule("k", "a", NOON + timedelta(hours=1))
        tx.schedule("k", "b", NOON)
        tx.unschedule("k", "b")
    rows = await heart.database.pool.fetch("SELECT kind, subject, due_at FROM timers")
    assert [tuple(row) for row in rows] == [("k", "a", NOON + timedelta(hours=1))]
