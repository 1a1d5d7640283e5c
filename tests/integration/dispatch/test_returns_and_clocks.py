"""Two units quarrel over one ticket for three rounds, and the citizen's clocks never know of it: dispatch and sla."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.security import KeyRing, Role
from services.dispatch.service import SERVICE as DISPATCH
from services.sla.service import SERVICE as SLA
from tests.support.orders import HEATING, RECEIVED
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

NOTE = "供热设施由小区自行管理，有合同为据"
A, B = "co-heating", "dept-housing"


class Quarrel:
    """One ticket of two units, their hands, and its clocks."""

    def __init__(self, http: httpx.AsyncClient, keys: KeyRing, peer: Peer, clock: ManualClock, probe: Probe) -> None:
        self.http, self.peer, self.clock, self.probe, self._keys = http, peer, clock, probe, keys
        self.ticket = clock.new_id()

    def key(self, role: Role, *units: str) -> dict[str, str]:
        """Return the header of a key of its own."""
        return {"Authorization": f"Bearer {self._keys.issue('-'.join((role, *units)), [role], units)}"}

    async def does(self, as_: dict[str, str], deed: str, **body: Any) -> httpx.Response:
        """Do something to the order, twenty minutes after what was done before."""
        self.clock.advance(minutes=20)
        return await self.http.post(f"/dispatch/v1/orders/{self.ticket}/{deed}", json=body, headers=as_)

    async def due(self) -> dict[str, str]:
        """Return when each clock is due, by sla, once it heard all that was said so far."""
        clocks = (await self.http.get(f"/sla/v1/tickets/{self.ticket}/clocks")).json()
        return {clock["clock"]: clock["due_at"] for clock in clocks if clock["round"] == 1}


@pytest.fixture
async def quarrel(postgres_server: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Quarrel]:
    clock, bus, tag = ManualClock(), MemoryBus(), uuid.uuid4().hex
    names = {service.name: f"{service.name}_{tag}" for service in (DISPATCH, SLA)}
    postgres_server.ensure_database(list(names.values()))
    settings = {name: settings_for(tmp_path, postgres_server.dsn(database)) for name, database in names.items()}
    async with (
        probing(bus, "jiesu.dispatch.v1", "jiesu.sla.v1") as probe,
        running(SLA, settings["sla"], bus, clock) as sla,
        running(DISPATCH, settings["dispatch"], bus, clock) as dispatch,
        client([dispatch, sla], (tmp_path / "key").read_text()) as http,
    ):
        yield Quarrel(http, KeyRing(settings["dispatch"].keys_file), Peer(bus, clock), clock, probe)
        await bus.close()


async def test_the_citizens_clock_never_moves_while_two_units_quarrel_for_three_rounds(quarrel: Quarrel) -> None:
    await quarrel.peer.say(quarrel.ticket, RECEIVED, HEATING)
    await quarrel.probe.named("ticket.dispatched", "clock.started", subject=quarrel.ticket)
    due = await quarrel.due()
    one, other, centre = quarrel.key("unit", A), quarrel.key("unit", B), quarrel.key("supervisor")
    claim = {"ground": "not_our_duty", "note": NOTE}

    assert (await quarrel.does(one, "return", **claim)).status_code == 200
    ruled = await quarrel.does(centre, "rule", upheld=True, unit=B, note="由物业主管部门督促")
    assert ruled.json()["unit"]["code"] == B
    assert (await quarrel.does(other, "return", **claim)).status_code == 200
    below = quarrel.key("supervisor", B)
    assert (await quarrel.does(below, "rule", upheld=False, note="仍由你单位办理")).status_code == 403
    final = await quarrel.does(centre, "rule", upheld=True, unit=A, note="合同写明由热力集团维护")
    assert final.json()["unit"]["code"] == A
    for ground in ("not_our_duty", "not_our_area", "unclear"):
        third = await quarrel.does(one, "return", ground=ground, note=NOTE)
        assert (third.status_code, "终局" in third.json()["detail"]) == (409, True)
    assert (await quarrel.does(other, "return", **claim)).status_code == 403

    assert (await quarrel.does(one, "accept")).status_code == 200
    await quarrel.does(one, "contact", method="phone")
    await quarrel.does(one, "resolve", reply="9月3日已更换换热站阀门，室温恢复到20度，有事请拨打96069。")
    met = await quarrel.probe.until(lambda seen: sum(event.data.name == "clock.met" for event in seen) == 2)
    assert {event.data.started_at for event in met if event.data.name.startswith("clock.")} == {NOON}
    assert await quarrel.due() == due
    bounces = (await quarrel.http.get("/dispatch/v1/bounces")).json()["items"]
    assert {(b["unit"]["code"], b["outcome"], b["against"], b["rule"]) for b in bounces} == {
        (A, "overturned", "unit", None), (B, "upheld", "person", "ruled"),
    }  # fmt: skip


async def test_neither_a_link_undone_nor_a_reassignment_nor_an_overdue_ruling_restarts_a_clock(
    quarrel: Quarrel,
) -> None:
    await quarrel.peer.say(quarrel.ticket, RECEIVED, HEATING)
    await quarrel.probe.named("ticket.dispatched", "clock.started", subject=quarrel.ticket)
    due = await quarrel.due()
    one, centre = quarrel.key("unit", A), quarrel.key("supervisor")
    await quarrel.does(one, "return", ground="not_our_duty", note=NOTE)
    quarrel.clock.advance(hours=5)
    await quarrel.probe.named("ticket.escalated")
    await quarrel.does(centre, "rule", upheld=False, note="属于你们")
    await quarrel.does(centre, "reassign", unit=B, note="由物业主管部门督促")
    await quarrel.probe.named("ticket.reassigned")
    await quarrel.does(quarrel.key("unit", B), "accept")
    await quarrel.probe.named("ticket.accepted")
    assert await quarrel.due() == due
