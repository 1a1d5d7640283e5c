"""The ways an appeal goes through all five services beside the straight one, and that none of them loses it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.contracts.envelope import Envelope
from libs.common.local.postgres import PrivatePostgres
from tests.support.platform import Platform, eventually, running_platform
from tests.support.stages import ManualClock

APPEAL = {
    "text": "朝阳区望京街道花家地小区3号楼暖气不热，家里只有十五度",
    "reporter": {"type": "person", "name": "王芳", "phone": "13912345678"},
}

NEIGHBOUR = {"type": "person", "name": "赵敏", "phone": "13612345678"}
OTHER = {
    "text": "朝阳区望京街道花家地小区5号楼门口的路灯坏了三天，晚上看不清路",
    "reporter": {"type": "person", "name": "李强", "phone": "13712345678"},
}


class City:
    """The platform, and the hands of units, seats and citizens; between two deeds a minute passes."""

    def __init__(self, platform: Platform, clock: ManualClock) -> None:
        self.platform, self.clock = platform, clock

    async def dispatched(self, appeal: Mapping[str, Any] = APPEAL) -> str:
        """Post an appeal and return its id once it has an order and its clocks."""
        ticket: str = (await self.platform.post(**appeal))["ticket_id"]
        await self.platform.probe.named("ticket.dispatched", "clock.started", subject=ticket)
        return ticket

    async def does(self, ticket: str, deed: str, **body: Any) -> httpx.Response:
        """Do something to the order."""
        self.clock.advance(minutes=1)
        answer = await self.platform.order(ticket, deed, **body)
        assert answer.is_success, answer.text
        return answer

    async def says(self, ticket: str, deed: str, **body: Any) -> None:
        """Have a citizen or a seat do something with the ticket at intake."""
        self.clock.advance(minutes=1)
        answer = await self.platform.http.post(f"/intake/v1/tickets/{ticket}/{deed}", json=body)
        assert answer.is_success, answer.text

    async def works(self, ticket: str) -> None:
        """Have the unit work from signing to its answer, until the citizen is asked."""
        await self.does(ticket, "accept")
        await self.does(ticket, "contact", method="phone")
        await self.does(ticket, "resolve", reply="已修复")

    async def reviews(self, ticket: str, resolved: str) -> None:
        """Have the citizen answer, as soon as there is a question."""

        async def taken() -> bool:
            given = {"resolved": resolved, "satisfied": 5 if resolved == "yes" else 1}
            answer = await self.platform.http.post(f"/feedback/v1/tickets/{ticket}/review", json=given)
            return answer.is_success

        self.clock.advance(minutes=1)
        await eventually(taken, "a question to answer")

    async def clocks(self, ticket: str) -> set[tuple[int, str]]:
        """Return the round and state of each clock."""
        views = (await self.platform.http.get(f"/sla/v1/tickets/{ticket}/clocks")).json()
        return {(clock["round"], clock["state"]) for clock in views}

    async def due(self, ticket: str) -> str:
        """Return when the work is due, as the citizen sees it."""
        due: str = (await self.platform.ticket(ticket))["due_at"]
        return due

    async def recalled(self, ticket: str) -> None:
        """Wait until the order was taken back, and its clocks stand."""
        await self.platform.probe.named("ticket.recalled", "clock.stopped", subject=ticket)

        async def standing() -> bool:
            return await self.clocks(ticket) == {(1, "stopped")}

        await eventually(standing, "clocks that stand")

    @staticmethod
    def dispatches(seen: Sequence[Envelope[Any]], ticket: str) -> list[int]:
        """Return the round of each time the order was handed over."""
        return [e.data.round for e in seen if e.data.name == "ticket.dispatched" and e.subject == ticket]

    async def sees(self, ticket: str, status: str) -> None:
        """Wait until the citizen sees this status."""

        async def seen() -> bool:
            return bool((await self.platform.ticket(ticket))["status"] == status)

        await eventually(seen, f"{status}: {await self.platform.ticket(ticket)}")

    async def ends(self, ticket: str, order: str, status: str = "closed") -> None:
        """Wait until the citizen sees the end and the order has come to its own; and then no clock runs."""
        await self.sees(ticket, status)

        async def settled() -> bool:
            orders = await self.platform.rows("dispatch", "SELECT state FROM orders WHERE ticket_id = $1", ticket)
            running = "SELECT 1 FROM clocks WHERE ticket_id = $1 AND state IN ('running', 'paused')"
            return orders == [(order,)] and not await self.platform.rows("sla", running, ticket)

        await eventually(settled, f"{order} with no clock running")


@pytest.fixture
async def city(postgres_server: PrivatePostgres, tmp_path: Path) -> AsyncIterator[City]:
    clock = ManualClock()
    async with running_platform(postgres_server, tmp_path, clock) as platform:
        yield City(platform, clock)


async def test_what_is_not_solved_is_worked_on_again_by_the_same_unit_until_it_is(city: City) -> None:
    ticket = await city.dispatched()
    await city.works(ticket)
    await city.reviews(ticket, "no")
    await city.sees(ticket, "reopened")
    dispatched = await city.platform.probe.until(
        lambda seen: [e for e in seen if e.data.name == "ticket.dispatched"][1:]
    )
    units = {e.data.unit.code for e in dispatched if e.data.name == "ticket.dispatched"}
    assert len(units) == 1
    await city.works(ticket)
    await city.reviews(ticket, "yes")
    await city.ends(ticket, "closed")
    clocks = (await city.platform.http.get(f"/sla/v1/tickets/{ticket}/clocks")).json()
    assert [(clock["round"], clock["state"]) for clock in clocks] == [(1, "met"), (1, "met"), (2, "met"), (2, "met")]


async def test_what_is_never_solved_goes_back_to_its_lead_twice_and_then_under_supervision(city: City) -> None:
    ticket = await city.dispatched()
    for round_ in (1, 2, 3):
        seen = await city.platform.probe.until(partial(rounds_of, "ticket.dispatched", ticket, round_))
        await city.works(ticket)
        await city.platform.probe.until(partial(rounds_of, "review.requested", ticket, round_))
        await city.reviews(ticket, "no")
    leads = {e.data.unit.code for e in seen if e.data.name == "ticket.dispatched" and e.subject == ticket}
    assert (len(leads), city.dispatches(seen, ticket)) == (1, [1, 2, 3])
    (opened,) = await city.platform.probe.named("supervision.opened", subject=ticket)
    assert (opened.data.ground, opened.data.unit.code) == ("reopened", *leads)
    (closed,) = await city.platform.probe.named("ticket.closed", subject=ticket)
    assert (closed.data.outcome, closed.data.round) == ("unsolved", 3)
    await city.ends(ticket, "closed")
    case = (await city.platform.http.get(f"/sla/v1/supervision/{ticket}")).json()["items"][0]
    assert case["state"] == "open"


def rounds_of(name: str, ticket: str, least: int, seen: Sequence[Envelope[Any]]) -> bool:
    return any(e.data.name == name and e.subject == ticket and e.data.round >= least for e in seen)


async def test_a_return_is_ruled_on_and_the_next_unit_signs_anew(city: City) -> None:
    ticket = await city.dispatched()
    await city.does(ticket, "accept")
    await city.does(ticket, "return", ground="not_our_duty", note="非本单位职责，供水由自来水集团负责")
    await city.sees(ticket, "returned")
    await city.does(ticket, "rule", upheld=True, note="改派")
    await city.sees(ticket, "dispatched")
    await city.works(ticket)
    await city.reviews(ticket, "yes")
    await city.ends(ticket, "closed")


async def test_what_a_seat_answers_after_dispatch_leaves_no_order_and_is_asked_once(city: City) -> None:
    ticket = await city.dispatched()
    await city.does(ticket, "accept")
    await city.says(ticket, "answer", text="今晚恢复供暖")
    await city.reviews(ticket, "yes")
    await city.ends(ticket, "closed")


async def test_an_answer_that_was_none_becomes_an_order_of_the_second_round(city: City) -> None:
    ticket = await city.dispatched()
    await city.says(ticket, "answer", text="今晚恢复供暖")
    await city.reviews(ticket, "no")
    await city.platform.probe.until(lambda seen: city.dispatches(seen, ticket) == [1, 2])
    await city.works(ticket)
    await city.reviews(ticket, "yes")
    await city.ends(ticket, "closed")
    assert await city.clocks(ticket) == {(1, "stopped"), (2, "met")}


async def test_a_wrong_link_takes_an_order_back_and_undone_gives_it_back_with_the_clocks_it_had(city: City) -> None:
    ticket, other = await city.dispatched(), await city.dispatched(OTHER)
    before = await eventually(lambda: city.due(other), "a due time")
    await city.says(other, "link", to=ticket, reason="同一小区")
    await city.sees(other, "linked")
    await city.recalled(other)
    await city.says(other, "unlink", reason="不是同一件事")
    await city.platform.probe.until(lambda seen: city.dispatches(seen, other) == [1, 1])

    async def given_back() -> bool:
        return (await city.due(other), await city.clocks(other)) == (before, {(1, "running")})

    await eventually(given_back, "the clocks it had")
    await city.works(other)
    await city.reviews(other, "yes")
    await city.ends(other, "closed")


async def test_danger_heard_later_makes_an_appeal_urgent_and_tightens_its_clocks(city: City) -> None:
    ticket = await city.dispatched()
    await city.says(ticket, "supplement", text="现在暖气管爆了，热水喷出来，孩子烫伤了")
    raised = await city.platform.probe.named("ticket.reclassified", subject=ticket)
    assert raised[0].data.urgency == "urgent"

    async def tightened() -> bool:
        return await city.due(ticket) == "2026-03-02T06:00:00Z"

    await eventually(tightened, "two hours from receipt")


async def test_many_with_the_same_trouble_have_it_done_sooner(city: City) -> None:
    ticket = await city.dispatched(OTHER)
    before = await eventually(lambda: city.due(ticket), "a due time")
    for number in range(5):
        reporter = {"type": "person", "name": "赵敏", "phone": f"1361234567{number}"}
        repeat = (await city.platform.post(text=OTHER["text"], reporter=reporter))["ticket_id"]
        await city.sees(repeat, "linked")
    raised = await city.platform.probe.named("ticket.reclassified", subject=ticket)
    assert (raised[0].data.urgency, raised[0].data.reason) == ("livelihood", "另有5人反映同一问题")

    async def sooner() -> bool:
        return (before, await city.due(ticket)) == ("2026-03-09T04:00:00Z", "2026-03-03T04:00:00Z")

    await eventually(sooner, "a day from receipt instead of a week")


async def test_what_is_withdrawn_after_the_units_word_is_closed_and_never_asked_again(city: City) -> None:
    ticket = await city.dispatched()
    await city.works(ticket)
    await city.platform.probe.named("review.requested", subject=ticket)
    await city.says(ticket, "withdraw")
    await city.ends(ticket, "closed", "withdrawn")
    await city.platform.probe.named("ticket.closed", subject=ticket)


async def test_a_repeat_ends_with_what_it_repeats_and_is_asked_too(city: City) -> None:
    ticket = await city.dispatched()
    repeat = (await city.platform.post(**APPEAL | {"reporter": NEIGHBOUR}))["ticket_id"]
    await city.sees(repeat, "linked")
    await city.works(ticket)
    await city.platform.probe.named("review.requested", subject=repeat)
    await city.reviews(ticket, "yes")
    await city.sees(repeat, "closed")
    await city.reviews(repeat, "no")


async def test_who_repeats_an_appeal_that_has_ended_is_heard_anew(city: City) -> None:
    ticket = await city.dispatched()
    await city.works(ticket)
    await city.reviews(ticket, "yes")
    await city.sees(ticket, "closed")
    again = await city.dispatched()
    assert again != ticket
    await city.works(again)
    await city.reviews(again, "yes")
    await city.ends(again, "closed")


async def test_the_second_return_is_under_supervision_until_it_is_ruled_on(city: City) -> None:
    ticket = await city.dispatched()
    for note in ("非本单位职责，供水由自来水集团负责", "非本单位职责，该处管网由产权单位负责"):
        await city.does(ticket, "accept")
        await city.does(ticket, "return", ground="not_our_duty", note=note)
        if "供水" in note:
            await city.does(ticket, "rule", upheld=True, note="改派")
    (opened,) = await city.platform.probe.named("supervision.opened", subject=ticket)
    assert (opened.data.ground, opened.data.level, opened.data.owner.code) == ("dispute", 2, "centre")
    await city.does(ticket, "rule", upheld=False, note="由该单位办理")
    (closed,) = await city.platform.probe.named("supervision.closed", subject=ticket)
    assert closed.data.outcome == "done"
