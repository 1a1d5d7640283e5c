"""Files kept by their content: whole or not at all, once, and under no name that a sender could choose."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.runtime.files import CHUNK_BYTES, FileStore, FolderStore, TooLargeError, UnknownFileError

PLENTY = 1 << 30
NO_DIGESTS = ["", "../../etc/passwd", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 64 + "\n", "/" + "a" * 63]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "files")


async def chunked(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Give chunks one by one, as a request body does."""
    for chunk in chunks:
        yield chunk


async def content(store: FileStore, digest: str) -> bytes:
    """Read a file to its end."""
    return b"".join([chunk async for chunk in store.open(digest)])


def files(folder: Path) -> list[Path]:
    """Return every file in a folder, however deep."""
    return [path for path in folder.rglob("*") if path.is_file()]


@settings(deadline=None, max_examples=50)
@given(chunks=st.lists(st.binary(max_size=2000), max_size=8))
async def test_what_is_put_is_read_back_under_its_sha_256(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes]
) -> None:
    store, whole = FolderStore(tmp_path_factory.mktemp("files")), b"".join(chunks)
    kept = await store.put(chunked(chunks), limit=len(whole))
    assert (kept.digest, kept.size) == (hashlib.sha256(whole).hexdigest(), len(whole))
    assert await content(store, kept.digest) == whole


async def test_a_file_larger_than_a_chunk_is_read_in_chunks(store: FolderStore) -> None:
    kept = await store.put(chunked([b"x" * CHUNK_BYTES, b"y"]), PLENTY)
    assert [len(chunk) async for chunk in store.open(kept.digest)] == [CHUNK_BYTES, 1]


async def test_the_same_bytes_are_kept_once(store: FolderStore, tmp_path: Path) -> None:
    first = await store.put(chunked([b"one ", b"photo"]), PLENTY)
    assert await store.put(chunked([b"one photo"]), PLENTY) == first
    assert len(files(tmp_path)) == 1


async def test_only_the_owner_can_read_a_file_or_look_into_the_folder(store: FolderStore, tmp_path: Path) -> None:
    await store.put(chunked([b"private"]), PLENTY)
    assert [path.stat().st_mode & 0o777 for path in files(tmp_path)] == [0o600]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "files").rglob("*") if path.is_dir()} == {0o700}


async def test_a_file_over_its_limit_is_refused_with_the_limit_and_leaves_nothing(
    store: FolderStore, tmp_path: Path
) -> None:
    with pytest.raises(TooLargeError, match="at most 10 bytes") as refused:
        await store.put(chunked([b"123456", b"78901"]), limit=10)
    assert (refused.value.limit, files(tmp_path)) == (10, [])


async def test_a_sender_that_fails_half_way_leaves_nothing(store: FolderStore, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError("the sender went away")

    with pytest.raises(ConnectionError):
        await store.put(broken(), PLENTY)
    assert files(tmp_path) == []


async def test_a_put_that_is_cancelled_leaves_nothing(store: FolderStore, tmp_path: Path) -> None:
    asked_for_more = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"half"
        asked_for_more.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(store.put(slow(), PLENTY))
    await asked_for_more.wait()
    putting.cancel()
    assert isinstance((await asyncio.gather(putting, return_exceptions=True))[0], asyncio.CancelledError)
    assert files(tmp_path) == []


async def test_a_deleted_file_is_gone_and_may_be_deleted_again(store: FolderStore) -> None:
    kept = await store.put(chunked([b"gone soon"]), PLENTY)
    assert await store.exists(kept.digest)
    await store.delete(kept.digest)
    await store.delete(kept.digest)
    assert not await store.exists(kept.digest)
    with pytest.raises(UnknownFileError):
        await content(store, kept.digest)


@pytest.mark.parametrize("digest", NO_DIGESTS)
async def test_what_is_no_digest_forms_no_path(store: FolderStore, digest: str) -> None:
    for asked in (store.exists(digest), store.delete(digest), content(store, digest)):
        with pytest.raises(ValueError, match="64 hexadecimal digits"):
            await asked
