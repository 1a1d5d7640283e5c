"""The store that is a folder of this machine, or of one that is mounted."""

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import IO
from uuid import UUID

from libs.common.runtime.files.store import UnknownFileError

CHUNK_BYTES = 256 * 1024


class FolderStore:
    """Keeps files in a folder that only this account can look into, `<last two digits>/<name>` each.

    What the operating system refuses is raised as OSError, which passes: a full disk, a share that is not mounted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: UUID, chunks: AsyncIterator[bytes]) -> None:
        """See `FileStore.put`. A crash may leave a `.part` file, never half a file under a name."""
        part = await asyncio.to_thread(self._part)
        try:
            async for chunk in chunks:
                await asyncio.to_thread(part.write, chunk)
            await asyncio.to_thread(self._settle, part, name)
        finally:
            await asyncio.to_thread(_drop, part)

    async def open(self, name: UUID, start: int = 0) -> AsyncGenerator[bytes]:
        """See `FileStore.open`."""
        try:
            file = await asyncio.to_thread(self._path(name).open, "rb")
        except FileNotFoundError:
            raise UnknownFileError(str(name)) from None
        with file:
            file.seek(start)
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk

    async def delete(self, name: UUID) -> None:
        """See `FileStore.delete`."""
        await asyncio.to_thread(self._path(name).unlink, missing_ok=True)

    def _path(self, name: UUID) -> Path:
        # The last digits of an id are chance; the first are its time, and would fill one folder after the other.
        return self._folder / name.hex[-2:] / str(name)

    def _part(self) -> IO[bytes]:
        """Open a new file that only its owner can read, where a rename can reach every name."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False)

    def _settle(self, part: IO[bytes], name: UUID) -> None:
        """Give a whole file its name. What is synced after it makes the name outlive a power cut too."""
        path = self._path(name)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        part.flush()
        os.fsync(part.fileno())
        Path(part.name).replace(path)
        for folder in (path.parent, self._folder):
            _sync(folder)


def _drop(part: IO[bytes]) -> None:
    part.close()
    Path(part.name).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
