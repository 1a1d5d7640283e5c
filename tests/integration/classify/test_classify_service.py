"""classify on a real database: appeals in, judgements out, a queue for people, rulings that teach."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.common.contracts.dispatch import TicketRuled
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.intake import (
    TicketAnswered,
    TicketErased,
    TicketLinked,
    TicketReceived,
    TicketSupplemented,
    TicketSupported,
    TicketUnlinked,
    TicketWithdrawn,
)
from libs.common.contracts.vocabulary import Attachment, Receipt, UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.classify.service import SERVICE
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

UNIT = UnitRef(code="dept-water", name="市水务局")
RECEIPT = Receipt(number="20260302-0000001", channel="web", text="楼上漏水，我家厨房顶都掉皮了", received_at=NOON)
LEAK, NOISE, LIFT = "housing-02-03", "env-02-06", "housing-03-01"
VAGUE = "说好的事情没有做到"


def received(text: str = RECEIPT.text, **more: Any) -> TicketReceived:
    """Return an appeal in these words."""
    return TicketReceived(**RECEIPT.model_copy(update={"text": text, **more}).model_dump())


def ruled(code: str) -> TicketRuled:
    """Return a ruling that names the right question."""
    return TicketRuled(
        upheld=True, unit=UNIT, ground="not_our_duty", note="看过现场", right_code=code, round=1, at=NOON
    )


def linked(parent: UUID, text: str, **more: Any) -> TicketLinked:
    """Return a repeat in these words."""
    receipt = RECEIPT.model_copy(update={"text": text, **more})
    return TicketLinked(**receipt.model_dump(), parent=parent, reason="同一事")


def grave(event: Envelope[Any]) -> bool:
    """Say whether a judgement is of the class urgent."""
    return bool(event.data.urgency == "urgent")


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
        self.ticket = clock.new_id()

    async def judge(self, **command: Any) -> httpx.Response:
        """Have a person judge the ticket."""
        return await self.http.post(f"/classify/v1/tickets/{self.ticket}/classification", json=command)

    async def queue(self) -> list[Any]:
        """Return what waits for a person."""
        page: dict[str, list[Any]] = (await self.http.get("/classify/v1/reviews")).json()
        return page["items"]

    async def labels(self) -> list[tuple[str, str]]:
        """Return what was taught."""
        rows = await self.stage.context.database.pool.fetch("SELECT code, by FROM labels ORDER BY at")
        return [(row["code"], row["by"]) for row in rows]


@pytest.fixture
async def world(fresh_database: str, home: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(home, fresh_database)
    async with probing(bus, "jiesu.classify.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        world = World(stage, bus, clock, probe, (home / "key").read_text())
        async with world.http:
            yield world


async def test_a_clear_appeal_is_classified_at_once(world: World) -> None:
    await world.peer.say(world.ticket, received(address="朝阳区望京街道花家地12号楼", handled_by="s-110105026"))
    (event,) = await world.probe.named("ticket.classified")
    assert (event.data.category[2], event.data.judged_by) == ("邻里漏水", "model")
    assert event.data.place.street_name == "望京街道"
    assert (event.data.receipt.number, event.data.receipt.handled_by) == (RECEIPT.number, "s-110105026")


async def test_a_batch_is_judged_in_one_go(world: World) -> None:
    tickets = [world.clock.new_id() for _ in range(60)]
    await world.bus.publish([world.peer.message(ticket, received()) for ticket in tickets])
    events = await world.probe.until(lambda seen: len(seen) == len(tickets))
    assert {event.ticket for event in events} == set(tickets)


async def test_a_vague_appeal_waits_and_goes_out_at_the_limit(world: World) -> None:
    await world.peer.say(world.ticket, received(VAGUE))
    (waiting,) = await world.queue()
    assert (waiting["state"], waiting["text"], len(waiting["alternatives"])) == ("held", VAGUE, 3)
    world.clock.advance(minutes=31)
    (event,) = await world.probe.named("ticket.classified")
    assert event.data.judged_by == "limit"
    assert await world.queue() == []


async def test_danger_never_waits(world: World) -> None:
    await world.peer.say(world.ticket, received(f"{VAGUE}，着火了"))
    (event,) = await world.probe.named("ticket.classified")
    assert (event.data.urgency, event.data.why[0]) == ("urgent", "险情“着火了”")


async def test_a_person_judges_what_waits_and_the_note_is_redacted(world: World) -> None:
    await world.peer.say(world.ticket, received(VAGUE))
    answer = await world.judge(code=NOISE, note="回电13800138000问清了")
    assert (answer.status_code, answer.json()["state"]) == (200, "classified")
    (event,) = await world.probe.named("ticket.classified")
    assert (event.data.code, event.data.judged_by) == (NOISE, "person")
    assert event.data.why == ("回电⟦phone-1⟧问清了",)
    assert await world.labels() == [(NOISE, "test")]
    world.clock.advance(hours=2)
    assert await world.queue() == []


@pytest.mark.parametrize(("role", "status"), [("seat", 200), ("supervisor", 403)])
async def test_what_waits_is_for_the_seats_and_not_for_a_supervisor_of_some_units(
    world: World, home: Path, role: Role, status: int
) -> None:
    await world.peer.say(world.ticket, received(VAGUE))
    key = KeyRing(settings_for(home, "").keys_file).issue(role, [role], ["d-110105"])
    async with client([world.stage], key) as http:
        seen = await http.get("/classify/v1/reviews")
        judged = await http.post(f"/classify/v1/tickets/{world.ticket}/classification", json={"code": NOISE})
    assert (seen.status_code, judged.status_code) == (status, status)
    assert (VAGUE in seen.text + judged.text) is (status == 200)


async def test_a_person_corrects_what_was_said(world: World) -> None:
    await world.peer.say(world.ticket, received())
    assert (await world.judge(code=NOISE, urgency="complex")).json()["urgency"] == "complex"
    (event,) = await world.probe.named("ticket.reclassified")
    assert (event.data.code, event.data.urgency) == (NOISE, "complex")
    assert event.data.previous.startswith("housing-")


async def test_words_added_while_it_waits_are_read_with_it(world: World) -> None:
    await world.peer.say(world.ticket, received(VAGUE))
    await world.peer.say(world.ticket, TicketSupplemented(text="楼上漏水，我家厨房顶都掉皮了，楼上死活不开门", at=NOON))
    (event,) = await world.probe.named("ticket.classified")
    assert (event.data.category[2], event.data.receipt.text) == ("邻里漏水", VAGUE)


async def test_a_ruling_reclassifies_and_teaches(world: World) -> None:
    await world.peer.say(world.ticket, received())
    await world.probe.named("ticket.classified")
    await world.peer.say(world.ticket, ruled(NOISE))
    (event,) = await world.probe.named("ticket.reclassified")
    assert (event.data.code, event.data.reason) == (NOISE, "退单裁定：看过现场")
    assert await world.labels() == [(NOISE, "ruling")]


async def test_a_withdrawn_appeal_leaves_the_queue_and_cannot_be_judged(world: World) -> None:
    await world.peer.say(world.ticket, received(VAGUE))
    await world.peer.say(world.ticket, TicketWithdrawn(at=NOON))
    assert await world.queue() == []
    assert (await world.judge(code=NOISE)).status_code == 409
    timers = await world.stage.context.database.pool.fetchval("SELECT count(*) FROM timers")
    assert timers == 0


async def test_a_repeat_is_judged_at_once_bothers_nobody_and_goes_its_own_way_when_the_link_is_undone(
    world: World,
) -> None:
    parent = world.clock.new_id()
    await world.peer.say(world.ticket, linked(parent, VAGUE))
    (event,) = await world.probe.named("ticket.classified")
    assert event.data.receipt.text == VAGUE
    assert (await world.queue(), (await world.judge(code=NOISE)).status_code) == ([], 409)
    await world.peer.say(world.ticket, TicketUnlinked(parent=parent, reason="不是一事"), received(VAGUE))
    assert (await world.judge(code=NOISE)).json()["state"] == "classified"


async def test_an_answer_is_judged_too(world: World) -> None:
    await world.peer.say(world.ticket, TicketAnswered(**dict(RECEIPT), answer="已联系物业"))
    (event,) = await world.probe.named("ticket.classified")
    assert event.data.category[2] == "邻里漏水"


async def test_words_added_later_change_what_was_said_and_danger_is_heard_in_them(world: World) -> None:
    await world.peer.say(world.ticket, received("楼上漏水"), TicketSupplemented(text="谢谢", at=NOON))
    await world.peer.say(world.ticket, TicketSupplemented(text="水流进电箱，现在插座冒烟了", at=NOON, source="speech"))
    *_, event = await world.probe.named("ticket.classified", "ticket.reclassified")
    assert (event.data.urgency, event.data.why[0]) == ("urgent", "险情“冒烟”")
    assert len(world.probe.seen) == 2


async def test_a_file_without_words_changes_nothing(world: World) -> None:
    picture = Attachment(file_id=world.clock.new_id(), kind="picture", media_type="image/png", size=9)
    added = TicketSupplemented(text="", at=NOON, attachments=(picture,))
    await world.peer.say(world.ticket, received(), added)
    await world.peer.say(world.ticket, TicketSupplemented(text="", at=NOON, attachments=(picture,)))
    assert await world.stage.context.database.pool.fetchval("SELECT count(*) FROM supplements") == 0


async def test_a_batch_with_words_added_to_what_is_new_in_it_is_read_in_order(world: World) -> None:
    tickets = [world.clock.new_id() for _ in range(20)]
    more = TicketSupplemented(text="楼上漏水，我家厨房顶都掉皮了，楼上死活不开门", at=NOON)
    await world.bus.publish([world.peer.message(t, event) for event in (received(VAGUE), more) for t in tickets])
    events = await world.probe.until(lambda seen: len(seen) == len(tickets))
    assert {event.data.category[2] for event in events} == {"邻里漏水"}


async def test_many_with_the_same_trouble_raise_its_class_by_the_city_s_rule(world: World) -> None:
    await world.peer.say(world.ticket, received("楼上装修噪音太大，没法休息，请管一管"))
    await world.probe.named("ticket.classified")
    await world.peer.say(world.ticket, TicketSupported(support=5, at=NOON))
    (raised,) = await world.probe.named("ticket.reclassified")
    assert (raised.data.urgency, raised.data.reason) == ("livelihood", "另有5人反映同一问题")
    await world.peer.say(world.ticket, TicketSupported(support=4, at=NOON))
    both = await world.probe.until(lambda seen: len(seen) == 3)
    assert (both[-1].data.urgency, both[-1].data.reason) == ("general", "升级的理由已不存在")


@pytest.mark.parametrize("repeat_first", [True, False])
async def test_danger_that_a_repeat_tells_of_reaches_what_it_repeats(world: World, repeat_first: bool) -> None:
    words, child = "物业公司服务差，楼道没人打扫", world.clock.new_id()
    repeat = linked(world.ticket, f"{words}，现在燃气泄漏了也没人管", number="20260302-0000007")
    said: list[tuple[UUID, Event]] = [(world.ticket, received(words)), (child, repeat)]
    for ticket, event in reversed(said) if repeat_first else said:
        await world.peer.say(ticket, event)
    urgent = await world.probe.until(lambda seen: [e for e in seen if e.ticket == world.ticket and grave(e)])
    alarm = urgent[-1].data.why
    assert any(why.startswith("关联诉求20260302-0000007：险情") for why in alarm)
    await world.peer.say(child, TicketUnlinked(parent=world.ticket, reason="不是一事"), received())
    calm = await world.probe.until(lambda seen: seen[-1].ticket == world.ticket and not grave(seen[-1]))
    assert calm[-1].data.reason == "升级的理由已不存在"


async def test_a_ticket_that_ended_before_its_words_came_is_told_so(world: World) -> None:
    await world.peer.say(world.ticket, TicketWithdrawn(at=NOON))
    assert (await world.judge(code=NOISE)).status_code == 409


async def test_an_unknown_ticket_is_not_yet_known_while_young_and_not_found_later(world: World) -> None:
    young = await world.judge(code=NOISE)
    world.clock.advance(minutes=2)
    old = await world.judge(code=NOISE)
    assert (young.status_code, young.headers["retry-after"], old.status_code) == (409, "1", 404)


async def test_a_code_that_is_none_is_refused_by_name(world: World) -> None:
    answer = await world.judge(code="nothing")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "code")


async def test_a_suggestion_helps_to_take_an_appeal_down(world: World) -> None:
    asked = {"text": "我被困在电梯里了，电话13800138000", "address": "海淀区中关村大街1号"}
    answer = (await world.http.post("/classify/v1/suggestions", json=asked)).json()
    assert (answer["category"][2], answer["urgency"], answer["code"]) == ("电梯困人", "urgent", LIFT)
    assert answer["fields"]["district_name"] == "海淀区"
    assert len(answer["alternatives"]) == 3
    assert answer["answers"][0]["text"]
    assert "13800138000" not in str(answer)


async def test_the_catalogue_is_listed_whole(world: World) -> None:
    answer = (await world.http.get("/classify/v1/catalogue")).json()
    assert {"code": LEAK}.items() <= next(q for q in answer["questions"] if q["code"] == LEAK).items()
    assert len(answer["questions"]) == len(world.stage.context.engine.rules.catalogue)


async def test_health_is_green_and_metrics_are_told(world: World) -> None:
    assert (await world.http.get("/readyz")).json() == {"ready": True, "wrong": {}}
    assert "jiesu_events_handled_total" in (await world.http.get("/metrics")).text


WORDLESS = TicketErased(words=True, at=NOON)


async def stored(world: World) -> str:
    """Return all that the database holds but for the inbox, the outbox and the model's own."""
    tables = ("verdicts", "supplements", "labels", "aggregates")
    rows = [await world.stage.context.database.pool.fetch(f"SELECT t::text FROM {table} t") for table in tables]  # noqa: S608
    return str(rows)


