"""The folder that keeps files: open to nobody else, and never half a file under a name."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from libs.common.runtime.files import FolderStore
from libs.common.runtime.files.folder import CHUNK_BYTES

NAME = uuid.UUID(int=7)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "files")


async def chunked(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Give chunks one by one, as a request body does."""
    for chunk in chunks:
        yield chunk


def files(folder: Path) -> list[Path]:
    """Return every file in a folder, however deep."""
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_file_larger_than_a_chunk_is_read_in_chunks(store: FolderStore) -> None:
    await store.put(NAME, chunked([b"x" * CHUNK_BYTES, b"y"]))
    assert [len(chunk) async for chunk in store.open(NAME)] == [CHUNK_BYTES, 1]


async def test_only_the_owner_can_read_a_file_or_look_into_the_folder(store: FolderStore, tmp_path: Path) -> None:
    await store.put(NAME, chunked([b"private"]))
    assert [path.stat().st_mode & 0o777 for path in files(tmp_path)] == [0o600]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "files").rglob("*") if path.is_dir()} == {0o700}


async def test_a_sender_that_fails_half_way_leaves_nothing(store: FolderStore, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError("the sender went away")

    with pytest.raises(ConnectionError):
        await store.put(NAME, broken())
    assert files(tmp_path) == []


async def test_a_put_that_is_cancelled_leaves_nothing(store: FolderStore, tmp_path: Path) -> None:
    asked_for_more = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"half"
        asked_for_more.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(store.put(NAME, slow()))
    await asked_for_more.wait()
    putting.cancel()
    assert isinstance((await asyncio.gather(putting, return_exceptions=True))[0], asyncio.CancelledError)
    assert files(tmp_path) == []
