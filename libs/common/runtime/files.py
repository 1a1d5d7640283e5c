"""Files by their content: what is kept is named by the SHA-256 of its bytes, so the same bytes are kept once."""

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

CHUNK_BYTES = 256 * 1024
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class FileRef:
    """A kept file: its SHA-256 as 64 hexadecimal digits, and its size in bytes."""

    digest: str
    size: int


class TooLargeError(ValueError):
    """A file is over its limit; the text names the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a file may have at most {limit} bytes")
        self.limit = limit


class UnknownFileError(LookupError):
    """No file of this digest is kept."""


class FileStore(Protocol):
    """Keeps files. To put what is there, or delete what is gone, changes nothing. What is no digest is a ValueError."""

    async def put(self, chunks: AsyncIterator[bytes], limit: int) -> FileRef:
        """Keep a file, which is safe when this returns. TooLargeError over `limit` bytes; then nothing is kept."""
        ...

    def open(self, digest: str) -> AsyncIterator[bytes]:
        """Return a file's bytes in chunks. Raises UnknownFileError instead of the first if there is no such file."""
        ...

    async def exists(self, digest: str) -> bool:
        """Say whether a file is kept."""
        ...

    async def delete(self, digest: str) -> None:
        """Forget a file, whoever put it."""
        ...


class FolderStore:
    """Keeps files in a folder that only this account can look into, `<first two digits>/<digest>` each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, chunks: AsyncIterator[bytes], limit: int) -> FileRef:
        """See `FileStore.put`. A crash may leave a `.part` file, never half a file under a digest."""
        part = await asyncio.to_thread(self._part)
        try:
            size, sha = 0, hashlib.sha256()
            async for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise TooLargeError(limit)
                await asyncio.to_thread(_append, part, sha, chunk)
            await asyncio.to_thread(self._settle, part, sha.hexdigest())
            return FileRef(sha.hexdigest(), size)
        finally:
            await asyncio.to_thread(_drop, part)

    async def open(self, digest: str) -> AsyncIterator[bytes]:
        """See `FileStore.open`."""
        path = self._path(digest)
        try:
            file = await asyncio.to_thread(path.open, "rb")
        except FileNotFoundError:
            raise UnknownFileError(digest) from None
        with file:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk

    async def exists(self, digest: str) -> bool:
        """See `FileStore.exists`."""
        return await asyncio.to_thread(self._path(digest).is_file)

    async def delete(self, digest: str) -> None:
        """See `FileStore.delete`."""
        await asyncio.to_thread(self._path(digest).unlink, missing_ok=True)

    def _path(self, digest: str) -> Path:
        """Return where a file is. The check keeps every path that is asked for inside the folder."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError("a digest has 64 hexadecimal digits, in lower case")
        return self._folder / digest[:2] / digest

    def _part(self) -> IO[bytes]:
        """Open a new file that only its owner can read, where a rename can reach every digest."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False)

    def _settle(self, part: IO[bytes], digest: str) -> None:
        """Give a whole file its name. What is synced after it makes the name outlive a power cut too."""
        path = self._path(digest)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        part.flush()
        os.fsync(part.fileno())
        Path(part.name).replace(path)
        for folder in (path.parent, self._folder):
            _sync(folder)


def _append(part: IO[bytes], sha: "hashlib._Hash", chunk: bytes) -> None:
    sha.update(chunk)
    part.write(chunk)


def _drop(part: IO[bytes]) -> None:
    part.close()
    Path(part.name).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
