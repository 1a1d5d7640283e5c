"""The rates, recomputed by a reader of the raw events who knows no table, are the rates that are published."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from libs.common.contracts.classify import TicketClassified
from libs.common.contracts.dispatch import TicketContacted, TicketResolved
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.feedback import ReviewSubmitted
from libs.common.contracts.intake import TicketLinked, TicketReceived, TicketScreened, TicketWithdrawn
from libs.common.contracts.vocabulary import Receipt, UnitRef
from tests.support.record import Record, recording

CITY = ZoneInfo("Asia/Shanghai")
LATE_MARCH = datetime(2026, 3, 28, 1, tzinfo=UTC)
UNITS = [UnitRef(code=f"s-11010500{n}", name=f"街道{n}") for n in range(1, 5)]
MONTHS = ("2026-03", "2026-04")
RECEIPT = Receipt(number="20260328-0000001", channel="web", text="停水了", received_at=LATE_MARCH)
JUDGED: dict[str, Any] = {
    "receipt": RECEIPT, "urgency": "general",
    "code": "water-01-01", "category": ("供水排水", "自来水供应", "突然停水"), "kind": "complaint",
    "confidence": 0.9, "summary": "停水", "owner_kind": "street", "judged_by": "model", "model": "m", "catalogue": "c",
}  # fmt: skip
Heard = tuple[str, Event]
Rates = dict[str, tuple[int, float, float, float]]


@pytest.fixture
async def record(fresh_database: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with recording(fresh_database, tmp_path, LATE_MARCH) as record:
        yield record


class Lives:
    """Tickets that live as chance will have it, and all that is said of them by others."""

    def __init__(self, record: Record, random: Random) -> None:
        self.record, self.random = record, random
        self.said: list[Heard] = []
        self.answers = 0

    async def say(self, ticket: UUID, *events: Event) -> None:
        self.said += [(str(ticket), event) for event in events]
        await self.record.peer.say(ticket, *events)
        self.record.clock.advance(minutes=self.random.randint(1, 90))

    async def live(self) -> None:
        """One appeal, perhaps with one that repeats it, until nobody has more to say."""
        random, ticket, child = self.random, self.record.clock.new_id(), self.record.clock.new_id()
        receipt = {**dict(RECEIPT), "received_at": self.record.clock.now()}
        await self.say(ticket, TicketReceived(**receipt), TicketClassified(**JUDGED))
        repeated = random.random() < 0.3
        if repeated:
            await self.say(child, TicketLinked(**receipt, parent=ticket, reason="重复"))
        for round_ in (1, 2, 3):
            await self.work(ticket, round_)
            if random.random() < 0.1:
                await self.say(ticket, TicketWithdrawn(at=self.record.clock.now()))
                return
            if repeated and random.random() < 0.7:
                await self.answer(child)
            if await self.answer(ticket) != "no":
                break
        if random.random() < 0.3:
            verdict = TicketScreened(verdict="unreasonable", why="过高", at=self.record.clock.now())
            lifted = [verdict.model_copy(update={"lifted": True})] if random.random() < 0.5 else []
            await self.say(random.choice([ticket, child]), verdict, *lifted)

    async def work(self, ticket: UUID, round_: int) -> None:
        random, unit, now = self.random, self.random.choice(UNITS), self.record.clock.now()
        if random.random() < 0.5:
            reached = random.random() < 0.7
            spoke = TicketContacted(unit=unit, method="phone", round=round_, at=now, first_at=now, reached=reached)
            await self.say(ticket, spoke)
        contacted = random.random() < 0.3
        await self.say(ticket, TicketResolved(unit=unit, reply="好了", round=round_, at=now, contacted=contacted))

    async def answer(self, ticket: UUID) -> str:
        """Let the reporter answer, if they care to."""
        word = self.random.choice(["yes", "yes", "partly", "no", "silent"])
        if word != "silent":
            path, points = f"tickets/{ticket}/review", self.random.randint(1, 5)
            taken = await self.record.post(path, resolved=word, satisfied=points)
            self.answers += taken.status_code == 200
            self.record.clock.advance(minutes=self.random.randint(1, 90))
        return word


def recomputed(heard: list[Heard], month: str, without: set[tuple[str, str]]) -> Rates:
    """Return answers, and the three rates, by unit: of each answer that no ruling took out, of a unit's work.

    A unit responded if the record says that it spoke with the citizen in the round that is judged; of a repeat, if it
    said so of the first appeal when it was done.
    """
    spoke, screened, parent = set(), {}, {}
    for ticket, event in heard:
        if isinstance(event, TicketLinked):
            parent[ticket] = str(event.parent)
        if isinstance(event, TicketScreened):
            screened[ticket] = not event.lifted
        if isinstance(event, TicketContacted) and event.reached:
            spoke.add((ticket, event.round, "contacted"))
        if isinstance(event, TicketResolved) and event.contacted:
            spoke.add((ticket, event.round, "resolved"))
    rows: dict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    for ticket, event in heard:
        if not isinstance(event, ReviewSubmitted) or event.unit is None or screened.get(ticket):
            continue
        if f"{event.at.astimezone(CITY):%Y-%m}" != month or (ticket, event.unit.code) in without:
            continue
        ways = ["resolved"] if ticket in parent else ["resolved", "contacted"]
        responded = any((parent.get(ticket, ticket), event.round, way) in spoke for way in ways)
        rows[event.unit.code].append((responded, event.resolved == "yes", event.satisfied >= 4))
    return {
        unit: (len(said), *(sum(column) / len(said) for column in zip(*said, strict=True)))
        for unit, said in rows.items()
    }


async def told(record: Record, path: str, **params: Any) -> Rates:
    rows = await record.get(path, **params)
    return {
        one["unit"]["code"]: (one["counted"], one["responded"], one["solved"], one["satisfied"])
        for one in rows
        if one["counted"]
    }


@pytest.mark.parametrize("seed", range(3))
async def test_published_rates_are_those_of_the_raw_events_through_appeals_and_rulings(
    record: Record, seed: int
) -> None:
    lives = Lives(record, Random(seed))
    for _ in range(40):
        await lives.live()
    record.clock.at = datetime(2026, 5, 2, tzinfo=UTC) + timedelta(hours=seed)
    seen = await record.probe.until(lambda seen: len(submitted(seen)) == lives.answers)
    heard = [*lives.said, *submitted(seen)]
    for month in MONTHS:
        of_events = recomputed(heard, month, set())
        assert of_events
        assert await told(record, "scorecards", period=month) == of_events
        assert (await record.post(f"scores/{month}")).status_code == 200
        assert await told(record, f"scores/{month}") == of_events
    unit = next(iter(recomputed(heard, MONTHS[0], set())))
    (item, *_) = (await record.get(f"scores/{MONTHS[0]}/counted", unit=unit))["items"]
    body = {"unit": unit, "ticket_id": item["ticket_id"], "ground": "unreasonable", "note": "过高"}
    appeal = (await record.post(f"scores/{MONTHS[0]}/appeals", **body)).json()["appeal_id"]
    await record.post(f"score-appeals/{appeal}/ruling", upheld=True, note="属实")
    without = {(item["ticket_id"], unit)}
    assert await told(record, f"scores/{MONTHS[0]}") == recomputed(heard, MONTHS[0], without)
    assert await told(record, f"scores/{MONTHS[0]}", version=1) == recomputed(heard, MONTHS[0], set())
    assert await told(record, f"scores/{MONTHS[1]}") == recomputed(heard, MONTHS[1], set())


def submitted(seen: Sequence[Envelope[Any]]) -> list[Heard]:
    return [(event.subject, event.data) for event in seen if isinstance(event.data, ReviewSubmitted)]
