"""What became of a city's appeals, as their citizens see it."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

from deploy.simulator.client import Platform

AT_ONCE = 16
STEPS = {
    "ticket.dispatched": "dispatched",
    "ticket.accepted": "accepted",
    "ticket.contacted": "citizen contacted",
    "ticket.returned": "returned",
    "ticket.resolved": "resolved",
    "review.submitted": "reviewed",
    "ticket.reopened": "reopened",
    "ticket.closed": "closed",
}
"""Types of the timeline, in the order of the loop, and what reaching one is called."""


async def tally(platform: Platform, posted: Mapping[str, str]) -> tuple[Counter[str], Counter[str]]:
    """Count how many tickets ever reached each step, and the status each has now. `posted`: ticket to query code."""
    room = asyncio.Semaphore(AT_ONCE)

    async def look(ticket: str, code: str) -> Any | None:
        async with room:
            return await platform.get(f"/intake/v1/tickets/{ticket}", code=code)

    seen = [view for view in await asyncio.gather(*(look(*item) for item in posted.items())) if view]
    reached = [{line["type"] for line in view["timeline"]} for view in seen]
    steps = Counter({name: sum(type_ in types for types in reached) for type_, name in STEPS.items()})
    return steps, Counter(view["status"] for view in seen)
