"""The platform as the simulator sees it: public HTTP, and the one clock."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from libs.common.messaging.retry import backoff
from libs.common.runtime.clock import Clock

PAGE = 500
MOST_LISTED = 2000
"""How far a list is read: a simulated city works on the oldest first and leaves what it cannot hold."""
TRIES = 8


class Platform:
    """A running Jiesu. `done` counts what was asked of it and done, as in `dispatch accept`."""

    def __init__(self, http: httpx.AsyncClient, clock: Clock) -> None:
        self.clock = clock
        self.done: Counter[str] = Counter()
        self._http = http

    async def get(self, path: str, **query: Any) -> Any | None:
        """Return what stands there, or None if it is not there, not for us, or not to be had for long."""
        answer = await self._ask("GET", path, params=query)
        return answer.json() if answer and answer.is_success else None

    async def post(self, path: str, body: Mapping[str, Any], **query: Any) -> Any | None:
        """Do something and return the answer; None if it is not possible, or no longer."""
        answer = await self._ask("POST", path, params=query, json=body)
        if answer is None or not answer.is_success:
            return None
        service, *_, deed = path.strip("/").split("/")
        self.done[f"{service} {deed}"] += 1
        return answer.json()

    async def listed(self, path: str, **query: Any) -> AsyncIterator[Any]:
        """Yield the items of a list, page by page."""
        cursor: dict[str, str] = {}
        for _ in range(MOST_LISTED // PAGE):
            page = await self.get(path, limit=PAGE, **query, **cursor)
            for item in page["items"] if page else ():
                yield item
            if page is None or page["next"] is None:
                return
            cursor = {"cursor": page["next"]}

    async def _ask(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """Ask, and ask again what is not possible yet: the platform is away, full, or has not heard of it."""
        for attempt in range(1, TRIES + 1):
            try:
                answer = await self._http.request(method, path, **more)
                if "retry-after" not in answer.headers and not answer.is_server_error:
                    return answer
            except httpx.TransportError:
                pass
            await asyncio.sleep(backoff(attempt))
        return None
