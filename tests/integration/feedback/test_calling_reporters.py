"""Callbacks on a real database: seats take reporters one by one, phone them by day, and note how calls ended."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.common.contracts.classify import TicketClassified
from libs.common.contracts.dispatch import TicketResolved
from libs.common.contracts.intake import TicketErased, TicketLinked, TicketReceived, TicketWithdrawn
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing
from services.feedback.service import SERVICE
from tests.support.desk import JUDGED, RECEIPT
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

UNIT = UnitRef(code="dept-water", name="市水务局")
MA, LI = "p-ma", "p-li"


class Line:
    """The service under test, seats of the line, and what the other stages say."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, key: str) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.peer = Peer(bus, clock)
        self.http = client([stage], key)

    def seat(self, name: str) -> httpx.AsyncClient:
        """Return the client of one seat."""
        return client([self.stage], KeyRing(self.stage.context.settings.keys_file).issue(name, ["seat"]))

    async def resolved(self, reporter: str | None = MA, **receipt: Any) -> UUID:
        """Have an appeal that a unit says is done."""
        ticket = self.clock.new_id()
        said = TicketReceived(**{**dict(RECEIPT), "reporter": reporter, **receipt})
        await self.peer.say(ticket, said, self.done())
        return ticket

    def done(self) -> TicketResolved:
        """Return what the unit says."""
        return TicketResolved(unit=UNIT, reply="已修好", round=1, at=self.clock.at, contacted=True)

    async def due(self) -> list[str]:
        """Return the tickets whose reporters may be phoned now and that no seat has."""
        listed = (await self.http.get("/feedback/v1/callbacks", params={"due": True})).json()
        return [item["ticket_id"] for item in listed["items"]]

    async def missed(self, ticket: UUID, outcome: str = "no_answer", **more: Any) -> httpx.Response:
        """Take a callback, phone, and say how the call ended."""
        await self.http.post(f"/feedback/v1/callbacks/{ticket}/take")
        return await self.http.post(f"/feedback/v1/callbacks/{ticket}/attempt", json={"outcome": outcome} | more)

    def at(self, day: int, hour: int, minute: int = 0) -> None:
        """Set the clock to a time of Beijing, `day` days after the Monday of NOON."""
        self.clock.at = NOON.replace(hour=0, minute=0) + timedelta(days=day, hours=hour - 8, minutes=minute)


