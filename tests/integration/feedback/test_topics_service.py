"""Topics on a real database: found in the record, decided on, worked on as campaigns, and what of it is kept."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest

from libs.common.contracts.classify import HotspotCooled
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.feedback.handlers import keep_topics
from services.feedback.service import SERVICE
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for
from tests.support.topics import Came, Habit, Town, appeals, keep, town

SHORT, LONG = (date(2025, 12, 29), 9, 70), (date(2025, 9, 1), 26, 140)
"""A record's first week, how many there are, and of how many questions. To tell an effect takes a long one of many."""
ACTS = date(2026, 2, 2)
LEAD, OWNER, STRANGER = "dept-water", "dept-housing", "dept-education"


class World:
    """The service with a record, and all around it."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, key: str) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.peer = Peer(bus, clock)
        self.http = client([stage], key)
        self.town: Town

    async def bring(self, first: date, weeks: int, questions: int) -> None:
        """Bring a record, in which the matter that is not solved comes half as often from February on, and count it."""
        city = self.stage.context.engine.city
        self.town = town(city, questions=questions)
        if weeks > SHORT[1]:
            self.town = replace(self.town, habits=self.without_decoys())
        await keep(self.stage.context.database.pool, city, self._less(first, weeks))
        await self.work()

    def _less(self, first: date, weeks: int) -> Iterator[Came]:
        code, random = self.codes("unsolved")[0], Random(3)
        for one in appeals(self.town, first, weeks):
            if one.code != code or one.day < ACTS or random.random() < 0.5:
                yield one

    def codes(self, name: str) -> list[str]:
        """Return the questions of a planted problem's group."""
        known = self.stage.context.engine.city.catalogue.by_code
        group = self.town.planted[name]
        return [h.code for h in self.town.habits if known[h.code].category[:2] == group]

    def without_decoys(self) -> tuple[Habit, ...]:
        """Return the habits of all questions but those of the decoys' groups."""
        known, decoys = self.stage.context.engine.city.catalogue.by_code, set(self.town.decoys.values())
        return tuple(habit for habit in self.town.habits if known[habit.code].category[:2] not in decoys)

    async def work(self) -> None:
        """Let the job do all there is to do."""
        while await keep_topics(self.stage.context) == 0:
            pass

    async def topics(self, **params: Any) -> list[dict[str, Any]]:
        """Return topics as they are listed."""
        listed: list[dict[str, Any]] = (await self.http.get("/feedback/v1/topics", params=params)).json()
        return listed

    async def topic(self, name: str) -> dict[str, Any]:
        """Return a planted problem's topic."""
        return next(one for one in await self.topics() if set(one["codes"]) & set(self.codes(name)))

    async def adopt(self, name: str = "unsolved", **more: Any) -> dict[str, Any]:
        """Take a planted problem up, and return its campaign."""
        topic = (await self.topic(name))["topic_id"]
        milestones = [{"what": "出台办法", "due": "2026-03-01"}, {"what": "全市推开", "due": "2026-06-30"}]
        body = {
            "lead": LEAD, "co_leads": ["dept-finance"], "acts_from": ACTS.isoformat(),
            "questions": [{"name": "谁来管"}],
            "measures": [{"what": "明确职责", "owner": OWNER, "question": "谁来管", "milestones": milestones}],
        }  # fmt: skip
        taken = await self.http.post(f"/feedback/v1/topics/{topic}/adopt", json=body | more)
        assert taken.status_code == 200, taken.text
        return await self.campaign(taken.json()["campaign_id"])

    async def campaign(self, campaign_id: str) -> dict[str, Any]:
        """Return a campaign."""
        shown: dict[str, Any] = (await self.http.get(f"/feedback/v1/campaigns/{campaign_id}")).json()
        return shown

    def unit(self, code: str, role: Role = "unit") -> httpx.AsyncClient:
        """Return a client of one unit's key."""
        return client([self.stage], KeyRing(self.stage.context.settings.keys_file).issue(code, [role], [code]))


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(NOON), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    async with probing(bus, "jiesu.feedback.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        world = World(stage, bus, clock, probe, (tmp_path / "key").read_text())
        async with world.http:
            yield world


async def test_a_month_s_topics_are_found_in_the_record_once_and_told(world: World) -> None:
    assert await world.topics() == []
    city = world.stage.context.engine.city
    hot, since = town(city, questions=SHORT[2]).planted["unsolved"], NOON - timedelta(days=40)
    cooled = HotspotCooled(
        code="", category=(*hot, ""), count=9, first_at=since, last_at=since + timedelta(days=8)
    )  # fmt: skip
    await world.peer.say(uuid4(), cooled)
    await world.bring(*SHORT)
    await world.work()
    listed = await world.topics()
    groups = [tuple(one["category"]) for one in listed]
    # What grows has not grown for long enough here.
    assert {group for name, group in world.town.planted.items() if name != "growing"} <= set(groups)
    assert not set(world.town.decoys.values()) & set(groups)
    assert len(groups) == len(set(groups))
    assert {one["period"] for one in listed} == {"2026-01"}
    told = await world.probe.until(lambda seen: len(seen) >= len(listed))
    assert sorted(e.subject for e in told) == sorted(one["topic_id"] for one in listed)
    one = await world.topic("unsolved")
    assert one["hot_weeks"] == 2
    assert sum(share["count"] for share in one["units"]) == one["tally"]["tickets"]
    assert one["score"]["low"] <= one["score"]["value"] <= one["score"]["high"]


async def test_a_brief_tells_in_words_what_was_counted(world: World) -> None:
    await world.bring(*SHORT)
    one = await world.topic("unsolved")
    path = f"/feedback/v1/topics/{one['topic_id']}/brief"
    zh, en = [(await world.http.get(path, headers={"accept-language": language})).json() for language in ("zh", "en")]
    told = {section["code"]: section["text"] for section in zh["sections"]}
    assert f"收到{one['tally']['tickets']}件" in told["many"]
    assert told["tried"] == "方案库中暂无相关方案。"
    assert [section["code"] for section in en["sections"]] == [section["code"] for section in zh["sections"]]
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in en["title"])


