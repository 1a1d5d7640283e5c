"""What every store of files must do. One suite, run over a folder and over a server that speaks S3."""

import os
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from moto.server import ThreadedMotoServer

from libs.common.local.ports import free_port
from libs.common.runtime.files import FileStore, StoreAwayError, UnknownFileError, open_store
from libs.common.runtime.files.s3 import PART_BYTES

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests", "AWS_REGION": "cn-north-1"}


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """The address of a server that speaks S3, on loopback."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket, and the environment by which clients of S3 find their credentials."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    name = f"b{uuid.uuid4().hex}"
    assert httpx.put(f"{s3_server}/{name}").is_success
    return name


@pytest.fixture
def s3(bucket: str, s3_server: str) -> FileStore:
    return open_store(f"s3://{bucket}/some/prefix", s3_server)


@pytest.fixture
def folder(tmp_path: Path) -> FileStore:
    return open_store(str(tmp_path / "files"))


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest) -> FileStore:
    """Each store in turn."""
    found: FileStore = request.getfixturevalue(request.param)
    return found


async def chunked(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Give chunks one by one."""
    for chunk in chunks:
        yield chunk


async def content(store: FileStore, name: UUID, start: int = 0) -> bytes:
    """Read a file to its end."""
    return b"".join([chunk async for chunk in store.open(name, start)])


@pytest.mark.parametrize("size", [1, 300_000, 2 * PART_BYTES + 1])
async def test_what_is_put_is_read_back_from_any_byte_on(store: FileStore, size: int) -> None:
    name, whole = uuid.uuid4(), os.urandom(size)
    await store.put(name, chunked(whole[at : at + 70_000] for at in range(0, size, 70_000)))
    assert await content(store, name) == whole
    assert await content(store, name, size // 2) == whole[size // 2 :]
    assert await content(store, name, size - 1) == whole[-1:]


async def test_a_file_is_read_in_chunks_and_reading_may_end_early(store: FileStore) -> None:
    name = uuid.uuid4()
    await store.put(name, chunked([os.urandom(1024 * 1024)] * 6))
    async with aclosing(store.open(name)) as chunks:
        assert 0 < len(await anext(chunks)) < PART_BYTES


async def test_what_was_never_put_or_is_deleted_is_unknown_and_may_be_deleted_again(store: FileStore) -> None:
    name = uuid.uuid4()
    await store.delete(name)
    await store.put(name, chunked([b"gone soon"]))
    await store.delete(name)
    await store.delete(name)
    for gone in (name, uuid.uuid4()):
        with pytest.raises(UnknownFileError):
            await content(store, gone)


@pytest.mark.parametrize("parts", [0, 2])
async def test_a_sender_that_fails_half_way_is_heard_and_leaves_nothing(store: FileStore, parts: int) -> None:
    async def broken() -> AsyncIterator[bytes]:
        for _ in range(parts):
            yield os.urandom(PART_BYTES)
        yield b"half"
        raise ConnectionError("the sender went away")

    name = uuid.uuid4()
    with pytest.raises(ConnectionError):
        await store.put(name, broken())
    with pytest.raises(UnknownFileError):
        await content(store, name)


async def test_two_files_do_not_meet(store: FileStore) -> None:
    one, other = uuid.uuid4(), uuid.uuid4()
    await store.put(one, chunked([b"one"]))
    await store.put(other, chunked([b"other"]))
    await store.delete(one)
    assert await content(store, other) == b"other"


async def test_a_bucket_keeps_files_under_its_prefix(s3: FileStore, bucket: str, s3_server: str) -> None:
    name = uuid.uuid4()
    await s3.put(name, chunked([b"x"]))
    assert f"<Key>some/prefix/{name}</Key>" in httpx.get(f"{s3_server}/{bucket}?list-type=2").text


@pytest.mark.parametrize("lost", ["server", "bucket"])
async def test_a_store_that_is_away_says_so(bucket: str, s3_server: str, lost: str) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}" if lost == "server" else s3_server
    store = open_store(f"s3://{bucket if lost == 'server' else 'no-such-bucket'}", endpoint)
    with pytest.raises(StoreAwayError):
        await store.put(uuid.uuid4(), chunked([b"x"]))
    if lost == "server":
        with pytest.raises(StoreAwayError):
            await content(store, uuid.uuid4())
        with pytest.raises(StoreAwayError):
            await store.delete(uuid.uuid4())
