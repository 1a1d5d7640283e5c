"""Closed is not solved, on a real database: the window of the record, each reporter once, and what is partly solved."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.common.contracts.dispatch import TicketResolved
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.intake import TicketLinked, TicketReceived
from libs.common.contracts.vocabulary import Channel, UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from services.feedback.service import SERVICE
from tests.support.desk import RECEIPT
from tests.support.record import MONTH, NEXT_MONTH
from tests.support.stages import ManualClock, Peer, Probe, client, probing, running, settings_for

UNIT = UnitRef(code="dept-water", name="市水务局")
YES, PARTLY, NO = ({"resolved": said, "satisfied": mark} for said, mark in (("yes", 5), ("partly", 3), ("no", 1)))


class Asked:
    """feedback, what the other stages say, and the reporters who are asked."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, key: str) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.peer = Peer(bus, clock)
        self.http = client([stage], key)
        self.citizen = client([stage])

    async def resolved(self, channel: Channel = "web") -> UUID:
        """Have an appeal that a unit says is done."""
        ticket = self.clock.new_id()
        await self.peer.say(ticket, TicketReceived(**{**dict(RECEIPT), "channel": channel}))
        await self.done(ticket)
        return ticket

    async def done(self, ticket: UUID, round_: int = 1) -> None:
        """Have the unit say so of a round."""
        said = TicketResolved(unit=UNIT, reply="已修好", round=round_, at=self.clock.at, contacted=True)
        await self.peer.say(ticket, said)

    async def repeated(self, parent: UUID, reporter: str) -> UUID:
        """Have another person tell of the same."""
        ticket = self.clock.new_id()
        receipt = dict(RECEIPT) | {"reporter": reporter, "received_at": self.clock.at}
        await self.peer.say(ticket, TicketLinked(**receipt, parent=parent, reason="重复"))
        return ticket

    async def answers(self, ticket: UUID, said: dict[str, Any], **params: str) -> httpx.Response:
        """Answer by a seat, or by the token of a link."""
        http = self.citizen if params else self.http
        return await http.post(f"/feedback/v1/tickets/{ticket}/review", json=said, params=params)

    def link(self, ticket: UUID, round_: int = 1) -> str:
        """Return the path of the one-tap page."""
        url: str = self.stage.context.engine.links.url(ticket, round_)
        return url.removeprefix(self.stage.context.settings.base_url)

    def token(self, ticket: UUID, round_: int = 1) -> str:
        """Return the token of a link."""
        return self.link(ticket, round_).rsplit("/", 1)[1]

    async def figures(self, *kpis: str) -> dict[str, tuple[float, float]]:
        """Return numerators and denominators of the month."""
        found = (await self.http.get("/feedback/v1/figures", params={"kpi": kpis, "period": MONTH})).json()
        return {one["kpi"]: (one["numerator"], one["denominator"]) for one in found}

    async def over(self, ticket: UUID) -> None:
        """Let the window end by the record alone: no clock moves, and no timer fires."""
        ended = "UPDATE reviews SET until = $2 WHERE ticket_id = $1"
        await self.stage.context.database.pool.execute(ended, ticket, self.clock.at - timedelta(seconds=1))


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[Asked]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    async with probing(bus, "jiesu.feedback.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        world = Asked(stage, bus, clock, probe, (tmp_path / "key").read_text())
        async with world.http, world.citizen:
            yield world


async def test_after_the_window_every_way_to_answer_is_refused_by_the_record_and_says_so(world: Asked) -> None:
    linked, phoned = await world.resolved("web"), await world.resolved("phone")
    for ticket in (linked, phoned):
        await world.over(ticket)
    refused = [
        await world.answers(linked, YES, token=world.token(linked)), await world.answers(linked, NO),
        await world.answers(phoned, YES), await world.http.post(f"/feedback/v1/callbacks/{phoned}/take"),
    ]  # fmt: skip
    for answer in refused:
        assert answer.status_code == 409
        assert "the question of round 1 is over" in answer.json()["detail"]
    tapped = await world.citizen.post(world.link(linked), data={"choice": "bad"})
    shown = await world.citizen.get(world.link(linked))
    assert (tapped.status_code, shown.status_code) == (409, 200)
    for page in (tapped, shown):
        assert "本次评价已结束" in page.text
        assert "<button" not in page.text
    assert (await world.http.post("/feedback/v1/callbacks/next")).json() is None
    assert (await world.figures("solved"))["solved"][1] == 0


async def test_the_window_begins_anew_with_each_round_and_the_link_of_the_last_opens_it_no_more(world: Asked) -> None:
    ticket = await world.resolved("web")
    world.clock.advance(days=6)
    assert (await world.answers(ticket, NO, token=world.token(ticket))).status_code == 200
    await world.done(ticket, 2)
    world.clock.advance(days=6)
    assert (await world.answers(ticket, YES, token=world.token(ticket))).status_code == 409
    assert (await world.answers(ticket, YES, token=world.token(ticket, 2))).json()["round"] == 2
    (closed,) = await world.probe.named("ticket.closed", subject=ticket)
    assert closed.data.outcome == "solved"


async def test_it_is_reopened_twice_and_no_more_whatever_is_said(world: Asked) -> None:
    ticket = await world.resolved("web")
    for round_ in (1, 2, 3):
        assert (await world.answers(ticket, NO)).json()["round"] == round_
        await world.done(ticket, round_ + 1)
    assert (await world.answers(ticket, NO)).json()["round"] == 3
    assert (await world.answers(ticket, YES)).status_code == 409
    (closed,) = await world.probe.named("ticket.closed", subject=ticket)
    assert (closed.data.outcome, closed.data.round) == ("unsolved", 3)
    assert [e.data.round for e in world.probe.seen if e.data.name == "ticket.reopened"] == [2, 3]


async def test_everyone_who_reported_the_same_is_asked_and_counted_once_in_each_round(world: Asked) -> None:
    parent = world.clock.new_id()
    await world.peer.say(parent, TicketReceived(**{**dict(RECEIPT), "reporter": "p-ma"}))
    first, second = await world.repeated(parent, "p-li"), await world.repeated(parent, "p-wu")
    everyone = (parent, first, second)
    for round_, said in ((1, (NO, NO, YES)), (2, (YES, PARTLY, YES))):
        await world.done(parent, round_)
        for ticket in everyone:
            await world.probe.until(partial(is_asked, ticket, round_))
        for ticket, answer in reversed(list(zip(everyone, said, strict=True))):
            taken = [await world.answers(ticket, given) for given in (answer, answer, {**answer, "satisfied": 2})]
            assert [one.status_code for one in taken] == [200, 200, 409]
            assert taken[0].json()["round"] == round_
    for ticket, outcome in ((parent, "solved"), (first, "linked"), (second, "linked")):
        (closed,) = await world.probe.named("ticket.closed", subject=ticket)
        assert closed.data.outcome == outcome
    (reopened,) = [e for e in world.probe.seen if e.data.name == "ticket.reopened"]
    assert UUID(reopened.subject) == parent
    assert await world.figures("solved", "partly") == {"solved": (3, 6), "partly": (1, 6)}
    (card,) = (await world.http.get("/feedback/v1/scorecards", params={"period": MONTH})).json()
    assert (card["unit"]["code"], card["counted"], card["solved"]) == (UNIT.code, 6, 0.5)


def is_asked(ticket: UUID, round_: int, seen: Sequence[Envelope[Any]]) -> bool:
    return any(
        event.data.name == "review.requested" and event.subject == str(ticket) and event.data.round == round_
        for event in seen
    )


async def test_partly_is_an_answer_on_the_page_by_token_and_by_phone_and_solves_nothing_and_reopens_nothing(
    world: Asked,
) -> None:
    tapped, told, phoned = await world.resolved("web"), await world.resolved("app"), await world.resolved("phone")
    assert (await world.citizen.post(world.link(tapped), data={"choice": "partly"})).status_code == 303
    assert (await world.answers(told, PARTLY, token=world.token(told))).status_code == 200
    task = (await world.http.post("/feedback/v1/callbacks/next")).json()
    assert task["callback"]["ticket_id"] == str(phoned)
    assert (await world.answers(phoned, PARTLY)).json()["by"] == "seat"
    for ticket in (tapped, told, phoned):
        (closed,) = await world.probe.named("ticket.closed", subject=ticket)
        assert (closed.data.outcome, closed.data.round) == ("partly", 1)
        (submitted,) = [e for e in world.probe.seen if e.subject == str(ticket) and e.data.name == "review.submitted"]
        assert (submitted.data.resolved, submitted.data.satisfied) == ("partly", 3)
    rates = await world.figures("solved", "partly", "satisfied", "responded")
    assert rates == {"solved": (0, 3), "partly": (3, 3), "satisfied": (0, 3), "responded": (3, 3)}
    world.clock.at = NEXT_MONTH
    assert (await world.http.post(f"/feedback/v1/scores/{MONTH}")).status_code == 200
    (score,) = (await world.http.get(f"/feedback/v1/scores/{MONTH}")).json()
    assert (score["counted"], score["solved"], score["satisfied"]) == (3, 0, 0)
