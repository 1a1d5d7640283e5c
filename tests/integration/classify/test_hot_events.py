"""Hot events on a real database: raised, told anew and cooled, with their members; nobody and nothing counts twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.common.contracts.envelope import Envelope
from libs.common.contracts.intake import TicketErased, TicketReceived, TicketScreened, TicketWithdrawn
from libs.common.contracts.vocabulary import Receipt
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from services.classify import handlers, store
from services.classify.domain.hotspots import voice_of
from services.classify.service import SERVICE
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

LEAK, HUAJIADI = "楼上漏水，我家厨房顶都掉皮了", "朝阳区望京街道花家地12号楼"
WANGJING = "s-110105026"
NEW_WORD = (
    "楼下新来的紫冠卡推销员天天敲门，谁来管管", "办了紫冠卡以后扣了我八百块，要求退钱", "我妈被人拉去听课买了紫冠卡",
    "小区门口摆摊发紫冠卡，占着消防通道", "请问紫冠卡是不是正规的", "举报紫冠卡公司，交了钱人就不见了",
    "紫冠卡的人半夜还打电话，烦死了", "社区活动室被紫冠卡占了搞宣传",
)  # fmt: skip
PLACES = (
    "海淀区中关村街道", "西城区金融街街道", "东城区东直门街道", "丰台区卢沟桥街道", "石景山区八角街道", "通州区永顺镇",
    "大兴区黄村镇", "昌平区回龙观街道",
)  # fmt: skip


def appeal(text: str, address: str, who: int, clock: ManualClock) -> TicketReceived:
    """Return one person's appeal, received now."""
    receipt = Receipt(
        number=f"20260302-{who:07}", channel="web", text=text, address=address, reporter=f"person-{who}",
        received_at=clock.now(),
    )  # fmt: skip
    return TicketReceived(**receipt.model_dump())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all, so that the model is trained once."""
    return tmp_path_factory.mktemp("home")


class World:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, key: str) -> None:
        self.stage, self.bus, self.clock, self.probe = stage, bus, clock, probe
        self.peer = Peer(bus, clock)
        self.http = client([stage], key)
        self.people = 0

    async def neighbours(self, count: int, text: str = LEAK, address: str = HUAJIADI) -> list[UUID]:
        """Have so many people say this of this place, a second apart."""
        tickets = []
        for _ in range(count):
            self.people += 1
            self.clock.advance(seconds=1)
            tickets.append(self.clock.new_id())
            await self.peer.say(tickets[-1], appeal(text, address, self.people, self.clock))
        return tickets

    async def look(self, minutes: float = 1) -> None:
        """Let so many minutes pass, and have a look taken."""
        self.clock.advance(minutes=minutes)
        await handlers.watch(self.stage.context)

    async def voice(self, ticket: UUID) -> int:
        """Return whose an event's ticket is said to be."""
        pool = self.stage.context.database.pool
        whose: int = await pool.fetchval("SELECT voice FROM hotspot_members WHERE ticket_id = $1", ticket)
        return whose

    async def told(self, *names: str) -> list[Envelope[Any]]:
        """Return what was told of hot events, once all of these were."""
        return await self.probe.named(*(f"hotspot.{name}" for name in names))

    async def listed(self, query: str = "") -> list[dict[str, Any]]:
        """Return the hot events that HTTP lists."""
        answer = await self.http.get(f"/classify/v1/hotspots{query}")
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def members(self, hotspot_id: str) -> list[str]:
        """Return the ids of an event's tickets, page by page."""
        found: list[str] = []
        cursor = ""
        while True:
            answer = await self.http.get(f"/classify/v1/hotspots/{hotspot_id}?limit=5{cursor}")
            page = answer.json()["members"]
            found += [member["ticket_id"] for member in page["items"]]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"


