"""Warnings on a real database and a real gateway: gathered, held for the morning, never lost, never told twice."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.common.contracts.dispatch import TicketContacted, TicketDispatched, TicketResolved
from libs.common.contracts.intake import TicketReceived
from libs.common.contracts.vocabulary import UnitRef, Urgency
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.notify import LEASE_SECONDS, PAUSES, Courier, Directory
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing
from services.sla import handlers
from services.sla.service import SERVICE
from tests.support.gateway import Gateway, running_gateway
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

UNIT = UnitRef(code="dept-water", name="市水务局")
GAS = UnitRef(code="co-gas", name="市燃气集团")
MORNING = NOON.replace(day=3, hour=0)


class World:
    """The service under test, without its own courier and jobs: the test does their steps."""

    def __init__(self, stage: Stage, peer: Peer, clock: ManualClock, probe: Probe, home: Path) -> None:
        self.stage, self.peer, self.clock, self.probe, self.home = stage, peer, clock, probe, home
        self.pool = stage.context.database.pool
        self.http = client([stage], (home / "key").read_text())

    async def tickets(self, count: int, urgency: Urgency = "general", unit: UnitRef | None = UNIT) -> list[UUID]:
        """Let tickets come in, and be led by a unit if one is named."""
        tickets = [self.clock.new_id() for _ in range(count)]
        for number, ticket in enumerate(tickets, 1):
            said = TicketReceived(
                number=f"20260302-{number:07}", channel="web", text="停水了", received_at=self.clock.at
            )
            await self.peer.say(ticket, said)
            if unit:
                await self.lead(ticket, unit, urgency)
        return tickets

    async def lead(self, ticket: UUID, unit: UnitRef = UNIT, urgency: Urgency = "general") -> None:
        """Let a unit lead."""
        led = TicketDispatched(unit=unit, rule="r", why=("w",), round=1, at=self.clock.at, urgency=urgency)
        await self.peer.say(ticket, led)

    async def at(self, moment: datetime, event: str = "clock.warned", count: int = 1) -> None:
        """Let time pass to a moment, at which so many events of a name were seen, and send what is due."""
        self.clock.at = moment
        await self.probe.until(lambda seen: sum(e.data.name == event for e in seen) >= count)
        await handlers.send_due(self.stage.context)

    async def told(self) -> list[tuple[str, str, str]]:
        """Return the notices: to whom, in which state, and the text."""
        return [tuple(row) for row in await self.pool.fetch('SELECT "to", state, text FROM notices ORDER BY key')]

    async def alerts(self) -> list[Any]:
        """Return all alerts as the API shows them."""
        answer = await self.http.get("/sla/v1/alerts", params={"limit": 500})
        assert answer.status_code == 200, answer.text
        items: list[Any] = answer.json()["items"]
        return items


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    jobs = {name: job for name, job in SERVICE.jobs.items() if name != "notices"}
    # Without its courier: what is told stays to be looked at, and the test carries it.
    service = replace(SERVICE, notifies=False, jobs=jobs)
    async with probing(bus, "jiesu.sla.v1") as probe, running(service, settings, bus, clock) as stage:
        stage.context.loops |= {"courier": stage.loops[0]}
        world = World(stage, Peer(bus, clock), clock, probe, tmp_path)
        async with world.http:
            yield world


@pytest.fixture
async def gateway(world: World) -> AsyncIterator[Gateway]:
    (world.home / "notify.toml").write_text('[to]\n"*" = ["sms:+8613800000000"]\n')
    async with running_gateway() as gateway:
        yield gateway


def courier(world: World, gateway: Gateway) -> Courier:
    """Return what carries the notices of the service under test to a gateway."""
    settings = replace(world.stage.context.settings, sms_gateway=f"http://127.0.0.1:{gateway.port}/")
    directory = Directory(world.home / "notify.toml")
    return Courier("sla", world.stage.context.database, world.clock, directory, settings)


async def test_many_tickets_of_a_unit_at_one_mark_are_one_message(world: World) -> None:
    await world.tickets(12)
    await world.at(NOON + timedelta(hours=12), count=12)
    assert [(to, state) for to, state, _ in await world.told()] == [("unit:dept-water", "waiting")]
    (_, _, text) = (await world.told())[0]
    assert text.startswith("【督办提醒】第1次：12件工单的首次联系将到时限，最早2026-03-03 12:00")


async def test_what_comes_between_two_spans_waits_for_the_end_of_its_own(world: World) -> None:
    await world.tickets(1)
    await world.at(NOON + timedelta(hours=12, minutes=1))
    (alert,) = await world.alerts()
    assert (alert["notice"], await world.told()) == (None, [])
    world.clock.at = MORNING + timedelta(hours=1)
    await handlers.send_due(world.stage.context)
    assert len(await world.told()) == 1


async def test_a_seven_day_matter_wakes_nobody_and_is_told_in_the_morning(world: World) -> None:
    world.clock.at = NOON + timedelta(hours=2)
    await world.tickets(2)
    await world.at(NOON + timedelta(hours=14), count=2)
    held = await world.alerts()
    assert {alert["at"] for alert in held} == {"2026-03-03T00:00:00Z"}
    world.clock.at = MORNING
    await handlers.send_due(world.stage.context)
    assert [to for to, _, _ in await world.told()] == ["unit:dept-water"]


async def test_danger_is_told_at_night_in_the_transaction_of_its_mark(world: World) -> None:
    world.clock.at = NOON + timedelta(hours=12)
    await world.tickets(1, "urgent")
    await world.probe.named("clock.started")
    world.clock.advance(minutes=16)
    await world.probe.named("clock.warned")
    assert len(await world.told()) == 1


async def test_work_that_was_done_in_the_night_is_not_reminded_of_in_the_morning(world: World) -> None:
    world.clock.at = NOON + timedelta(hours=2)
    (ticket,) = await world.tickets(1)
    await world.at(NOON + timedelta(hours=14))
    contacted = TicketContacted(unit=UNIT, method="phone", round=1, at=world.clock.at, first_at=world.clock.at)
    await world.peer.say(ticket, contacted)
    world.clock.at = MORNING
    await handlers.send_due(world.stage.context)
    assert await world.told() == []
    assert [alert["dropped"] for alert in await world.alerts()] == ["done"]


async def test_a_light_goes_to_the_unit_its_head_and_who_stands_above(world: World) -> None:
    await world.tickets(1, unit=GAS)
    await world.at(NOON + timedelta(hours=24), "clock.breached")
    told = {to: text for to, _, text in await world.told()}
    above = world.stage.context.engine.telling.units["co-gas"].parent
    assert told.keys() == {"unit:co-gas", "unit:co-gas/head", f"unit:{above}"}
    assert told["unit:co-gas"].startswith("【督办黄灯】工单20260302-0000001的首次联系已超时")
    assert told[f"unit:{above}"].startswith("【督办黄灯】市燃气集团的工单20260302-0000001")


async def test_a_mark_before_anybody_leads_is_told_to_the_centre_and_again_to_the_first_lead(world: World) -> None:
    (ticket,) = await world.tickets(1, unit=None)
    await world.at(NOON + timedelta(hours=12))
    assert [(to, "尚未派出" in text) for to, _, text in await world.told()] == [("unit:centre", True)]
    world.clock.at = NOON + timedelta(hours=21)
    await world.lead(ticket)
    await world.peer.say(ticket, TicketReceived(number="n", channel="web", text="t", received_at=NOON))
    await world.at(NOON + timedelta(hours=21))
    assert [to for to, _, _ in await world.told()][1:] == ["unit:dept-water", "unit:dept-water/head"]
    await world.peer.say(ticket, TicketResolved(unit=UNIT, reply="修好了", round=1, at=NOON, contacted=True))
    assert len(await world.told()) == 3


@pytest.mark.usefixtures("gateway")
async def test_a_gateway_that_is_down_for_ten_minutes_loses_nothing_and_hears_nothing_twice(
    world: World, gateway: Gateway
) -> None:
    await world.tickets(3, "urgent", GAS)
    await world.tickets(3, "urgent", UNIT)
    carrier = courier(world, gateway)
    down = NOON + timedelta(minutes=25)
    while world.clock.at < down:
        gateway.answers.extend([503] * 50)
        world.clock.advance(seconds=60)
        await carrier.step()
    gateway.answers.clear()
    refused = {posted.body["key"] for posted in gateway.posted}
    gateway.posted.clear()
    for _ in range(15):
        world.clock.advance(seconds=60)
        await carrier.step()
    taken = [posted.body["key"] for posted in gateway.posted]
    assert refused
    assert refused <= set(taken)
    assert len(taken) == len(set(taken))
    assert {state for _, state, _ in await world.told()} == {"sent"}


@pytest.mark.usefixtures("gateway")
async def test_a_process_that_dies_between_fire_and_notify_has_told_it_all_in_the_end(
    world: World, gateway: Gateway
) -> None:
    await world.tickets(4)
    world.clock.at = NOON + timedelta(hours=12)
    await world.probe.until(lambda seen: sum(e.data.name == "clock.warned" for e in seen) == 4)
    # The marks have fired, and the process that would gather them is gone: another one finds them.
    await handlers.send_due(world.stage.context)
    await handlers.send_due(world.stage.context)
    await courier(world, gateway).step()
    await courier(world, gateway).step()
    assert len(gateway.posted) == 1


@pytest.mark.usefixtures("gateway")
async def test_failed_and_unknown_messages_are_seen_and_told_again_by_a_supervisor(
    world: World, gateway: Gateway
) -> None:
    await world.tickets(1, "urgent")
    carrier = courier(world, gateway)
    world.clock.at = NOON + timedelta(minutes=15)
    await world.probe.named("clock.warned")
    gateway.answers.extend([500] * (len(PAUSES) + 1))
    for _ in range(len(PAUSES) + 1):
        await carrier.step()
        world.clock.advance(seconds=max(PAUSES))
    failed = (await world.http.get("/sla/v1/notices", params={"state": "failed", "unit": "dept-water"})).json()["items"]
    assert (failed[0]["error"], failed[0]["numbers"], failed[0]["ways"][0]["state"]) == (
        "http_500", ["20260302-0000001"], "failed",
    )  # fmt: skip
    answer = await world.http.post("/sla/v1/notices/resend", json={"notices": [failed[0]["notice"], "no such"]})
    assert answer.json() == {"notices": [failed[0]["notice"]]}
    gateway.answers.clear()
    for _ in range(5):
        await carrier.step()
    assert gateway.posted[-1].body["key"].split("/")[1] == gateway.posted[0].body["key"].split("/")[1]
    again = await world.http.post("/sla/v1/notices/resend", json={"notices": [failed[0]["notice"]]})
    assert again.json() == {"notices": []}


@pytest.mark.usefixtures("gateway")
async def test_a_courier_that_was_killed_while_it_sent_leaves_an_unknown_message_to_be_seen(
    world: World, gateway: Gateway
) -> None:
    await world.tickets(1, "urgent")
    world.clock.at = NOON + timedelta(minutes=15)
    await world.probe.named("clock.warned")
    await world.pool.execute(
        "UPDATE notices SET state = 'sending', attempts = 1, next_at = $1", world.clock.at + timedelta(seconds=60)
    )
    world.clock.advance(seconds=LEASE_SECONDS)
    await courier(world, gateway).step()
    unknown = (await world.http.get("/sla/v1/notices", params={"state": "unknown"})).json()["items"]
    assert [notice["error"] for notice in unknown] == ["courier_lost"]
    assert gateway.posted == []


async def test_a_unit_sees_what_it_was_told_and_only_a_supervisor_above_has_it_told_again(world: World) -> None:
    await world.tickets(1, "urgent", GAS)
    world.clock.at = NOON + timedelta(minutes=15)
    await world.probe.named("clock.warned")
    keys = KeyRing(world.stage.context.settings.keys_file)
    key = {
        unit: keys.issue(unit, ["unit" if unit == "co-gas" else "supervisor"], [unit])
        for unit in ("co-gas", "dept-water")
    }
    async with client([world.stage], key["co-gas"]) as gas, client([world.stage], key["dept-water"]) as water:
        mine = (await gas.get("/sla/v1/notices")).json()["items"]
        assert [notice["to"] for notice in mine] == ["unit:co-gas"]
        assert (await water.get("/sla/v1/notices")).json()["items"] == []
        assert (await water.get("/sla/v1/notices", params={"unit": "co-gas"})).status_code == 403
        resend = {"notices": [mine[0]["notice"]]}
        assert (await gas.post("/sla/v1/notices/resend", json=resend)).status_code == 403
        await world.pool.execute("UPDATE notices SET state = 'failed', next_at = NULL")
        assert (await water.post("/sla/v1/notices/resend", json=resend)).json() == {"notices": []}
    assert (await world.http.post("/sla/v1/notices/resend", json=resend)).json() == resend


async def test_pages_go_on_behind_messages_of_one_moment(world: World) -> None:
    await world.tickets(1, "urgent", GAS)
    await world.tickets(1, "urgent", UNIT)
    world.clock.at = NOON + timedelta(minutes=30)
    await world.probe.until(lambda seen: sum(e.data.name == "clock.breached" for e in seen) == 2)
    seen, cursor = [], None
    while True:
        page = (
            await world.http.get("/sla/v1/notices", params={"limit": 1} | ({"cursor": cursor} if cursor else {}))
        ).json()
        seen += [notice["notice"] for notice in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == len(await world.told())
