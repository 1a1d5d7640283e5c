"""Closed is not solved: after the third no nobody works on it, and it stays under supervision: feedback and sla."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.contracts.dispatch import TicketDispatched, TicketResolved
from libs.common.contracts.intake import TicketReceived
from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.memory import MemoryBus
from services.feedback.service import SERVICE as FEEDBACK
from services.sla.service import SERVICE as SLA
from tests.support.desk import RECEIPT, UNIT
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

NO, YES = {"resolved": "no", "satisfied": 1}, {"resolved": "yes", "satisfied": 5}


class Matter:
    """One ticket that feedback and sla follow, and what dispatch says of it."""

    def __init__(self, http: httpx.AsyncClient, peer: Peer, clock: ManualClock, probe: Probe) -> None:
        self.http, self.peer, self.clock, self.probe = http, peer, clock, probe
        self.ticket = clock.new_id()

    async def received(self) -> None:
        """Have a unit lead the order."""
        led = TicketDispatched(unit=UNIT, rule="r", why=("w",), round=1, at=NOON)
        await self.peer.say(self.ticket, TicketReceived(**dict(RECEIPT)), led)

    async def judged(self, round_: int, said: dict[str, Any]) -> None:
        """Have the unit say that it is done, and the citizen what they think."""
        self.clock.advance(hours=1)
        done = TicketResolved(unit=UNIT, reply="已修好", round=round_, at=self.clock.at, contacted=True)
        await self.peer.say(self.ticket, done)
        answer = await self.http.post(f"/feedback/v1/tickets/{self.ticket}/review", json=said)
        assert answer.status_code == 200, answer.text

    async def case(self) -> dict[str, Any]:
        """Return the case of supervision as sla has it now."""
        case: dict[str, Any] = (await self.http.get(f"/sla/v1/supervision/{self.ticket}")).json()["items"][0]
        return case


@pytest.fixture
async def matter(postgres_server: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Matter]:
    clock, bus, tag = ManualClock(), MemoryBus(), uuid.uuid4().hex
    names = {service.name: f"{service.name}_{tag}" for service in (FEEDBACK, SLA)}
    postgres_server.ensure_database(list(names.values()))
    settings = {name: settings_for(tmp_path, postgres_server.dsn(database)) for name, database in names.items()}
    async with (
        probing(bus, "jiesu.feedback.v1", "jiesu.sla.v1") as probe,
        running(SLA, settings["sla"], bus, clock) as sla,
        running(FEEDBACK, settings["feedback"], bus, clock) as feedback,
        client([feedback, sla], (tmp_path / "key").read_text()) as http,
    ):
        yield Matter(http, Peer(bus, clock), clock, probe)
        await bus.close()


async def test_two_times_it_goes_back_to_the_lead_then_it_is_supervised_and_stays_so_when_it_closes_unsolved(
    matter: Matter,
) -> None:
    await matter.received()
    for round_ in (1, 2):
        await matter.judged(round_, NO)
    (opened,) = await matter.probe.named("supervision.opened", subject=matter.ticket)
    assert (opened.data.ground, opened.data.level, opened.data.unit) == ("reopened", 2, UNIT)
    await matter.judged(3, NO)
    (closed,) = await matter.probe.named("ticket.closed", subject=matter.ticket)
    assert (closed.data.outcome, closed.data.round) == ("unsolved", 3)
    reopened = [e.data.round for e in matter.probe.seen if e.data.name == "ticket.reopened"]
    assert reopened == [2, 3]
    # sla hears of the closing when the probe does: the case is read until it was followed.
    while len((case := await matter.case())["grounds"]) < 2:
        await asyncio.sleep(0)
    assert case["state"] == "open"
    assert [(ground["code"], ground["over_at"] is None) for ground in case["grounds"]] == [
        ("reopened", False), ("reopened", True),
    ]  # fmt: skip


async def test_a_yes_at_the_third_time_ends_the_supervision(matter: Matter) -> None:
    await matter.received()
    for round_, said in ((1, NO), (2, NO), (3, YES)):
        await matter.judged(round_, said)
    (ended,) = await matter.probe.named("supervision.closed", subject=matter.ticket)
    assert ended.data.outcome == "done"
