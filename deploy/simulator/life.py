"""Everybody at once: citizens who appeal and judge, units that work, a centre that rules and phones."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any

from deploy.simulator import conduct
from deploy.simulator.client import Platform
from deploy.simulator.plan import Planned

LOOK_AGAIN_SECONDS = 1.0
"""Of real time: how often people look at their lists."""
CALLBACK_LOOKS = 24
"""How often a seat comes back to a callback that it may not make yet: for two days."""
AT_ONCE_SECONDS = 0.05
"""Of real time: what is due within it is sent now, for a sleep is not finer."""
Item = dict[str, Any]


class Life:
    """A simulated city on a platform. What people do is drawn from the seed, the appeal, the round and the try."""

    def __init__(self, platform: Platform, seed: int) -> None:
        self.posted: dict[str, str] = {}
        """The tickets of this city's appeals, with the citizens' query codes."""
        self._platform = platform
        self._seed = seed
        self._planned: dict[str, Planned] = {}
        self._begun: set[tuple[object, ...]] = set()
        self._seen: dict[str, conduct.Seen] = {}
        """What citizens who were not asked yet saw of how their units worked."""
        self._group = asyncio.TaskGroup()

    async def run(self, appeals: Iterator[Planned], real_seconds: float | None = None) -> None:
        """Live for a while, or until cancelled."""
        orders = "/dispatch/v1/orders"
        with suppress(TimeoutError):
            async with asyncio.timeout(real_seconds), self._group as group:
                group.create_task(self._appeal(appeals))
                # What was begun before, by an earlier simulation or by people.
                await self._look(orders, self._work, state="accepted")
                await self._look(orders, self._work, state="in_progress")
                group.create_task(self._watch(orders, self._work, state="dispatched"))
                group.create_task(self._watch(orders, self._rule, state="returned"))
                group.create_task(self._watch("/classify/v1/reviews", self._confirm))
                group.create_task(self._watch("/feedback/v1/callbacks", self._phone, due="true"))

    async def _watch(
        self, path: str, errand: Callable[[Item, Random], Coroutine[Any, Any, None]], **query: str
    ) -> None:
        while True:
            await self._look(path, errand, **query)
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _look(self, path: str, errand: Callable[[Item, Random], Coroutine[Any, Any, None]], **query: str) -> None:
        """Begin an errand for everything on a list that was not begun yet."""
        async for item in self._platform.listed(path, **query):
            turn = (item.get("round"), item.get("returns"), len(item.get("tries", ())))
            begun = (errand.__name__, item["ticket_id"], *turn)
            if begun not in self._begun:
                self._begun.add(begun)
                self._group.create_task(errand(item, self._random(errand.__name__, item["ticket_id"], *turn)))

    def _random(self, what: str, ticket: str, *turn: object) -> Random:
        planned = self._planned.get(ticket)
        return Random(f"{self._seed} {what} {planned.ref if planned else ticket} {turn}")

    async def _wait(self, span: timedelta) -> None:
        await self._platform.clock.sleep(span)

    async def _appeal(self, appeals: Iterator[Planned]) -> None:
        for planned in appeals:
            wait = planned.at - self._platform.clock.now()
            if self._platform.clock.real_seconds(wait) > AT_ONCE_SECONDS:
                await self._wait(wait)
            self._group.create_task(self._post(planned))

    async def _post(self, planned: Planned) -> None:
        answer = await self._platform.post("/intake/v1/tickets", planned.body | {"external_ref": planned.ref})
        if answer is None:
            return
        ticket, code = answer["ticket_id"], answer["query_code"]
        self.posted[ticket], self._planned[ticket] = code, planned
        if planned.withdraw:
            await self._wait(planned.withdraw)
            await self._platform.post(f"/intake/v1/tickets/{ticket}/withdraw", {"reason": "问题已自行解决"}, code=code)

    async def _work(self, order: Item, random: Random) -> None:
        """What a unit does with an order, or the centre's desk with its own."""
        ticket, path = order["ticket_id"], f"/dispatch/v1/orders/{order['ticket_id']}"
        work = conduct.work(random, order["urgency"], order["round"])
        await self._wait(work.begin)
        if order["state"] == "dispatched":
            if work.back and not order["desk"]:
                ground, note = work.back
                if await self._platform.post(f"{path}/return", {"ground": ground, "note": note}) is not None:
                    return
            if await self._platform.post(f"{path}/accept", {}) is None:
                return
        if work.contact:
            await self._wait(work.contact)
            await self._open_vault(ticket, "verification")
            await self._platform.post(f"{path}/contact", {"method": "phone"})
        if work.progress:
            await self._wait(work.progress[0])
            await self._platform.post(f"{path}/progress", {"note": work.progress[1]})
        await self._wait(work.resolve)
        self._seen[ticket] = seen = work.seen(order["urgency"])
        if await self._platform.post(f"{path}/resolve", {"reply": work.reply}):
            await self._judge(ticket, conduct.verdict(random, seen))

    async def _open_vault(self, ticket: str, purpose: str) -> None:
        await self._platform.post(f"/intake/v1/tickets/{ticket}/contact", {"purpose": purpose})

    async def _judge(self, ticket: str, verdict: conduct.Verdict) -> None:
        """What a citizen of ours does who sees a link; others are phoned."""
        code = self.posted.get(ticket)
        if code is None or verdict.resolved is None:
            return
        await self._wait(verdict.after)
        seen = await self._platform.get(f"/intake/v1/tickets/{ticket}", code=code)
        if seen and seen["review_url"]:
            said = {"resolved": verdict.resolved, "satisfied": verdict.satisfied}
            token = seen["review_url"].rpartition("/")[2]
            await self._platform.post(f"/feedback/v1/tickets/{ticket}/review", said, token=token)

    async def _confirm(self, held: Item, random: Random) -> None:
        """What a seat does with a ticket that waits for a person: it hears what the appeal is really about."""
        await self._wait(timedelta(minutes=random.uniform(1, 15)))
        planned = self._planned.get(held["ticket_id"])
        code = planned.code if planned and planned.code else held["code"]
        await self._platform.post(f"/classify/v1/tickets/{held['ticket_id']}/classification", {"code": code})

    async def _rule(self, order: Item, random: Random) -> None:
        """What a supervisor does with a return."""
        await self._wait(timedelta(hours=random.uniform(0.3, 2)))
        path = f"/dispatch/v1/orders/{order['ticket_id']}/rule"
        right = conduct.upheld(random)
        if await self._platform.post(path, {"upheld": right, "note": conduct.RULING}) is None and right:
            # Nobody else can do it.
            await self._platform.post(path, {"upheld": False, "note": conduct.RULING})

    async def _taken(self, ticket: str) -> bool:
        """Take a callback; by a clock that runs fast its time may be over before we get there, and come again."""
        for _ in range(CALLBACK_LOOKS):
            if await self._platform.post(f"/feedback/v1/callbacks/{ticket}/take", {}) is not None:
                return True
            await self._wait(timedelta(hours=2))
        return False

    async def _phone(self, callback: Item, random: Random) -> None:
        """What a seat does with a callback: it may take three calls."""
        ticket = callback["ticket_id"]
        seen = self._seen.get(ticket) or conduct.Seen(callback["reply"])
        if not await self._taken(ticket):
            return
        await self._wait(timedelta(minutes=random.uniform(1, 15)))
        await self._open_vault(ticket, "callback")
        verdict = conduct.verdict(random, seen)
        outcome = conduct.call(random) or (None if verdict.resolved else "refused")
        if outcome:
            await self._platform.post(f"/feedback/v1/callbacks/{ticket}/attempt", {"outcome": outcome})
        else:
            said = {"resolved": verdict.resolved, "satisfied": verdict.satisfied}
            await self._platform.post(f"/feedback/v1/tickets/{ticket}/review", said)