@pytest.fixture
async def line(fresh_database: str, tmp_path: Path) -> AsyncIterator[Line]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    async with probing(bus, "jiesu.feedback.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        line = Line(stage, bus, clock, probe, (tmp_path / "key").read_text())
        async with line.http:
            yield line


async def test_two_seats_never_have_one_callback_and_the_next_seat_gets_the_next(line: Line) -> None:
    first, second = await line.resolved(MA), await line.resolved(LI)
    async with line.seat("one") as one, line.seat("two") as two:
        tasks = await asyncio.gather(*(seat.post("/feedback/v1/callbacks/next") for seat in (one, two)))
        assert {task.json()["callback"]["ticket_id"] for task in tasks} == {str(first), str(second)}
        mine = tasks[0].json()["callback"]["ticket_id"]
        assert (await two.post(f"/feedback/v1/callbacks/{mine}/take")).status_code == 409
        assert (await two.post(f"/feedback/v1/callbacks/{mine}/attempt", json={"outcome": "busy"})).status_code == 409
        again = await one.post("/feedback/v1/callbacks/next")
        assert again.json()["callback"]["ticket_id"] == mine
        assert await line.due() == []
        assert (await one.post(f"/feedback/v1/callbacks/{mine}/release")).json()["held"] is False
        assert await line.due() == [mine]


async def test_who_forgets_a_callback_loses_it_to_another(line: Line) -> None:
    ticket = await line.resolved()
    async with line.seat("one") as one, line.seat("two") as two:
        assert (await one.post(f"/feedback/v1/callbacks/{ticket}/take")).status_code == 200
        line.clock.advance(minutes=20)
        assert (await two.post("/feedback/v1/callbacks/next")).json()["callback"]["ticket_id"] == str(ticket)
        late = await one.post(f"/feedback/v1/callbacks/{ticket}/attempt", json={"outcome": "no_answer"})
        assert late.status_code == 409


async def test_one_person_with_two_matters_is_phoned_by_one_seat_who_sees_both(line: Line) -> None:
    first, second = await line.resolved(MA), await line.resolved(MA)
    async with line.seat("one") as one, line.seat("two") as two:
        taken = (await one.post(f"/feedback/v1/callbacks/{first}/take")).json()
        assert [other["ticket_id"] for other in taken["others"]] == [str(second)]
        refused = await two.post(f"/feedback/v1/callbacks/{second}/take")
        assert (refused.status_code, "another seat" in refused.json()["detail"]) == (409, True)
        assert (await two.post("/feedback/v1/callbacks/next")).json() is None
        assert (await one.post(f"/feedback/v1/callbacks/{second}/take")).status_code == 200


async def test_who_takes_no_call_is_tried_at_three_parts_of_the_day_and_then_left_in_peace(line: Line) -> None:
    ticket = await line.resolved()
    assert (await line.missed(ticket)).status_code == 200
    line.clock.advance(minutes=30)
    assert (await line.due(), (await line.missed(ticket)).status_code) == ([], 409)
    for day, hour in ((0, 14), (0, 18)):
        line.at(day, hour)
        assert await line.due() == [str(ticket)]
        assert (await line.missed(ticket)).status_code == 200
    (closed,) = await line.probe.named("ticket.closed")
    assert closed.data.outcome == "no_answer"
    (review,) = (await line.http.get(f"/feedback/v1/tickets/{ticket}/reviews")).json()
    assert (review["state"], review["resolved"], len(review["tries"])) == ("lapsed", None, 3)
    cards = (await line.http.get("/feedback/v1/scorecards", params={"period": "2026-03"})).json()
    assert cards == []


async def test_nobody_is_phoned_at_night_and_the_elderly_not_at_noon(line: Line) -> None:
    line.at(0, 21)
    young, old = await line.resolved(MA), await line.resolved(LI, access_needs=("elderly",))
    assert await line.due() == []
    line.at(1, 8, 30)
    assert set(await line.due()) == {str(young), str(old)}
    for ticket in (young, old):
        await line.missed(ticket)
    line.at(1, 12)
    assert await line.due() == [str(young)]
    line.at(1, 14)
    assert set(await line.due()) == {str(young), str(old)}


async def test_a_matter_of_the_elderly_makes_its_reporter_wait_for_the_afternoon(line: Line) -> None:
    ticket = await line.resolved()
    await line.peer.say(ticket, TicketClassified.model_validate(JUDGED | {"elderly": True}))
    assert await line.due() == []
    line.at(0, 14)
    task = (await line.http.post("/feedback/v1/callbacks/next")).json()
    assert task["callback"]["needs"] == ["elderly"]
    assert "放慢语速" in task["script"]["mind"][0]["zh"]


async def test_a_busy_line_is_tried_again_soon_and_who_named_a_time_then(line: Line) -> None:
    ticket = await line.resolved()
    await line.missed(ticket, "busy")
    line.clock.advance(minutes=29)
    assert await line.due() == []
    line.clock.advance(minutes=1)
    at = NOON + timedelta(days=1, hours=7)
    assert (await line.missed(ticket, "call_back", again_at=at.isoformat())).status_code == 200
    line.at(1, 18)
    assert await line.due() == []
    line.at(1, 19)
    assert await line.due() == [str(ticket)]


@pytest.mark.parametrize("again_at", ["2026-03-03T23:00:00+08:00", "2026-03-02T09:00:00+08:00", "2027-03-02T09:00:00Z"])
async def test_nobody_promises_a_call_at_night_or_after_the_question_is_over(line: Line, again_at: str) -> None:
    ticket = await line.resolved()
    refused = await line.missed(ticket, "call_back", again_at=again_at)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "again_at")
    assert (await line.missed(ticket, "call_back")).status_code == 422
    assert (await line.missed(ticket, "busy", again_at=again_at)).status_code == 422


@pytest.mark.parametrize("outcome", ["refused", "wrong_number"])
async def test_who_refuses_or_was_never_there_is_not_phoned_again(line: Line, outcome: str) -> None:
    ticket = await line.resolved()
    assert (await line.missed(ticket, outcome)).json()["state"] == "lapsed"
    line.at(1, 9)
    assert await line.due() == []


async def test_the_script_asks_what_the_kind_of_appeal_calls_for(line: Line) -> None:
    help_, question = await line.resolved(MA, kind="help"), await line.resolved(LI, kind="consultation")
    scripts = [
        (await line.http.post(f"/feedback/v1/callbacks/{id_}/take")).json()["script"] for id_ in (help_, question)
    ]
    asked = [[question["asks"] for question in script["questions"]] for script in scripts]
    assert asked == [["contacted", "solved", "satisfied"], ["solved", "explained", "satisfied"]]
    assert RECEIPT.number in scripts[0]["introduce"]["zh"]
    assert UNIT.name in scripts[0]["introduce"]["zh"]


async def test_an_answer_ends_the_callback_whoever_has_it(line: Line) -> None:
    ticket = await line.resolved()
    async with line.seat("one") as one:
        await one.post(f"/feedback/v1/callbacks/{ticket}/take")
        body = {"resolved": "no", "satisfied": 1, "reasons": ["not_contacted", "quick", "not_contacted"]}
        taken = await line.http.post(f"/feedback/v1/tickets/{ticket}/review", json=body)
        assert (taken.status_code, taken.json()["reasons"]) == (200, ["not_contacted"])
        assert (await one.post(f"/feedback/v1/callbacks/{ticket}/attempt", json={"outcome": "busy"})).status_code == 409
    (said,) = await line.probe.named("review.submitted")
    assert said.data.reasons == ("not_contacted",)
    (reopened,) = await line.probe.named("ticket.reopened")
    assert reopened.data.round == 2