async def test_a_topic_is_decided_on_once_and_what_is_taken_up_or_dismissed_is_not_proposed_again(world: World) -> None:
    await world.bring(*SHORT)
    campaign = await world.adopt()
    other = await world.topic("nobody's")
    path = f"/feedback/v1/topics/{other['topic_id']}"
    assert (await world.http.post(f"{path}/dismiss", json={"note": "已另有专项"})).json()["state"] == "dismissed"
    assert (await world.http.post(f"{path}/adopt", json={"lead": LEAD})).status_code == 409
    (opened,) = await world.probe.named("topic.opened")
    assert (opened.subject, opened.data.codes) == (campaign["campaign_id"], tuple(campaign["codes"]))
    world.clock.advance(days=3)
    await world.work()
    later = await world.topics()
    assert {one["period"] for one in later} == {"2026-02"}
    assert not {code for one in later for code in one["codes"]} & {*campaign["codes"], *other["codes"]}
    states = {one["state"] for one in await world.topics(period="2026-01")}
    assert states == {"adopted", "dismissed", "superseded"}


async def test_only_a_supervisor_of_the_whole_city_decides_and_only_of_units_there_are(world: World) -> None:
    await world.bring(*SHORT)
    topic = (await world.topic("nobody's"))["topic_id"]
    async with world.unit(LEAD, "supervisor") as one_unit, world.unit(OWNER) as unit:
        adopted = await one_unit.post(f"/feedback/v1/topics/{topic}/adopt", json={"lead": LEAD})
        assert (adopted.status_code, (await unit.get("/feedback/v1/topics")).status_code) == (403, 403)
    unknown = await world.http.post(f"/feedback/v1/topics/{topic}/adopt", json={"lead": "dept-nowhere"})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "lead")
    assert (await world.http.post(f"/feedback/v1/topics/{uuid4()}/adopt", json={"lead": LEAD})).status_code == 404


async def test_those_who_take_part_work_on_a_campaign_and_strangers_do_not_see_it(world: World) -> None:
    await world.bring(*SHORT)
    campaign = await world.adopt()
    path = f"/feedback/v1/campaigns/{campaign['campaign_id']}"
    first, second = campaign["measures"][0]["milestones"]
    assert (first["late"], second["late"]) == (True, False)
    async with world.unit(OWNER) as owner, world.unit(STRANGER) as stranger, world.unit(LEAD) as lead:
        (late,) = (await owner.get("/feedback/v1/campaigns/late")).json()
        assert late["milestone_id"] == first["milestone_id"]
        assert (await stranger.get("/feedback/v1/campaigns/late")).json() == []
        assert (await stranger.get(path)).status_code == 403
        assert (await stranger.get("/feedback/v1/campaigns")).json()["items"] == []
        assert len((await owner.get("/feedback/v1/campaigns")).json()["items"]) == 1
        reached = f"{path}/milestones/{first['milestone_id']}/reached"
        assert (await owner.post(reached, json={"note": "已印发，电话13800138000"})).status_code == 200
        assert (await owner.post(reached)).status_code == 409
        more = {"what": "建立台账", "owner": STRANGER}
        assert (await owner.post(f"{path}/measures", json=more)).status_code == 403
        assert len((await lead.post(f"{path}/measures", json=more)).json()["measures"]) == 2
        assert (await stranger.post(f"{path}/notes", json={"text": "已摸排"})).status_code == 200
    shown = await world.campaign(campaign["campaign_id"])
    assert [note["by"] for note in shown["notes"]] == [STRANGER]
    assert "13800138000" not in str(shown)
    assert (await world.http.get("/feedback/v1/campaigns/late")).json() == []


