"""Finding repeats: for appeals that enter, for a seat that asks, and the keeping of what they are found by."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import unknown_ticket
from services.intake import store
from services.intake.domain import Facts, Likely, Ticket, goes_on, root_of
from services.intake.handlers.around import Here
from services.intake.handlers.following import MEMORY
from services.intake.repeats import Known, Read, Said, joined_reads

TIDYING = "repeats"
SLICE = 20
"""So many appeals are read before others have their turn on the event loop: some 2 ms."""
TIDIED_AT_ONCE = 500
TIDY_SECONDS = 600.0
_PERSONAL = frozenset({"consultation", "praise"})
"""A question is answered to whoever asked it, and thanks are one's own."""


@dataclass(frozen=True, slots=True)
class Similar:
    """A ticket that goes on and is probably about the same event, and by what it was found."""

    ticket: Ticket
    facts: Facts
    likely: Likely


def said_of(ticket: Ticket) -> Said:
    """Return what of a ticket is compared with others; its text is redacted by now."""
    return Said(
        text=f"{ticket.title}\n{ticket.text}" if ticket.title else ticket.text,
        received_at=ticket.received_at,
        address=ticket.address,
        lat=ticket.lat,
        lon=ticket.lon,
        reporter=ticket.reporter,
        device=ticket.device,
        own=ticket.kind in _PERSONAL,
    )


async def read_slowly(here: Here, tickets: Sequence[Ticket]) -> Read:
    """Read tickets some at a time, so that who stands at the door waits for no more than that."""
    parts = []
    for start in range(0, len(tickets), SLICE):
        parts.append(here.engine.repeats.read([said_of(ticket) for ticket in tickets[start : start + SLICE]]))
        await asyncio.sleep(0)
    return joined_reads(parts)


def likeness_of(here: Here, ticket: Ticket, read: Read, at: int) -> store.Likeness:
    """Return what to keep of a ticket: one that belongs to another is found by its reporter only."""
    keys = read.keys[at]
    return store.Likeness(
        ticket_id=ticket.ticket_id,
        received_at=ticket.received_at,
        model=here.engine.repeats.model,
        keys=keys.who if ticket.state == "linked" else keys.kept,
        sketch=read.sketches[at].tobytes(),
    )


async def find_again(tx: Tx, here: Here, tickets: Sequence[Ticket]) -> None:
    """Have tickets that were joined or parted stand under the keys of what they are now."""
    if tickets:
        read = await read_slowly(here, tickets)
        kept = [likeness_of(here, ticket, read, at) for at, ticket in enumerate(tickets)]
        await store.drop_keys(tx.connection, await store.keys_of(tx.connection, [t.ticket_id for t in tickets]))
        await store.keep_likenesses(tx.connection, kept)


async def known_to(here: Here, connection: object, read: Read) -> Known:
    """Return what stands under the keys of some appeals. To be called in a transaction."""
    keys = {key for some in read.keys for key in some.looked_for}
    return Known(*await store.found_under(connection, keys, here.engine.repeats.model))


async def similar(here: Here, said: Said) -> list[Similar]:
    """Return the tickets that an appeal, not yet sent, would probably repeat; likeliest first."""
    read = here.engine.repeats.read([said])
    async with here.database.begin() as tx:
        (found,) = here.engine.repeats.among(read, await known_to(here, tx.connection, read))
        return await _going_on(tx, found)


async def similar_to(here: Here, ticket_id: UUID) -> list[Similar]:
    """Return what a ticket may be about the same event as, kept for a person to decide. Raises Problem 404."""
    async with here.database.begin() as tx:
        ticket = (await store.tickets_of(tx.connection, [ticket_id])).get(ticket_id)
        if ticket is None:
            raise unknown_ticket(ticket_id, here.clock)
        kept = await store.suggestions_of(tx.connection, ticket_id)
        others = [Likely(s.other if s.ticket_id == ticket_id else s.ticket_id, s.score, s.reasons) for s in kept]
        found = await _going_on(tx, others)
    return [one for one in found if one.ticket.ticket_id != root_of(ticket)]


async def _going_on(tx: Tx, found: Sequence[Likely]) -> list[Similar]:
    """Return the roots of these tickets that go on, each once, with the likeliest of what led to it."""
    tickets = await store.tickets_of(tx.connection, [likely.ticket_id for likely in found])
    roots = {id_: root_of(ticket) for id_, ticket in tickets.items()}
    known = await store.tickets_of(tx.connection, set(roots.values()))
    facts = await store.facts_of(tx.connection, list(known))
    similar_: dict[UUID, Similar] = {}
    for likely in found:
        root = known.get(roots.get(likely.ticket_id, likely.ticket_id))
        if root and root.ticket_id not in similar_:
            similar_[root.ticket_id] = Similar(root, MEMORY.read(facts.get(root.ticket_id, {})), likely)
    return [one for one in similar_.values() if goes_on(one.ticket.state, one.facts)]


async def tidy(here: Here) -> float:
    """Forget what is too old to be repeated and read again what an older model read; return when to come again."""
    async with here.database.begin() as tx:
        before = tx.now - here.engine.repeats.rules.window
        purged = await store.purge_likenesses(tx.connection, before, TIDIED_AT_ONCE)
        old = await store.outdated(tx.connection, here.engine.repeats.model, TIDIED_AT_ONCE)
        await _read_again(tx, here, old)
    return 0 if TIDIED_AT_ONCE in {purged, len(old)} else TIDY_SECONDS


async def _read_again(tx: Tx, here: Here, old: Mapping[UUID, Sequence[int]]) -> None:
    tickets = await store.tickets_of(tx.connection, old)
    await find_again(tx, here, list(tickets.values()))
