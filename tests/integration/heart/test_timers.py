"""Timers fire once, in the order of their due times, in the transaction of their effect."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from libs.common.contracts.dispatch import TicketProgressed
from libs.common.messaging.transaction import Tx
from libs.common.runtime.timers import LIMIT, LONGEST_NAP_SECONDS, PUT_OFF, Due, Timers
from tests.support.heart import NAME, PATIENCE_SECONDS, UNIT, Heart
from tests.support.stages import NOON


async def fire(timers: Sequence[Due], tx: Tx, _: Any) -> None:
    """Write down whom it fired for, and say so."""
    rows = [(due.subject, f"{due.due_at:%d %H:%M}") for due in timers]
    await tx.connection.executemany("INSERT INTO heard (subject, words) VALUES ($1, $2)", rows)
    for due in timers:
        tx.emit(due.subject, TicketProgressed(unit=UNIT, note="fired", round=1, at=NOON))


async def fail(timers: Sequence[Due], tx: Tx, _: Any) -> None:
    """Fail if the one called `bad` is among those due, after half of the work."""
    await fire(timers, tx, None)
    if any(due.subject == "bad" for due in timers):
        raise ValueError("bad")


def timers(heart: Heart, **handlers: Any) -> Timers:
    """Return one worker's share in the timers."""
    return Timers(NAME, heart.database, heart.clock, {"k": fire, **handlers}, context=None)


async def schedule(heart: Heart, kind: str = "k", /, **after: timedelta) -> None:
    """Set timers by subject."""
    async with heart.database.begin() as tx:
        await tx.lock(after)
        for subject, span in after.items():
            tx.schedule(kind, subject, NOON + span)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


async def fired(heart: Heart) -> list[str]:
    """Return whom timers fired for, in order."""
    rows = await heart.database.pool.fetch("SELECT subject FROM heard ORDER BY n")
    return [row["subject"] for row in rows]


async def test_a_timer_fires_when_it_is_due_and_never_again(heart: Heart) -> None:
    worker = timers(heart)
    await schedule(heart, a=minutes(1))
    assert await worker.fire() == 0
    heart.clock.advance(minutes=1)
    assert await worker.fire() == 1
    heart.clock.advance(days=1)
    assert await worker.fire() == 0
    assert await heart.heard() == {"a": ["02 04:01"]}
    assert await heart.count("outbox") == 1


async def test_two_workers_fire_each_timer_exactly_once(heart: Heart) -> None:
    subjects = [f"s{n:03}" for n in range(LIMIT + 100)]
    await schedule(heart, **dict.fromkeys(subjects, minutes(0)))
    workers = [timers(heart), timers(heart)]
    while any(await asyncio.gather(*(worker.fire() for worker in workers))):
        pass
    assert sorted(await fired(heart)) == subjects
    assert await heart.count("timers") == 0


async def test_a_worker_takes_what_is_behind_those_that_another_is_at(heart: Heart) -> None:
    first, behind = [f"a{n:03}" for n in range(LIMIT)], [f"b{n:03}" for n in range(7)]
    await schedule(heart, **dict.fromkeys(first, minutes(0)), **dict.fromkeys(behind, minutes(1)))
    heart.clock.advance(minutes=2)
    async with heart.database.begin() as tx:
        await tx.lock(first)
        assert await timers(heart).fire() == len(behind)
    assert sorted(await fired(heart)) == behind
    assert await timers(heart).fire() == LIMIT


async def test_after_an_outage_everything_overdue_fires_in_the_order_it_was_due(heart: Heart) -> None:
    worker = timers(heart)
    await schedule(heart, late=minutes(30), first=minutes(1), middle=minutes(7), future=timedelta(days=9))
    heart.clock.advance(days=3)
    assert await worker.fire() == 3
    assert await fired(heart) == ["first", "middle", "late"]


async def test_two_timers_of_one_subject_fire_in_order_and_in_calls_of_their_own(heart: Heart) -> None:
    calls: list[list[Due]] = []

    async def other(due: Sequence[Due], _: Tx, __: Any) -> None:
        calls.append(list(due))

    await schedule(heart, "second", a=minutes(2), b=minutes(1))
    await schedule(heart, "first", a=minutes(1))
    heart.clock.advance(minutes=5)
    await timers(heart, first=other, second=other).fire()
    assert calls == [
        [Due("a", NOON + minutes(1))], [Due("b", NOON + minutes(1))], [Due("a", NOON + minutes(2))]
    ] or calls == [
        [Due("b", NOON + minutes(1))], [Due("a", NOON + minutes(1))], [Due("a", NOON + minutes(2))]
    ]  # fmt: skip


async def test_one_that_fails_is_put_off_and_the_others_fire(heart: Heart) -> None:
    worker = timers(heart, k=fail)
    await schedule(heart, a=minutes(1), bad=minutes(2), c=minutes(3))
    heart.clock.advance(minutes=5)
    assert await worker.fire() == 3
    assert await fired(heart) == ["a", "c"]
    assert await heart.count("outbox") == 2
    assert await worker.fire() == 0
    heart.clock.at += PUT_OFF
    assert await timers(heart).fire() == 1
    assert await fired(heart) == ["a", "c", "bad"]


