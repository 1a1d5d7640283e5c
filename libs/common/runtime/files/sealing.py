"""Files sealed in chunks, so that none is ever whole in memory, and one can be read from its middle."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK_BYTES = 64 * 1024
AT_ONCE = 16
"""Chunks that are sealed in one go in a thread: a megabyte."""
_TAG = 16
_SEALED_BYTES = CHUNK_BYTES + _TAG


class BrokenSealError(ValueError):
    """The sealed bytes were changed, cut short, or are not this file's."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The key of one file and the size of what it seals, in bytes.

    AES-256-GCM over chunks of 64 KiB. The nonce of a chunk is its number and whether it is the last, so chunks can
    neither change places nor be left out (STREAM: Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015). No nonce comes
    twice, for a key seals one file once. Who destroys the key has erased the file, in every copy of it.
    """

    key: bytes = field(repr=False)
    size: int

    @classmethod
    def new(cls, size: int) -> "Seal":
        """Return a seal of a new random key."""
        return cls(AESGCM.generate_key(256), size)

    async def close(self, content: IO[bytes]) -> AsyncIterator[bytes]:
        """Yield the sealed bytes of a file, from its start."""
        await asyncio.to_thread(content.seek, 0)
        for first in range(0, self._chunks, AT_ONCE):
            yield await asyncio.to_thread(self._close_some, content, first)

    async def open(self, sealed: AsyncIterator[bytes], start: int = 0) -> AsyncGenerator[bytes]:
        """Yield the bytes from `start` on. `sealed` must begin at `place(start)`. Raises BrokenSealError."""
        number, skip = divmod(start, CHUNK_BYTES)
        waiting = bytearray()
        async for piece in sealed:
            waiting += piece
            while len(waiting) >= _SEALED_BYTES:
                yield self._open_one(number, bytes(waiting[:_SEALED_BYTES]))[skip:]
                del waiting[:_SEALED_BYTES]
                number, skip = number + 1, 0
        if waiting:
            yield self._open_one(number, bytes(waiting))[skip:]
            number += 1
        if number != self._chunks:
            raise BrokenSealError("the sealed bytes are cut short")

    @staticmethod
    def place(start: int) -> int:
        """Return where in the sealed bytes the chunk begins that holds byte `start`."""
        return start // CHUNK_BYTES * _SEALED_BYTES

    @property
    def _chunks(self) -> int:
        return -(-self.size // CHUNK_BYTES)

    def _close_some(self, content: IO[bytes], first: int) -> bytes:
        cipher = AESGCM(self.key)
        return b"".join(
            cipher.encrypt(self._nonce(number), content.read(CHUNK_BYTES), None)
            for number in range(first, min(first + AT_ONCE, self._chunks))
        )

    def _open_one(self, number: int, sealed: bytes) -> bytes:
        try:
            return AESGCM(self.key).decrypt(self._nonce(number), sealed, None)
        except InvalidTag as error:
            raise BrokenSealError("the sealed bytes were changed or belong to another file") from error

    def _nonce(self, number: int) -> bytes:
        return number.to_bytes(11, "big") + bytes([number == self._chunks - 1])
