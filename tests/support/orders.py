"""dispatch on a real database: a ticket's events come in, its order is worked on over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from libs.common.contracts.classify import TicketClassified, TicketReclassified
from libs.common.contracts.intake import TicketReceived
from libs.common.contracts.vocabulary import Place, Receipt
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.dispatch.service import SERVICE
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

RECEIPT = Receipt(
    number="20260302-0000001", channel="phone", text="家里暖气不热", access_needs=("elderly",), received_at=NOON
)
WANGJING = Place(
    district="110105", district_name="朝阳区", street="s-110105026", street_name="望京街道", confidence=0.9
)
JUDGED = {
    "receipt": RECEIPT, "code": "heating-01-01", "category": ("供热采暖", "供热质量", "暖气不热"), "kind": "help",
    "urgency": "livelihood", "confidence": 0.9, "summary": "暖气不热", "owner_kind": "company", "owner": "co-heating",
    "co_handlers": ("dept-urban-management",), "place": WANGJING, "judged_by": "model", "model": "m", "catalogue": "c",
}  # fmt: skip
RECEIVED = TicketReceived(**RECEIPT.model_dump())
HEATING = TicketClassified.model_validate(JUDGED)
NO_PLACE = HEATING.model_copy(update={"owner_kind": "street", "owner": None, "place": None})
STREET = TicketReclassified.model_validate(
    JUDGED | {"owner_kind": "street", "owner": None, "previous": "heating-01-01", "reason": "小区自管锅炉"}
)


class World:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, key: str) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.peer = Peer(bus, clock)
        self.http = client([stage], key)
        self.ticket = clock.new_id()

    def key(self, *roles: Role, units: tuple[str, ...] = ()) -> dict[str, str]:
        """Return the header of a key of its own."""
        ring = KeyRing(self.stage.context.settings.keys_file)
        return {"Authorization": f"Bearer {ring.issue('-'.join((*roles, *units)), roles, units)}"}

    async def do(self, command: str, body: object = None, as_: dict[str, str] | None = None) -> httpx.Response:
        """Give a command on the ticket's order, with every role unless told otherwise."""
        path = f"/dispatch/v1/orders/{self.ticket}/{command}"
        return await self.http.post(path, json={} if body is None else body, headers=as_ or {})

    async def see(self, path: str = "", as_: dict[str, str] | None = None, **query: Any) -> httpx.Response:
        """Look at the ticket's order, or at what is under it."""
        url = f"/dispatch/v1/orders/{self.ticket}{path}"
        return await self.http.get(url, params=query, headers=as_ or {})

    async def route(self, **asked: object) -> httpx.Response:
        """Try a route."""
        return await self.http.post("/dispatch/v1/routes", json=asked)


@asynccontextmanager
async def orders_world(dsn: str, home: Path) -> AsyncIterator[World]:
    """Run dispatch until the block ends."""
    clock, bus = ManualClock(), MemoryBus()
    settings = replace(settings_for(home, dsn), classify_url="http://127.0.0.1:9")
    async with probing(bus, "jiesu.dispatch.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        world = World(stage, bus, clock, probe, (home / "key").read_text())
        async with world.http:
            yield world
        # What a test did not look at must not hold up the relay, which waits until its readers have all of it.
        await bus.close()
