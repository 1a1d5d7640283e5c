"""A heart for each test, that does not wait between tries."""

from collections.abc import AsyncIterator

import pytest

from libs.common.messaging import consumer, loop
from tests.support.heart import Heart, beating


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    for module in (consumer, loop):
        monkeypatch.setattr(module, "backoff", lambda _: 0.0)


@pytest.fixture
async def heart(fresh_database: str) -> AsyncIterator[Heart]:
    """The smallest service there is, set up on an empty database."""
    async with beating(fresh_database) as heart:
        yield heart