async def test_a_campaign_ends_with_its_effect_and_its_solution_is_suggested_to_later_tickets(world: World) -> None:
    await world.bring(*LONG)
    campaign = await world.adopt()
    await world.work()
    path = f"/feedback/v1/campaigns/{campaign['campaign_id']}"
    closed = (await world.http.post(f"{path}/close", json={"result": "职责已明确"})).json()
    volume, solving = closed["effect"]["volume"], closed["effect"]["solving"]
    assert volume["low"] < -0.5 < volume["high"] < 0
    assert solving["low"] <= 0 <= solving["high"]
    (ended,) = await world.probe.named("topic.closed")
    assert (ended.data.effect, ended.data.effect_high) == (volume["value"], volume["high"])
    assert (await world.http.post(f"{path}/notes", json={"text": "后续"})).status_code == 409

    wanted = {
        "title": "明确首接责任",
        "what": "由街道先行受理",
        "campaign_id": campaign["campaign_id"],
        "articles": ["a-7"],
    }
    made = (await world.http.post("/feedback/v1/solutions", json=wanted)).json()
    assert (made["standing"], made["codes"]) == ("proved", campaign["codes"])
    pool = world.stage.context.database.pool
    ticket = await pool.fetchval("SELECT ticket_id FROM cases WHERE code = $1 LIMIT 1", campaign["codes"][0])
    (suggested,) = (await world.http.get(f"/feedback/v1/tickets/{ticket}/solutions")).json()
    assert suggested["solution_id"] == made["solution_id"]
    found = (await world.http.get("/feedback/v1/solutions", params={"words": "先行受理"})).json()["items"]
    by_code = await world.http.get("/feedback/v1/solutions", params={"code": campaign["codes"][0]})
    assert found == by_code.json()["items"] == [made]
    withdraw = f"/feedback/v1/solutions/{made['solution_id']}/withdraw"
    assert (await world.http.post(withdraw, json={"note": "办法已废止"})).json()["state"] == "withdrawn"
    assert (await world.http.get(f"/feedback/v1/tickets/{ticket}/solutions")).json() == []
    assert (await world.http.get(f"/feedback/v1/tickets/{uuid4()}/solutions")).status_code == 404


async def test_what_is_no_question_of_the_city_has_no_solution(world: World) -> None:
    body = {"title": "办法", "what": "做法", "codes": ["nothing-01"]}
    refused = await world.http.post("/feedback/v1/solutions", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "codes")


REFUSED: tuple[tuple[str, str, dict[str, Any] | None, int], ...] = (
    ("GET", "topics?period=2026-13", None, 422),
    ("GET", "topics?state=liked", None, 422),
    ("GET", "topics?period=0000-01", None, 200),
    ("GET", f"topics/{uuid4()}/brief", None, 404),
    ("POST", f"topics/{uuid4()}/dismiss", {}, 422),
    ("POST", f"topics/{uuid4()}/dismiss", {"note": "不急"}, 404),
    ("POST", f"topics/{uuid4()}/adopt", {"lead": LEAD, "acts_from": "0001-01-01"}, 422),
    ("POST", f"topics/{uuid4()}/adopt", {"lead": LEAD, "measures": [{"what": "\u0000", "owner": LEAD}]}, 422),
    ("GET", "campaigns?cursor=x", None, 422),
    ("GET", "campaigns?unit=nobody", None, 200),
    ("GET", f"campaigns/{uuid4()}", None, 404),
    ("POST", f"campaigns/{uuid4()}/milestones/{uuid4()}/reached", None, 404),
    ("POST", f"campaigns/{uuid4()}/close", {"result": "已解决"}, 404),
    ("GET", "solutions?words=%00", None, 422),
    ("GET", "solutions?code=%25_%5C&words=x", None, 200),
    ("GET", "solutions?words=%25_%5C", None, 200),
    ("GET", f"solutions/{uuid4()}", None, 404),
    ("POST", f"solutions/{uuid4()}/withdraw", {"note": "废止"}, 404),
    ("POST", "solutions", {"title": "办法", "what": "做法", "campaign_id": str(uuid4())}, 422),
    ("POST", "solutions", {"title": "办法", "what": "做法", "codes": ["water-01-01"], "districts": ["999999"]}, 422),
    ("GET", "tickets/x/solutions", None, 422),
)


async def test_what_cannot_be_is_refused_and_nothing_breaks(world: World) -> None:
    for method, path, sent, status in REFUSED:
        answer = await world.http.request(method, f"/feedback/v1/{path}", json=sent)
        assert answer.status_code == status, (path, answer.text)
