"""Taking files in: off the wire into a file without a name, known, cleaned and measured before anyone keeps it."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BufferedRandom

from libs.common.runtime.media.cleaning import Cleaner
from libs.common.runtime.media.formats import HEAD_BYTES, TAKEN, Format, Guess, sniff
from libs.common.runtime.media.verdict import BusyError, NotTakenError, StalledError, TooLargeError, UnfitError

STALLED_SECONDS = 30.0
_GATHERED_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """A file fit to be kept: its format, its size in bytes, the SHA-256 of its bytes, and they themselves."""

    format: Format
    size: int
    digest: bytes
    content: BufferedRandom


class Uploads:
    """Takes in at most `most` files at a time; who comes then should come back. TMPDIR must have room for them."""

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._under_way = 0
        self._cleaner = Cleaner()

    @asynccontextmanager
    async def take(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[Taken]:
        """Give a file as it may be kept, for as long as the block lasts. Nothing is read on once it is refused.

        Raises:
            BusyError: too many are under way.
            StalledError: the sender stopped sending.
            NotTakenError: it is of a type that is not taken.
            TooLargeError: it is over the limit of its kind.
            UnfitError: it is empty or broken, or holds what it must not.
        """
        if self._under_way >= self._most:
            raise BusyError(f"{self._under_way} files are under way")
        self._under_way += 1
        try:
            # Without a name, so that a crash leaves nothing: these bytes are not sealed yet.
            with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
                guess = await _spool(_patiently(chunks), source)
                format_, rewritten = await self._cleaner.clean(guess, source, target)
                content = target if rewritten else source
                size, digest = await asyncio.to_thread(_measure, content)
                if size > format_.limit:
                    raise TooLargeError(format_.limit)
                yield Taken(format_, size, digest, content)
        finally:
            self._under_way -= 1


async def _spool(chunks: AsyncIterator[bytes], source: BufferedRandom) -> Guess:
    """Write a file down as it comes; its first bytes say at once whether it is taken, and how long it may be."""
    guess: Guess | None = None
    size, waiting = 0, bytearray()
    async for chunk in chunks:
        waiting += chunk
        size += len(chunk)
        if guess is None and size >= HEAD_BYTES:
            guess = _known(waiting)
        if guess and size > guess.limit:
            raise TooLargeError(guess.limit)
        if guess and len(waiting) >= _GATHERED_BYTES:
            await asyncio.to_thread(source.write, waiting)
            waiting = bytearray()
    if not size:
        raise UnfitError("is empty")
    guess = guess or _known(waiting)
    await asyncio.to_thread(source.write, waiting)
    await asyncio.to_thread(source.flush)
    return guess


def _known(head: bytes | bytearray) -> Guess:
    guess = sniff(bytes(head[:HEAD_BYTES]))
    if guess is None:
        raise NotTakenError(f"the file is none of what is taken: {TAKEN}")
    return guess


async def _patiently(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        while True:
            async with asyncio.timeout(STALLED_SECONDS):
                chunk = await anext(chunks)
            yield chunk
    except StopAsyncIteration:
        return
    except TimeoutError as error:
        raise StalledError(f"nothing came for {STALLED_SECONDS:.0f} s") from error


def _measure(content: BufferedRandom) -> tuple[int, bytes]:
    content.seek(0)
    sha = hashlib.file_digest(content, "sha256")
    return content.tell(), sha.digest()
