"""Repeats on a real database: joined as they come, linked and unlinked by people, and what follows for the others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from libs.common.contracts.dispatch import TicketDispatched, TicketProgressed, TicketResolved
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.feedback import TicketClosed
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing
from services.intake.service import SERVICE
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

UNIT = UnitRef(code="co-heating", name="市热力集团")
PLACE = "朝阳区望京街道花家地西里三区"
COLD = (
    "家里暖气不热，屋里只有14度",
    "整个小区都停暖了，老人孩子冻得受不了",
    "暖气片冰凉，什么时候恢复供暖",
    "没暖气了，太冷了",
)


class World:
    """The service under test and all around it. Every reporter is somebody else unless told."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, home: Path) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.peer, self.keys = Peer(bus, clock), KeyRing(home / "keys.json")
        self.http = client([stage], (home / "key").read_text())
        self._people = 0

    async def received(self, text: str, address: str | None = PLACE, **changes: Any) -> str:
        """Post an appeal, wait until it was screened, and return its id."""
        self._people += 1
        phone = {"phone": f"1380013{self._people:04d}"}
        body = {"channel": "web", "text": text, "address": address, "reporter": phone} | changes
        answer = await self.http.post("/intake/v1/tickets", json=body)
        assert answer.status_code == 202, answer.text
        ticket: str = answer.json()["ticket_id"]
        await self.probe.named("ticket.snapshot", subject=UUID(ticket))
        return ticket

    async def does(self, ticket: str, deed: str, status: int = 200, **body: Any) -> Any:
        """Do something to a ticket as a seat, a second later."""
        self.clock.advance(seconds=1)
        answer = await self.http.post(f"/intake/v1/tickets/{ticket}/{deed}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def seen(self, ticket: str) -> dict[str, Any]:
        """Return a ticket as it is shown."""
        answer = await self.http.get(f"/intake/v1/tickets/{ticket}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def parents(self, tickets: Sequence[str]) -> list[str | None]:
        """Return what each ticket is linked to."""
        return [(await self.seen(ticket))["linked_to"] for ticket in tickets]

    async def told(self, name: str, ticket: str) -> list[Envelope[Any]]:
        """Wait for events of a ticket by name."""
        return await self.probe.named(name, subject=ticket)

    async def support(self, ticket: str) -> int:
        """Return how many stand behind a ticket, as it is stored."""
        pool = self.stage.context.database.pool
        count: int = await pool.fetchval("SELECT support FROM tickets WHERE ticket_id = $1", UUID(ticket))
        return count

    async def until_moved(self, tickets: Sequence[str], parent: str) -> None:
        """Wait until these tickets are linked to this one."""
        linked = {UUID(ticket): UUID(parent) for ticket in tickets}
        await self.probe.until(
            lambda seen: (
                linked.items()
                <= {UUID(e.subject): e.data.parent for e in seen if e.data.name == "ticket.linked"}.items()
            )
        )


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    async with (
        probing(bus, "jiesu.intake.v1", "jiesu.tickets.v1") as probe,
        running(SERVICE, settings, bus, clock) as stage,
    ):
        world = World(stage, bus, clock, probe, tmp_path)
        async with world.http:
            yield world


async def test_other_words_of_another_neighbour_by_another_channel_are_joined(world: World) -> None:
    first = await world.received(COLD[0])
    world.clock.advance(hours=2)
    second = await world.received(COLD[1], address=None, channel="phone", title="花家地西里三区停暖")
    (linked,) = await world.told("ticket.linked", second)
    (supported,) = await world.told("ticket.supported", first)
    assert (str(linked.data.parent), linked.data.by, supported.data.support) == (first, "rule", 1)
    assert linked.data.reason == "同一小区（花家地西里3区）、同一问题、相隔2小时"
    assert linked.data.score >= 0.6
    shown = await world.seen(second)
    assert (shown["status"], shown["linked_to"]) == ("linked", first)
    assert [line["type"] for line in shown["timeline"]] == ["ticket.received", "ticket.linked"]


@pytest.mark.parametrize(
    ("text", "address", "days"),
    [
        ("花家地西里三区垃圾没人清运，堆成山了", PLACE, 0),
        ("暖气不热，冻得睡不着", "昌平区天通苑东一区", 0),
        ("花家地北里暖气不热，室温低", "朝阳区望京街道花家地北里", 0),
        ("家里暖气不热，屋里只有14度", PLACE, 31),
        ("家里暖气不热，屋里只有14度", None, 0),
    ],
)
async def test_another_matter_place_or_month_is_another_appeal(
    world: World, text: str, address: str | None, days: int
) -> None:
    await world.received(COLD[0])
    world.clock.advance(days=days)
    other = await world.received(text, address=address)
    assert (await world.seen(other))["linked_to"] is None


async def test_what_is_ones_own_is_joined_to_nobody_elses(world: World) -> None:
    first = await world.received("公司三个月没发工资了，要求支付", "朝阳区望京街道启航科技公司")
    other = await world.received("公司三个月没发工资了，要求支付", "朝阳区望京街道启航科技公司")
    mine = await world.received(
        "启航科技公司拖欠工资的事怎么还没人管", None, channel="phone", reporter={"phone": "13800130001"}
    )
    assert await world.parents([other, mine]) == [None, first]


async def test_a_burst_in_one_batch_belongs_to_its_first(world: World) -> None:
    tickets = await asyncio.gather(*(world.received(COLD[n % 4]) for n in range(12)))
    parents = await world.parents(tickets)
    (root,) = {parent for parent in parents if parent}
    assert parents.count(root) == 11
    assert parents[tickets.index(root)] is None
    assert await world.support(root) == 11


async def test_a_sensor_repeats_by_device_and_fault(world: World) -> None:
    async def reports(fault: str, text: str = "井盖状态异常") -> str:
        return await world.received(text, None, channel="sensor", reporter={"type": "sensor"}, external_ref=fault)

    first, again = await reports("cover-17:tilt"), await reports("cover-17:tilt")
    other_fault, other_device = await reports("cover-17:flood"), await reports("cover-18:tilt")
    assert await world.parents([again, other_fault, other_device]) == [first, None, None]


async def test_a_seat_links_later_and_the_children_come_along(world: World) -> None:
    root, other = await world.received(COLD[0]), await world.received("热力管线好像坏了", "望京街道")
    children = [await world.received(COLD[1]), await world.received(COLD[2])]
    shown = await world.does(root, "link", to=other, reason="同一换热站，电话13800138000核实")
    assert shown["linked_to"] == other
    (linked,) = await world.told("ticket.linked", root)
    assert (linked.data.by, linked.data.score) == ("person", None)
    assert "13800138000" not in linked.data.reason
    await world.until_moved(children, other)
    assert await world.parents(children) == [other, other]
    assert (await world.support(other), await world.support(root)) == (3, 0)
    assert [e.data.support for e in await world.told("ticket.supported", other)][-1] == 3


async def test_a_link_to_a_linked_ticket_leads_to_its_root_and_never_in_a_circle(world: World) -> None:
    root, child = await world.received(COLD[0]), await world.received(COLD[1])
    third = await world.received("路灯不亮", "石景山区古城南路")
    assert (await world.does(third, "link", to=child, reason="同一事项"))["linked_to"] == root
    await world.does(root, "link", to=child, reason="x", status=409)
    await world.does(root, "link", to=root, reason="x", status=409)
    await world.does(third, "link", to=child, reason="x", status=409)


async def test_unlinked_a_ticket_is_received_again_and_found_by_its_own_like(world: World) -> None:
    root, child = await world.received(COLD[0]), await world.received(COLD[1])
    shown = await world.does(child, "unlink", reason="不是同一换热站")
    assert (shown["status"], shown["linked_to"]) == ("received", None)
    events = [e.data.name for e in world.probe.seen if e.subject == child and e.data.name != "ticket.snapshot"]
    assert events == ["ticket.linked", "ticket.unlinked", "ticket.received"]
    assert await world.support(root) == 0
    await world.does(child, "unlink", reason="x", status=409)
    await world.does(root, "withdraw")
    again = await world.received(COLD[2])
    assert await world.parents([again]) == [child]


async def test_when_the_first_is_taken_back_the_oldest_repeat_leads_and_the_rest_follow_it(world: World) -> None:
    root = await world.received(COLD[0])
    children = []
    for words in COLD[1:]:
        world.clock.advance(minutes=1)
        children.append(await world.received(words))
    assert (await world.does(root, "withdraw", reason="修好了"))["status"] == "withdrawn"
    (withdrawn,) = await world.told("ticket.withdrawn", root)
    await world.until_moved(children[1:], children[0])
    assert await world.parents(children) == [None, children[0], children[0]]
    assert (withdrawn.data.reason, await world.support(children[0]), await world.support(root)) == ("修好了", 2, 0)
    names = [
        (e.subject, e.data.name) for e in world.probe.seen if e.data.name in {"ticket.unlinked", "ticket.withdrawn"}
    ]
    assert names == [(children[0], "ticket.unlinked"), (root, "ticket.withdrawn")]
    assert (await world.seen(await world.received(COLD[0])))["linked_to"] == children[0]


async def test_a_repeat_that_is_taken_back_counts_no_longer(world: World) -> None:
    root, child = await world.received(COLD[0]), await world.received(COLD[1])
    assert (await world.does(child, "withdraw"))["status"] == "withdrawn"
    assert (await world.support(root), (await world.seen(child))["linked_to"]) == (0, None)


async def test_the_reporter_of_a_repeat_sees_how_the_first_goes_and_none_of_its_words(world: World) -> None:
    root, child = await world.received(COLD[0]), await world.received(COLD[1])
    await world.peer.say(
        root,
        TicketDispatched(unit=UNIT, rule="duty", why=("w",), round=1, at=NOON),
        TicketProgressed(unit=UNIT, note="已联系原诉求人家中", round=1, at=NOON),
        TicketResolved(unit=UNIT, reply="管线已修复，恢复供暖", contacted=True, round=1, at=NOON),
    )
    shown = await world.seen(child)
    text = "".join(line["text"] for line in shown["timeline"])
    assert (shown["unit"]["name"], shown["status"]) == ("市热力集团", "linked")
    assert "恢复供暖" in text
    assert "原诉求人家中" not in text
    assert COLD[0] not in text


async def test_nothing_is_joined_by_hand_to_what_has_ended(world: World) -> None:
    root, other = await world.received(COLD[0]), await world.received("路灯不亮", "石景山区古城南路")
    await world.peer.say(root, TicketClosed(outcome="solved", round=1, at=NOON))
    await world.does(other, "link", to=root, reason="x", status=409)
    await world.does(root, "link", to=other, reason="x", status=409)


async def test_what_is_likely_but_not_sure_is_left_to_a_seat(world: World) -> None:
    words = "启航科技公司拖欠我三个月工资，一直不给，要求支付"
    first = await world.received(words, "朝阳区望京街道启航科技公司")
    second = await world.received(words, "望京启航科技公司", reporter={"anonymous": True})
    assert await world.parents([second]) == [None]
    (one,) = (await world.http.get(f"/intake/v1/tickets/{second}/similar")).json()
    assert (one["ticket_id"], 0.25 <= one["score"] < 0.6) == (first, True)
    assert one["reasons"].startswith("同一场所（启航科技）")
    (other,) = (await world.http.get(f"/intake/v1/tickets/{first}/similar", headers={"accept-language": "en"})).json()
    assert (other["ticket_id"], "same premises" in other["reasons"]) == (second, True)
    await world.does(second, "link", to=first, reason="同一人，换了渠道")
    assert (await world.http.get(f"/intake/v1/tickets/{second}/similar")).json() == []


async def test_a_seat_sees_likely_repeats_before_an_appeal_is_sent_and_an_adapter_no_words(world: World) -> None:
    first = await world.received(COLD[0])
    body = {"text": "没暖气，屋里太冷", "address": "花家地西里三区"}
    (found,) = (await world.http.post("/intake/v1/similar", json=body)).json()
    assert (found["ticket_id"], found["support"], found["text"]) == (first, 0, COLD[0])
    adapter = client([world.stage], world.keys.issue("web-form", ["adapter"]))
    shown = (await adapter.post("/intake/v1/similar", json=body)).json()
    assert all(one["text"] is None and one["ticket_id"] is None for one in shown)
    wrong = await world.http.post("/intake/v1/similar", json={"text": "", "location": {"lat": 99, "lon": 0}})
    assert (wrong.status_code, {e["field"] for e in wrong.json()["errors"]}) == (422, {"text", "location.lat"})


async def test_what_is_older_than_the_window_is_forgotten(world: World) -> None:
    await world.received(COLD[0])
    pool = world.stage.context.database.pool
    assert await pool.fetchval("SELECT count(*) FROM likeness_keys") > 0
    world.clock.advance(seconds=timedelta(days=16).total_seconds())
    world.stage.context.loops["repeats"].wake()
    while await pool.fetchval("SELECT (SELECT count(*) FROM likenesses) + (SELECT count(*) FROM likeness_keys)"):
        await asyncio.sleep(0)


async def test_what_an_older_model_read_is_read_again(world: World) -> None:
    first = await world.received(COLD[0])
    pool = world.stage.context.database.pool
    await pool.execute("UPDATE likenesses SET model = 1, sketch = ''")
    world.stage.context.loops["repeats"].wake()
    while await pool.fetchval("SELECT count(*) FROM likenesses WHERE model = 1"):
        await asyncio.sleep(0)
    assert await world.parents([await world.received(COLD[1])]) == [first]


PEOPLE: tuple[dict[str, Any], ...] = (
    *({"phone": f"1390013900{n}"} for n in range(3)),
    {"anonymous": True},
    {"type": "sensor", "phone": "13900139000"},
)
NOT_AS_IT_SHOULD_BE = """
SELECT t.number, t.state, t.support, count(DISTINCT c.person), p.state FROM tickets t
LEFT JOIN (
    SELECT parent, coalesce(reporter, ticket_id::text) AS person FROM tickets
    WHERE state = 'linked' AND reporter_type <> 'sensor'
) c ON c.parent = t.ticket_id AND (c.person = t.reporter AND t.reporter_type <> 'sensor') IS NOT TRUE
LEFT JOIN tickets p ON p.ticket_id = t.parent
GROUP BY t.ticket_id, p.state
HAVING t.support <> count(DISTINCT c.person) OR (t.state = 'linked') <> (t.parent IS NOT NULL) OR p.state <> 'open'
"""


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_is_linked_and_taken_back_support_counts_the_other_people_and_no_root_is_linked(
    world: World, seed: int
) -> None:
    random, pool = Random(seed), world.stage.context.database.pool
    streets = ("古城南路", "八角北路", "康泽路", "金盏大街", "安富街", "福伟路", "鲁谷东街", "石门路")
    tickets = [await world.received("路灯不亮", street, reporter=random.choice(PEOPLE)) for street in streets]
    for _ in range(18):
        world.clock.advance(seconds=1)
        one, other = random.sample(tickets, 2)
        deed, body = random.choice([("link", {"to": other, "reason": "x"})] * 4 + [("unlink", {"reason": "x"})])
        if random.random() < 0.1:
            deed, body = "withdraw", {}
        answer = await world.http.post(f"/intake/v1/tickets/{one}/{deed}", json=body)
        assert answer.status_code in {200, 409}, answer.text
    while await pool.fetchval("SELECT count(*) FROM timers WHERE kind = 'children'"):
        await asyncio.sleep(0)
    assert await pool.fetch(NOT_AS_IT_SHOULD_BE) == []


async def test_a_burst_of_three_who_do_not_stop_counts_the_other_two(world: World) -> None:
    tickets = await asyncio.gather(*(world.received(COLD[n % 4], reporter=PEOPLE[n % 3]) for n in range(12)))
    (root,) = {parent for parent in await world.parents(tickets) if parent}
    assert await world.support(root) == 2


def _supported(event: Envelope[Any], ticket: str) -> bool:
    return event.data.name == "ticket.supported" and event.subject == ticket


async def test_while_one_appeal_of_a_person_stays_they_count(world: World) -> None:
    root = await world.received(COLD[0])
    first, second = [await world.received(words, reporter=PEOPLE[0]) for words in COLD[1:3]]
    assert await world.support(root) == 1
    await world.does(first, "unlink", reason="x")
    assert await world.support(root) == 1
    await world.does(second, "withdraw")
    assert await world.support(root) == 0
    await world.probe.until(lambda seen: [e.data.support for e in seen if _supported(e, root)] == [1, 0])


async def test_a_device_that_flaps_and_the_reporter_who_insists_are_nobody_else(world: World) -> None:
    cover = {"address": None, "channel": "sensor", "external_ref": "cover-17:tilt"}
    first = await world.received("井盖状态异常", **cover, reporter={"type": "sensor"})
    again = [await world.received("井盖状态异常", **cover, reporter={}) for _ in range(3)]
    mine = await world.received(COLD[0], reporter=PEOPLE[0])
    insisting = [await world.received(words, reporter=PEOPLE[0]) for words in COLD[1:]]
    assert await world.parents([*again, *insisting]) == [first] * 3 + [mine] * 3
    assert (await world.support(first), await world.support(mine)) == (0, 0)


async def test_when_a_root_is_joined_its_reporter_counts_there_unless_they_do_already(world: World) -> None:
    root = await world.received("热力管线好像坏了", "望京街道")
    other, same = [await world.received("路灯不亮", street, reporter=PEOPLE[0]) for street in ("古城南路", "康泽路")]
    await world.does(other, "link", to=root, reason="x")
    assert await world.support(root) == 1
    await world.does(same, "link", to=root, reason="x")
    assert await world.support(root) == 1


async def test_the_reasons_for_a_link_do_not_tell_the_reporters_name(world: World) -> None:
    one, two = await world.received("路灯不亮"), await world.received("井盖丢了", reporter={"name": "欧阳婷"})
    await world.does(two, "link", to=one, reason="欧阳婷说是一回事")
    await world.does(two, "unlink", reason="欧阳婷说不是一回事")
    (linked,), (unlinked,) = await world.told("ticket.linked", two), await world.told("ticket.unlinked", two)
    assert [linked.data.reason, unlinked.data.reason] == ["⟦name-1⟧说是一回事", "⟦name-1⟧说不是一回事"]