async def test_a_reason_that_is_none_is_refused_and_the_list_is_there_for_all(line: Line) -> None:
    ticket = await line.resolved()
    body = {"resolved": "no", "satisfied": 1, "reasons": ["bad_weather"]}
    refused = await line.http.post(f"/feedback/v1/tickets/{ticket}/review", json=body)
    assert (refused.status_code, "not_contacted" in refused.text, "bad_weather" in refused.text) == (422, True, False)
    async with client([line.stage]) as anyone:
        listed = (await anyone.get("/feedback/v1/reasons")).json()
    assert {"code": "slow", "good": False, "zh": "办得太慢", "en": "It took too long"} in listed


async def test_the_page_takes_partly_and_the_reasons_that_go_with_it(line: Line) -> None:
    ticket = await line.resolved(channel="web")
    url = line.stage.context.engine.links.url(ticket, 1).removeprefix(line.stage.context.settings.base_url)
    async with client([line.stage]) as citizen:
        page = await citizen.get(url)
        tapped = await citizen.post(url, data={"choice": "partly", "reason": ["slow", "quick", "slow", "<odd>"]})
        thanks = await citizen.get(url)
        assert (await citizen.post(url, data={"choice": "great"})).status_code == 422
        assert (await citizen.post(url, data={"choice": "bad", "reason": ["x"] * 41})).status_code == 422
    assert 'type="checkbox" name="reason" value="slow"' in page.text
    assert "<script" not in page.text
    assert tapped.status_code == 303
    assert ("办得太慢" in thanks.text, "办得快" in thanks.text, "部分解决" in thanks.text) == (True, False, True)
    (review,) = (await line.http.get(f"/feedback/v1/tickets/{ticket}/reviews")).json()
    assert (review["resolved"], review["satisfied"], review["reasons"]) == ("partly", 3, ["slow"])


def repeat(line: Line, parent: UUID, reporter: str | None) -> TicketLinked:
    receipt = dict(RECEIPT) | {"reporter": reporter, "received_at": line.clock.at}
    return TicketLinked(**receipt, parent=parent, reason="重复")


async def asked(line: Line, *tickets: UUID) -> list[bool]:
    """Return of which tickets the reporters are asked, or were."""
    states = [(await line.http.get(f"/feedback/v1/tickets/{ticket}/reviews")).json() for ticket in tickets]
    return [any(review["state"] != "closed" for review in reviews) for reviews in states]


async def test_one_person_s_repeats_of_one_matter_are_one_question(line: Line) -> None:
    parent, own, first, second, other = sorted(line.clock.new_id() for _ in range(5))
    await line.peer.say(parent, TicketReceived(**{**dict(RECEIPT), "reporter": MA}))
    for ticket, who in ((own, MA), (second, LI), (first, LI), (other, None)):
        await line.peer.say(ticket, repeat(line, parent, who))
    await line.peer.say(parent, line.done())
    await line.probe.named("review.requested", subject=first)
    await line.probe.named("review.requested", subject=other)
    assert await asked(line, parent, own, first, second, other) == [True, False, True, False, True]
    third = line.clock.new_id()
    await line.peer.say(third, repeat(line, parent, LI))
    assert await asked(line, first, second, third) == [True, False, False]
    await line.http.post(f"/feedback/v1/tickets/{parent}/review", json={"resolved": "yes", "satisfied": 5})
    for child in (own, first, second, other, third):
        (closed,) = await line.probe.named("ticket.closed", subject=child)
        assert closed.data.outcome == "linked"


async def test_who_took_the_asked_repeat_back_may_be_asked_through_another(line: Line) -> None:
    parent, first, second = sorted(line.clock.new_id() for _ in range(3))
    await line.peer.say(parent, TicketReceived(**{**dict(RECEIPT), "reporter": MA}))
    for ticket in (first, second):
        await line.peer.say(ticket, repeat(line, parent, LI))
    await line.peer.say(first, TicketWithdrawn(at=NOON))
    await line.peer.say(parent, line.done())
    await line.probe.named("review.requested", subject=second)
    assert await asked(line, first, second) == [False, True]


async def test_an_erased_ticket_leaves_no_pseudonym(line: Line) -> None:
    ticket = await line.resolved(MA)
    await line.peer.say(ticket, TicketClassified.model_validate(JUDGED), TicketErased(words=False, at=NOON))
    pool = line.stage.context.database.pool
    tables = ("tickets", "reviews", "cases", "aggregates")
    kept = [str([dict(row) for row in await pool.fetch(f"SELECT * FROM {table}")]) for table in tables]  # noqa: S608
    assert [MA in text for text in kept] == [False] * len(tables)
