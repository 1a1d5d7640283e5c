"""feedback on a real database: the citizen asked, by phone and by link; tickets closed and reopened; units scored."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.common.contracts.dispatch import TicketContacted, TicketResolved
from libs.common.contracts.intake import (
    TicketAnswered,
    TicketErased,
    TicketLinked,
    TicketReceived,
    TicketScreened,
    TicketUnlinked,
    TicketWithdrawn,
)
from libs.common.contracts.sla import ClockMet
from libs.common.contracts.vocabulary import Channel, Receipt, UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.feedback.service import SERVICE
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

UNIT = UnitRef(code="dept-water", name="市水务局")
RECEIPT = Receipt(number="20260302-0000001", channel="phone", text="停水了", received_at=NOON)
CONTACTED = TicketContacted(unit=UNIT, method="phone", round=1, at=NOON, first_at=NOON)
NO, YES = {"resolved": "no", "satisfied": 1}, {"resolved": "yes", "satisfied": 5}
MET = ClockMet(
    clock="completion", round=1, urgency="general", started_at=NOON, due_at=NOON, limit_seconds=60, policy="p",
    met_at=NOON, in_time=True, unit=UNIT,
)  # fmt: skip


def received(channel: Channel) -> TicketReceived:
    return TicketReceived(**{**dict(RECEIPT), "channel": channel})


def resolved(round_: int = 1, unit: UnitRef = UNIT) -> TicketResolved:
    return TicketResolved(unit=unit, reply="已修好 <b>阀门</b>", round=round_, at=NOON, contacted=False)


class World:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, key: str) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.peer = Peer(bus, clock)
        self.http = client([stage], key)
        self.ticket, self.other = clock.new_id(), clock.new_id()

    async def answers(self, body: dict[str, Any], ticket: UUID | None = None, **params: Any) -> httpx.Response:
        """Post a review."""
        return await self.http.post(f"/feedback/v1/tickets/{ticket or self.ticket}/review", json=body, params=params)

    async def reviews(self, ticket: UUID | None = None) -> list[dict[str, Any]]:
        """Return what the reporter was asked."""
        rows: list[dict[str, Any]] = (
            await self.http.get(f"/feedback/v1/tickets/{ticket or self.ticket}/reviews")
        ).json()
        return rows

    def link(self, round_: int = 1) -> str:
        """Return the path of the citizen's link."""
        url: str = self.stage.context.engine.links.url(self.ticket, round_)
        return url.removeprefix(self.stage.context.settings.base_url)

    def with_role(self, role: Role) -> httpx.AsyncClient:
        """Return a client that holds one role."""
        return client([self.stage], KeyRing(self.stage.context.settings.keys_file).issue(role, [role]))


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    async with probing(bus, "jiesu.feedback.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        world = World(stage, bus, clock, probe, (tmp_path / "key").read_text())
        async with world.http:
            yield world


async def test_a_resolved_ticket_is_phoned_and_a_yes_closes_it(world: World) -> None:
    await world.peer.say(world.ticket, received("phone"), CONTACTED, resolved())
    (callback,) = (await world.http.get("/feedback/v1/callbacks")).json()["items"]
    assert (callback["ticket_id"], callback["number"], callback["unit"]["code"]) == (
        str(world.ticket), RECEIPT.number, UNIT.code,
    )  # fmt: skip
    taken = await world.answers(YES)
    assert (taken.status_code, taken.json()["by"], taken.json()["contacted"]) == (200, "seat", True)
    asked, submitted, closed = await world.probe.named("review.requested", "review.submitted", "ticket.closed")
    assert (asked.data.method, submitted.data.unit, closed.data.outcome) == ("callback", UNIT, "solved")
    assert (await world.http.get("/feedback/v1/callbacks")).json() == {"items": [], "next": None}


async def test_callbacks_come_oldest_first_and_page_by_page(world: World) -> None:
    for ticket in (world.other, world.ticket):
        await world.peer.say(ticket, received("phone"), resolved())
        world.clock.advance(minutes=5)
    first = (await world.http.get("/feedback/v1/callbacks", params={"limit": 1})).json()
    rest = (await world.http.get("/feedback/v1/callbacks", params={"limit": 1, "cursor": first["next"]})).json()
    assert [page["items"][0]["ticket_id"] for page in (first, rest)] == [str(world.other), str(world.ticket)]


async def test_a_no_reopens_and_the_next_round_is_asked_anew(world: World) -> None:
    await world.peer.say(world.ticket, received("phone"), resolved(1))
    await world.answers(NO)
    await world.peer.say(world.ticket, resolved(2))
    await world.answers(YES)
    *_, closed = await world.probe.named("ticket.reopened", "ticket.closed")
    assert (closed.data.outcome, closed.data.round) == ("solved", 2)
    assert [(row["round"], row["resolved"]) for row in await world.reviews()] == [(1, "no"), (2, "yes")]


async def test_the_same_answer_twice_is_one_and_another_is_refused(world: World) -> None:
    await world.peer.say(world.ticket, received("phone"), resolved())
    body = {**YES, "comment": "谢谢，回电13800138000"}
    first, again, other = await world.answers(body), await world.answers(body), await world.answers(NO)
    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 409)
    assert first.json() == again.json()
    assert "13800138000" not in first.text
    events = await world.probe.named("ticket.closed")
    assert len(events) == 1
    (submitted,) = [e for e in world.probe.seen if e.data.name == "review.submitted"]
    assert submitted.data.comment == "谢谢，回电⟦phone-1⟧"


