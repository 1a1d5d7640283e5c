"""How likely a clock is missed: learned from the clocks whose time is over, and said of open ones with reasons."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.common.contracts.dispatch import TicketContacted, TicketDispatched, TicketResolved
from libs.common.contracts.intake import TicketReceived
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from services.sla.handlers.lateness import A_DAY_MOST, keep_lateness
from services.sla.lateness.rates import Alike
from services.sla.service import SERVICE
from services.sla.store import lateness as store
from tests.support.stages import NOON, ManualClock, Peer, client, running, settings_for

WATER = UnitRef(code="dept-water", name="市水务局")
HOUSING = UnitRef(code="dept-housing", name="市住房城乡建设委")
ENGLISH = {"Accept-Language": "en"}


class World:
    """The service under test with a manual clock, and what others say to it."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, home: Path) -> None:
        self.stage, self.clock, self.here = stage, clock, stage.context
        self.peer = Peer(bus, clock)
        self.http = client([stage], (home / "key").read_text())

    async def ticket(self, unit: UnitRef) -> UUID:
        """Have a ticket come in that a unit leads from the start."""
        id_, at = self.clock.new_id(), self.clock.at
        received = TicketReceived(number=str(id_)[-12:], channel="web", text="停水了", received_at=at)
        await self.peer.say(id_, received, TicketDispatched(unit=unit, rule="r", why=("w",), round=1, at=at))
        return id_

    async def done(self, ticket: UUID, unit: UnitRef) -> None:
        """Have a unit reach the citizen and resolve."""
        at = self.clock.at
        reached = TicketContacted(unit=unit, method="phone", reached=True, round=1, first_at=at, at=at)
        await self.peer.say(ticket, reached)
        await self.peer.say(ticket, TicketResolved(unit=unit, reply="好", round=1, at=at, contacted=True))

    async def history(self) -> None:
        """Let one unit be in time and another not, and learn from it once their time is over."""
        quick = [await self.ticket(WATER) for _ in range(20)]
        slow = [await self.ticket(HOUSING) for _ in range(20)]
        for ticket in quick:
            await self.done(ticket, WATER)
        self.clock.advance(days=8)
        for ticket in slow[:10]:
            await self.done(ticket, HOUSING)
        self.clock.advance(hours=1)
        await keep_lateness(self.here)

    async def late(self, ticket: UUID, **headers: str) -> Any:
        """Return what is said of the completion of a ticket."""
        clocks = (await self.http.get(f"/sla/v1/tickets/{ticket}/clocks", headers=headers)).json()
        return next(clock["late"] for clock in clocks if clock["clock"] == "completion")


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    async with running(SERVICE, settings_for(tmp_path, fresh_database), bus, clock) as stage:
        world = World(stage, bus, clock, tmp_path)
        async with world.http:
            yield world


async def test_before_any_history_the_citys_guess_is_said_and_said_to_be_one(world: World) -> None:
    assert await keep_lateness(world.here) > 0
    late = await world.late(await world.ticket(WATER))
    assert late == {"probability": 0.1, "usual": 0.1, "why": ["尚无历史可依，按本市预设比例估计"], "version": ""}
    shown = (await world.http.get("/sla/v1/lateness")).json()
    assert (shown["version"], shown["cases"], shown["prior"], shown["quality"]) == (None, 0, 0.1, [])


async def test_a_unit_that_was_late_is_likely_to_be_late_again_and_is_told_why(world: World) -> None:
    await world.history()
    slow, quick = await world.late(await world.ticket(HOUSING)), await world.late(await world.ticket(WATER))
    assert slow["probability"] > 0.5 > slow["usual"] > 0.2 > quick["probability"]
    assert "住房" in slow["why"][0]
    shown = (await world.http.get("/sla/v1/lateness")).json()
    assert (shown["version"], shown["cases"]) == (slow["version"], 80)
    assert len(shown["fingerprint"]) == 16


async def test_time_that_passes_with_nothing_done_makes_it_likelier_until_it_is_certain(world: World) -> None:
    await world.history()
    ticket = await world.ticket(WATER)
    said = [await world.late(ticket)]
    for _ in range(2):
        world.clock.advance(days=3)
        said.append(await world.late(ticket, **ENGLISH))
    assert said[0]["probability"] < said[1]["probability"] <= said[2]["probability"]
    assert said[2]["why"][0].startswith("86% of the time has passed")
    world.clock.advance(days=2)
    assert await world.late(ticket) is None


