"""intake with a gateway for short messages, citizens at its pages, and the other stages played by the test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from libs.common.contracts.classify import TicketClassified
from libs.common.contracts.dispatch import TicketDispatched, TicketResolved
from libs.common.contracts.envelope import Event
from libs.common.contracts.feedback import ReviewRequested, TicketClosed
from libs.common.contracts.vocabulary import Receipt, UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from services.intake.service import SERVICE
from tests.support.gateway import Gateway, running_gateway
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

UNIT = UnitRef(code="dept-urban", name="市城市管理委员会")
LAMP = ("市政设施", "照明", "路灯不亮")
PRIVATE = ("劳动社保", "工资", "拖欠工资")
DISPATCHED = TicketDispatched(unit=UNIT, rule="duty", why=("w",), round=1, at=NOON)
RESOLVED = TicketResolved(unit=UNIT, reply="已修好", round=1, at=NOON, contacted=True)
ASKED = ReviewRequested(method="link", round=1, at=NOON, until=NOON + timedelta(days=7))
CLOSED = TicketClosed(outcome="solved", round=1, at=NOON)
PHONE = "13800138000"


def classified(category: tuple[str, str, str] = LAMP) -> TicketClassified:
    """Return what classify says of an appeal about this."""
    receipt = Receipt(number="20260302-0000001", channel="web", text="t", received_at=NOON)
    return TicketClassified(
        receipt=receipt, code="facil-02-01", category=category, kind="report", urgency="general", confidence=0.9,
        summary="s", owner_kind="department", judged_by="model", model="m", catalogue="c",
    )  # fmt: skip


class CitizensWorld:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, peer: Peer, probe: Probe, clock: ManualClock, gateway: Gateway, key: str) -> None:
        self.stage, self.peer, self.probe, self.clock, self.gateway = stage, peer, probe, clock, gateway
        self.http = client([stage], key)
        self.browser = client([stage])

    async def received(self, phone: str | None = PHONE, **changes: Any) -> dict[str, Any]:
        """Post an appeal and wait until it was screened."""
        reporter = {"phone": phone} if phone else {}
        body = {"channel": "web", "text": "路灯不亮", "reporter": reporter} | changes
        answer: dict[str, Any] = (await self.http.post("/intake/v1/tickets", json=body)).json()
        await self.probe.named("ticket.snapshot", subject=UUID(answer["ticket_id"]))
        return answer

    async def public(self, **changes: Any) -> dict[str, Any]:
        """Have an appeal about a street lamp, which everybody may see."""
        ticket = await self.received(**{"address": "朝阳区望京街道花家地北里"} | changes)
        await self.say(ticket, classified())
        return ticket

    async def say(self, ticket: dict[str, Any], *events: Event) -> None:
        """Let other stages say something of a ticket."""
        await self.peer.say(ticket["ticket_id"], *events)

    async def told(self, count: int) -> list[tuple[str, str]]:
        """Wait for so many short messages, and return where each went and what it says."""
        while len(self.gateway.posted) < count:
            self.gateway.reached.clear()
            self.stage.context.loops["courier"].wake()
            await self.gateway.reached.wait()
        return [(posted.body["to"], posted.body["text"]) for posted in self.gateway.posted]

    async def messages(self, ticket: dict[str, Any]) -> dict[str, Any]:
        """Return what a seat sees of the messages of a ticket."""
        answer = await self.http.get(f"/intake/v1/tickets/{ticket['ticket_id']}/messages")
        shown: dict[str, Any] = answer.json()
        return shown

    async def support(self, ticket: dict[str, Any], **command: Any) -> httpx.Response:
        """Stand behind a ticket, through an adapter."""
        return await self.http.post(f"/intake/v1/tickets/{ticket['ticket_id']}/support", json=command)

    async def does(self, ticket: dict[str, Any], deed: str, **body: Any) -> None:
        """Do something to a ticket as a seat, a second later."""
        self.clock.advance(seconds=1)
        answer = await self.http.post(f"/intake/v1/tickets/{ticket['ticket_id']}/{deed}", json=body)
        assert answer.status_code == 200, answer.text

    async def joined(self, child: dict[str, Any], to: dict[str, Any]) -> None:
        """Link one ticket to another as a seat, and wait until all that follow it are there."""
        await self.does(child, "link", to=to["ticket_id"], reason="同一盏灯")
        await self.settled()

    async def settled(self) -> None:
        """Wait until whoever must move has moved, and whoever is to be told will be."""
        while await self.kept("SELECT FROM timers WHERE kind IN ('children', 'news')"):
            await asyncio.sleep(0)

    async def supports(self, ticket: dict[str, Any]) -> int:
        """Return how many stand behind a ticket, as it is stored."""
        (row,) = await self.kept("SELECT support FROM tickets WHERE ticket_id = $1", UUID(ticket["ticket_id"]))
        return int(row["support"])

    async def kept(self, query: str, *values: object) -> list[Any]:
        """Return what the database answers."""
        rows: list[Any] = await self.stage.context.database.pool.fetch(query, *values)
        return rows


@asynccontextmanager
async def citizens_world(dsn: str, home: Path, **changes: Any) -> AsyncIterator[CitizensWorld]:
    """Run intake with a gateway until the block ends; `changes` are settings."""
    bus, clock = MemoryBus(), ManualClock()
    topics = ("jiesu.intake.v1", "jiesu.tickets.v1")
    async with running_gateway() as gateway, probing(bus, *topics) as probe:
        gateways = {"sms_gateway": f"http://127.0.0.1:{gateway.port}/send"} | changes
        async with running(SERVICE, replace(settings_for(home, dsn), **gateways), bus, clock) as stage:
            key = (home / "key").read_text()
            yield CitizensWorld(stage, Peer(bus, clock), probe, clock, gateway, key)