async def test_after_an_erasure_the_judgement_is_left_without_words_and_without_the_reporter(world: World) -> None:
    added = TicketSupplemented(text="琉璃瓦也湿了", at=NOON)
    await world.peer.say(world.ticket, received("琉璃瓦漏水", reporter="p_somebody"), added)
    await world.judge(code=NOISE)
    before = await stored(world)
    assert all(word in before for word in ("琉璃瓦漏水", "琉璃瓦也湿了", "p_somebody"))
    await world.peer.say(world.ticket, TicketErased(words=False, at=NOON))
    assert "p_somebody" not in await stored(world)
    assert len(await world.labels()) == 1
    await world.peer.say(world.ticket, WORDLESS, ruled(LIFT))
    assert "琉璃瓦" not in await stored(world)
    assert "看过现场" not in await stored(world)
    assert await world.labels() == []
    events = await world.probe.until(lambda seen: seen and seen[-1].data.code == LIFT)
    assert (events[-1].data.receipt.text, events[-1].data.receipt.reporter, events[-1].data.summary) == ("", None, "")


async def test_words_that_come_after_the_erasure_are_not_kept(world: World) -> None:
    await world.peer.say(world.ticket, WORDLESS)
    await world.peer.say(
        world.ticket,
        received("楼上漏水，我家琉璃瓦都掉了，楼上死活不开门", reporter="p_somebody"),
        TicketSupplemented(text="琉璃瓦塌下来压着人了", at=NOON),
    )
    (event,) = await world.probe.named("ticket.classified")
    assert (event.data.receipt.number, event.data.receipt.text) == (RECEIPT.number, "")
    assert "琉璃瓦" not in event.data.model_dump_json() + await stored(world)
    assert "p_somebody" not in event.data.model_dump_json() + await stored(world)
