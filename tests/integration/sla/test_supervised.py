"""Supervision over HTTP and on a real database: opened, answered, checked, met about, concluded, closed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
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

HOT = HotspotRaised(
    code="heating-01-01", category=("供热采暖", "", ""), district="110105", count=40, first_at=NOON, last_at=NOON,
    title="朝阳停暖", risk="high", raised_at=NOON,
)  # fmt: skip


class World:
    """The service under test, a ticket that a unit leads, and keys of those around its case."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, home: Path) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.peer = Peer(bus, clock)
        self.keys = KeyRing(stage.context.settings.keys_file)
        self.http = client([stage], (home / "key").read_text())
        self.ticket = clock.new_id()

    def supervising(self, *units: str) -> httpx.AsyncClient:
        """Return a client with a key that supervises these units."""
        return client([self.stage], self.keys.issue("-".join(("over", *units)), ["supervisor"], units))

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

    async def told(self) -> list[Any]:
        """Return the notices there are."""
        return list(await self.stage.context.database.pool.fetch('SELECT key, "to", text, next_at FROM notices'))


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


async def test_an_answer_nobody_judges_raises_the_case_by_a_timer_and_is_still_there_to_judge(world: World) -> None:
    await world.open()
    case = await world.do("answer", note="在办")
    assert case["owner_due_at"] == "2026-03-05T04:00:00Z"
    world.clock.advance(days=3)
    (raised,) = await world.probe.named("supervision.raised")
    assert (raised.data.level, raised.data.answer_due_at) == (2, None)
    texts = {row["text"].partition("】")[0] for row in await world.told()}
    assert {"【督办逾期", "【督办升级"} <= texts
    assert (await world.do("accept", note="好"))["owner_due_at"] == "2026-03-07T04:00:00Z"


async def test_a_hot_event_that_nobody_ends_is_told_to_the_centre_every_day(world: World) -> None:
    await world.peer.say(world.ticket, HOT)
    for days in (1, 2):
        world.clock.advance(days=1)
        await world.probe.until(lambda seen: sum(e.data.name == "supervision.stepped" for e in seen) == days)  # noqa: B023 waited for here
    assert (await world.http.get(f"/sla/v1/supervision/{world.ticket}")).json()["items"][0]["level"] == 3


async def test_a_case_that_is_open_is_added_to_by_who_supervises_its_owner_and_not_by_the_supervised_or_the_called(
    world: World,
) -> None:
    case = await world.open()
    called: dict[str, Any] = {
        "units": ["dept-fire", "dept-housing"],
        "at": "2026-03-03T09:00:00+08:00",
        "agenda": "协调",
    }
    await world.do("meetings", expect=201, **called)
    world.clock.advance(hours=20)
    more = {"subject": str(world.ticket), "note": "请督办", "level": 3}
    for unit in ("dept-water", "dept-fire"):
        assert (await world.supervising(unit).post("/sla/v1/supervision", json=more)).status_code == 403
    kept = (await world.http.get(f"/sla/v1/supervision/{world.ticket}")).json()["items"][0]
    assert (kept["level"], kept["answer_due_at"]) == (1, case["answer_due_at"])
    assert (await world.supervising("centre").post("/sla/v1/supervision", json=more)).status_code == 201


async def test_nobody_judges_their_own_answer_though_they_supervise_the_owner(world: World) -> None:
    await world.open()
    await world.do("owner", owner="dept-housing", note="请牵头")
    await world.do("answer", note="在办")
    await world.do("accept", world.supervising("dept-water", "dept-housing"), expect=403, note="好")
    assert (await world.do("accept", world.supervising("dept-housing"), note="好"))["state"] == "accepted"