async def test_what_is_listed_says_how_likely_it_is_missed(world: World) -> None:
    await world.history()
    await world.ticket(WATER)
    clocks = (await world.http.get("/sla/v1/clocks", headers=ENGLISH)).json()["items"]
    late = {clock["clock"]: clock["late"] for clock in clocks if clock["light"] == "green"}
    assert late.keys() == {"response", "completion"}
    assert late["completion"]["why"][0].startswith("Of such orders of ")


async def test_quick_clocks_teach_nothing_before_their_time_is_over(world: World) -> None:
    await world.done(await world.ticket(WATER), WATER)
    slow = await world.ticket(HOUSING)
    world.clock.advance(days=6)
    until = world.clock.at
    assert await counted(world, until) == {("response", WATER.code): (1, 0), ("response", HOUSING.code): (1, 1)}
    world.clock.advance(days=2)
    await world.done(slow, HOUSING)
    assert await counted(world, until + timedelta(days=2)) == {
        ("response", WATER.code): (1, 0), ("response", HOUSING.code): (1, 1),
        ("completion", WATER.code): (1, 0), ("completion", HOUSING.code): (1, 1),
    }  # fmt: skip


async def counted(world: World, until: datetime) -> dict[tuple[str, str], tuple[int, int]]:
    """Return by clock and unit how many were due until then, and how many of them were late."""
    found = await store.outcomes(world.here.database.pool, NOON, until, A_DAY_MOST)
    assert all(one.alike == Alike(one.alike.clock, "general", "", one.alike.unit) for one in found)
    return {(one.alike.clock, one.alike.unit): (one.opened[0], one.late) for one in found}


async def test_shares_are_learned_once_a_day_and_taken_up_by_every_process(world: World) -> None:
    await world.history()
    first = world.here.engine.lateness.version
    world.clock.advance(hours=23)
    await keep_lateness(world.here)
    assert world.here.engine.lateness.version == first
    world.clock.advance(hours=2)
    await keep_lateness(world.here)
    second = world.here.engine.lateness.version
    assert second > first
    kept = await world.here.database.pool.fetch("SELECT version FROM lateness ORDER BY version")
    assert [row["version"] for row in kept] == [first, second]


async def test_shares_that_this_release_cannot_read_are_learned_anew(world: World) -> None:
    await world.history()
    before = world.here.engine.lateness.version
    await world.here.database.pool.execute("UPDATE lateness SET version = 'other', arrays = 'no archive'::bytea")
    world.clock.advance(hours=1)
    await keep_lateness(world.here)
    assert world.here.engine.lateness.version > before


async def test_who_may_not_look_at_clocks_does_not_see_what_is_said_of_them(world: World) -> None:
    async with httpx.AsyncClient(transport=world.http._transport, base_url="http://test") as stranger:
        assert (await stranger.get("/sla/v1/lateness")).status_code == 401


async def test_the_board_says_how_many_of_what_comes_due_soon_will_be_missed_and_how_likely_each_is(
    world: World,
) -> None:
    await world.history()
    tickets = sorted([await world.ticket(HOUSING) for _ in range(3)])
    for ticket in tickets:
        at = world.clock.at
        await world.peer.say(
            ticket, TicketContacted(unit=HOUSING, method="phone", reached=True, round=1, first_at=at, at=at)
        )
    world.clock.advance(days=6, hours=22)
    lines = (await world.http.get("/sla/v1/board/clocks", params={"soon": "true"})).json()["items"]
    assert [line["ticket_id"] for line in lines] == [str(ticket) for ticket in tickets]
    assert all(line["late"] > 0.8 for line in lines)
    total = (await world.http.get("/sla/v1/board")).json()["total"]
    assert total["soon"] == 3
    assert total["expected"] == pytest.approx(sum(line["late"] for line in lines), abs=0.1)
    table = (await world.http.get("/sla/v1/board/clocks.csv", params={"soon": "true"})).text.splitlines()
    assert table[0].endswith(",late")
    assert table[1].endswith(f",{lines[0]['late']}")
