"""Plays a year to feedback: what other stages say goes onto its bus, citizens answer what it asks, its jobs run daily.

The service runs as it is, on a PostgreSQL and a memory bus, by a clock that is moved on three times a day. Nothing is
written past it: what it asks and reopens is heard on the bus too, and units and citizens act on that.
"""

import asyncio
import heapq
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from libs.common.contracts.dispatch import TicketResolved
from libs.common.contracts.envelope import Envelope, headers_of
from libs.common.contracts.feedback import ReviewRequested, TicketClosed, TicketReopened
from libs.common.messaging.bus import Message
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from services.feedback.domain import Answer, NotPossibleError
from services.feedback.handlers import review
from services.feedback.service import SERVICE
from tests.bench.year.ledger import Ledger
from tests.bench.year.lives import BEIJING, Lives, Said, id_at
from tests.bench.year.work import Word
from tests.support.stages import ManualClock, Probe

PLAYED = replace(SERVICE, jobs={})
"""Its jobs are called here, at their times by the clock of the year, and not by how long they nap of real time."""
DAILY = ("signs", "scores", "releases", "topics")
"""What counts every day; of the other jobs, which count anew what they counted before, a Monday's is enough here."""
TICK = timedelta(hours=8)
AT_ONCE = 2_000
TOGETHER = 50
"""Answers that share a transaction: a commit for each would be most of the year."""
IDLE_SECONDS = 0.01
PATIENCE_SECONDS = 60
Asked = tuple[datetime, int, UUID, int, Word]


class Year:
    """A year under way. `clock` is the service's; `ledger` hears what is said and answered."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, lives: Lives) -> None:
        self.stage, self.bus, self.clock, self.probe, self.lives = stage, bus, clock, probe, lives
        self.ledger = Ledger()
        self.refused: Counter[str] = Counter()
        self.seconds: dict[str, float] = defaultdict(float)
        self.taken = 0
        self._turn = itertools.count()
        self._sequence = itertools.count(1)
        self._ids = Random(f"{lives.seed} ids")
        self._to_say: list[tuple[datetime, int, Said]] = []
        self._to_answer: list[Asked] = []
        self._asked: dict[UUID, int] = {}
        self._heard = 0

    async def run(self, day: date, until: date) -> None:
        """Play from a day to before another."""
        while day < until:
            self._plan(self.lives.day(day))
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - BEIJING
            for turn in range(1, 4):
                await self._until(midnight + turn * TICK)
                if turn == 1:
                    await self._jobs(DAILY if day.weekday() else SERVICE.jobs)
            day += timedelta(days=1)

    async def _until(self, moment: datetime) -> None:
        """Bring the year to a moment: what was said by then is heard, who was asked and would answer by then does."""
        self.clock.at = moment
        due = []
        while self._to_say and self._to_say[0][0] <= moment:
            due.append(heapq.heappop(self._to_say)[2])
        await self._timed("events", self._say(due))
        await self._timed("settling", self.settle())
        answers = []
        while self._to_answer and self._to_answer[0][0] <= moment:
            answers.append(heapq.heappop(self._to_answer))
        await self._timed("answers", self._answer(answers))
        await self._timed("settling", self.settle())

    async def _timed(self, what: str, work: Any) -> None:
        began = time.perf_counter()
        await work
        self.seconds[what] += time.perf_counter() - began

    def _plan(self, said: Iterable[Said]) -> None:
        for one in said:
            heapq.heappush(self._to_say, (one.at, next(self._turn), one))

    async def _say(self, said: list[Said]) -> None:
        messages = [self._message(one) for one in said]
        for start in range(0, len(messages), AT_ONCE):
            await self.bus.publish(messages[start : start + AT_ONCE])

    def _message(self, said: Said) -> Message:
        event = said.event
        if isinstance(event, TicketResolved):
            self.lives.done.add((UUID(said.subject), event.round))
        headers = headers_of(
            event.type, event.emitter, id_at(said.at, self._ids), said.subject, said.at, next(self._sequence), None
        )
        message = Message(event.topic, said.subject, tuple(headers), event.model_dump_json(exclude_none=True).encode())
        self.ledger.hear(message, self.clock.at)
        return message

    async def settle(self) -> None:
        """Wait until no timer is due and all that feedback says is out, and take it in."""
        pool, give_up = self.stage.context.database.pool, time.monotonic() + PATIENCE_SECONDS
        look = "SELECT EXISTS (SELECT FROM timers WHERE due_at <= $1) OR EXISTS (SELECT FROM outbox)"
        self.stage.context.loops["timers"].wake()
        while await pool.fetchval(look, self.clock.at):
            if time.monotonic() > give_up:
                raise TimeoutError(f"nothing settles at {self.clock.at}: {await self.stage.not_ready()}")
            await asyncio.sleep(IDLE_SECONDS)
        # The relay empties its outbox with the commit that waits for us, so what it sent is here.
        for heard in self.probe.seen[self._heard :]:
            self._react(heard)
        self._heard = len(self.probe.seen)

    def _react(self, heard: Envelope[Any]) -> None:
        said = heard.data
        if isinstance(said, ReviewRequested):
            self._asked[heard.ticket] = said.round
            word = self.lives.answer(heard.ticket, said.round)
            if word:
                at = said.at + word.after
                heapq.heappush(self._to_answer, (at, next(self._turn), heard.ticket, said.round, word))
        elif isinstance(said, TicketReopened):
            life = self.lives.lives[heard.ticket]
            life.closed = False
            self._plan(self.lives.work(life, said.round, said.at + timedelta(hours=1)))
        elif isinstance(said, TicketClosed):
            self.lives.lives[heard.ticket].closed = True

    async def _answer(self, asked: list[Asked]) -> None:
        """Have citizens answer, some in each transaction; who was asked something else since does not any more."""
        here = self.stage.context
        now = [one for one in asked if self._asked[one[2]] == one[3]]
        for start in range(0, len(now), TOGETHER):
            some = sorted(now[start : start + TOGETHER], key=lambda one: one[2])
            async with here.database.begin() as tx:
                await tx.lock([str(ticket) for _, _, ticket, _, _ in some])
                for _, _, ticket, round_, word in some:
                    given = Answer(word.resolved, word.satisfied, reasons=word.reasons)
                    try:
                        taken = await review(tx, here, ticket, given)
                    except NotPossibleError as refused:
                        self.refused[str(refused).replace(str(round_), "n")] += 1
                        continue
                    self.taken += 1
                    self.ledger.answered(ticket, taken.round, word.resolved, word.satisfied, self.clock.at)

    async def _jobs(self, names: Iterable[str]) -> None:
        """Run jobs until each has no more to do, as its loop would."""
        for name in names:
            began = time.perf_counter()
            while not await SERVICE.jobs[name](self.stage.context):
                pass
            self.seconds[name] += time.perf_counter() - began
        await self.settle()
