"""Every event takes effect once, however often and to however many it is handed."""

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from libs.common.messaging import inbox
from tests.support import heart as echo
from tests.support.heart import HEARD, NAME, SAID, Heart, Once, break_once, message

SUBJECTS = "abcdefgh"


def _repeated() -> float:
    return REGISTRY.get_sample_value("jiesu_events_repeated_total", {"service": NAME}) or 0.0


async def test_an_event_delivered_twice_in_one_batch_has_one_effect(heart: Heart) -> None:
    one, two = (message("a", words, n, heart.clock) for n, words in enumerate(("one", "two"), 1))
    before = _repeated()
    async with heart.listening(SAID) as said, heart.running():
        await heart.bus.publish([one, one, two, one])
        await heart.quiet()
    assert await heart.heard() == {"a": ["ONE", "TWO"]}
    assert len(said) == 2
    assert _repeated() - before == 2


async def test_an_event_delivered_again_later_has_no_further_effect(heart: Heart) -> None:
    one, two = (message("a", words, n, heart.clock) for n, words in enumerate(("one", "two"), 1))
    async with heart.running():
        await heart.bus.publish([one])
        await heart.bus.publish([two, one])
        await heart.bus.publish([one])
    assert await heart.heard() == {"a": ["ONE", "TWO"]}
    assert await heart.count("inbox") == 2


@pytest.mark.parametrize("error", [None, ConnectionResetError("injected"), RuntimeError("injected")], ids=str)
async def test_two_members_handed_the_same_events_at_once_have_one_effect(
    heart: Heart, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    said = [message(s, words, n, heart.clock) for n, words in enumerate(("one", "two"), 1) for s in SUBJECTS]
    if error:
        break_once(monkeypatch, echo, "hear", Once(error), after=True)
    members = [heart.consumer() for _ in range(3)]
    async with heart.bus.subscribe("members", [HEARD]) as subscription:
        await asyncio.gather(*(member.settle(said, subscription) for member in members))
    assert await heart.heard() == {subject: ["ONE", "TWO"] for subject in SUBJECTS}
    assert await heart.count("outbox") == len(said)
    assert await heart.count("dead_letters") == 0


async def test_what_one_transaction_claimed_is_free_again_when_it_is_rolled_back(heart: Heart) -> None:
    id_ = heart.clock.new_id()
    pool = heart.database.pool
    async with pool.acquire() as first, pool.acquire() as second:
        undone = first.transaction()
        await undone.start()
        assert await inbox.claim(first, [id_]) == {id_}
        waiting = asyncio.create_task(inbox.claim(second, [id_]))
        await undone.rollback()
        assert await waiting == {id_}
        assert await inbox.claim(second, [id_]) == set()


async def test_the_inbox_forgets_what_is_older_than_it_is_told_and_nothing_else(heart: Heart) -> None:
    old = [heart.clock.new_id() for _ in range(3)]
    heart.clock.advance(days=8)
    limit = heart.clock.now()
    new = [heart.clock.new_id() for _ in range(2)]
    await inbox.claim(heart.database.pool, [*old, *new])
    await inbox.purge(heart.database.pool, limit - timedelta(days=8))
    assert await heart.count("inbox") == 5
    await inbox.purge(heart.database.pool, limit)
    assert await inbox.claim(heart.database.pool, [*old, *new]) == set(old)