async def test_silence_lapses_by_itself(world: World) -> None:
    await world.peer.say(world.ticket, received("web"), resolved())
    world.clock.advance(days=7)
    (closed,) = await world.probe.named("ticket.closed")
    assert closed.data.outcome == "no_answer"
    assert (await world.answers(YES)).status_code == 409


async def test_the_page_shows_the_reply_escaped_and_looking_is_no_vote(world: World) -> None:
    await world.peer.say(world.ticket, received("web"), resolved())
    async with client([world.stage]) as citizen:
        page = await citizen.get(world.link())
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "问题解决了吗" in page.text
    assert "&lt;b&gt;阀门&lt;/b&gt;" in page.text
    assert "<script" not in page.text
    assert (await world.reviews())[0]["state"] == "requested"


async def test_one_tap_is_an_answer_and_a_second_thought_is_not(world: World) -> None:
    await world.peer.say(world.ticket, received("web"), resolved())
    async with client([world.stage]) as citizen:
        tapped = await citizen.post(world.link(), data={"choice": "good", "comment": ""})
        thanks = await citizen.get(tapped.headers["location"])
        again = await citizen.post(world.link(), data={"choice": "good"})
        other = await citizen.post(world.link(), data={"choice": "bad"})
    assert (tapped.status_code, again.status_code, other.status_code) == (303, 303, 409)
    assert "感谢您的评价" in thanks.text
    assert "感谢您的评价" in other.text
    (review,) = await world.reviews()
    assert (review["resolved"], review["satisfied"], review["by"]) == ("yes", 5, "citizen")


async def test_a_link_opens_its_own_round_only(world: World) -> None:
    await world.peer.say(world.ticket, received("web"), resolved())
    wrong = world.link()[:-1] + ("A" if world.link()[-1] != "A" else "B")
    other_round = world.link().replace("/1/", "/2/")
    async with client([world.stage]) as citizen:
        for path in (wrong, other_round):
            assert (await citizen.get(path)).status_code == 404
            assert (await citizen.post(path, data={"choice": "bad"})).status_code == 404
    assert (await world.reviews())[0]["state"] == "requested"


async def test_the_token_stands_for_a_key_and_a_wrong_one_does_not(world: World) -> None:
    await world.peer.say(world.ticket, received("web"), resolved())
    path, token = f"/feedback/v1/tickets/{world.ticket}/review", world.link().rsplit("/", 1)[1]
    async with client([world.stage]) as citizen:
        assert (await citizen.post(path, json=YES)).status_code == 401
        assert (await citizen.post(path, json=YES, params={"token": "x" * 22})).status_code == 403
        taken = await citizen.post(path, json={"resolved": "partly", "satisfied": 3}, params={"token": token})
    assert (taken.status_code, taken.json()["by"]) == (200, "citizen")