async def test_one_that_is_taken_away_while_it_fails_does_not_come_back(heart: Heart) -> None:
    pool = heart.database.pool
    tries: list[str] = []
    taking: list[asyncio.Task[Any]] = []

    async def fail_and_let_it_be_taken_away(_: Sequence[Due], __: Tx, ___: Any) -> None:
        tries.append("together" if not tries else "alone")
        if tries[-1] == "alone":
            taking.append(asyncio.create_task(pool.execute("DELETE FROM timers")))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                    pass
        raise ValueError

    await schedule(heart, a=minutes(0))
    await timers(heart, k=fail_and_let_it_be_taken_away).fire()
    await asyncio.gather(*taking)
    assert tries == ["together", "alone"]
    assert await heart.count("timers") == 0


async def test_a_kind_that_this_release_does_not_know_is_put_off(heart: Heart) -> None:
    await schedule(heart, "unknown", a=minutes(0))
    await schedule(heart, b=minutes(0))
    assert await timers(heart).fire() == 2
    assert await heart.database.pool.fetchval("SELECT due_at FROM timers") == NOON + PUT_OFF
    assert await fired(heart) == ["b"]


async def test_a_transient_failure_puts_nothing_off(heart: Heart) -> None:
    async def away(_: Sequence[Due], __: Tx, ___: Any) -> None:
        raise ConnectionResetError

    await schedule(heart, a=minutes(0))
    with pytest.raises(ConnectionResetError):
        await timers(heart, k=away).fire()
    assert await timers(heart).fire() == 1


async def test_setting_a_timer_again_replaces_it(heart: Heart) -> None:
    await schedule(heart, a=minutes(1))
    await schedule(heart, a=minutes(10))
    heart.clock.advance(minutes=5)
    assert await timers(heart).fire() == 0
    heart.clock.advance(minutes=5)
    assert await timers(heart).fire() == 1
    assert await heart.heard() == {"a": ["02 04:10"]}


async def test_a_timer_that_was_taken_away_does_not_fire(heart: Heart) -> None:
    await schedule(heart, a=minutes(1), b=minutes(1))
    async with heart.database.begin() as tx:
        await tx.lock("a")
        tx.unschedule("k", "a")
    heart.clock.advance(minutes=5)
    await timers(heart).fire()
    assert await fired(heart) == ["b"]


async def test_what_is_locked_elsewhere_is_passed_over_and_taken_later(heart: Heart) -> None:
    worker = timers(heart)
    await schedule(heart, a=minutes(0), busy=minutes(0), c=minutes(0))
    async with heart.database.begin() as tx:
        await tx.lock(["busy"])
        assert await worker.fire() == 2
        assert await worker.fire() == 0
    assert await worker.fire() == 1
    assert await fired(heart) == ["a", "c", "busy"]


async def test_what_was_set_anew_by_who_held_the_lock_fires_when_it_says(heart: Heart) -> None:
    worker = timers(heart)
    await schedule(heart, a=minutes(0))
    async with heart.database.begin() as tx:
        await tx.lock("a")
        tx.schedule("k", "a", NOON + minutes(10))
    assert await worker.fire() == 0
    assert await heart.count("timers") == 1


async def test_a_timer_of_an_aggregate_that_nobody_locked_before_fires_too(heart: Heart) -> None:
    async with heart.database.begin() as tx:
        tx.schedule("k", "stranger", NOON)
    assert await timers(heart).fire() == 1
    assert await fired(heart) == ["stranger"]


async def test_the_effect_and_the_firing_are_one_transaction(heart: Heart) -> None:
    worker = timers(heart)
    await schedule(heart, a=minutes(0))
    await heart.database.pool.execute("ALTER TABLE outbox ADD CONSTRAINT full_up CHECK (false)")
    await worker.fire()
    assert await fired(heart) == []
    assert await heart.count("timers") == 1
    await heart.database.pool.execute("ALTER TABLE outbox DROP CONSTRAINT full_up")
    heart.clock.at += PUT_OFF
    assert await worker.fire() == 1


async def test_a_worker_naps_until_the_next_is_due_but_never_long(heart: Heart) -> None:
    worker = timers(heart)
    assert await worker.step() == LONGEST_NAP_SECONDS
    await schedule(heart, a=timedelta(seconds=0.25), b=minutes(10))
    assert await worker.step() == 0.25
    heart.clock.advance(seconds=1)
    assert await worker.step() == 0
    assert await worker.step() == LONGEST_NAP_SECONDS
    heart.clock.rate = 6000
    assert await worker.step() == pytest.approx((600 - 1) / 6000)


async def test_how_late_it_fired_is_measured(heart: Heart) -> None:
    def measured() -> float:
        return REGISTRY.get_sample_value("jiesu_timer_lateness_seconds_sum", {"service": NAME}) or 0.0

    before = measured()
    await schedule(heart, a=minutes(1), b=minutes(2))
    heart.clock.advance(minutes=4)
    await timers(heart).fire()
    assert measured() - before == 60 * (3 + 2)
