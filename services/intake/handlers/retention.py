"""Letting go of personal data: when its time is over, when its owner asks, and again when a backup brought it back."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from libs.common.city.settings import Retention
from libs.common.contracts.intake import TicketErased
from libs.common.messaging.transaction import Tx
from services.intake import store
from services.intake.domain import ERASED, Deed, Entry, Ticket, is_over
from services.intake.handlers.around import Here
from services.intake.handlers.audit import note
from services.intake.handlers.files import forget_files
from services.intake.handlers.following import MEMORY
from services.intake.handlers.sweeping import Sweeping, sweep

Why = Literal["retention", "request"]
AT_ONCE = 200
CALLS_AT_ONCE = 2000
NAP_SECONDS = 600.0


async def let_go(here: Here) -> float:
    """Do one batch of what is over its time, or came back from a backup; return the seconds until there may be more."""
    if await _erase_again(here) or await _drop_calls(here):
        return 0.0
    for kind in SWEEPS:
        if (rest := await sweep(here, kind)) is not None:
            return rest
    return NAP_SECONDS


Find = Callable[[Tx, UUID, datetime, int], Awaitable[list[UUID]]]
Act = Callable[[Tx, Here, Sequence[UUID]], Awaitable[None]]


def _retaining(what: str, span_of: Callable[[Retention], timedelta], find: Find, act: Act) -> Sweeping:
    """Return the sweep that does something to tickets that ended so long ago; `find` finds what may be concerned."""

    async def batch(here: Here, tx: Tx, after: UUID) -> tuple[UUID | None, int]:
        span = span_of(here.engine.city.retention)
        found = await find(tx, after, tx.now - span, AT_ONCE)
        over = await _over(tx, found, span)
        if over:
            await act(tx, here, over)
            await note(tx, here, Deed("retention", "retention", note=f"{what} of {len(over)}"))
        return max(found, default=None), len(over)

    return Sweeping(what, batch)


async def _over(tx: Tx, tickets: Sequence[UUID], span: timedelta) -> list[UUID]:
    """Hold those of these that are tickets, and return those that ended so long ago."""
    found = await _held(tx, tickets)
    disputed = await store.disputed(tx.connection, tickets)
    return [
        id_ for id_, ticket in found.items()
        if is_over(ticket.state, MEMORY.of(tx, str(id_)), span, tx.now, disputed=id_ in disputed)
    ]  # fmt: skip


async def _held(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Ticket]:
    # Followers and sessions have keys as well: to lock what is no ticket would leave an aggregate behind.
    tickets = await store.tickets_of(tx.connection, ids)
    await tx.lock(map(str, tickets))
    return await store.tickets_of(tx.connection, tickets)


async def erase(
    tx: Tx, here: Here, tickets: Sequence[UUID], why: Why, wordless: Collection[UUID] = frozenset()
) -> None:
    """Destroy the keys of held tickets, and with them every copy of what they seal; say so, to the other stages too.

    The words of those that are `wordless` go with them.
    """
    before = await store.erased(tx.connection, tickets)
    await store.erase_tickets(tx, tickets, why)
    await forget_files(tx, tickets)
    known = await store.tickets_of(tx.connection, tickets)
    fresh = [id_ for id_ in known if id_ not in before]
    await store.save(tx, [], [Entry(id_, tx.now, here.clock.new_id(), ERASED, {}) for id_ in fresh])
    await _blank(tx, list(wordless))
    _tell(tx, {id_: id_ in wordless for id_ in known})


async def erase_whole(tx: Tx, here: Here, tickets: Sequence[UUID]) -> None:
    """Erase held tickets and their words with them, as their owner may ask."""
    await erase(tx, here, tickets, "request", tickets)


async def _blank(tx: Tx, tickets: Sequence[UUID]) -> None:
    """Take the words out of tickets that were erased, and the tickets off the public list."""
    await store.blank_words(tx, tickets)
    await store.unlist(tx, tickets)


def _tell(tx: Tx, tickets: Mapping[UUID, bool]) -> None:
    """Have the other stages follow, each ticket with its words or without."""
    for ticket_id, words in tickets.items():
        tx.emit(str(ticket_id), TicketErased(words=words, at=tx.now))


async def _erase_again(here: Here) -> int:
    async with here.database.begin() as tx:
        back = await store.take_to_erase(tx, AT_ONCE)
        if back:
            await _held(tx, list(back))
            await erase(tx, here, list(back), "request", {id_ for id_, words in back.items() if words})
            await note(tx, here, Deed("retention", "erase", note=f"again {len(back)}"))
    return len(back)


async def _drop_calls(here: Here) -> int:
    async with here.database.begin() as tx:
        return await store.drop_calls(tx, tx.now - here.engine.city.retention.calls, CALLS_AT_ONCE)


async def _time_is_over(tx: Tx, here: Here, tickets: Sequence[UUID]) -> None:
    await erase(tx, here, tickets, "retention")


async def _no_files(tx: Tx, _: Here, tickets: Sequence[UUID]) -> None:
    await forget_files(tx, tickets)


async def _no_words(tx: Tx, _: Here, tickets: Sequence[UUID]) -> None:
    await _blank(tx, tickets)
    _tell(tx, dict.fromkeys(tickets, True))


SWEEPS = (
    _retaining("identity", lambda spans: spans.identity, store.not_erased, _time_is_over),
    _retaining("files", lambda spans: spans.files, store.with_files, _no_files),
    _retaining("words", lambda spans: spans.words, store.with_words, _no_words),
)