async def test_a_unit_sees_its_own_cases_and_no_others(world: World) -> None:
    await world.open()
    listed = {}
    for unit in ("dept-water", "dept-housing"):
        async with world.as_unit(unit) as http:
            listed[unit] = len((await http.get("/sla/v1/supervision")).json()["items"])
            listed[f"{unit} one"] = (await http.get(f"/sla/v1/supervision/{world.ticket}")).status_code
    assert listed == {"dept-water": 1, "dept-water one": 200, "dept-housing": 0, "dept-housing one": 403}
    await world.do("checks", expect=201, unit="dept-housing", task="看现场", due_at="2026-03-03T09:00:00+08:00")
    called: dict[str, Any] = {"units": ["dept-fire", "dept-water"], "at": "2026-03-03T09:00:00+08:00", "agenda": "协调"}
    await world.do("meetings", expect=201, **called)
    for unit, sees in (("dept-housing", 1), ("dept-fire", 1), ("dept-traffic", 0)):
        async with world.as_unit(unit) as http:
            assert len((await http.get("/sla/v1/supervision")).json()["items"]) == sees
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
    hotspot = world.clock.new_id()
    await world.peer.say(hotspot, HOT.model_copy(update={"first_ticket": world.ticket}))
    case = (await world.http.get(f"/sla/v1/supervision/{hotspot}")).json()["items"][0]
    assert (case["level"], case["about"], case["owner"]["code"], case["tickets"]) == (
        3, "hotspot", "centre", [str(world.ticket)],
    )  # fmt: skip
    more = str(world.clock.new_id())
    held = await world.http.post(f"/sla/v1/supervision/{hotspot}/tickets", json={"tickets": [more]})
    assert held.json()["tickets"] == [str(world.ticket), more]


async def test_a_hot_event_that_cooled_is_closed_by_its_owner_though_no_unit_was_supervised(world: World) -> None:
    await world.peer.say(world.ticket, HOT)
    called = await world.do(
        "meetings", expect=201, units=["dept-water", "dept-housing"], at="2026-03-03T09:00:00+08:00", agenda="供热"
    )
    meeting = called["meetings"][0]["meeting_id"]
    assert {row["text"] for row in await world.told()} == {
        "【督办立案】朝阳停暖由北京市市民热线服务中心市级联合（三级）督办，尚无承办单位。",
        "【协调会】朝阳停暖：北京市市民热线服务中心定于2026-03-03 09:00召集协调会，请派员参加。",
    }
    await world.do("close", expect=409, outcome="solved", note="办结")
    await world.do(f"meetings/{meeting}/conclude", conclusion="已恢复供热")
    await world.do("answer", expect=403, who=world.as_unit("dept-water"), note="好")
    assert (await world.do("close", outcome="solved", note="办结"))["outcome"] == "solved"


async def test_a_supervisor_of_some_units_puts_only_their_matters_under_supervision(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, LED)
    said = {"subject": str(world.ticket), "note": "请督办"}
    for units, expect in ((["dept-housing"], 403), (["dept-water"], 201)):
        async with client([world.stage], world.keys.issue(units[0], ["supervisor"], units)) as http:
            assert (await http.post("/sla/v1/supervision", json=said)).status_code == expect


async def test_who_has_the_duties_of_a_unit_that_ended_answers_for_it_and_an_owner_that_ended_owns_nothing(
    world: World,
) -> None:
    await world.open()
    rules, ended = world.stage.context.engine.rules, date(2026, 3, 1)
    units = dict(rules.units)
    units["dept-water"] = replace(units["dept-water"], until=ended, successor="dept-housing")
    units["dept-fire"] = replace(units["dept-housing"], code="dept-fire", until=ended)
    engine = world.stage.context.engine
    world.stage.context.engine = replace(engine, rules=replace(rules, units=units))
    await world.do("answer", world.as_unit("dept-housing"), note="已安排")
    await world.stage.context.database.pool.execute("UPDATE supervision SET owner_code = 'dept-fire'")
    shown = (await world.http.get(f"/sla/v1/supervision/{world.ticket}")).json()["items"][0]
    assert shown["owner"]["code"] == "centre"
    accepted = await world.do("accept", world.as_unit("centre"), note="好")
    assert (accepted["state"], accepted["owner"]["code"]) == ("accepted", "centre")


async def test_at_night_the_citys_own_cases_wake_somebody_and_the_others_wait_for_the_morning(world: World) -> None:
    world.clock.advance(hours=12)
    await world.open()
    low = await world.told()
    await world.http.post(
        "/sla/v1/supervision", json={"subject": str(world.ticket), "ground": "rank", "note": "市领导批示"}
    )
    high = await world.told()
    assert {(row["to"], row["next_at"] > world.clock.at) for row in low} == {
        ("unit:dept-water", True), ("unit:centre", True),
    }  # fmt: skip
    assert {row["next_at"] > world.clock.at for row in high if row["key"] not in {one["key"] for one in low}} == {False}


