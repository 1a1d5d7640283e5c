"""The one shape of background work: a step called again and again, that says how long it has nothing to do."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from libs.common.messaging.retry import backoff, describe

log = structlog.get_logger(__name__)
Step = Callable[[], Awaitable[float]]


class Loop:
    """Calls `step` until stopped: again at once when it returns 0, else after that many seconds or when woken.

    A step that raises is tried again after a pause that grows; nothing but `stop` ends the loop.
    """

    def __init__(self, name: str, step: Step) -> None:
        self.name = name
        self.failing: str | None = None
        self._step = step
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """End the nap: there may be something to do."""
        self._woken.set()

    def stop(self) -> None:
        """Ask `run` to end after the step in hand."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Run until stopped."""
        attempt = 0
        while not self._stopping:
            self._woken.clear()
            try:
                nap = await self._step()
                attempt, self.failing = 0, None
            except Exception as error:  # noqa: BLE001
                # The loop outlives whatever its step meets: a database restarting, a broker away, a bug in one row.
                attempt += 1
                self.failing = type(error).__name__
                log.warning("will try again", loop=self.name, attempt=attempt, error=describe(error))
                nap = backoff(attempt)
            if nap and not self._stopping:
                await self._nap(nap)

    async def _nap(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)
