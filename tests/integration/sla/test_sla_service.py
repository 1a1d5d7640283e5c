"""sla on a real database: events in, clocks and events out, timers fired, commands obeyed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.common.contracts.dispatch import TicketContacted, TicketDispatched, TicketResolved
from libs.common.contracts.feedback import TicketReopened
from libs.common.contracts.intake import (
    TicketAnswered,
    TicketLinked,
    TicketReceived,
    TicketUnlinked,
    TicketWithdrawn,
)
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from services.sla.service import SERVICE
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

UNIT = UnitRef(code="dept-water", name="市水务局")
RECEIVED = TicketReceived(number="20260302-0000001", channel="web", text="停水了", received_at=NOON)


class World:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, key: str) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.peer = Peer(bus, clock)
        self.http = client([stage], key)
        self.ticket = clock.new_id()


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    async with probing(bus, "jiesu.sla.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        world = World(stage, bus, clock, probe, (tmp_path / "key").read_text())
        async with world.http:
            yield world


async def test_a_received_ticket_starts_both_clocks_with_the_general_class(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED)
    started = await world.probe.until(lambda seen: len(seen) == 2)
    assert {(e.data.clock, e.data.urgency) for e in started} == {("response", "general"), ("completion", "general")}
    assert {e.data.due_at for e in started} == {world.clock.at.replace(day=3), world.clock.at.replace(day=9)}


async def test_a_clock_turns_yellow_then_red_and_supervision_rises(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, TicketDispatched(unit=UNIT, rule="r", why=("w",), round=1, at=NOON))
    world.clock.advance(days=8)
    await world.probe.named("clock.breached", "supervision.opened")
    page = (await world.http.get("/sla/v1/clocks", params={"light": "yellow"})).json()
    assert [item["clock"] for item in page["items"]] == ["completion"]
    world.clock.advance(days=4)
    await world.probe.named("supervision.raised")
    cases = (await world.http.get("/sla/v1/supervision", params={"level": 2})).json()
    assert cases["items"][0]["unit"]["code"] == UNIT.code


async def test_contact_and_resolution_meet_the_clocks(world: World) -> None:
    contacted = TicketContacted(unit=UNIT, method="phone", round=1, at=NOON, first_at=NOON)
    resolved = TicketResolved(unit=UNIT, reply="修好了", round=1, at=NOON, contacted=True)
    await world.peer.say(world.ticket, RECEIVED, contacted, resolved)
    met = [e for e in await world.probe.named("clock.met") if e.data.name == "clock.met"]
    await world.probe.until(lambda seen: sum(e.data.name == "clock.met" for e in seen) == 2)
    assert met[0].data.in_time


async def test_a_withdrawn_ticket_stops_its_clocks_even_when_heard_of_first(world: World) -> None:
    await world.peer.say(world.ticket, TicketWithdrawn(at=NOON))
    await world.peer.say(world.ticket, RECEIVED)
    clocks = (await world.http.get(f"/sla/v1/tickets/{world.ticket}/clocks")).json()
    assert clocks == []


async def test_clocks_that_a_wrong_link_stopped_run_on_and_what_passed_meanwhile_fires(world: World) -> None:
    parent = world.clock.new_id()
    await world.peer.say(world.ticket, RECEIVED, TicketLinked(**dict(RECEIVED), parent=parent, reason="重复"))
    world.clock.advance(hours=25)
    await world.peer.say(world.ticket, TicketUnlinked(parent=parent, reason="不是同一件事"), RECEIVED)
    clocks = (await world.http.get(f"/sla/v1/tickets/{world.ticket}/clocks")).json()
    assert [(clock["clock"], clock["state"], clock["light"]) for clock in clocks] == [
        ("response", "running", "yellow"), ("completion", "running", "green"),
    ]  # fmt: skip
    breached = [e for e in await world.probe.named("clock.breached") if e.data.name == "clock.breached"]
    assert [(e.data.clock, e.data.late) for e in breached] == [("response", True)]


async def test_an_answer_that_was_none_is_timed_from_the_citizens_no(world: World) -> None:
    await world.peer.say(world.ticket, TicketAnswered(**dict(RECEIVED), answer="今晚恢复"))
    world.clock.advance(days=2)
    await world.peer.say(world.ticket, TicketReopened(reason="not_solved", round=2, at=world.clock.at), RECEIVED)
    clocks = (await world.http.get(f"/sla/v1/tickets/{world.ticket}/clocks")).json()
    assert {(clock["round"], clock["state"], clock["started_at"]) for clock in clocks} == {
        (2, "running", "2026-03-04T04:00:00Z")
    }


async def test_a_pause_moves_the_due_time_and_nothing_fires_meanwhile(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED)
    paused = await world.http.post(f"/sla/v1/tickets/{world.ticket}/pause", json={"ground": "weather"})
    assert {clock["state"] for clock in paused.json()} == {"paused"}
    world.clock.advance(days=3)
    resumed = await world.http.post(f"/sla/v1/tickets/{world.ticket}/resume")
    assert {clock["due_at"] for clock in resumed.json()} == {"2026-03-06T04:00:00Z", "2026-03-12T04:00:00Z"}
    events = await world.probe.named("clock.resumed")
    assert not [e for e in events if e.data.name == "clock.warned"]


async def test_the_two_clocks_of_a_ticket_that_are_due_at_one_moment_are_on_one_page(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED)
    await world.stage.context.database.pool.execute("UPDATE clocks SET due_at = $1", NOON)
    page = (await world.http.get("/sla/v1/clocks", params={"limit": 1})).json()
    assert {item["clock"] for item in page["items"]} == {"response", "completion"}
    rest = (await world.http.get("/sla/v1/clocks", params={"limit": 1, "cursor": page["next"]})).json()
    assert rest == {"items": [], "next": None}


async def test_an_unknown_ticket_is_not_yet_known_while_young_and_not_found_later(world: World) -> None:
    young = await world.http.post(f"/sla/v1/tickets/{world.ticket}/resume")
    world.clock.advance(minutes=2)
    old = await world.http.post(f"/sla/v1/tickets/{world.ticket}/resume")
    assert (young.status_code, young.headers["retry-after"], old.status_code) == (409, "1", 404)


async def test_health_is_green_and_metrics_are_told(world: World) -> None:
    assert (await world.http.get("/readyz")).json() == {"ready": True, "wrong": {}}
    assert "jiesu_events_handled_total" in (await world.http.get("/metrics")).text
