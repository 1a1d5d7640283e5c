"""Background work goes on whatever its step meets, naps when told to, wakes and stops when asked."""

import asyncio
from collections.abc import Iterator

import pytest

from libs.common.messaging import loop as module
from libs.common.messaging.loop import Loop

FOREVER = 1e6


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "backoff", lambda _: 0.0)


class Script:
    """A step that does what it was told, one entry after another: raise, or return the seconds to nap."""

    def __init__(self, *entries: float | Exception) -> None:
        self._entries: Iterator[float | Exception] = iter(entries)
        self.loop = Loop("scripted", self)
        self.calls = 0
        self.failing: list[str | None] = []

    async def __call__(self) -> float:
        self.calls += 1
        self.failing.append(self.loop.failing)
        entry = next(self._entries, None)
        if entry is None:
            self.loop.stop()
            return FOREVER
        if isinstance(entry, Exception):
            raise entry
        return entry


async def test_a_step_that_has_more_is_called_again_at_once() -> None:
    script = Script(0, 0, 0)
    await script.loop.run()
    assert script.calls == 4


async def test_a_failure_is_told_and_survived_and_forgotten_after_a_success() -> None:
    script = Script(OSError("away"), ValueError("bug"), 0)
    await script.loop.run()
    assert script.failing == [None, "OSError", "ValueError", None]


async def test_the_wait_grows_with_the_failures_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[int] = []

    def backoff(attempt: int) -> float:
        attempts.append(attempt)
        return 0.0

    monkeypatch.setattr(module, "backoff", backoff)
    await Script(OSError(), OSError(), 0, OSError()).loop.run()
    assert attempts == [1, 2, 1]


async def test_a_nap_ends_when_woken() -> None:
    script = Script(FOREVER, 0)
    running = asyncio.create_task(script.loop.run())
    await asyncio.sleep(0)
    assert script.calls == 1
    script.loop.wake()
    await running
    assert script.calls == 3


async def test_a_nap_ends_by_itself() -> None:
    script = Script(0.001)
    await script.loop.run()
    assert script.calls == 2


async def test_waking_while_the_step_runs_makes_it_run_again() -> None:
    async def step() -> float:
        calls.append(1)
        if len(calls) == 1:
            loop.wake()
        else:
            loop.stop()
        return FOREVER

    calls: list[int] = []
    loop = Loop("woken", step)
    await loop.run()
    assert len(calls) == 2


async def test_stopping_ends_a_nap_and_lets_a_step_finish() -> None:
    script = Script(FOREVER, 0, 0)
    running = asyncio.create_task(script.loop.run())
    await asyncio.sleep(0)
    script.loop.stop()
    await running
    assert script.calls == 1


async def test_a_loop_stopped_before_it_ran_does_nothing() -> None:
    script = Script(0)
    script.loop.stop()
    await script.loop.run()
    assert script.calls == 0
