"""Adaptive micro-batching: while one flush runs, what arrives queues up and goes into the next. No timer, no window."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class OverloadedError(Exception):
    """More is waiting than can be done soon; the sender should come back."""


class MicroBatch(Generic[T, R]):
    """Turns single submissions into batches of at most `largest`, with at most `flushers` flushes at a time.

    `flush` returns one result for each item, in order; a result that is an exception is raised to its submitter.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]],
        largest: int = 500,
        flushers: int = 2,
        longest_queue: int = 4000,
    ) -> None:
        self._flush = flush
        self._largest = largest
        self._flushers = flushers
        self._longest_queue = longest_queue
        self._queue: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._running: set[asyncio.Task[None] | None] = set()

    async def submit(self, item: T) -> R:
        """Return the item's result once its batch was flushed. Raises OverloadedError when too many wait already."""
        if len(self._queue) >= self._longest_queue:
            raise OverloadedError(f"{len(self._queue)} are waiting")
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._queue.append((item, future))
        if len(self._running) < self._flushers:
            # In a context of its own: a batch is not part of the one request that happened to start it.
            self._running.add(asyncio.create_task(self._drain(), context=Context()))
        return await future

    async def _drain(self) -> None:
        try:
            while self._queue:
                await self._flush_some()
        finally:
            # Here and not in a done callback: who was just answered may submit again before that would run.
            self._running.discard(asyncio.current_task())

    async def _flush_some(self) -> None:
        batch = [self._queue.popleft() for _ in range(min(self._largest, len(self._queue)))]
        answered: list[tuple[tuple[T, asyncio.Future[R]], R | Exception]]
        try:
            answered = list(zip(batch, await self._flush([item for item, _ in batch]), strict=True))
        except Exception as error:  # noqa: BLE001 whatever it is, the submitters must hear of it
            answered = [(submitted, error) for submitted in batch]
        for (_, future), result in answered:
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