async def test_a_matter_of_a_class_that_may_wake_somebody_does_so_on_the_lowest_level_too(world: World) -> None:
    world.clock.advance(hours=12)
    urgent = RECEIVED.model_copy(update={"received_at": world.clock.at})
    await world.peer.say(world.ticket, urgent, LED.model_copy(update={"urgency": "urgent", "at": world.clock.at}))
    said = {"subject": str(world.ticket), "note": "请督办"}
    assert (await world.http.post("/sla/v1/supervision", json=said)).json()["level"] == 1
    told = await world.told()
    assert {(row["to"], row["next_at"] > world.clock.at) for row in told} == {
        ("unit:dept-water", False), ("unit:centre", False),
    }  # fmt: skip


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
    whole = (await world.http.get("/sla/v1/bulletins/2026-03")).json()
    assert whole["grounds"] == [{"ground": "hand", "level": 1, "raised": 1}]
    assert (await world.http.get("/sla/v1/bulletins/2026-03-03")).json()["items"] == []
    text = (await world.http.get("/sla/v1/bulletins/2026-03.md")).text
    assert text.startswith("# 督办通报（2026-03）\n\n| 级别 | 承办单位 | 立案 |")
    assert "| 人工督办 | 街道（一级） | 1 |" in text
    none = await world.http.get("/sla/v1/bulletins/2026-04.md")
    assert none.text == "# 督办通报（2026-04）\n\n本期没有督办件。\n"
    page = await world.http.get("/sla/v1/bulletins/2026-03.html", headers={"Accept-Language": "en"})
    assert "<h1>Supervision bulletin, 2026-03</h1>" in page.text
    for wrong in ("2026-13", "2026-W60", "2026-02-30", "0000-01", "x"):
        assert (await world.http.get(f"/sla/v1/bulletins/{wrong}")).status_code == 422


async def test_a_case_that_outlives_a_period_is_open_at_its_end_with_what_was_proposed_in_it(world: World) -> None:
    await world.open()
    world.clock.advance(days=40)
    await world.probe.named("deduction.proposed")
    march, april = [(await world.http.get(f"/sla/v1/bulletins/2026-{month}")).json()["items"] for month in ("03", "04")]
    assert [(row["raised"], row["still_open"], row["ended"]) for row in march] == [(1, 1, 0)]
    assert [(row["raised"], row["still_open"], row["points"] > 0) for row in april] == [(0, 1, True)]


async def test_what_is_not_known_cannot_come_under_supervision(world: World) -> None:
    young = await world.http.post("/sla/v1/supervision", json={"subject": str(world.ticket), "note": "x"})
    old = await world.http.post("/sla/v1/supervision", json={"subject": str(UUID(int=7)), "note": "x"})
    none = await world.http.post(f"/sla/v1/supervision/{world.ticket}/answer", json={"note": "x"})
    assert (young.status_code, old.status_code, none.status_code) == (409, 404, 404)
    hotspot = world.clock.new_id()
    await world.peer.say(hotspot, HOT.model_copy(update={"risk": "low"}))
    await world.peer.say(world.ticket, RECEIVED)
    for subject, about in ((hotspot, "ticket"), (world.ticket, "hotspot")):
        said = {"subject": str(subject), "about": about, "note": "x"}
        assert (await world.http.post("/sla/v1/supervision", json=said)).status_code in {404, 409}


async def test_a_case_whose_owner_is_gone_from_the_list_is_given_to_the_next(world: World) -> None:
    await world.open()
    await world.stage.context.database.pool.execute("UPDATE supervision SET owner_code = 'abolished'")
    world.stage.context.loops["owners"].wake()
    await world.probe.until(lambda seen: any(getattr(e.data, "step", "") == "handed_over" for e in seen))
    case = (await world.http.get(f"/sla/v1/supervision/{world.ticket}")).json()["items"][0]
    assert case["owner"]["code"] == "centre"
