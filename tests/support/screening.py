"""intake with several people at it: who flags, who rules, who rules again, a unit, and the citizen by the code."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from libs.common.contracts.dispatch import TicketDispatched
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.intake.domain import Ticket
from services.intake.service import SERVICE
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

UNIT = UnitRef(code="dept-water", name="市水务局")


def screened(**changes: Any) -> Ticket:
    """Return a ticket after screening."""
    values: dict[str, Any] = {
        "ticket_id": UUID(int=1), "number": "1", "client": "c", "channel": "web", "kind": None, "title": None,
        "text": "路灯不亮", "reporter": "p_1", "reporter_type": "person", "anonymous": False, "address": None,
        "lat": None, "lon": None, "occurred_at": None, "received_at": NOON, "access_needs": (), "language": "zh",
    }  # fmt: skip
    return Ticket(**(values | changes))


class ScreeningWorld:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, home: Path) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.peer = Peer(bus, clock)
        self.http = client([stage], (home / "key").read_text())
        self._keys = KeyRing(home / "keys.json")

    def holder(self, name: str, *roles: Role, units: Iterable[str] = ()) -> httpx.AsyncClient:
        """Return a client with a key of these roles."""
        return client([self.stage], self._keys.issue(name, roles, units))

    async def received(self, **changes: Any) -> dict[str, Any]:
        """Post an appeal and wait until it was screened."""
        body = {"channel": "phone", "text": "路灯不亮"} | changes
        answer: dict[str, Any] = (await self.http.post("/intake/v1/tickets", json=body)).json()
        await self.probe.named("ticket.snapshot", subject=UUID(answer["ticket_id"]))
        return answer

    async def led(self, **changes: Any) -> dict[str, Any]:
        """Post an appeal and have it dispatched to UNIT."""
        answer = await self.received(**changes)
        dispatched = TicketDispatched(unit=UNIT, rule="duty", why=("w",), round=1, at=NOON)
        await self.peer.say(answer["ticket_id"], dispatched)
        return answer

    async def ask(self, who: httpx.AsyncClient, ticket: dict[str, Any], command: str, **body: Any) -> httpx.Response:
        """Give a command on a ticket, a second later."""
        self.clock.advance(seconds=1)
        return await who.post(f"/intake/v1/tickets/{ticket['ticket_id']}/{command}", json=body)

    async def seen(self, ticket: dict[str, Any], language: str = "zh") -> dict[str, Any]:
        """Return the ticket as the citizen sees it."""
        path = f"/intake/v1/tickets/{ticket['ticket_id']}?code={ticket['query_code']}"
        shown: dict[str, Any] = (await self.http.get(path, headers={"Accept-Language": language})).json()
        return shown

    def told(self, ticket: dict[str, Any], *names: str) -> list[Any]:
        """Return what was emitted of a ticket so far, in order."""
        return [e.data for e in self.probe.seen if e.subject == ticket["ticket_id"] and e.data.name in names]


@asynccontextmanager
async def screening_world(dsn: str, home: Path) -> AsyncIterator[ScreeningWorld]:
    """Run intake until the block ends."""
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(home, dsn)
    async with (
        probing(bus, "jiesu.intake.v1", "jiesu.tickets.v1") as probe,
        running(SERVICE, settings, bus, clock) as stage,
    ):
        world = ScreeningWorld(stage, bus, clock, probe, home)
        async with world.http:
            yield world
