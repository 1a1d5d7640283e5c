"""Warnings on a real database and a real gateway: gathered, held for the morning, never lost, never told twice."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.common.city.settings import Name
from libs.common.city.units import Contact
from libs.common.contracts.dispatch import TicketContacted, TicketDispatched, TicketReassigned
from libs.common.contracts.intake import TicketReceived
from libs.common.contracts.vocabulary import UnitRef, Urgency
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.directory import Directory
from libs.common.runtime.notify import LEASE_SECONDS, PAUSES, Courier, Letters
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing
from libs.common.runtime.settings import Settings
from services.sla import handlers
from services.sla.service import SERVICE
from tests.support.citizens import classified
from tests.support.doomed import Deed, carry, doomed, fire, fire_half, gather_half, killed_when_reached, timers_of
from tests.support.gateway import Gateway, Posted, running_gateway
from tests.support.stages import NOON, PATIENCE_SECONDS, ManualClock, Peer, client, running, settings_for

UNIT = UnitRef(code="dept-water", name="市水务局")
GAS = UnitRef(code="co-gas", name="市燃气集团")
MORNING = NOON.replace(day=3, hour=0)
EVENING = MORNING + timedelta(hours=12)
"""Half of what a general matter that came in the morning has until its first contact."""


class World:
    """The service under test, without its own courier, timers and jobs: the test does their steps."""

    def __init__(self, stage: Stage, peer: Peer, clock: ManualClock, home: Path) -> None:
        self.stage, self.peer, self.clock, self.home = stage, peer, clock, home
        self.pool = stage.context.database.pool
        self.http = client([stage], (home / "key").read_text())
        self.timers = timers_of(stage)
        self.numbers = itertools.count(1)

    async def tickets(self, count: int, urgency: Urgency = "general", unit: UnitRef | None = UNIT) -> list[UUID]:
        """Let tickets come in, and be led by a unit if one is named."""
        tickets = [self.clock.new_id() for _ in range(count)]
        for ticket in tickets:
            number = f"20260302-{next(self.numbers):07}"
            said = TicketReceived(number=number, channel="web", text="停水了", received_at=self.clock.at)
            await self.peer.say(ticket, said)
            if unit:
                await self.lead(ticket, unit, urgency)
        return tickets

    async def lead(self, ticket: UUID, unit: UnitRef = UNIT, urgency: Urgency = "general") -> None:
        """Let a unit lead."""
        led = TicketDispatched(unit=unit, rule="r", why=("w",), round=1, at=self.clock.at, urgency=urgency)
        await self.peer.say(ticket, led)

    async def fire(self, moment: datetime) -> None:
        """Let time pass to a moment, and what is due take effect."""
        self.clock.at = moment
        while await self.timers.fire():
            pass

    async def at(self, moment: datetime) -> None:
        """Let time pass to a moment, and tell what is due by then."""
        await self.fire(moment)
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
    service = replace(SERVICE, notifies=False, timers={}, jobs={}, jobs_first=())
    async with running(service, settings, bus, clock) as stage:
        stage.context.loops["courier"] = stage.relay_loop
        world = World(stage, Peer(bus, clock), clock, tmp_path)
        async with world.http:
            yield world


@pytest.fixture
async def gateway(world: World) -> AsyncIterator[Gateway]:
    (world.home / "notify.toml").write_text('[to]\n"*" = ["sms:+8613800000000"]\n')
    async with running_gateway() as gateway:
        yield gateway


def settings_with(world: World, gateway: Gateway) -> Settings:
    """Return the settings of the service under test, with a gateway for short messages."""
    return replace(world.stage.context.settings, sms_gateway=f"http://127.0.0.1:{gateway.port}/")


def courier(world: World, gateway: Gateway, letters: Letters | None = None) -> Courier:
    """Return what carries the notices of the service under test to a gateway."""
    settings = settings_with(world, gateway)
    directory = Directory(settings.notify_file)
    return Courier("sla", world.stage.context.database, world.clock, directory, settings, letters)


async def test_many_tickets_of_a_unit_at_one_mark_are_one_message(world: World) -> None:
    world.clock.at = MORNING
    await world.tickets(12)
    await world.at(EVENING)
    assert [(to, state) for to, state, _ in await world.told()] == [("unit:dept-water", "waiting")]
    (_, _, text) = (await world.told())[0]
    assert text.startswith("【督办提醒】第1次：12件工单的首次联系将到时限，最早2026-03-04 08:00")


async def test_what_comes_between_two_spans_waits_for_the_end_of_its_own(world: World) -> None:
    world.clock.at = MORNING + timedelta(minutes=1)
    await world.tickets(1)
    await world.at(EVENING + timedelta(minutes=1))
    (alert,) = await world.alerts()
    assert (alert["notice"], await world.told()) == (None, [])
    world.clock.at = EVENING + timedelta(minutes=15)
    await handlers.send_due(world.stage.context)
    assert len(await world.told()) == 1


async def test_a_seven_day_matter_wakes_nobody_and_is_told_in_the_morning(world: World) -> None:
    world.clock.at = NOON + timedelta(hours=2)
    await world.tickets(2)
    await world.at(NOON + timedelta(hours=14))
    held = await world.alerts()
    assert {alert["at"] for alert in held} == {"2026-03-03T00:00:00Z"}
    world.clock.at = MORNING
    await handlers.send_due(world.stage.context)
    assert [to for to, _, _ in await world.told()] == ["unit:dept-water"]


async def test_danger_is_told_at_night_as_soon_as_it_is_looked_for(world: World) -> None:
    world.clock.at = NOON + timedelta(hours=12)
    await world.tickets(1, "urgent")
    await world.at(world.clock.at + timedelta(minutes=16))
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
    assert [alert["dropped"] for alert in await world.alerts()] == ["moot"]


async def test_a_reminder_that_was_held_is_not_told_after_the_light_that_a_new_class_brought(world: World) -> None:
    world.clock.at = NOON + timedelta(hours=2)
    (ticket,) = await world.tickets(1, unit=GAS)
    await world.at(NOON + timedelta(hours=14))
    assert await world.told() == []
    await world.peer.say(ticket, classified().model_copy(update={"urgency": "urgent"}))
    await handlers.send_due(world.stage.context)
    lights = await world.told()
    assert ("unit:co-gas", "【督办红灯】") in {(to, text[:6]) for to, _, text in lights}
    world.clock.at = MORNING
    await handlers.send_due(world.stage.context)
    assert await world.told() == lights
    assert [alert["mark"] for alert in await world.alerts() if alert["dropped"] == "moot"] == ["1"]


async def test_each_mark_of_a_clock_is_told_in_its_time_to_one_desk_more(world: World) -> None:
    await world.tickets(1, "urgent", GAS)
    duty, head, above, centre = "unit:co-gas", "unit:co-gas/head", "unit:dept-urban-management", "unit:centre"
    ladder = [
        (timedelta(minutes=15), "第1次", [duty]),
        (timedelta(minutes=24), "第2次", [duty, head]),
        (timedelta(minutes=28, seconds=30), "第3次", [duty, head]),
        (timedelta(minutes=30), "黄灯", [duty, head, above]),
        (timedelta(minutes=45), "红灯", [duty, head, above, centre]),
    ]
    known = 0
    for after, mark, desks in ladder:
        await world.at(NOON + after - timedelta(seconds=1))
        assert len(await world.told()) == known
        await world.at(NOON + after)
        new = (await world.told())[known:]
        known += len(new)
        assert {to for to, _, _ in new} == {*desks}
        assert all(mark in text and "停水" not in text for _, _, text in new)


async def test_an_office_is_told_where_the_citys_list_says_if_the_directory_does_not_name_it(
    world: World, gateway: Gateway
) -> None:
    (world.home / "notify.toml").write_text('[to]\n"unit:co-gas" = ["sms:1"]\n"*" = ["sms:2"]\n')
    engine = world.stage.context.engine
    duty = Contact(Name("值班", "Duty"), "always", "96116", ("sms:3",))
    listed = {code: replace(engine.telling.units[code], contacts=(duty,)) for code in ("co-gas", "co-water")}
    telling = replace(engine.telling, units={**engine.telling.units, **listed})
    world.stage.context.engine = replace(engine, telling=telling)
    for unit in (GAS, UnitRef(code="co-water", name="自来水集团"), UNIT):
        await world.tickets(1, "urgent", unit)
    await world.at(NOON + timedelta(minutes=15))
    await courier(world, gateway, partial(handlers.letters, world.stage.context)).step()
    assert {posted.body["to"] for posted in gateway.posted} == {"1", "2", "3"}


async def test_no_event_leads_a_notice_to_an_address_of_its_own(world: World, gateway: Gateway) -> None:
    (world.home / "notify.toml").write_text('[to]\n"unit:dept-water" = ["sms:+8613800000000"]\n')
    for code in (f"json://127.0.0.1:{gateway.port}/", "sms:+8613900000000", "dept-water/../x"):
        await world.tickets(1, "urgent", UnitRef(code=code, name="甲"))
    await world.at(NOON + timedelta(minutes=15))
    while await courier(world, gateway).step() == 0:
        pass
    assert ({state for _, state, _ in await world.told()}, gateway.posted) == ({"no_address"}, [])


async def test_a_light_goes_to_the_unit_its_head_and_who_stands_above(world: World) -> None:
    await world.tickets(1, unit=GAS)
    await world.at(NOON + timedelta(hours=24))
    told = {to: text for to, _, text in await world.told()}
    above = world.stage.context.engine.telling.units["co-gas"].parent
    assert told.keys() == {"unit:co-gas", "unit:co-gas/head", f"unit:{above}"}
    assert told["unit:co-gas"].startswith("【督办黄灯】工单20260302-0000001的首次联系已超时")
    assert told[f"unit:{above}"].startswith("【督办黄灯】市燃气集团的工单20260302-0000001")


async def test_a_mark_before_anybody_leads_is_told_to_the_centre_and_again_to_the_first_lead(world: World) -> None:
    world.clock.at = MORNING
    (ticket,) = await world.tickets(1, unit=None)
    await world.at(EVENING)
    assert [(to, "尚未派出" in text) for to, _, text in await world.told()] == [("unit:centre", True)]
    world.clock.at = EVENING + timedelta(minutes=30)
    await world.lead(ticket)
    await handlers.send_due(world.stage.context)
    assert [to for to, _, _ in await world.told()][1:] == ["unit:dept-water"]
    await world.lead(ticket)
    await handlers.send_due(world.stage.context)
    assert len(await world.told()) == 2


async def test_what_was_held_for_a_unit_is_told_to_the_one_that_leads_by_then(world: World) -> None:
    world.clock.at = NOON + timedelta(hours=2)
    (ticket,) = await world.tickets(1)
    await world.at(NOON + timedelta(hours=14))
    moved = TicketReassigned(unit=GAS, previous=UNIT, why=("w",), at=world.clock.at, round=1)
    await world.peer.say(ticket, moved)
    world.clock.at = MORNING
    await handlers.send_due(world.stage.context)
    assert [to for to, _, _ in await world.told()] == ["unit:co-gas"]
    dropped = {alert["unit"]["code"]: alert["dropped"] for alert in await world.alerts()}
    assert dropped == {"dept-water": "moot", "co-gas": None}


async def test_a_gateway_that_is_down_for_ten_minutes_costs_no_warning_no_order_and_no_storm(
    world: World, gateway: Gateway
) -> None:
    """An urgent ticket a minute for either unit, the gateway away from the 20th to the 30th minute."""
    lines = {"unit:co-gas": "+861", "unit:dept-water": "+862", "*": "+863"}
    entries = "\n".join(f'"{to}" = ["sms:{phone}"]' for to, phone in lines.items())
    (world.home / "notify.toml").write_text(f"[to]\n{entries}\n")
    carrier, accepted, refused = courier(world, gateway), list[Posted](), list[Posted]()
    for minute in range(45):
        down = 20 <= minute < 30
        if minute < 30:
            await world.tickets(1, "urgent", GAS)
            await world.tickets(1, "urgent", UNIT)
        await world.at(NOON + timedelta(minutes=minute))
        gateway.answers.extend([503] * 1000 if down else [])
        while await carrier.step() == 0:
            pass
        gateway.answers.clear()
        (refused if down else accepted).extend(gateway.posted)
        gateway.posted.clear()
    assert {state for _, state, _ in await world.told()} == {"sent"}
    assert {alert["dropped"] for alert in await world.alerts()} == {None, "overtaken"}
    assert not [alert for alert in await world.alerts() if not alert["notice"] and not alert["dropped"]]
    keys = [posted.body["key"] for posted in accepted]
    assert len(keys) == len(set(keys))
    for phone in ("+861", "+862"):
        desk = [posted.body["key"] for posted in accepted if posted.body["to"] == phone]
        assert desk == sorted(desk)
    # Of what waits for a desk only the first is tried, with growing pauses; what came meanwhile is one of each kind.
    assert {posted.body["key"] for posted in refused} <= set(keys)
    assert len(refused) <= 2 * 3 * 8
    caught_up = [posted.body["text"] for posted in accepted if "9件工单" in posted.body["text"]]
    assert len(caught_up) >= 2


@pytest.mark.parametrize("deed", [fire, fire_half, gather_half])
async def test_a_process_that_is_killed_between_fire_and_notify_has_told_it_all_in_the_end_and_once(
    world: World, gateway: Gateway, deed: Deed
) -> None:
    world.clock.at = MORNING
    await world.tickets(4)
    await killed_when_reached(deed, world.stage.context.settings, EVENING)
    await world.at(EVENING)
    await courier(world, gateway).step()
    await courier(world, gateway).step()
    (posted,) = gateway.posted
    assert "4件工单" in posted.body["text"]


async def test_a_process_that_is_killed_while_it_sends_leaves_an_unknown_message_and_only_a_person_repeats_it(
    world: World, gateway: Gateway
) -> None:
    await world.tickets(1, "urgent")
    await world.at(NOON + timedelta(minutes=15))
    gateway.answers.append(None)
    with doomed(carry, settings_with(world, gateway), world.clock.at):
        await asyncio.wait_for(gateway.reached.wait(), 4 * PATIENCE_SECONDS)
    other = courier(world, gateway)
    await other.step()
    assert [state for _, state, _ in await world.told()] == ["sending"]
    world.clock.advance(seconds=LEASE_SECONDS)
    await other.step()
    (unknown,) = (await world.http.get("/sla/v1/notices", params={"state": "unknown"})).json()["items"]
    assert (unknown["error"], len(gateway.posted)) == ("courier_lost", 1)
    await world.http.post("/sla/v1/notices/resend", json={"notices": [unknown["notice"]]})
    await other.step()
    assert len({posted.headers["idempotency-key"] for posted in gateway.posted}) == 1
    assert [state for _, state, _ in await world.told()] == ["sent"]


async def test_failed_and_unknown_messages_are_seen_and_told_again_by_a_supervisor(
    world: World, gateway: Gateway
) -> None:
    await world.tickets(1, "urgent")
    carrier = courier(world, gateway)
    await world.at(NOON + timedelta(minutes=15))
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


async def test_a_unit_sees_what_it_was_told_and_only_a_supervisor_above_has_it_told_again(world: World) -> None:
    await world.tickets(1, "urgent", GAS)
    await world.at(NOON + timedelta(minutes=15))
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
    await world.at(NOON + timedelta(minutes=30))
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
