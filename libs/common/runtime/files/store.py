"""What every store of files does."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol
from uuid import UUID

from libs.common.messaging.retry import TransientError


class UnknownFileError(LookupError):
    """Nothing is kept under this name."""


class StoreAwayError(TransientError):
    """The store does not answer, or refuses us; the text says which of its errors it was."""


class FileStore(Protocol):
    """Keeps bytes under names that we give, once each. Every method raises StoreAwayError when the store is away."""

    async def put(self, name: UUID, chunks: AsyncIterator[bytes]) -> None:
        """Keep what the chunks hold, which is safe when this returns; if they raise, nothing is kept."""
        ...

    def open(self, name: UUID, start: int = 0) -> AsyncGenerator[bytes]:
        """Return the bytes from `start` on, in chunks. UnknownFileError instead of the first if nothing is kept."""
        ...

    async def delete(self, name: UUID) -> None:
        """Forget what is kept under a name, if anything is."""
        ...
