"""Intake with a registered Open311 client, and the peers the test plays."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from libs.common.contracts.classify import TicketClassified
from libs.common.contracts.vocabulary import Receipt, UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from services.intake.service import SERVICE
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

V2, TEST = "/intake/open311/v2", "/intake/open311/test/v2"
LAMPS = ("市政设施", "照明", "路灯不亮")
PRIVATE = ("劳动社保", "工资与报酬", "企业拖欠工资")
UNIT = UnitRef(code="dept-urban-management", name="北京市城市管理委员会")
LAMP = {
    "service_code": "facil-03",
    "lat": "39.9955",
    "long": "116.4703",
    "description": "望京西路第三根灯杆不亮，我电话13800138000",
    "attribute[lamp]": "WJ-0313",
    "attribute[fault]": "out",
    "email": "lin.wang@example.org",
    "first_name": "琳",
    "last_name": "王",
}


class Open311World:
    """The service under test, its registered client, and the peers the test plays."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.peer = Peer(bus, clock)
        self.http = client([stage])
        self.keys = stage.context.keys
        self.key = self.keys.issue("fixmystreet", ["adapter"])

    async def post(self, base: str = V2, **changes: str) -> httpx.Response:
        """Send a request about a street lamp, with changes; an empty one leaves an argument out."""
        return await self.http.post(f"{base}/requests.json", data={"api_key": self.key, **LAMP, **changes})

    async def sent(self, **changes: str) -> tuple[str, UUID]:
        """Send one and return its number and its ticket, once it was screened."""
        number = (await self.post(**changes)).json()[0]["service_request_id"]
        return number, await self.ticket(number)

    async def posted(self, **changes: Any) -> tuple[str, UUID]:
        """Have an appeal come by telephone; likewise."""
        key = self.keys.issue("seat", ["adapter"])
        body = {"channel": "phone", "text": "公交站台的遮雨棚漏水", "address": "望京西路10号楼2单元501室"} | changes
        answer = await self.http.post("/intake/v1/tickets", json=body, headers={"Authorization": f"Bearer {key}"})
        number = answer.json()["number"]
        return number, await self.ticket(number)

    async def ticket(self, number: str) -> UUID:
        """Return the ticket of a number, once it was screened."""

        def named(seen: Any) -> list[UUID]:
            return [event.ticket for event in seen if getattr(event.data, "number", None) == number]

        return named(await self.probe.until(named))[0]

    async def get(self, path: str, **arguments: str) -> httpx.Response:
        """Read something of the production endpoint."""
        return await self.http.get(f"{V2}/{path}", params=arguments)

    async def listed(self, **arguments: str) -> list[str]:
        """Return the numbers that a query gives."""
        answer = await self.get("requests.json", **arguments)
        assert answer.status_code == 200, answer.text
        return [request["service_request_id"] for request in answer.json()]

    async def classify(self, ticket_id: UUID, category: tuple[str, str, str] = LAMPS) -> None:
        """Play classify."""
        receipt = Receipt(number="n", channel="open311", text="t", received_at=NOON)
        judged = TicketClassified(
            receipt=receipt, code="facil-03-01", category=category, kind="report", urgency="general", confidence=0.9,
            summary="s", owner_kind="department", judged_by="model", model="m", catalogue="c",
        )  # fmt: skip
        await self.peer.say(ticket_id, judged)


@asynccontextmanager
async def open311_world(database: str, home: Path) -> AsyncIterator[Open311World]:
    """Run intake until the block ends."""
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(home, database)
    topics = ("jiesu.intake.v1", "jiesu.tickets.v1")
    async with probing(bus, *topics) as probe, running(SERVICE, settings, bus, clock) as stage:
        world = Open311World(stage, bus, clock, probe)
        async with world.http:
            yield world
