"""The open chats of one process: who is to be woken when something happens in a session."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from uuid import UUID


class Chats:
    """Wakes whoever listens to a session. What happens in another process comes by `came`."""

    MOST, MOST_EACH = 2000, 10
    """Listeners of one process, and of one session in it: a citizen has few devices."""

    def __init__(self) -> None:
        self._listeners: dict[UUID, set[asyncio.Event]] = {}
        self._versions: dict[UUID, int] = {}
        self._number = 0

    def takes(self, session_id: UUID) -> bool:
        """Say whether there is room for one listener more of a session."""
        return self._number < self.MOST and len(self._listeners.get(session_id, ())) < self.MOST_EACH

    def open(self) -> Collection[UUID]:
        """Return the sessions somebody listens to."""
        return self._listeners.keys()

    @asynccontextmanager
    async def listen(self, session_id: UUID) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set whenever there may be news."""
        news = asyncio.Event()
        self._listeners.setdefault(session_id, set()).add(news)
        self._number += 1
        try:
            yield news
        finally:
            self._number -= 1
            self._listeners[session_id].discard(news)
            if not self._listeners[session_id]:
                del self._listeners[session_id]
                self._versions.pop(session_id, None)

    def came(self, session_id: UUID, version: int) -> None:
        """Wake the listeners of a session if it is further than it was."""
        if self._versions.get(session_id) != version:
            self._versions[session_id] = version
            self.ring(session_id)

    def ring(self, session_id: UUID) -> None:
        """Wake the listeners of a session; before the commit too, for they look again when nothing has come."""
        for news in self._listeners.get(session_id, ()):
            news.set()
