"""A failure at any step of the heart leaves nothing undone, nothing done twice, and nothing unsaid."""

import asyncio
from typing import Any

import pytest
from asyncpg.transaction import Transaction

from libs.common.messaging import inbox, outbox
from libs.common.messaging.memory import MemorySubscription
from libs.common.messaging.transaction import Tx
from tests.support import heart as echo
from tests.support.heart import SAID, Heart, Once, always, as_told, break_once, by_the_consumer, message

SUBJECTS = ("a", "b", "c")
WORDS = ("one", "two", "three")
LOUD = [words.upper() for words in WORDS]
TRANSIENT, PERMANENT = ConnectionResetError("injected"), RuntimeError("injected")
ERRORS = pytest.mark.parametrize("error", [TRANSIENT, PERMANENT], ids=["transient", "permanent"])
STEPS: dict[str, tuple[object, str]] = {
    "prepare": (echo, "prepare"),
    "begin": (Transaction, "start"),
    "claim": (inbox, "claim"),
    "lock": (Tx, "lock"),
    "handler": (echo, "hear"),
    "save": (echo, "save"),
    "emit": (Tx, "emit"),
    "flush": (Tx, "flush"),
    "outbox": (outbox, "put"),
    "commit": (Transaction, "_Transaction__commit"),
    "ack": (MemorySubscription, "ack"),
    "publish": (echo.Line, "publish"),
}


@ERRORS
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_failure_at_any_step_is_made_good(
    heart: Heart, monkeypatch: pytest.MonkeyPatch, step: str, after: bool, error: Exception
) -> None:
    owner, name = STEPS[step]
    once = Once(error)
    async with heart.listening(SAID) as said, heart.running():
        break_once(monkeypatch, owner, name, once, after=after, when=always if step == "publish" else by_the_consumer)
        await heart.bus.publish([message(s, w, n, heart.clock) for n, w in enumerate(WORDS, 1) for s in SUBJECTS])
        await heart.quiet()
    assert once.done
    assert await heart.heard() == dict.fromkeys(SUBJECTS, LOUD)
    told = as_told(said)
    assert {subject: [event.data.note for event in events] for subject, events in told.items()} == await heart.heard()
    for events in told.values():
        sequences = [event.sequence for event in events]
        assert sequences == sorted(set(sequences))
    assert await heart.count("dead_letters") == 0


@ERRORS
async def test_an_event_that_came_alone_is_tried_again_as_well(
    heart: Heart, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    once = Once(error)
    break_once(monkeypatch, echo, "hear", once)
    async with heart.running():
        await heart.bus.publish([message("a", "one", 1, heart.clock)])
    assert once.done
    assert await heart.heard() == {"a": ["ONE"]}


async def test_a_connection_that_the_server_ends_inside_the_transaction_is_made_good(
    heart: Heart, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = echo.save
    ended: list[int] = []

    async def end_and_save(tx: Tx, subject: str, words: str) -> None:
        if not ended:
            ended.append(await tx.connection.fetchval("SELECT pg_backend_pid()"))
            await heart.database.pool.execute("SELECT pg_terminate_backend($1)", ended[0])
        await real(tx, subject, words)

    monkeypatch.setattr(echo, "save", end_and_save)
    async with heart.running():
        await heart.bus.publish([message("a", w, n, heart.clock) for n, w in enumerate(WORDS, 1)])
    assert ended
    assert await heart.heard() == {"a": LOUD}


async def test_a_consumer_asked_to_stop_while_it_waits_leaves_the_batch_to_the_next(
    heart: Heart, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = heart.consumer()

    async def stop_and_fail(*_: Any) -> None:
        consumer.stop()
        raise TRANSIENT

    publishing = asyncio.create_task(heart.bus.publish([message("a", "one", 1, heart.clock)]))
    with monkeypatch.context() as patch:
        patch.setattr(echo, "hear", stop_and_fail)
        await consumer.run()
    assert not publishing.done()
    async with heart.running():
        await publishing
    assert await heart.heard() == {"a": ["ONE"]}
