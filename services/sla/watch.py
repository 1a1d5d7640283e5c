"""The board as this process read it last, for all who look at it within a second, and how many listen to it."""

import asyncio
import math
import time
from collections.abc import Collection

from libs.common.runtime.clock import Clock
from libs.common.runtime.database import Database
from services.sla import store
from services.sla.domain import Board, Picture, board

LOOK_SECONDS = 1.0
SOON_SECONDS = 10.0
"""What comes due soon changes as time goes by, with nothing said of it."""


class Watch:
    """Reads the counts at most once a second however many look, and only if a commit changed one meanwhile."""

    def __init__(self) -> None:
        self.listeners = 0
        self._picture = Picture((), (), ())
        self._boards: dict[frozenset[str] | None, Board] = {}
        self._version = (-1, -1)
        self._looked_at = self._read_at = -math.inf
        self._looking = asyncio.Lock()

    async def board(self, database: Database, clock: Clock, units: Collection[str] | None) -> Board:
        """Return what who sees these units sees, None for all; the same object as long as nothing changed."""
        async with self._looking:
            if time.monotonic() - self._looked_at >= LOOK_SECONDS:
                await self._look(database, clock)
        seen = None if units is None else frozenset(units)
        if seen not in self._boards:
            self._boards[seen] = board(self._picture, seen)
        return self._boards[seen]

    async def _look(self, database: Database, clock: Clock) -> None:
        version, now = await store.board_version(database), time.monotonic()
        if version != self._version or now - self._read_at >= SOON_SECONDS:
            picture = await store.picture(database, clock.now())
            if picture != self._picture:
                self._picture, self._boards = picture, {}
            self._version, self._read_at = version, now
        self._looked_at = now
