"""Micro-batches: everyone gets the answer to their own item, whatever happens to the others'."""

import asyncio
from collections.abc import Sequence

import pytest

from libs.common.runtime.batching import MicroBatch, OverloadedError


class Door:
    """A flush that waits until it is let through, and keeps what it was given."""

    def __init__(self, largest: int = 500, flushers: int = 1, longest_queue: int = 4000) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()
        self.batch = MicroBatch(self.flush, largest, flushers, longest_queue)

    async def flush(self, items: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(items))
        await self.open.wait()
        return [KeyError(item) if item < 0 else item * 10 for item in items]

    async def submit(self, *items: int) -> list[int | BaseException]:
        """Submit all at once, let them through, and return what each submitter got."""
        submitted = [asyncio.create_task(self.batch.submit(item)) for item in items]
        await asyncio.sleep(0)
        self.open.set()
        return await asyncio.gather(*submitted, return_exceptions=True)


async def test_each_submitter_gets_the_result_of_its_own_item() -> None:
    assert await Door(largest=7, flushers=3).submit(*range(50)) == [n * 10 for n in range(50)]


async def test_what_arrives_during_a_flush_goes_into_the_next_up_to_the_largest() -> None:
    door = Door(largest=3)
    first = asyncio.create_task(door.batch.submit(0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert door.batches == [[0]]
    await door.submit(1, 2, 3, 4)
    await first
    assert door.batches == [[0], [1, 2, 3], [4]]


async def test_no_more_flushes_run_at_a_time_than_there_are_flushers() -> None:
    door = Door(largest=1, flushers=2)
    submitted = [asyncio.create_task(door.batch.submit(n)) for n in range(5)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert door.batches == [[0], [1]]
    door.open.set()
    assert await asyncio.gather(*submitted) == [0, 10, 20, 30, 40]


async def test_an_exception_goes_to_its_own_submitter_only() -> None:
    good, bad, other = await Door().submit(1, -1, 2)
    assert (good, other) == (10, 20)
    assert isinstance(bad, KeyError)


async def test_a_failed_flush_is_told_to_everyone_in_it_and_the_next_goes_on() -> None:
    async def flush(items: Sequence[int]) -> list[int]:
        if 1 in items:
            raise ConnectionResetError
        return list(items)

    batch: MicroBatch[int, int] = MicroBatch(flush, largest=2, flushers=1)
    first, second, third = await asyncio.gather(*(batch.submit(n) for n in range(3)), return_exceptions=True)
    assert [type(first), type(second), third] == [ConnectionResetError, ConnectionResetError, 2]


async def test_a_flush_that_returns_too_few_results_leaves_nobody_waiting() -> None:
    async def flush(items: Sequence[int]) -> list[int]:
        return list(items)[1:]

    batch: MicroBatch[int, int] = MicroBatch(flush)
    outcomes = await asyncio.gather(*(batch.submit(n) for n in range(3)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ValueError}


async def test_more_than_the_longest_queue_is_refused() -> None:
    door = Door(largest=1, longest_queue=2)
    outcomes = await door.submit(0, 1, 2, 3)
    assert [isinstance(outcome, OverloadedError) for outcome in outcomes] == [False, False, True, True]


async def test_a_submitter_that_gave_up_does_not_disturb_the_others() -> None:
    door = Door()
    gone, stays = (asyncio.create_task(door.batch.submit(n)) for n in (1, 2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gone.cancel()
    door.open.set()
    assert await stays == 20


async def test_who_submits_again_as_soon_as_it_is_answered_is_answered_again() -> None:
    async def flush(items: Sequence[int]) -> list[int]:
        return list(items)

    batch: MicroBatch[int, int] = MicroBatch(flush, flushers=1)
    async with asyncio.timeout(5):
        assert [await batch.submit(n) for n in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("flushers", [1, 2, 3])
async def test_a_crowd_that_keeps_coming_back_is_all_answered(flushers: int) -> None:
    async def flush(items: Sequence[int]) -> list[int]:
        await asyncio.sleep(0)
        return list(items)

    batch: MicroBatch[int, int] = MicroBatch(flush, largest=3, flushers=flushers)

    async def visitor(n: int) -> list[int]:
        return [await batch.submit(n * 100 + turn) for turn in range(20)]

    async with asyncio.timeout(5):
        answers = await asyncio.gather(*(visitor(n) for n in range(7)))
    assert answers == [[n * 100 + turn for turn in range(20)] for n in range(7)]
