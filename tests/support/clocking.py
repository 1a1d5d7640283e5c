"""sla on a real database, with keys of any kind and the other stages played by the test."""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from libs.common.city.policies import FILE
from libs.common.contracts.classify import TicketClassified, TicketReclassified
from libs.common.contracts.dispatch import TicketDispatched
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.intake import TicketReceived
from libs.common.contracts.vocabulary import Receipt, UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.sla.handlers import Here
from services.sla.service import SERVICE
from tests.support.stages import CITY, NOON, ManualClock, Peer, Probe, client, probing, running, settings_for
from tests.support.waiting import until

WATER, ROADS = (UnitRef(code=f"s-110101{n:03}", name=str(n)) for n in (1, 2))
"""Two streets of one district."""
DISTRICT, ELSEWHERE = "d-110101", "d-110102"
JUDGED = {
    "code": "heating-01-01", "category": ("供热采暖", "供热不足", "暖气不热"), "kind": "help", "urgency": "general",
    "confidence": 0.9, "summary": "s", "owner_kind": "company", "judged_by": "model", "model": "m", "catalogue": "c",
}  # fmt: skip


class Clocking:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, key: str) -> None:
        self.stage, self.bus, self.clock, self.probe = stage, bus, clock, probe
        self.peer = Peer(bus, clock)
        self.http = client([stage], key)
        self._ring = KeyRing(stage.context.settings.keys_file)
        self._numbers = 0

    @property
    def here(self) -> Here:
        """What the handlers find around them."""
        return self.stage.context

    def key(self, role: Role, *units: str) -> dict[str, str]:
        """Return the header of a key of this role, for these units."""
        return {"Authorization": f"Bearer {self._ring.issue('-'.join((role, *units)), [role], units)}"}

    def receipt(self, **more: Any) -> Receipt:
        """Return the receipt of an appeal that comes now."""
        self._numbers += 1
        said = {"number": f"20260302-{self._numbers:07}", "channel": "phone", "text": "t", "received_at": self.clock.at}
        return Receipt.model_validate({**said, **more})

    async def ticket(self, unit: UnitRef | None = WATER, urgency: str = "general", **receipt: Any) -> UUID:
        """Have a ticket received, judged and handed over, and return it."""
        ticket, said = self.clock.new_id(), self.receipt(**receipt)
        judged = TicketClassified.model_validate({**JUDGED, "receipt": said, "urgency": urgency})
        order = TicketDispatched(unit=unit or WATER, rule="r", why=("w",), round=1, at=self.clock.at)
        await self.peer.say(ticket, TicketReceived(**said.model_dump()), judged, *([order] if unit else []))
        return ticket

    async def judged_again(self, ticket: UUID, urgency: str) -> None:
        """Have a ticket judged anew."""
        more = {"receipt": self.receipt(), "urgency": urgency, "previous": "heating-01-01", "reason": "更正"}
        await self.peer.say(ticket, TicketReclassified.model_validate({**JUDGED, **more}))

    async def get(self, path: str, **query: Any) -> Any:
        """Return what is there."""
        answer = await self.http.get(f"/sla/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, as_: dict[str, str] | None = None, /, **body: Any) -> Any:
        """Return the answer to a command that is followed."""
        answer = await self.http.post(f"/sla/v1/{path}", json=body, headers=as_)
        assert answer.is_success, answer.text
        return answer.json()

    async def refused(self, path: str, as_: dict[str, str] | None = None, /, **body: Any) -> int:
        """Return how a command is refused."""
        answer = await self.http.post(f"/sla/v1/{path}", json=body, headers=as_)
        assert answer.is_client_error, answer.text
        return answer.status_code

    async def clocks(self, ticket: UUID, round_: int = 1) -> dict[str, Any]:
        """Return the clocks of one round by name."""
        return {c["clock"]: c for c in await self.get(f"tickets/{ticket}/clocks") if c["round"] == round_}

    async def due(self, ticket: UUID, name: str = "completion") -> timedelta:
        """Return how long after noon of the first day a clock is due."""
        return datetime.fromisoformat((await self.clocks(ticket))[name]["due_at"]) - NOON

    async def told(self, name: str, count: int = 1, *, of: UUID | None = None, **fields: Any) -> list[Any]:
        """Wait until so many events of a name and with these fields were told, of one ticket or any; return them."""
        found: list[Any] = []

        def enough(seen: Sequence[Envelope[Any]]) -> bool:
            mine = [e.data for e in seen if e.data.name == name and of in {None, e.ticket}]
            found[:] = [data for data in mine if all(getattr(data, key) == value for key, value in fields.items())]
            return len(found) >= count

        await self.probe.until(enough)
        return found

    async def brought(self, text: str) -> str:
        """Import policies and return their version."""
        answer = await self.http.post("/sla/v1/policies", files={"file": (FILE, text.encode())})
        assert answer.is_success, answer.text
        return str(answer.json()["policies"]["version"])

    async def judging(self, version: str) -> None:
        """Wait until these policies are known to judge, now or later."""

        async def known() -> list[str]:
            self.here.loops["policies"].wake()
            return [policy.version for policy in self.here.engine.book.policies]

        await until(known, lambda names: version in names)


@asynccontextmanager
async def clocking(
    dsn: str, home: Path, policies: str | None = None, clock: ManualClock | None = None
) -> AsyncIterator[Clocking]:
    """Run sla until the block ends, with policies of its own if there are any."""
    clock, bus, settings = clock or ManualClock(), MemoryBus(), settings_for(home, dsn)
    if policies is not None:
        pack = home / "city"
        shutil.copytree(CITY, pack)
        (pack / FILE).write_text(policies)
        settings = replace(settings, city=pack)
    async with probing(bus, "jiesu.sla.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        world = Clocking(stage, bus, clock, probe, (home / "key").read_text())
        async with world.http:
            yield world
        # What a test did not look at must not hold up the relay, which waits until its readers have all of it.
        await bus.close()
