"""Waiting for what another task must bring about."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.support.stages import PATIENCE_SECONDS

T = TypeVar("T")
LOOK_SECONDS = 0.05


async def until(look: Callable[[], Awaitable[T]], enough: Callable[[T], object], seconds: float = 0) -> T:
    """Look again and again until what is seen is enough, and return it; fails with it if that does not come about."""
    last: T = await look()
    try:
        async with asyncio.timeout(seconds or 6 * PATIENCE_SECONDS):
            while not enough(last):
                await asyncio.sleep(LOOK_SECONDS)
                last = await look()
    except TimeoutError:
        raise AssertionError(f"saw only {last!r}") from None
    return last
