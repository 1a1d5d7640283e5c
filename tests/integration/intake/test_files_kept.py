"""Files of citizens in the store: sealed, kept once, let go, and nothing left of what is not kept."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import AsyncMock
from uuid import UUID

import pytest

from libs.common.runtime.files import StoreAwayError
from services.intake import handlers
from services.intake.domain import WAITS
from tests.support import attached
from tests.support.attached import chunked
from tests.support.files import FilesWorld, files_world

PAGE = b"<!DOCTYPE html><script>alert(1)</script>"


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[FilesWorld]:
    async with files_world(fresh_database, tmp_path) as world:
        yield world


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (PAGE, 415),
        (b"", 422),
        (attached.png_header(50_000, 50_000), 422),
        (attached.office(parts={"word/vbaProject.bin": "x"}), 422),
        (b"\xff\xd8\xff" + bytes(31 * 1024 * 1024), 413),
    ],
)
async def test_what_is_not_kept_leaves_nothing(world: FilesWorld, content: bytes, status: int) -> None:
    answer = await world.http.post("/intake/v1/files", content=content, headers={"Content-Type": "image/jpeg"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert PAGE.decode() not in answer.text
    assert (world.stored(), await world.rows("SELECT FROM files"), await world.rows("SELECT FROM blobs")) == (
        [],
        [],
        [],
    )


async def test_the_same_bytes_are_kept_once_and_go_with_their_last_file(world: FilesWorld) -> None:
    one, other = await world.upload(b"the same"), await world.upload(b"the same", world.as_("other", "adapter"))
    ticket = await world.received(one["file_id"])
    assert one["digest"] == other["digest"]
    assert len(world.stored()) == 1
    world.clock.advance(hours=25)
    await handlers.sweep_files(world.stage.context)
    (item,) = await world.listed(ticket)
    assert (await world.public.get(item["url"])).content == b"the same"
    async with world.stage.context.database.begin() as tx:
        await handlers.forget_files(tx, [UUID(ticket["ticket_id"])])
    await handlers.sweep_files(world.stage.context)
    assert (await world.listed(ticket), world.stored()) == ([], [])
    assert await world.rows("SELECT FROM blobs") == []
    assert (await world.public.get(item["url"])).status_code == 404


async def test_a_file_that_no_appeal_comes_for_is_let_go_after_a_day(world: FilesWorld) -> None:
    file = await world.upload()
    world.clock.advance(seconds=WAITS.total_seconds())
    await handlers.sweep_files(world.stage.context)
    assert len(world.stored()) == 1
    world.clock.advance(seconds=1)
    await handlers.sweep_files(world.stage.context)
    assert world.stored() == []
    assert (await world.post(file["file_id"])).status_code == 422


async def test_what_is_stored_is_sealed_and_an_end_of_the_ticket_s_key_is_an_end_of_the_file(world: FilesWorld) -> None:
    ticket = await world.received((await world.upload(b"a recorded voice"))["file_id"])
    (item,) = await world.listed(ticket)
    (path,) = world.stored()
    assert b"voice" not in path.read_bytes()
    await world.stage.context.database.pool.execute("DELETE FROM vault_keys")
    assert (await world.public.get(item["url"])).status_code == 404
    # Bytes that nobody can open any more are of no use to who sends the same again.
    again = await world.received((await world.upload(b"a recorded voice"))["file_id"])
    assert (await world.public.get((await world.listed(again))[0]["url"])).content == b"a recorded voice"


async def test_a_store_that_is_away_is_told_and_nothing_is_half_kept(
    world: FilesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await world.received((await world.upload(b"kept before"))["file_id"])
    (item,) = await world.listed(ticket)
    store = world.stage.context.engine.files
    with monkeypatch.context() as away:
        for name in ("put", "delete"):
            away.setattr(store, name, AsyncMock(side_effect=StoreAwayError("away")))
        away.setattr(store, "open", lambda *_: _away())
        refused, unread = await world.http.post("/intake/v1/files", content=b"x"), await world.public.get(item["url"])
        accepted = await world.post()
        world.clock.advance(hours=25)
        assert await handlers.sweep_files(world.stage.context) > 0
    assert [(a.status_code, "retry-after" in a.headers) for a in (refused, unread)] == [(503, True)] * 2
    assert accepted.status_code == 202
    await handlers.sweep_files(world.stage.context)
    assert await world.rows("SELECT state FROM blobs") == [("kept",)]


async def _away() -> AsyncIterator[bytes]:
    for _ in "x":
        raise StoreAwayError("away")
    yield b""


async def test_two_who_upload_the_same_at_once_both_have_it(world: FilesWorld) -> None:
    here = world.stage.context
    one, other = await handlers.put(here, chunked(b"same")), await handlers.put(here, chunked(b"same"))
    files = []
    for given in (one, other):
        async with here.database.begin() as tx:
            files.append(await handlers.own(tx, here, given, "test"))
    assert files[0].blob_id == files[1].blob_id
    ticket = await world.received(*(str(file.file_id) for file in files))
    assert [(await world.public.get(item["url"])).content for item in await world.listed(ticket)] == [b"same"] * 2


async def test_names_types_and_words_of_the_sender_are_kept_nowhere(world: FilesWorld) -> None:
    await world.http.post(
        "/intake/v1/files?name=secret.txt", content=b"words",
        headers={"Content-Type": "image/secret", "Content-Disposition": 'attachment; filename="secret.txt"'},
    )  # fmt: skip
    assert "secret" not in str(await world.rows("SELECT f::text FROM files f"))


def test_the_day_a_file_waits_is_a_day() -> None:
    assert timedelta(days=1) == WAITS
