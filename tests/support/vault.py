"""intake with keys of several roles, whose vault a test rotates, opens, audits and erases by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from libs.common.contracts.dispatch import TicketAssisted, TicketDispatched
from libs.common.contracts.feedback import TicketClosed
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.privacy import Secrets
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.intake.service import SERVICE
from tests.support.stages import ManualClock, Peer, Probe, client, probing, running, settings_for

LEAD, HELPER, OTHER = "dept-water", "street-a", "dept-power"
PHONE = "13800138000"
PERSON = {"type": "person", "name": "欧阳婷", "phone": PHONE}
FULL = {
    "text": f"我叫欧阳婷，电话{PHONE}，家里停水两天了",
    "reporter": PERSON,
    "address": "望京街道花家地小区3号楼2单元501室",
}


class VaultWorld:
    """The service under test, keys of several roles, and the peers it hears of."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, home: Path) -> None:
        self.stage, self.clock, self.probe, self.home = stage, clock, probe, home
        self.here, self.pool = stage.context, stage.context.database.pool
        self.peer = Peer(bus, clock)
        self.http = client([stage], (home / "key").read_text())

    async def received(self, **changes: Any) -> dict[str, Any]:
        """Post an appeal and wait until it was screened."""
        self.clock.advance(seconds=1)  # so that tickets are in the order of their ids
        answer = (await self.http.post("/intake/v1/tickets", json={"channel": "web", **FULL, **changes})).json()
        await self.probe.named("ticket.snapshot", subject=UUID(answer["ticket_id"]))
        return dict(answer)

    async def led(self, **changes: Any) -> str:
        """Post an appeal whose order is with a lead, and a part of it with a helper, and return its id."""
        ticket: str = (await self.received(**changes))["ticket_id"]
        units = [UnitRef(code=code, name=code) for code in (LEAD, HELPER)]
        await self.peer.say(
            ticket,
            TicketDispatched(
                unit=units[0], co_handlers=(units[1],), rule="duty", why=("w",), round=1, at=self.clock.now()
            ),
            TicketAssisted(
                task_id=self.clock.new_id(),
                role="co_handler",
                unit=units[1],
                state="accepted",
                helpers=(HELPER,),
                round=1,
                at=self.clock.now(),
                due_at=self.clock.now(),
            ),
        )
        return ticket

    def holder(self, role: Role, *units: str) -> httpx.AsyncClient:
        """Return a client of one role."""
        name = f"{role} {' '.join(units)}".strip()
        return client([self.stage], KeyRing(self.home / "keys.json").issue(name, [role], units))

    async def open(self, ticket: str, by: httpx.AsyncClient, purpose: str = "handling", **more: Any) -> httpx.Response:
        """Ask for the contact of a ticket."""
        return await by.post(f"/intake/v1/tickets/{ticket}/contact", json={"purpose": purpose, **more})

    def rotate(self) -> Secrets:
        """Rotate the masters as the command does."""
        return Secrets.change(self.home / "secret", Secrets.rotate)

    async def wrapped_by(self) -> set[int]:
        """Return the numbers of the masters that wrap any key."""
        return {row["key"][0] for row in await self.pool.fetch("SELECT key FROM vault_keys")}

    async def closed(self, ticket: str) -> None:
        """Have a ticket closed now."""
        await self.peer.say(ticket, TicketClosed(outcome="solved", round=1, at=self.clock.now()))


JOBS = ("vault", "retention", "audit")


@asynccontextmanager
async def vault_world(dsn: str, home: Path) -> AsyncIterator[VaultWorld]:
    """Run intake without the jobs of its vault, which a test does by hand."""
    clock, bus = ManualClock(), MemoryBus()
    async with (
        probing(bus, "jiesu.intake.v1", "jiesu.tickets.v1") as probe,
        running(SERVICE, settings_for(home, dsn), bus, clock) as stage,
    ):
        for loop in stage.loops:
            if loop.name in JOBS:
                loop.stop()
        await stage.finish(JOBS)
        world = VaultWorld(stage, bus, clock, probe, home)
        async with world.http:
            yield world
