"""Supervision over HTTP and on a real database: opened, answered, checked, met about, concluded, closed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.common.contracts.classify import HotspotRaised
from libs.common.contracts.dispatch import TicketDispatched, TicketResolved
from libs.common.contracts.intake import TicketErased, TicketReceived
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing
from services.sla.service import SERVICE
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

UNIT = UnitRef(code="dept-water", name="市水务局")
RECEIVED = TicketReceived(number="20260302-0000001", channel="web", text="停水了", received_at=NOON)
LED = TicketDispatched(unit=UNIT, rule="r", why=("w",), round=1, at=NOON)


class World:
    """The service under test, a ticket that a unit leads, and keys of those around its case."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, home: Path) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.peer = Peer(bus, clock)
        self.keys = KeyRing(stage.context.settings.keys_file)
        self.http = client([stage], (home / "key").read_text())
        self.ticket = clock.new_id()

    def as_unit(self, *units: str) -> httpx.AsyncClient:
        """Return a client with a key of these units."""
        return client([self.stage], self.keys.issue("-".join(units), ["unit"], units))

    async def open(self, **more: Any) -> dict[str, Any]:
        """Put the ticket under supervision by hand."""
        await self.peer.say(self.ticket, RECEIVED, LED)
        said = {"subject": str(self.ticket), "note": "群众反映强烈，联系人张伟电话13812345678", **more}
        answer = await self.http.post("/sla/v1/supervision", json=said)
        assert answer.status_code == 201, answer.text
        case: dict[str, Any] = answer.json()
        return case

    async def do(self, step: str, who: httpx.AsyncClient | None = None, expect: int = 200, **said: Any) -> Any:
        """Do a step on the case; what is not asked for otherwise is done as everybody."""
        answer = await (who or self.http).post(f"/sla/v1/supervision/{self.ticket}/{step}", json=said)
        assert answer.status_code == expect, answer.text
        return answer.json()


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    async with probing(bus, "jiesu.sla.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        world = World(stage, bus, clock, probe, tmp_path)
        async with world.http:
            yield world


async def test_a_case_opened_by_hand_has_an_owner_a_limit_and_no_personal_data(world: World) -> None:
    case = await world.open()
    assert (case["level"], case["state"], case["ground"]) == (1, "open", "hand")
    assert (case["unit"]["code"], case["owner"]["code"]) == ("dept-water", "centre")
    assert "13812345678" not in case["grounds"][0]["note"]
    told = (await world.probe.named("supervision.opened"))[0].data
    assert told.owner.code == "centre"
    again = await world.http.post(
        "/sla/v1/supervision", json={"subject": str(world.ticket), "ground": "rank", "note": "市领导批示"}
    )
    assert (again.json()["level"], len(again.json()["grounds"]), again.json()["turn"]) == (3, 2, 1)


async def test_a_case_runs_its_whole_course_to_a_result(world: World) -> None:
    await world.open()
    water = world.as_unit("dept-water")
    await world.do("answer", water, note="已安排抢修")
    assert (await world.do("refuse", note="没有时间表"))["state"] == "open"
    await world.do("accept", expect=409, note="好")
    await world.do("answer", water, note="今晚修好")
    await world.do("accept", note="同意")
    case = await world.do(
        "checks",
        expect=201,
        unit="dept-housing",
        task="看是否修好",
        due_at=str(NOON + timedelta(days=1)).replace(" ", "T"),
    )
    check = case["checks"][0]["check_id"]
    await world.do(f"checks/{check}", water, expect=403, holds=True, finding="好了")
    await world.do(f"checks/{check}", world.as_unit("dept-housing"), holds=True, finding="已修好")
    meeting = await world.do(
        "meetings", expect=201, units=["dept-water", "dept-housing"], at="2026-03-03T09:00:00+08:00", agenda="管网改造"
    )
    id_ = meeting["meetings"][0]["meeting_id"]
    await world.do(f"meetings/{id_}/attend", water, unit="dept-water")
    await world.do("close", expect=409, outcome="solved", note="办结")
    bound = {"unit": "dept-water", "task": "换管", "due_at": "2026-04-01T09:00:00+08:00"}
    case = await world.do(f"meetings/{id_}/conclude", conclusion="四月换管", duties=[bound])
    await world.do(f"duties/{case['duties'][0]['duty_id']}", water, note="换好了")
    case = await world.do("close", outcome="solved", note="办结")
    assert (case["state"], case["outcome"]) == ("closed", "solved")
    await world.probe.named("supervision.closed", "deduction.proposed")
    steps = [e.data.step for e in await world.probe.named("supervision.stepped")]
    assert steps == [
        "answered", "refused", "answered", "accepted", "check_ordered", "checked", "meeting_called", "attended",
        "concluded", "fulfilled",
    ]  # fmt: skip


async def test_nobody_closes_a_case_while_its_work_is_overdue_and_it_ends_when_the_work_is_done(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, LED)
    world.clock.advance(days=8)
    await world.probe.named("supervision.opened")
    await world.do("answer", note="在办")
    await world.do("accept", note="抓紧")
    await world.do("close", expect=409, outcome="solved", note="办结")
    await world.peer.say(
        world.ticket, TicketResolved(unit=UNIT, reply="好", round=1, at=world.clock.at, contacted=True)
    )
    closed = (await world.probe.named("supervision.closed"))[0].data
    assert closed.outcome == "done"


async def test_an_answer_that_does_not_come_raises_the_case_by_a_timer(world: World) -> None:
    await world.open()
    world.clock.advance(hours=25)
    raised = (await world.probe.named("supervision.raised"))[0].data
    assert raised.level == 2
    proposed = (await world.probe.named("deduction.proposed"))[0].data
    assert (proposed.ground, proposed.unit.code, proposed.ticket) == ("unanswered", "dept-water", world.ticket)


async def test_a_unit_sees_its_own_cases_and_no_others(world: World) -> None:
    await world.open()
    listed = {}
    for unit in ("dept-water", "dept-housing"):
        async with world.as_unit(unit) as http:
            listed[unit] = len((await http.get("/sla/v1/supervision")).json()["items"])
            listed[f"{unit} one"] = (await http.get(f"/sla/v1/supervision/{world.ticket}")).status_code
    assert listed == {"dept-water": 1, "dept-water one": 200, "dept-housing": 0, "dept-housing one": 403}
    owned = await world.http.get(
        "/sla/v1/supervision", params={"owner": "centre", "unit": "dept-water", "state": "open"}
    )
    assert len(owned.json()["items"]) == 1


async def test_words_of_a_case_go_with_the_words_of_its_ticket_and_none_come_after(world: World) -> None:
    await world.open()
    await world.do("answer", note="用户住三号楼")
    await world.peer.say(world.ticket, TicketErased(words=True, at=NOON))
    kept = await world.stage.context.database.pool.fetchval("SELECT supervision::text FROM supervision")
    assert "三号楼" not in kept
    assert "群众" not in kept
    case = await world.do("refuse", note="不行")
    assert case["answers"][0]["judgement"] == ""
    seen = await world.probe.until(lambda seen: any(getattr(e.data, "step", "") == "refused" for e in seen))
    assert next(e.data.note for e in seen if getattr(e.data, "step", "") == "refused") is None


async def test_a_grave_hot_event_is_under_supervision_and_holds_tickets(world: World) -> None:
    event = HotspotRaised(
        code="heating-01-01", category=("供热采暖", "", ""), district="110105", count=40, first_at=NOON, last_at=NOON,
        title="朝阳停暖", risk="high", first_ticket=world.ticket, raised_at=NOON,
    )  # fmt: skip
    hotspot = world.clock.new_id()
    await world.peer.say(hotspot, event)
    case = (await world.http.get(f"/sla/v1/supervision/{hotspot}")).json()["items"][0]
    assert (case["level"], case["about"], case["owner"]["code"], case["tickets"]) == (
        3, "hotspot", "centre", [str(world.ticket)],
    )  # fmt: skip
    more = str(world.clock.new_id())
    held = await world.http.post(f"/sla/v1/supervision/{hotspot}/tickets", json={"tickets": [more]})
    assert held.json()["tickets"] == [str(world.ticket), more]


async def test_a_bulletin_counts_what_was_raised_and_how_it_ended(world: World) -> None:
    await world.open()
    await world.do("answer", note="好")
    await world.do("accept", note="好")
    await world.do("close", outcome="explained", note="已解释")
    rows = (await world.http.get("/sla/v1/bulletins/2026-03")).json()["items"]
    assert [(r["level"], r["unit"]["code"], r["raised"], r["ended"], r["explained"]) for r in rows] == [
        (1, "dept-water", 1, 1, 1)
    ]
    assert (await world.http.get("/sla/v1/bulletins/2026-W10")).json()["items"] == rows
    assert (await world.http.get("/sla/v1/bulletins/2026-03-03")).json()["items"] == []
    text = (await world.http.get("/sla/v1/bulletins/2026-03.md")).text
    assert text.startswith("# 督办通报（2026-03）")
    page = await world.http.get("/sla/v1/bulletins/2026-03.html", headers={"Accept-Language": "en"})
    assert "<h1>Supervision bulletin, 2026-03</h1>" in page.text
    for wrong in ("2026-13", "2026-W60", "2026-02-30", "0000-01", "x"):
        assert (await world.http.get(f"/sla/v1/bulletins/{wrong}")).status_code == 422


async def test_what_is_not_known_cannot_come_under_supervision(world: World) -> None:
    young = await world.http.post("/sla/v1/supervision", json={"subject": str(world.ticket), "note": "x"})
    old = await world.http.post("/sla/v1/supervision", json={"subject": str(UUID(int=7)), "note": "x"})
    none = await world.http.post(f"/sla/v1/supervision/{world.ticket}/answer", json={"note": "x"})
    assert (young.status_code, old.status_code, none.status_code) == (409, 404, 404)


async def test_a_case_whose_owner_is_gone_from_the_list_is_given_to_the_next(world: World) -> None:
    await world.open()
    await world.stage.context.database.pool.execute("UPDATE supervision SET owner_code = 'abolished'")
    world.stage.context.loops["owners"].wake()
    await world.probe.until(lambda seen: any(getattr(e.data, "step", "") == "handed_over" for e in seen))
    case = (await world.http.get(f"/sla/v1/supervision/{world.ticket}")).json()["items"][0]
    assert case["owner"]["code"] == "centre"