@pytest.fixture
async def world(fresh_database: str, home: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(home, fresh_database)
    async with probing(bus, "jiesu.classify.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        # The tests take the looks, one by one.
        stage.context.loops["hotspots"].stop()
        await stage.tasks["hotspots"]
        world = World(stage, bus, clock, probe, (home / "key").read_text())
        async with world.http:
            yield world


async def test_a_matter_of_one_street_is_raised_with_its_place_and_tickets(world: World) -> None:
    tickets = await world.neighbours(12)
    await world.look()
    (event,) = await world.told("raised")
    hot = event.data
    assert (hot.street, hot.category[2], hot.title) == (WANGJING, "邻里漏水", "朝阳区望京街道：邻里漏水")
    assert (hot.count, hot.voices, hot.first_ticket) == (12, 12, tickets[0])
    (listed,) = await world.listed("?state=hot&district=110105")
    assert (listed["hotspot_id"], listed["tickets"], listed["risk"]) == (event.subject, 12, hot.risk)
    assert await world.members(event.subject) == [str(ticket) for ticket in tickets]
    story = (await world.http.get(f"/classify/v1/hotspots/{event.subject}")).json()
    assert story["step_minutes"] == 15
    assert [(point["at"], point["voices"]) for point in story["curve"]] == [("2026-03-02T04:00:00Z", 12)]
    assert story["hotspot"]["reasons"]


async def test_one_person_is_no_crowd(world: World) -> None:
    for _ in range(30):
        await world.neighbours(1)
        world.people -= 1
    await world.look()
    assert await world.listed() == []


async def test_a_word_nobody_used_before_is_found_whatever_it_is_taken_for(world: World) -> None:
    await world.neighbours(1)
    await world.look(60 * 24)
    for text, place in zip(NEW_WORD, PLACES, strict=True):
        await world.neighbours(1, text, place)
    await world.look()
    (event,) = await world.told("raised")
    assert (event.data.word, event.data.voices, event.data.district) == ("紫冠卡", 8, None)
    assert event.data.title.startswith("“紫冠卡”（")


async def test_an_event_is_told_anew_when_it_doubles_and_cools_when_it_is_quiet(world: World) -> None:
    await world.neighbours(10)
    await world.look()
    await world.neighbours(5)
    await world.look()
    await world.neighbours(6)
    await world.look()
    events = await world.told("raised", "updated")
    assert [(e.data.type, e.data.voices) for e in events] == [
        ("jiesu.hotspot.raised.v1", 10), ("jiesu.hotspot.updated.v1", 21),
    ]  # fmt: skip
    await world.look(61)
    await world.look(61)
    cooled = (await world.told("cooled"))[-1]
    assert cooled.data.count == 21
    assert [one["state"] for one in await world.listed()] == ["cooled"]
    assert await world.listed("?state=hot") == []


async def test_what_is_known_is_not_raised_again_after_it_cooled(world: World) -> None:
    await world.neighbours(10)
    for minutes in (1, 61, 61, 61, 5, 5):
        await world.look(minutes)
    assert len(await world.listed()) == 1


async def test_what_flares_up_again_is_raised_as_the_same_affair_with_its_past(world: World) -> None:
    first = await world.neighbours(10)
    for minutes in (1, 61, 61):
        await world.look(minutes)
    assert [one["state"] for one in await world.listed()] == ["cooled"]
    for text, place in zip(NEW_WORD, PLACES, strict=True):
        await world.neighbours(1, text, place)
    await world.look(60 * 24)
    await world.look(60)
    second = await world.neighbours(11)
    await world.look()
    await world.probe.until(lambda seen: sum(event.data.name == "hotspot.raised" for event in seen) == 2)
    raised = await world.told("raised")
    assert [(event.data.round, event.data.voices) for event in raised] == [(1, 10), (2, 21)]
    assert raised[0].subject == raised[1].subject
    assert raised[1].data.reheated_at > raised[0].data.raised_at
    assert (raised[1].data.first_ticket, raised[1].data.reasons[-1]) == (first[0], "平息后再次升温（第2轮）")
    (only,) = await world.listed()
    assert (only["state"], only["round"], only["cooled_at"]) == ("hot", 2, None)
    story = (await world.http.get(f"/classify/v1/hotspots/{only['hotspot_id']}")).json()
    assert sorted(point["voices"] for point in story["curve"]) == [10, 11]
    assert await world.members(only["hotspot_id"]) == [str(ticket) for ticket in (*first, *second)]


async def test_what_flares_up_long_after_it_cooled_is_another_affair(world: World) -> None:
    await world.neighbours(10)
    for minutes in (1, 61, 61):
        await world.look(minutes)
    await world.look(60 * 24 * 15)
    for _ in range(15):
        await world.look()
    await world.neighbours(10)
    await world.look()
    assert [one["round"] for one in await world.listed()] == [1, 1]


async def test_an_event_that_spreads_over_the_district_stays_one(world: World) -> None:
    await world.neighbours(10)
    await world.look()
    for street in ("劲松街道", "双井街道", "潘家园街道", "麦子店街道"):
        await world.neighbours(8, address=f"朝阳区{street}")
    await world.look()
    await world.told("raised", "updated")
    (only,) = await world.listed()
    assert (only["district"], only["street"], only["tickets"]) == ("110105", None, 42)


async def test_what_was_withdrawn_or_is_a_test_does_not_count(world: World) -> None:
    tickets = await world.neighbours(12)
    await world.look()
    (event,) = await world.told("raised")
    await world.peer.say(tickets[0], TicketWithdrawn(at=NOON))
    await world.peer.say(tickets[1], TicketScreened(verdict="test", why="演练"))
    await world.look()
    assert await world.members(event.subject) == [str(ticket) for ticket in tickets[2:]]
    await world.peer.say(tickets[1], TicketScreened(verdict="test", why="演练", lifted=True))
    await world.look()
    assert len(await world.members(event.subject)) == 11


def meanwhile(world: World, monkeypatch: pytest.MonkeyPatch, say: Callable[[], Awaitable[None]]) -> None:
    """Have something said while a look has taken its members and not yet committed them."""
    beats = store.beats

    async def late(*arguments: Any) -> Any:
        monkeypatch.undo()
        found = await beats(*arguments)
        await say()
        return found

    monkeypatch.setattr(store, "beats", late)


async def test_what_is_withdrawn_while_a_look_is_under_way_does_not_stay(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = await world.neighbours(12)
    meanwhile(world, monkeypatch, lambda: world.peer.say(tickets[0], TicketWithdrawn(at=NOON)))
    await world.look()
    (event,) = await world.told("raised")
    await world.look()
    assert await world.members(event.subject) == [str(ticket) for ticket in tickets[1:]]


async def test_whose_ticket_is_erased_while_a_look_is_under_way_is_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = await world.neighbours(12)
    meanwhile(world, monkeypatch, lambda: world.peer.say(tickets[0], TicketErased(words=False, at=NOON)))
    await world.look()
    await world.look()
    assert await world.voice(tickets[0]) == voice_of(str(tickets[0]))


async def test_whose_old_ticket_is_erased_is_forgotten_in_its_event(world: World) -> None:
    tickets = await world.neighbours(12)
    await world.look()
    for _ in range(12):
        await world.look(60 * 24)
    assert await world.stage.context.database.pool.fetchval("SELECT count(*) FROM sightings") == 0
    assert await world.voice(tickets[0]) == voice_of("person-1")
    await world.peer.say(tickets[0], TicketErased(words=True, at=NOON))
    assert await world.voice(tickets[0]) == voice_of(str(tickets[0]))


async def test_what_is_all_taken_back_before_it_is_raised_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = await world.neighbours(12)
    hold = store.hold_look

    async def late(*arguments: Any) -> bool:
        for ticket in tickets:
            await world.peer.say(ticket, TicketWithdrawn(at=NOON))
        return await hold(*arguments)

    monkeypatch.setattr(store, "hold_look", late)
    await world.look()
    assert await world.listed() == []


async def test_a_correction_moves_a_ticket_out_of_its_event(world: World) -> None:
    tickets = await world.neighbours(12)
    await world.look()
    (event,) = await world.told("raised")
    answer = await world.http.post(f"/classify/v1/tickets/{tickets[3]}/classification", json={"code": "env-02-06"})
    assert answer.status_code == 200
    await world.look()
    assert str(tickets[3]) not in await world.members(event.subject)


async def test_what_was_erased_is_counted_but_not_as_anybody_s_words(world: World) -> None:
    (ticket,) = await world.neighbours(1, NEW_WORD[0])
    pool = world.stage.context.database.pool
    (before,) = await pool.fetch("SELECT voice, words FROM sightings")
    await world.peer.say(ticket, TicketErased(words=True, at=NOON))
    (after,) = await pool.fetch("SELECT voice, words FROM sightings")
    assert before["words"]
    assert after["words"] == []
    assert after["voice"] != before["voice"]


async def test_of_many_processes_one_takes_a_look(world: World) -> None:
    await world.neighbours(12)
    world.clock.advance(minutes=1)
    await asyncio.gather(*(handlers.watch(world.stage.context) for _ in range(5)))
    await world.look()
    assert len(await world.told("raised")) == 1


async def test_a_look_that_was_overtaken_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.neighbours(12)
    detector = world.stage.context.engine.detector
    find, pool = detector.find, world.stage.context.database.pool
    loop = asyncio.get_running_loop()

    def slow(*arguments: Any) -> Any:
        overtake = pool.execute("UPDATE hotspot_looks SET looked_at = looked_at + interval '1 minute'")
        asyncio.run_coroutine_threadsafe(overtake, loop).result()
        return find(*arguments)

    monkeypatch.setattr(detector, "find", slow)
    await world.look()
    assert await world.listed() == []


async def test_the_days_that_are_over_are_learnt_one_by_one(world: World) -> None:
    for _ in range(3):
        await world.neighbours(4)
        world.clock.advance(days=1)
    for _ in range(4):
        await world.look()
    detector = world.stage.context.engine.detector
    assert str(detector.until) == "2026-03-04"
    pool = world.stage.context.database.pool
    assert await pool.fetchval("SELECT learnt FROM hotspot_looks") == detector.until
    await world.look(60 * 24 * 9)
    for _ in range(9):
        await world.look()
    assert await pool.fetchval("SELECT count(*) FROM sightings") == 0


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("hotspots?state=warm", 422), ("hotspots?district=x", 422), ("hotspots?limit=0", 422),
        ("hotspots?cursor=%00", 422), ("hotspots/not-an-id", 422),
        ("hotspots/019caa3c-2c00-7000-8000-000000000001", 404),
    ],
)  # fmt: skip
async def test_a_question_that_makes_no_sense_is_told_so(world: World, query: str, status: int) -> None:
    answer = await world.http.get(f"/classify/v1/{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