async def test_only_a_seat_or_supervisor_calls_back(world: World) -> None:
    await world.peer.say(world.ticket, received("phone"), resolved())
    async with world.with_role("unit") as unit, world.with_role("supervisor") as supervisor:
        refused = await unit.post(f"/feedback/v1/tickets/{world.ticket}/review", json=YES)
        assert (refused.status_code, (await unit.get("/feedback/v1/callbacks")).status_code) == (403, 403)
        assert (await supervisor.post(f"/feedback/v1/tickets/{world.ticket}/review", json=YES)).status_code == 200


async def test_a_repeat_is_asked_too_and_closes_with_its_parent(world: World) -> None:
    await world.peer.say(world.ticket, TicketLinked(**dict(RECEIPT), parent=world.other, reason="重复"))
    await world.peer.say(world.other, received("phone"), resolved())
    await world.probe.named("review.requested", subject=world.ticket)
    assert (await world.answers(NO)).status_code == 200
    await world.answers(YES, world.other)
    (closed,) = await world.probe.named("ticket.closed", subject=world.ticket)
    assert closed.data.outcome == "linked"
    assert not [event for event in world.probe.seen if event.data.name == "ticket.reopened"]


async def test_a_repeat_closed_with_its_parent_lives_on_when_the_link_was_wrong(world: World) -> None:
    await world.peer.say(world.ticket, TicketLinked(**dict(RECEIPT), parent=world.other, reason="重复"))
    await world.peer.say(world.other, received("phone"), resolved())
    await world.answers(YES, world.other)
    await world.probe.named("ticket.closed", subject=world.ticket)
    await world.peer.say(world.ticket, TicketUnlinked(parent=world.other, reason="不是同一件事"), received("phone"))
    (reopened,) = await world.probe.named("ticket.reopened", subject=world.ticket)
    assert (reopened.data.round, reopened.data.reason) == (2, "ruling")
    await world.peer.say(world.ticket, resolved(2))
    assert (await world.answers(YES)).json()["round"] == 2


async def test_what_is_repeated_after_its_closing_is_worked_on_again(world: World) -> None:
    await world.peer.say(world.other, received("phone"), resolved())
    await world.answers(YES, world.other)
    world.clock.advance(minutes=1)
    repeat = TicketLinked(**{**dict(RECEIPT), "received_at": world.clock.at}, parent=world.other, reason="重复")
    await world.peer.say(world.ticket, repeat)
    (reopened,) = await world.probe.named("ticket.reopened", subject=world.other)
    assert (reopened.data.round, reopened.data.reason) == (2, "repeat")
    await world.peer.say(world.other, resolved(2))
    await world.probe.named("review.requested", subject=world.ticket)
    assert (await world.answers(YES)).json()["round"] == 2


async def test_an_answer_that_was_none_is_reopened_for_a_unit(world: World) -> None:
    await world.peer.say(world.ticket, TicketAnswered(**dict(RECEIPT), answer="今晚恢复"))
    await world.answers(NO)
    (reopened,) = await world.probe.named("ticket.reopened")
    assert (reopened.data.round, reopened.data.reason) == (2, "not_solved")
    await world.peer.say(world.ticket, received("phone"), resolved(2))
    await world.answers(YES)
    (closed,) = await world.probe.named("ticket.closed")
    assert (closed.data.outcome, closed.data.round) == ("solved", 2)


async def test_what_is_ruled_unreasonable_leaves_the_scorecard_until_that_is_lifted(world: World) -> None:
    async def counted() -> list[int]:
        cards = (await world.http.get("/feedback/v1/scorecards", params={"period": "2026-03"})).json()
        return [card["counted"] for card in cards]

    await world.peer.say(world.ticket, received("phone"), resolved())
    await world.answers(NO)
    assert await counted() == [1]
    ruled = TicketScreened(verdict="unreasonable", why="索要过高赔偿", ground="excessive")
    await world.peer.say(world.ticket, ruled)
    assert (await counted(), (await world.reviews())[0]["excluded"]) == ([], True)
    await world.peer.say(world.ticket, ruled.model_copy(update={"lifted": True}))
    assert (await counted(), (await world.reviews())[0]["excluded"]) == ([1], False)


