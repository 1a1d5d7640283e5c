"""dispatch at work on a real database, with appeals to route and rules to route them by."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from libs.common.contracts.classify import TicketClassified, TicketReclassified
from libs.common.contracts.intake import TicketReceived
from libs.common.contracts.vocabulary import Place, Receipt
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from libs.common.runtime.settings import Settings
from services.dispatch.service import SERVICE
from tests.support.stages import CITY, NOON, ManualClock, Peer, Probe, client, probing, running, settings_for
from tests.support.waiting import until

WANGJING = Place(
    district="110105", district_name="朝阳区", street="s-110105026", street_name="望京街道", confidence=0.9,
    matched=("花家地",),
)  # fmt: skip
BALIZHUANG = Place(
    district="110105", district_name="朝阳区", street="s-110105019", street_name="八里庄街道", confidence=0.9
)
JUDGED: dict[str, Any] = {
    "code": "heating-01-01", "category": ("供热采暖", "供热质量", "暖气不热"), "kind": "help", "urgency": "livelihood",
    "confidence": 0.9, "summary": "暖气不热", "owner_kind": "company", "owner": "co-heating", "place": WANGJING,
    "judged_by": "model", "model": "m", "catalogue": "c",
}  # fmt: skip
OWN = (CITY / "routing.toml").read_text(encoding="utf-8")
HEATING_TO_STREET = """[[rule]]
id = "heating"
category = ["供热采暖"]
lead = "street"
why.zh = "供热由{unit}先行上门"
why.en = "{unit} looks first"

"""
CHANGED = OWN.replace('[[rule]]\nid = "duty"', HEATING_TO_STREET + '[[rule]]\nid = "duty"')
"""Beijing's rules, by which heating goes to the street first."""


class Dispatching:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, key: str) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.here = stage.context
        self.peer = Peer(bus, clock)
        self.http = client([stage], key)
        self.numbers = 0

    def key(self, *roles: Role, units: tuple[str, ...] = ()) -> dict[str, str]:
        """Return the header of a key of its own."""
        ring = KeyRing(self.stage.context.settings.keys_file)
        return {"Authorization": f"Bearer {ring.issue('-'.join((*roles, *units)), roles, units)}"}

    async def judged(self, ticket: UUID | None = None, **judgement: Any) -> UUID:
        """Have a ticket received and judged, and return it."""
        ticket = ticket or self.clock.new_id()
        self.numbers += 1
        number = f"20260302-{self.numbers:07}"
        receipt = Receipt(number=number, channel="phone", text="家里暖气不热", received_at=NOON)
        event = TicketClassified.model_validate({**JUDGED, "receipt": receipt, **judgement})
        await self.peer.say(ticket, TicketReceived(**receipt.model_dump()), event)
        return ticket

    async def judged_again(self, ticket: UUID, **judgement: Any) -> None:
        """Have a ticket judged anew."""
        receipt = Receipt(number="20260302-0000001", channel="phone", text="家里暖气不热", received_at=NOON)
        more = {"receipt": receipt, "previous": "heating-01-01", "reason": "更正"}
        await self.peer.say(ticket, TicketReclassified.model_validate({**JUDGED, **more, **judgement}))

    async def get(self, path: str, **query: Any) -> Any:
        """Return what is there."""
        answer = await self.http.get(f"/dispatch/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None) -> Any:
        """Return the answer to a command that is followed."""
        answer = await self.http.post(f"/dispatch/v1/{path}", json=body or {})
        assert answer.is_success, answer.text
        return answer.json()

    async def bring(self, text: str, query: str = "") -> httpx.Response:
        """Import rules."""
        return await self.http.post(f"/dispatch/v1/rules{query}", files={"file": ("routing.toml", text.encode())})

    async def brought(self, text: str) -> str:
        """Import rules and return their version."""
        answer = await self.bring(text)
        assert answer.is_success, answer.text
        return str(answer.json()["rules"]["version"])

    async def looked(self, *loops: str) -> None:
        """Wake background work."""
        for name in loops:
            self.here.loops[name].wake()

    async def ended(self, path: str) -> Any:
        """Wait until a job is over, and return it."""
        return await until(lambda: self.get(path), lambda seen: seen["state"] != "waiting")

    async def deciding(self, version: str) -> None:
        """Wait until these rules are known to decide, now or later."""

        async def known() -> list[str]:
            self.here.loops["rules"].wake()
            return [name for _, name in self.here.engine.router.schedule.versions]

        await until(known, lambda names: version in names)

    async def in_force(self, version: str) -> None:
        """Put rules in force, and let the time pass until they decide."""
        await self.post(f"rules/{version}/activate", {"reason": "试行"})
        await self.deciding(version)
        self.clock.advance(seconds=6)


@asynccontextmanager
async def dispatching(
    dsn: str, home: Path, clock: ManualClock | None = None, city: Path = CITY
) -> AsyncIterator[Dispatching]:
    """Run dispatch until the block ends."""
    clock, bus = clock or ManualClock(), MemoryBus()
    settings: Settings = replace(settings_for(home, dsn), classify_url="http://127.0.0.1:9", city=city)
    async with probing(bus, "jiesu.dispatch.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        world = Dispatching(stage, bus, clock, probe, (home / "key").read_text())
        async with world.http:
            yield world
        # What a test did not look at must not hold up the relay, which waits until its readers have all of it.
        await bus.close()
