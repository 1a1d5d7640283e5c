"""Units and citizens by script, over HTTP: what a ticket lives through after the POST, and how long that takes."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tests.bench.load import TICKETS, Connection, Posted, connections, pace, post, send_batches
from tests.bench.platform import Cost, Platform, moment
from tests.bench.watch import ASKED, CLOSED, HELD, NEW, PATIENCE_SECONDS, TICKING, MismatchError, Watch

HANDS = 32
"""Connections of the units, and as many of the citizens."""
LOOK_SECONDS = 0.1
CLOCK_LOOK_SECONDS = 0.01
HELD_LOOK_SECONDS = 1.0

Step = tuple[str, dict[str, object]]
UNIT: tuple[Step, ...] = (
    ("/dispatch/v1/orders/{}/accept", {}),
    ("/dispatch/v1/orders/{}/contact", {"method": "phone"}),
    ("/dispatch/v1/orders/{}/resolve", {"reply": "已到现场处理完毕，并向来电人说明。"}),
)
CITIZEN: tuple[Step, ...] = (("/feedback/v1/tickets/{}/review", {"resolved": "yes", "satisfied": 5}),)


@dataclass(frozen=True, slots=True)
class Lived:
    """How many tickets were closed, in how many seconds from the first POST, and what each process used meanwhile."""

    closed: int
    seconds: float
    cost: Cost

    @property
    def rate(self) -> float:
        """Closed tickets in a second."""
        return self.closed / self.seconds


async def live(platform: Platform, watch: Watch, bodies: Sequence[bytes]) -> Lived:
    """Bring tickets from the POST to ticket.closed in their timeline, every order once, or raise MismatchError."""
    before = moment(platform.usage())
    began, tickets = await send_batches(platform.port("intake"), bodies, platform.key)
    first = min(tickets)
    orders: set[UUID] = set()
    asked: set[UUID] = set()
    async with (
        _Script(platform, "dispatch", UNIT) as units,
        _Script(platform, "feedback", CITIZEN) as citizens,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        held = closed = 0
        while len(orders) + held < len(tickets) or closed < len(orders):
            orders |= units.give(await watch.ids("dispatch", NEW, first))
            asked |= citizens.give(await watch.ids("feedback", ASKED, first))
            held = await watch.count("classify", HELD, first)
            if len(asked) == len(orders):  # before that, looking would only take time from those who work
                closed = await watch.count("intake", CLOSED, first)
            ended = time.time()
            units.raise_if_failed()
            citizens.raise_if_failed()
            await asyncio.sleep(LOOK_SECONDS)
    if sorted(await watch.ids("intake", CLOSED, first)) != sorted(orders):
        raise MismatchError(f"{len(orders)} orders, but {closed} times ticket.closed in the timelines")
    return Lived(closed, ended - began, before.until(moment(platform.usage())))


class _Script:
    """People of one kind, who do the same steps with every ticket they are given, over connections of their own."""

    def __init__(self, platform: Platform, service: str, steps: Sequence[Step]) -> None:
        self._open = connections(platform.port(service), HANDS)
        self._steps = [(path, json.dumps(body, ensure_ascii=False).encode()) for path, body in steps]
        self._key = platform.key
        self._given: set[UUID] = set()
        self._queue: asyncio.Queue[UUID] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "_Script":
        self._tasks = [asyncio.create_task(self._work(connection)) for connection in await self._open.__aenter__()]
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._open.__aexit__(None, None, None)

    def give(self, tickets: Sequence[UUID]) -> set[UUID]:
        """Have them do their part for those of these that are new, and return these."""
        fresh = set(tickets) - self._given
        self._given |= fresh
        for ticket in sorted(fresh):
            self._queue.put_nowait(ticket)
        return fresh

    def raise_if_failed(self) -> None:
        """Raise what ended one of them."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def _work(self, connection: Connection) -> None:
        while True:
            ticket = await self._queue.get()
            for path, body in self._steps:
                answer = await connection.ask(post(path.format(ticket), body, self._key))
                if answer.status != 200:
                    raise MismatchError(f"{path.format(ticket)} answered {answer.status}: {answer.body.decode()}")


@dataclass(frozen=True, slots=True)
class Clocked:
    """Seconds from a ticket's 202 to the look that found its completion clock running with its unit."""

    seconds: list[float]
    held: int
    errors: int


async def clocked(platform: Platform, watch: Watch, bodies: Sequence[bytes], per_second: float) -> Clocked:
    """Post at a fixed rate and look at sla's clocks every 10 ms, all that are awaited in one statement."""
    posted = Posted()
    requests = [post(TICKETS, body, platform.key) for body in bodies]
    pacing = asyncio.create_task(pace(platform.port("intake"), requests, per_second, posted))
    awaited: dict[UUID, float] = {}
    seconds: list[float] = []
    known, held, looked_at_held = 0, 0, time.time()
    async with asyncio.timeout(len(bodies) / per_second + PATIENCE_SECONDS):
        while awaited or not pacing.done() or known < len(posted.bodies):
            looked = time.time()
            for at, body in posted.bodies[known:]:
                awaited[UUID(json.loads(body)["ticket_id"])] = at
            known = len(posted.bodies)
            running = await watch.ids("sla", TICKING, list(awaited))
            now = time.time()
            seconds += [max(0.0, now - awaited.pop(ticket)) for ticket in running]
            if awaited and now - looked_at_held > HELD_LOOK_SECONDS:
                for ticket in await watch.ids("classify", HELD, min(awaited)):
                    held += awaited.pop(ticket, 0.0) > 0
                looked_at_held = now
            await asyncio.sleep(max(0.0, looked + CLOCK_LOOK_SECONDS - time.time()))
    await pacing
    return Clocked(seconds, held, posted.errors)
