"""Reading what citizens send along: words in pictures and in recordings become words of the ticket, marked as read.

One file at a time in each process, outside of any transaction; the words are added in the one that settles the file.
"""

from contextlib import aclosing, suppress
from datetime import timedelta

import structlog

from libs.common.messaging.transaction import Tx
from libs.common.runtime.files import BrokenSealError, UnknownFileError
from libs.common.runtime.problems import Problem
from libs.common.runtime.reading import ReaderGoneError, UnreadableError, Words
from services.intake import store
from services.intake.domain import SOURCES, NotPossibleError, Unread
from services.intake.handlers.around import Here
from services.intake.handlers.commands import supplement
from services.intake.handlers.files import open_file, read_file

NAP_SECONDS = 5.0
NOTHING_TO_READ_WITH_SECONDS = 3600.0
LEASE = timedelta(hours=1)
"""A file whose reader was killed is read again after this."""
MOST_CHARACTERS = 5000
"""Of what a machine reads in one file; the file itself is there for the rest."""
log = structlog.get_logger(__name__)


class _NotOursError(Exception):
    """The file is gone, or another process began to read it: what was read here is void."""


async def read_files(here: Here) -> float:
    """Read one file that waits; return the seconds until there may be another."""
    kinds = here.engine.reading.kinds
    if not kinds:
        return NOTHING_TO_READ_WITH_SECONDS
    async with here.database.begin() as tx:
        unread = await store.take_unread(tx, kinds, tx.now + LEASE)
    if unread is None:
        return NAP_SECONDS
    try:
        words = await _read(here, unread)
    except UnreadableError as error:
        log.info("file cannot be read", file=str(unread.file_id), why=str(error))
        await _settle(here, unread, "unreadable")
    except (UnknownFileError, BrokenSealError, ReaderGoneError, Problem) as error:
        # The store may be back later, another process may not hang: until the last try the lease brings it back.
        why = str(error) if isinstance(error, ReaderGoneError) else type(error).__name__
        log.warning("file was not read", file=str(unread.file_id), why=why)
        if unread.last_try:
            await _settle(here, unread, "given_up")
    else:
        await _add(here, unread, words)
    return 0.0


async def _read(here: Here, unread: Unread) -> Words:
    opened = await open_file(here, unread.file_id)
    async with aclosing(read_file(here, opened)) as data:
        return await here.engine.reading.file(unread.kind, data, unread.size)


async def _settle(here: Here, unread: Unread, became: store.Reading) -> None:
    async with here.database.begin() as tx:
        await store.settle_reading(tx, unread, became)


async def _add(here: Here, unread: Unread, words: Words) -> None:
    with suppress(_NotOursError):
        async with here.database.begin() as tx:
            became = await _added(tx, here, unread, words.text[:MOST_CHARACTERS].strip())
            if not await store.settle_reading(tx, unread, became):
                raise _NotOursError


async def _added(tx: Tx, here: Here, unread: Unread, text: str) -> store.Reading:
    if not text:
        return "nothing"
    try:
        await supplement(tx, here, unread.ticket_id, text, SOURCES[unread.kind])
    except NotPossibleError:
        # The ticket ended meanwhile: nobody would read them.
        return "too_late"
    return "read"
