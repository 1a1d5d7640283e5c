"""What cannot be done is put aside with all it takes to do it later, and the stream goes on."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from libs.common.messaging.bus import Message
from libs.common.messaging.consumer import DEAD_RUN, LONGEST_REASON
from libs.common.messaging.memory import MemoryBus
from libs.common.messaging.outbox import unpack_headers
from libs.common.messaging.transaction import Tx
from tests.support import heart as echo
from tests.support.heart import DEAD, HEARD, NAME, POISON, EchoService, Heart, message
from tests.support.stages import ManualClock, running, settings_for


def _with(message: Message, **changed: bytes) -> Message:
    """Return a message with other header values."""
    headers = tuple((name, changed.get(name, value)) for name, value in message.headers)
    return replace(message, headers=headers)


def _of_type(heart: Heart, type_: str) -> Message:
    return _with(message("a", "x", 1, heart.clock), ce_type=type_.encode())


async def _letters(heart: Heart) -> list[dict[str, Any]]:
    rows = await heart.database.pool.fetch('SELECT * FROM dead_letters ORDER BY "offset"')
    return [dict(row) for row in rows]


async def test_a_poison_event_is_put_aside_with_all_that_is_known_of_it(heart: Heart) -> None:
    poison = message("a", POISON, 2, heart.clock, trace="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    async with heart.listening(DEAD) as said, heart.running():
        await heart.bus.publish([message("a", "one", 1, heart.clock), poison])
        await heart.quiet()
    (letter,) = await _letters(heart)
    assert unpack_headers(letter.pop("headers")) == poison.headers
    assert letter == {
        "id": 1, "consumer": NAME, "topic": HEARD, "partition": 0, "offset": 1, "key": "a", "body": poison.body,
        "reason": "ValueError: this cannot be heard", "attempts": 2, "at": heart.clock.now(),
    }  # fmt: skip
    (dead,) = said
    assert (dead.key, dead.body, dead.headers[: len(poison.headers)]) == ("a", poison.body, poison.headers)
    assert dict(dead.headers[len(poison.headers) :]) == {
        "jiesu_reason": b"ValueError: this cannot be heard", "jiesu_consumer": b"echo", "jiesu_topic": HEARD.encode(),
        "jiesu_partition": b"0", "jiesu_offset": b"1", "jiesu_attempts": b"2",
    }  # fmt: skip


async def test_the_stream_goes_on_around_it_and_behind_it(heart: Heart) -> None:
    words = ["one", POISON, "three", "four"]
    async with heart.running():
        await heart.bus.publish([message(s, w, n, heart.clock) for n, w in enumerate(words, 1) for s in "ab"])
        await heart.bus.publish([message("a", "five", 5, heart.clock)])
    assert await heart.heard() == {"a": ["ONE", "THREE", "FOUR", "FIVE"], "b": ["ONE", "THREE", "FOUR"]}
    assert await heart.count("dead_letters") == 2


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ce_id": b"no id"}, "badly formed"),
        ({"ce_time": b"\xff\x00"}, "isoformat"),
        ({"ce_time": b"2026-03-02T12:00:00"}, "has no time zone"),
        ({"ce_sequence": b"first"}, "invalid literal"),
        ({"ce_type": b"\xff\xfe"}, "unknown event type"),
        ({"ce_type": b"com.example.other.v1"}, "unknown event type"),
        ({"ce_type": b""}, "unknown event type"),
    ],
    ids=str,
)
async def test_a_message_whose_attributes_are_no_event_is_buried(
    heart: Heart, changed: dict[str, bytes], reason: str
) -> None:
    async with heart.running() as consumer:
        await heart.bus.publish([_with(message("a", "x", 1, heart.clock), **changed)])
        await heart.bus.publish([message("a", "one", 2, heart.clock)])
        assert not consumer.halted
    (letter,) = await _letters(heart)
    assert reason in letter["reason"]
    assert letter["attempts"] == 1
    assert await heart.heard() == {"a": ["ONE"]}


@pytest.mark.parametrize("body", [b"", b"\xff\x00", b"null", b'{"text": 7}', b'{"text": "x"}', b"[" * 50_000])
async def test_a_body_that_breaks_its_schema_is_buried(heart: Heart, body: bytes) -> None:
    async with heart.running():
        await heart.bus.publish([replace(message("a", "x", 1, heart.clock), body=body)])
    (letter,) = await _letters(heart)
    assert letter["body"] == body
    assert letter["reason"].startswith("UndecodableError: jiesu.ticket.supplemented.v1: ")


async def test_a_message_that_has_nothing_of_an_event_is_buried(heart: Heart) -> None:
    async with heart.listening(DEAD) as said, heart.running():
        await heart.bus.publish([Message(HEARD, "", (), b"")])
        await heart.quiet()
    assert len(await _letters(heart)) == len(said) == 1


@pytest.mark.parametrize(
    "type_", ["jiesu.ticket.supplemented.v2", "jiesu.ticket.invented.v1", "jiesu.ticket.closed.v1"]
)
async def test_events_of_a_newer_release_and_of_no_interest_are_skipped(heart: Heart, type_: str) -> None:
    async with heart.running():
        await heart.bus.publish([_of_type(heart, type_), message("a", "one", 2, heart.clock)])
    assert await heart.count("dead_letters") == 0
    assert await heart.heard() == {"a": ["ONE"]}


async def test_what_no_column_can_hold_does_not_keep_a_letter_from_being_put_aside(
    heart: Heart, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ValueError("a\0b \ud800 c" + "." * 5000)

    monkeypatch.setattr(echo, "hear", fail)
    nul = replace(message("a\0b", "one", 1, heart.clock), key="a\0b")
    async with heart.listening(DEAD) as said, heart.running():
        await heart.bus.publish([message("a", "one", 1, heart.clock), nul])
        await heart.quiet()
    letters = await _letters(heart)
    assert [letter["key"] for letter in letters] == ["a", "a\ufffdb"]
    assert dict(unpack_headers(letters[1]["headers"]))["ce_subject"] == b"a\0b"
    assert letters[0]["reason"].startswith("ValueError: a\ufffdb ? c")
    assert len(letters[0]["reason"]) == LONGEST_REASON
    assert [message.key for message in said] == ["a", "a\ufffdb"]


async def test_an_argument_that_its_column_cannot_hold_is_the_events_own_fault(
    heart: Heart, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = echo.save

    async def with_number(tx: Tx, subject: str, words: str) -> None:
        await real(tx, subject, words, 2**40)

    monkeypatch.setattr(echo, "save", with_number)
    async with heart.running():
        await heart.bus.publish([message("a", "one", 1, heart.clock)])
    (letter,) = await _letters(heart)
    assert "DataError" in letter["reason"]


async def test_a_run_of_dead_letters_halts_the_consumer_and_leaves_the_rest_to_the_next(heart: Heart) -> None:
    poison = [message(f"p{n}", POISON, 1, heart.clock) for n in range(DEAD_RUN + 5)]
    consumer = heart.consumer()
    publishing = asyncio.create_task(heart.bus.publish([message("a", "one", 1, heart.clock), *poison]))
    await consumer.run()
    assert consumer.halted == f"{DEAD_RUN} dead letters in a row, the last: ValueError"
    assert await heart.count("dead_letters") == DEAD_RUN
    async with heart.bus.subscribe(f"jiesu.{NAME}", [HEARD]) as fixed_release:
        left = await fixed_release.receive(500)
        await fixed_release.ack(left)
    await publishing
    assert [one.key for one in left] == [one.key for one in poison[DEAD_RUN:]]


async def test_a_halted_consumer_turns_readiness_red(fresh_database: str, tmp_path: Path) -> None:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    async with running(EchoService.over(tmp_path / "migrations"), settings, bus, clock) as stage:
        assert await stage.not_ready() == []
        poison = [message(f"p{n}", POISON, 1, clock) for n in range(DEAD_RUN)]
        await bus.publish(poison)
        await stage.tasks["consumer"]
        assert f"{DEAD_RUN} dead letters in a row, the last: ValueError" in await stage.not_ready()


async def test_a_good_event_ends_the_run(heart: Heart) -> None:
    def some_poison(n: int) -> list[Message]:
        return [message(f"p{n}.{i}", POISON, 1, heart.clock) for i in range(DEAD_RUN - 1)]

    async with heart.running() as consumer:
        for n in range(2):
            await heart.bus.publish([*some_poison(n), message("a", "one", n + 1, heart.clock)])
        garbage, more = ([_of_type(heart, "garbage") for _ in range(DEAD_RUN - 1)] for _ in range(2))
        await heart.bus.publish([*garbage, message("a", "one", 3, heart.clock), *more])
        assert consumer.halted is None
    assert await heart.count("dead_letters") == 4 * (DEAD_RUN - 1)


async def test_what_was_buried_and_comes_again_is_not_buried_again(heart: Heart) -> None:
    garbage = [_of_type(heart, "garbage"), message("a", POISON, 1, heart.clock)]
    async with heart.running():
        await heart.bus.publish(garbage)
        await heart.bus.publish(garbage)
    assert await heart.count("dead_letters") == len(garbage)