async def test_a_repeat_heard_of_after_its_parent_was_withdrawn_ends(world: World) -> None:
    await world.peer.say(world.other, TicketWithdrawn(at=NOON))
    await world.peer.say(world.ticket, TicketLinked(**dict(RECEIPT), parent=world.other, reason="重复"))
    (closed,) = await world.probe.named("ticket.closed", subject=world.ticket)
    assert closed.data.outcome == "linked"


async def test_many_repeats_end_with_one_parent(world: World) -> None:
    children = [world.clock.new_id() for _ in range(40)]
    for child in children:
        await world.peer.say(child, TicketLinked(**dict(RECEIPT), parent=world.ticket, reason="重复"))
    await world.peer.say(world.ticket, received("phone"), resolved())
    await world.answers(YES)
    closed = await world.probe.until(lambda seen: sum(e.data.name == "ticket.closed" for e in seen) == 41)
    assert {UUID(e.subject) for e in closed if e.data.name == "ticket.closed"} == {world.ticket, *children}


async def test_a_scorecard_rests_on_what_was_answered_in_the_city_s_month(world: World) -> None:
    other_unit = UnitRef(code="dept-road", name="市交通委")
    silent, road = world.clock.new_id(), world.clock.new_id()
    await world.peer.say(world.ticket, received("phone"), CONTACTED, resolved(), MET)
    await world.peer.say(world.other, received("phone"), resolved())
    await world.peer.say(road, received("phone"), resolved(unit=other_unit))
    await world.peer.say(silent, received("phone"), resolved())
    for ticket, body in ((world.ticket, YES), (world.other, NO), (road, YES)):
        await world.answers(body, ticket)
    cards = (await world.http.get("/feedback/v1/scorecards", params={"period": "2026-03"})).json()
    assert [card["unit"]["code"] for card in cards] == ["dept-road", "dept-water"]
    water = cards[1]
    assert (water["counted"], water["responded"], water["solved"], water["satisfied"]) == (2, 0.5, 0.5, 0.5)
    assert (water["total"], water["completion_in_time"], water["response_in_time"]) == (0.5, 1.0, None)
    alone = {"period": "2026-03", "unit": UNIT.code}
    assert (await world.http.get("/feedback/v1/scorecards", params=alone)).json() == [water]
    assert (await world.http.get("/feedback/v1/scorecards", params={"period": "2026-04"})).json() == []
    assert (await world.http.get("/feedback/v1/scorecards", params={"period": "2026-13"})).status_code == 422


async def test_what_is_not_asked_or_not_known_cannot_be_answered(world: World) -> None:
    assert ((await world.answers(YES)).headers["retry-after"], (await world.answers(YES)).status_code) == ("1", 409)
    await world.peer.say(world.ticket, received("phone"))
    not_asked = await world.answers(YES)
    assert (not_asked.status_code, not_asked.json()["detail"]) == (409, "the citizen was not asked yet")
    world.clock.advance(minutes=2)
    assert (await world.answers(YES, world.other)).status_code == 404


async def test_wrong_answers_are_named(world: World) -> None:
    await world.peer.say(world.ticket, received("phone"), resolved())
    for body in ({"resolved": "maybe", "satisfied": 3}, {**YES, "satisfied": 6}, {**YES, "stars": 5}, {}):
        assert (await world.answers(body)).status_code == 422
    assert (await world.reviews())[0]["state"] == "requested"


