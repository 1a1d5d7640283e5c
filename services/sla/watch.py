"""The board as this process read it last, for all who look at it within a second, and how many listen to it."""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from libs.common.runtime.clock import Clock
from libs.common.runtime.database import Database
from services.sla import store
from services.sla.domain import Board, Picture, Soon, board, by_unit
from services.sla.lateness.rates import Rates

LOOK_SECONDS = 1.0
COMING_SECONDS = 10.0
"""What comes due soon changes as time goes by, with nothing said of it."""
SHARE = 0.05
"""Of a processor that reading the counts may take; a board of very many lines is looked at less often."""


class Watch:
    """Reads the counts at most once a second however many look, and only if a commit changed one meanwhile."""

    def __init__(self) -> None:
        self.listeners = 0
        self._picture = Picture({}, {}, {})
        self._boards: dict[frozenset[str] | None, Board] = {}
        self._version = (-1, 0)
        self._look_at = self._come_at = -math.inf
        self._looking = asyncio.Lock()

    async def board(self, database: Database, clock: Clock, rates: Rates, units: Collection[str] | None) -> Board:
        """Return what who sees these units sees, None for all; the same object as long as nothing changed."""
        async with self._looking:
            if time.monotonic() >= self._look_at:
                await self._look(database, clock, rates)
        seen = None if units is None else frozenset(units)
        if seen not in self._boards:
            self._boards[seen] = board(self._picture, seen)
        return self._boards[seen]

    async def _look(self, database: Database, clock: Clock, rates: Rates) -> None:
        began, picture = time.process_time(), self._picture
        version = await store.board_version(database)
        if version != self._version:
            picture = replace(picture, counts=by_unit(await store.counts(database)))
            self._version = version
        if time.monotonic() >= self._come_at:
            soon, cases = await store.coming(database, clock.now())
            picture = replace(picture, soon=by_unit(soon_of(soon, rates)), cases=by_unit(cases))
            self._come_at = time.monotonic() + COMING_SECONDS
        if picture != self._picture:
            self._picture, self._boards = picture, {}
        self._look_at = time.monotonic() + max(LOOK_SECONDS, (time.process_time() - began) / SHARE)


def soon_of(coming: Iterable[store.Coming], rates: Rates) -> Iterator[Soon]:
    """Yield what comes due soon by unit, category and clock, with how many of it are likely missed."""
    sums = defaultdict[tuple[str, str, str], list[float]](lambda: [0, 0.0])
    for alike, passed, n in coming:
        mine = sums[alike.unit, alike.category, alike.clock]
        mine[0] += n
        mine[1] += n * rates.chance(alike, passed)
    # To a tenth, so that a board whose clocks only went on a little is the same board.
    yield from (Soon(*kind, int(n), round(expected, 1)) for kind, (n, expected) in sorted(sums.items()))
