"""Grassroots register what they handle themselves 基层直办, and nobody registers for another unit."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.common.contracts.dispatch import TicketAssisted, TicketContacted, TicketDispatched
from libs.common.contracts.vocabulary import UnitRef
from tests.support.files import FilesWorld, files_world
from tests.support.stages import NOON

STREET, OTHER = "s-110105026", "s-110105019"
MET = {"channel": "walk_in", "text": "花家地小区门口堆了装修垃圾，巡查时发现", "address": "望京街道花家地小区"}


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[FilesWorld]:
    async with files_world(fresh_database, tmp_path) as world:
        yield world


async def post(http: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    return await http.post("/intake/v1/tickets", json=MET | changes)


async def test_a_street_registers_what_it_handles_itself_and_every_later_stage_hears_of_it(world: FilesWorld) -> None:
    street = world.as_("street", "unit", units=(STREET,))
    answer = await post(street, handled_by=STREET)
    assert answer.status_code == 202, answer.text
    (told,) = await world.probe.named("ticket.received", subject=UUID(answer.json()["ticket_id"]))
    assert (told.data.handled_by, told.data.channel) == (STREET, "walk_in")
    plain = await post(world.http, channel="web", text="家里没水")
    (told,) = await world.probe.named("ticket.received", subject=UUID(plain.json()["ticket_id"]))
    assert told.data.handled_by is None


async def test_nobody_registers_for_another_unit_or_by_another_way(world: FilesWorld) -> None:
    street, company = world.as_("street", "unit", units=(STREET,)), world.as_("company", "unit", units=("co-water",))
    tried = {
        "for another unit": (street, {"handled_by": OTHER}, 403),
        "for none": (street, {}, 403),
        "by another channel": (street, {"handled_by": STREET, "channel": "web"}, 422),
        "a company": (company, {"handled_by": "co-water"}, 422),
        "a seat": (world.as_("seat", "seat"), {"handled_by": STREET}, 403),
        "a supervisor": (world.as_("supervisor", "supervisor"), {"handled_by": STREET}, 403),
        "an adapter": (world.as_("adapter", "adapter"), {"handled_by": STREET}, 403),
        "an analyst": (world.as_("analyst", "analyst"), {"handled_by": STREET}, 403),
        "what is no unit": (world.http, {"handled_by": "s-of-magic"}, 422),
    }
    found = {name: (await post(http, **changes)).status_code for name, (http, changes, _) in tried.items()}
    assert found == {name: status for name, (_, _, status) in tried.items()}
    assert await world.rows("SELECT count(*) FROM vault") == [(0,)]


async def test_a_unit_that_is_named_opens_the_contact_only_once_it_took_its_part_on(world: FilesWorld) -> None:
    lead, helper = UnitRef(code=STREET, name="望京街道"), UnitRef(code="dept-water", name="市水务局")
    ticket = (await post(world.http, channel="web", reporter={"phone": "13800138000"})).json()["ticket_id"]
    await world.probe.named("ticket.snapshot", subject=UUID(ticket))
    dispatched = TicketDispatched(unit=lead, co_handlers=(helper,), rule="street", why=("w",), round=1, at=NOON)
    await world.peer.say(ticket, dispatched)

    async def opens(*units: str) -> int:
        http = world.as_(f"unit {units}", "unit", units=units)
        return (await http.post(f"/intake/v1/tickets/{ticket}/contact", json={"purpose": "handling"})).status_code

    assert [await opens(STREET), await opens("dept-water"), await opens(OTHER)] == [200, 403, 403]
    taken = TicketAssisted(
        task_id=UUID(int=1), role="co_handler", unit=helper, state="accepted", helpers=("dept-water",),
        round=1, at=NOON, due_at=NOON,
    )  # fmt: skip
    await world.peer.say(ticket, taken)
    assert [await opens("dept-water"), await opens(OTHER)] == [200, 403]
    await world.peer.say(ticket, dispatched.model_copy(update={"round": 2}))
    assert await opens("dept-water") == 403
    kept = await world.rows("SELECT by, outcome FROM audit WHERE outcome = 'not_leading'")
    assert len(kept) == 4


async def test_the_citizen_reads_that_the_unit_did_not_reach_them(world: FilesWorld) -> None:
    answer = (await post(world.http, channel="web")).json()
    ticket = answer["ticket_id"]
    await world.probe.named("ticket.snapshot", subject=UUID(ticket))
    missed = TicketContacted(
        unit=UnitRef(code=STREET, name="望京街道"), method="phone", round=1, at=NOON, first_at=NOON, reached=False
    )
    await world.peer.say(ticket, missed)
    seen = (await world.public.get(f"/intake/v1/tickets/{ticket}", params={"code": answer["query_code"]})).json()
    assert seen["timeline"][-1]["text"] == "望京街道尝试与您联系，未能联系上。"