async def test_a_seat_asks_whether_the_policy_was_explained_where_it_was_a_question(world: World) -> None:
    question = received("phone").model_copy(update={"kind": "consultation"})
    await world.peer.say(world.ticket, question, resolved())
    await world.peer.say(world.other, received("phone"), resolved())
    callbacks = (await world.http.get("/feedback/v1/callbacks")).json()["items"]
    assert {row["ticket_id"]: row["asks_explained"] for row in callbacks} == {
        str(world.ticket): True, str(world.other): False,
    }  # fmt: skip
    said = {**YES, "explained": False}
    taken, again = await world.answers(said), await world.answers(said)
    assert (taken.json()["explained"], again.status_code) == (False, 200)
    assert (await world.answers({**YES, "explained": True})).status_code == 409
    assert (await world.reviews())[0]["explained"] is False
    (submitted,) = await world.probe.named("review.submitted")
    assert submitted.data.explained is False


async def test_the_page_asks_whether_an_answer_given_at_once_was_clear_and_takes_a_tap_without_it(
    world: World,
) -> None:
    answer = TicketAnswered(**{**dict(RECEIPT), "channel": "web"}, answer="社保卡在街道办理")
    await world.peer.say(world.ticket, answer)
    async with client([world.stage]) as citizen:
        page = await citizen.get(world.link())
        refused = await citizen.post(world.link(), data={"choice": "good", "explained": "maybe"})
        tapped = await citizen.post(world.link(), data={"choice": "good", "explained": "no"})
        thanks = await citizen.get(tapped.headers["location"])
    assert "政策解释得清楚吗" in page.text
    assert "Was the policy explained clearly?" in page.text
    assert (refused.status_code, tapped.status_code) == (422, 303)
    assert "不清楚" in thanks.text
    assert (await world.reviews())[0]["explained"] is False


@pytest.mark.parametrize("said", ["emergency", "work"])
async def test_the_page_does_not_ask_it_of_an_emergency_s_number_or_of_work(world: World, said: str) -> None:
    emergency = TicketAnswered(**{**dict(RECEIPT), "channel": "web"}, answer="请拨打119", emergency="119")
    await world.peer.say(world.ticket, *([emergency] if said == "emergency" else [received("web"), resolved()]))
    async with client([world.stage]) as citizen:
        page = await citizen.get(world.link())
        tapped = await citizen.post(world.link(), data={"choice": "good"})
    assert (page.status_code, tapped.status_code) == (200, 303)
    assert 'name="explained"' not in page.text
    assert (await world.reviews())[0]["explained"] is None


async def test_after_an_erasure_the_answer_counts_and_what_was_written_is_gone(world: World) -> None:
    await world.peer.say(world.ticket, received("phone"), CONTACTED, resolved())
    await world.answers({**YES, "comment": "琉璃瓦也亮了"})
    card = (await world.http.get("/feedback/v1/scorecards", params={"period": "2026-03"})).json()
    await world.peer.say(world.ticket, TicketErased(words=True, at=NOON), resolved(1))
    (review,) = await world.reviews()
    assert (review["resolved"], review["satisfied"], review["comment"]) == ("yes", 5, None)
    assert (await world.http.get("/feedback/v1/scorecards", params={"period": "2026-03"})).json() == card
    pool = world.stage.context.database.pool
    tables = ("tickets", "reviews", "aggregates")
    stored = str([await pool.fetch(f"SELECT t::text FROM {table} t") for table in tables])  # noqa: S608
    assert [word for word in ("琉璃瓦", "已修好") if word in stored] == []


async def test_who_repeated_an_erased_ticket_still_reads_what_was_answered(world: World) -> None:
    child = TicketLinked(**{**dict(RECEIPT), "channel": "web"}, parent=world.other, reason="重复")
    await world.peer.say(world.ticket, child)
    await world.peer.say(world.other, received("phone"), resolved())
    await world.probe.named("review.requested", subject=world.ticket)
    await world.answers(YES, world.other)
    await world.peer.say(world.other, TicketErased(words=True, at=NOON))
    await world.probe.named("ticket.closed", subject=world.ticket)
    async with client([world.stage]) as citizen:
        page = await citizen.get(world.link())
    assert "已修好" in page.text
    assert (await world.answers(NO)).status_code == 200
