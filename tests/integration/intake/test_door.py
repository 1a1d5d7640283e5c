"""The door and the step behind it: one trace, one fault at a time, and who gives way to whom."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock
from uuid import UUID

import httpx
import pytest

from libs.common.city.pack import load_city
from libs.common.messaging.memory import MemoryBus
from libs.common.messaging.transaction import Tx
from libs.common.runtime.process import Stage
from services.intake import store
from services.intake.domain import Ticket
from services.intake.handlers import SCREENING, Here, receiving, screening
from services.intake.handlers.flags import flag_noticed
from services.intake.handlers.joining import enter
from services.intake.service import SERVICE
from tests.support.screening import screened
from tests.support.stages import CITY, ManualClock, Probe, client, probing, running, settings_for

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
QUEUED = "SELECT count(*) FROM inbound"


class World:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, http: httpx.AsyncClient, probe: Probe, clock: ManualClock) -> None:
        self.stage, self.http, self.probe, self.clock = stage, http, probe, clock

    async def post(self, text: str, **headers: str) -> str:
        """Post an appeal and return its ticket."""
        answer = await self.http.post("/intake/v1/tickets", json={"channel": "web", "text": text}, headers=headers)
        assert answer.status_code == 202, answer.text
        ticket: str = answer.json()["ticket_id"]
        return ticket

    async def batch(self, *texts: str) -> list[str]:
        """Post appeals together and return their tickets."""
        lines = "\n".join(f'{{"channel": "web", "text": "{text}"}}' for text in texts)
        answer = await self.http.post("/intake/v1/tickets/batch", content=lines)
        return [line.split('"ticket_id": "')[1][:36] for line in answer.text.splitlines()]

    async def told(self, ticket: str) -> Any:
        """Wait until a ticket was told, and return the event."""
        return (await self.probe.named("ticket.received", subject=UUID(ticket)))[0]

    async def queued(self) -> int:
        """Return how many wait for screening."""
        count: int = await self.stage.context.database.pool.fetchval(QUEUED)
        return count


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    async with (
        probing(bus, "jiesu.intake.v1", "jiesu.tickets.v1") as probe,
        running(SERVICE, settings, bus, clock) as stage,
        client([stage], (tmp_path / "key").read_text()) as http,
    ):
        yield World(stage, http, probe, clock)


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Words by which an appeal cannot be entered."""
    faulty: set[str] = set()

    async def enter_or_fail(here: Here, tx: Tx, screened: Sequence[tuple[Ticket, store.Sealed]]) -> None:
        await enter(here, tx, screened)
        if any(word in ticket.text for word in faulty for ticket, _ in screened):
            raise ValueError(faulty)

    monkeypatch.setattr(screening, "enter", enter_or_fail)
    return faulty


async def test_a_tickets_events_carry_the_trace_of_the_request_that_brought_it(world: World) -> None:
    tickets = [await world.post("路灯不亮", traceparent=TRACEPARENT), await world.post("井盖丢了")]
    traced, other = [(await world.told(ticket)).traceparent for ticket in tickets]
    assert traced == TRACEPARENT
    assert other not in {None, TRACEPARENT}


async def test_one_that_cannot_be_entered_does_not_hold_up_the_others_and_is_tried_again(
    world: World, fault: set[str]
) -> None:
    fault.add("坏")
    texts = ["路灯不亮", "坏掉的井盖", "垃圾没人清", "噪声扰民"]
    good, bad, *others = await world.batch(*texts)
    for ticket in (good, *others):
        await world.told(ticket)
    assert await world.queued() == 1
    assert bad not in {event.subject for event in world.probe.seen}
    fault.clear()
    world.clock.advance(minutes=1)
    assert (await world.told(bad)).data.text == texts[1]
    assert await world.queued() == 0
    assert await world.stage.not_ready() == []


async def test_when_nothing_can_be_entered_the_step_fails_and_so_readiness_turns_red(
    world: World, fault: set[str]
) -> None:
    stage = world.stage
    stage.context.loops[SCREENING].stop()
    await stage.tasks[SCREENING]
    fault.add("路")
    await world.batch("路灯不亮", "路面塌了")
    with pytest.raises(ValueError, match="路"):
        await screening.screen(stage.context)
    assert await screening.screen(stage.context) > 0, "both are put off"
    assert await world.queued() == 2


async def test_screening_waits_while_there_is_a_crowd_at_the_door(world: World) -> None:
    engine = world.stage.context.engine
    engine.crowd = screening.CROWD
    ticket = await world.post("路灯不亮")
    for _ in range(20):
        await world.http.get(f"/intake/v1/tickets/{ticket}")
    assert (world.probe.seen, await world.queued()) == ([], 1)
    engine.crowd = 0
    await world.told(ticket)


async def test_an_appeal_that_has_waited_long_is_screened_whoever_stands_at_the_door(world: World) -> None:
    world.stage.context.engine.crowd = screening.CROWD
    ticket = await world.post("路灯不亮")
    world.clock.advance(seconds=screening.GIVES_WAY_SECONDS)
    await world.told(ticket)


async def test_behind_a_backlog_without_end_nobody_is_taken_in_until_it_is_shorter(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.stage.context.engine.crowd = screening.CROWD
    for text in ("路灯不亮", "井盖丢了"):
        await world.post(text)
    for longest, status in ((1, 503), (2, 202)):
        monkeypatch.setattr(screening, "LONGEST_BACKLOG", longest)
        monkeypatch.setattr(receiving, "LONGEST_BACKLOG", longest)
        await screening.count_backlog(world.stage.context)
        answer = await world.http.post("/intake/v1/tickets", json={"channel": "web", "text": "噪声"})
        assert (answer.status_code, answer.headers.get("retry-after")) == (status, "60" if status == 503 else None)


async def test_a_burst_is_far_from_the_longest_backlog() -> None:
    assert receiving.LONGEST_BACKLOG >= 10 * 10_000


async def test_who_is_looked_at_for_flags_leaves_others_their_turn() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    here, tx = AsyncMock(), AsyncMock()
    here.engine.city = load_city(CITY)
    await flag_noticed(tx, here, [screened()] * 200)
    task.cancel()
    assert turns >= 10


async def test_who_leaves_only_a_mail_address_is_known_again_however_it_is_written(world: World) -> None:
    async def reporter(**given: str) -> str | None:
        body = {"channel": "mail", "text": "路灯不亮", "reporter": given}
        posted = (await world.http.post("/intake/v1/tickets", json=body)).json()
        name = (await world.probe.named("ticket.snapshot", subject=UUID(posted["ticket_id"])))[0]
        assert "example" not in name.data.model_dump_json()
        rows = "SELECT reporter FROM tickets WHERE ticket_id = $1"
        found: str | None = await world.stage.context.database.pool.fetchval(rows, UUID(posted["ticket_id"]))
        return found

    mine = await reporter(email="Wang.Fang@example.com")
    assert mine is not None
    assert mine == await reporter(email=" wang.fang@EXAMPLE.com", name="王芳")
    assert mine not in {await reporter(email="li@example.com"), await reporter(name="王芳"), None}
