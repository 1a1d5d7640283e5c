"""Where tickets ended up, asked over public HTTP: lists in pages, and one by one what stands on none."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from itertools import islice
from typing import Any
from uuid import UUID

import httpx

PAGE = 500
AT_ONCE, MOST_AT_A_TIME = 16, 500
PAUSE_SECONDS = 0.5
"""How long a platform that is still at work is left to it before it is asked again."""
ORDERS, QUEUE = "/dispatch/v1/orders", "/classify/v1/reviews"
ORDER, DESK, REVIEW, OPEN = (
    "an order with a unit", "a desk at the centre", "the review queue", "still being understood",
)  # fmt: skip
LINKED, ANSWERED, WITHDRAWN, UNKNOWN = (
    "joined to another appeal", "answered at once", "withdrawn", "not known to this platform",
)  # fmt: skip


class OutcomesError(RuntimeError):
    """The platform does not tell; the text says why."""


class Outcomes:
    """Follows tickets until each has an outcome or waits for a person."""

    def __init__(self, http: httpx.AsyncClient, tickets: Collection[UUID]) -> None:
        self._http = http
        self._open = {str(ticket) for ticket in tickets}
        self._found: Counter[str] = Counter()
        self._queued: set[str] = set()
        self._behind: str | None = None
        """The cursor behind the full pages of orders that were read."""

    async def follow(self, seconds: float, on_found: Callable[[int], None]) -> Counter[str]:
        """Return how many tickets have which outcome by then; `on_found` is told how many have one.

        Raises:
            OutcomesError: the key may not look at orders, or the platform went away.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while self._open:
            if not await self._read_orders():
                await self._ask_about_others()
            on_found(self._found.total())
            if self._open <= self._queued or asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        waiting = Counter({REVIEW: len(self._open & self._queued), OPEN: len(self._open - self._queued)})
        return self._found + waiting

    async def _read_orders(self) -> int:
        """Settle what has an order, and return how many."""
        before = len(self._open)
        async for order, cursor in self._listed(ORDERS, self._behind):
            self._behind = cursor
            if order["state"] != "recalled":
                self._settle(order["ticket_id"], DESK if order["desk"] else ORDER)
        return before - len(self._open)

    async def _ask_about_others(self) -> None:
        """Look at the review queue, and at some of those that are on no list."""
        self._queued = {held["ticket_id"] async for held, _ in self._listed(QUEUE, None)}
        room = asyncio.Semaphore(AT_ONCE)

        async def ask(ticket: str) -> None:
            async with room:
                self._settle(ticket, await self._outcome(ticket))

        await asyncio.gather(*(ask(ticket) for ticket in islice(self._open - self._queued, MOST_AT_A_TIME)))

    async def _outcome(self, ticket: str) -> str:
        view = await self._get(f"/intake/v1/tickets/{ticket}")
        if view is None:
            return UNKNOWN
        if view["linked_to"]:
            return LINKED
        if view["status"] == "withdrawn":
            return WITHDRAWN
        if view["unit"]:
            order = await self._get(f"{ORDERS}/{ticket}")
            return DESK if order and order["desk"] else ORDER
        return ANSWERED if view["status"] in {"answered", "closed"} else OPEN

    def _settle(self, ticket: str, outcome: str) -> None:
        if ticket in self._open and outcome != OPEN:
            self._open.discard(ticket)
            self._found[outcome] += 1

    async def _listed(self, path: str, cursor: str | None) -> AsyncIterator[tuple[dict[str, Any], str | None]]:
        """Yield each item with the cursor of the page that it is on."""
        while True:
            page = await self._get(path, limit=PAGE, **({"cursor": cursor} if cursor else {}))
            for item in page["items"] if page else ():
                yield item, cursor
            if page is None or page["next"] is None:
                return
            cursor = page["next"]

    async def _get(self, path: str, **query: Any) -> Any | None:
        """Return what stands there, or None if nothing does."""
        try:
            answer = await self._http.get(path, params=query)
        except httpx.TransportError as error:
            raise OutcomesError(f"{self._http.base_url} does not answer any more: {error!r}") from error
        if answer.status_code in {httpx.codes.NOT_FOUND, httpx.codes.CONFLICT}:
            return None
        if not answer.is_success:
            raise OutcomesError(f"{path} answers {answer.status_code}: {answer.text[:200]}")
        return answer.json()
