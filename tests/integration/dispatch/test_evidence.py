"""Files of units on an order: cleaned, sealed, shown to who sees the order, gone with the ticket's words."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from libs.common.contracts.intake import TicketErased
from services.dispatch import handlers
from tests.support import attached
from tests.support.orders import HEATING, RECEIVED, STREET, World, orders_world
from tests.support.stages import NOON


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with orders_world(fresh_database, tmp_path) as world:
        yield world


async def add(world: World, content: bytes, as_: dict[str, str] | None = None, shows: str = "after") -> httpx.Response:
    path = f"/dispatch/v1/orders/{world.ticket}/files"
    return await world.http.post(path, content=content, params={"shows": shows}, headers=as_ or {})


def stored(tmp_path: Path) -> list[bytes]:
    return [path.read_bytes() for path in (tmp_path / "files").rglob("*") if path.is_file()]


async def test_a_picture_is_kept_sealed_and_served_to_who_sees_the_order(world: World, tmp_path: Path) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    lead, other = world.key("unit", units=("co-heating",)), world.key("unit", units=("co-water",))
    kept = await add(world, attached.picture("JPEG"), lead)
    file = kept.json()
    assert (kept.status_code, file["kind"], file["shows"], file["unit_code"]) == (201, "picture", "after", "co-heating")
    assert (await add(world, attached.picture("JPEG"), lead)).json()["file_id"] == file["file_id"]
    listed = (await world.see("/files", lead)).json()["items"]
    assert [one["digest"] for one in listed] == [file["digest"]]
    served = await world.see(f"/files/{file['file_id']}", lead)
    assert (served.status_code, served.headers["x-content-type-options"]) == (200, "nosniff")
    assert served.headers["content-disposition"].startswith("attachment")
    assert len(served.content) == file["size"]
    assert [served.content[:100] in sealed for sealed in stored(tmp_path)] == [False]
    part = await world.see(f"/files/{file['file_id']}", {**lead, "Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, served.content[:4])
    assert {(await world.see(path, other)).status_code for path in ("/files", f"/files/{file['file_id']}")} == {403}
    assert (await add(world, b"words", other)).status_code == 403
    assert (await world.see(f"/files/{uuid4()}", lead)).status_code == 404


async def test_a_helper_adds_and_sees_its_own_files_only(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, STREET)
    street, helper = world.key("unit", units=("s-110105026",)), world.key("unit", units=("dept-water",))
    await world.do("tasks", {"role": "sub_task", "unit": "dept-water", "task": "核实"}, street)
    await add(world, b"of the street", street)
    theirs = (await add(world, b"of the helper", helper)).json()
    assert [file["file_id"] for file in (await world.see("/files", helper)).json()["items"]] == [theirs["file_id"]]
    assert len((await world.see("/files", street)).json()["items"]) == 2


async def test_events_count_files_and_say_no_more_of_them(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await world.do("accept")
    await add(world, b"the report")
    await world.do("resolve", {"reply": "已修好"})
    (told,) = await world.probe.named("ticket.resolved")
    assert told.data.evidence == 1


async def test_what_is_not_taken_is_refused_and_leaves_nothing(world: World, tmp_path: Path) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    refused = [(await add(world, content)).status_code for content in (b"\x7fELF\x02\x01\x01" + bytes(100), b"")]
    assert refused == [415, 422]
    assert (await world.see("/files")).json()["items"] == []
    assert stored(tmp_path) == []


async def test_a_full_order_takes_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.dispatch.domain.files.MOST_FILES", 1)
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    assert [(await add(world, content)).status_code for content in (b"one", b"two")] == [201, 409]


async def test_files_go_with_the_words_of_the_ticket_and_none_comes_after(world: World, tmp_path: Path) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    file = (await add(world, b"the report")).json()
    await world.peer.say(world.ticket, TicketErased(words=True, at=NOON))
    assert (await world.see(f"/files/{file['file_id']}")).status_code == 404
    assert (await add(world, b"another")).status_code == 409
    await handlers.sweep_evidence(world.stage.context)
    assert stored(tmp_path) == []
    assert await world.stage.context.database.pool.fetch("SELECT FROM order_files") == []
