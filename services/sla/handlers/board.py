"""The board: looked at, followed as it changes, and kept small."""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Literal, NamedTuple

from services.sla import store
from services.sla.domain import Board, changes, fingerprint
from services.sla.handlers.around import Here
from services.sla.watch import LOOK_SECONDS

FOLD_SECONDS = 5.0
BEAT_SECONDS = 15.0
LISTEN_SECONDS = 900.0
"""A listener has to come again after so long, so that a key that was revoked hears no more."""


class News(NamedTuple):
    """What a listener is told: the whole board, the lines that changed, or that nothing did. `id` is the board's."""

    kind: Literal["board", "change", "beat"]
    id: str
    board: Board


async def look(here: Here, units: Collection[str] | None) -> Board:
    """Return the board of who sees these units, None for all, as it was within the last second."""
    return await here.engine.watch.board(here.database, here.clock, here.engine.lateness, units)


async def follow(here: Here, units: Collection[str] | None, known: str | None) -> AsyncIterator[News]:
    """Yield the board and then its changes, some minutes long. Who says to have `known` it as it is hears changes only.

    An id is of what the board shows, so that any process of the service knows it. Real time: a listener lives by no
    other clock.
    """
    now = asyncio.get_running_loop().time
    ends, beaten = now() + LISTEN_SECONDS, now()
    before = await look(here, units)
    if fingerprint(before) != known:
        yield News("board", fingerprint(before), before)
    while now() < ends:
        await asyncio.sleep(LOOK_SECONDS)
        board = await look(here, units)
        if board is not before and board != before:
            yield News("change", fingerprint(board), changes(before, board))
            beaten = now()
        elif now() - beaten >= BEAT_SECONDS:
            yield News("beat", "", board)
            beaten = now()
        before = board


async def fold_changes(here: Here) -> float:
    """Add to the counts what was committed since, and return the seconds until the next time."""
    async with here.database.begin() as tx:
        folded = await store.fold(tx)
    return 0 if folded == store.FOLD_LIMIT else FOLD_SECONDS
