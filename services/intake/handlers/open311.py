"""Open311: reading the public list, and what registered clients do beyond that."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, unknown_ticket
from services.intake import store
from services.intake.appeal import Appeal
from services.intake.domain import Entry, Facts, Listed, Ticket, public
from services.intake.handlers.around import Accepted, Here
from services.intake.handlers.commands import supplement
from services.intake.handlers.following import MEMORY
from services.intake.handlers.publicity import publish
from services.intake.handlers.receiving import accept

Wanted = store.Wanted


@dataclass(frozen=True, slots=True)
class Shown:
    """A ticket of the public list. There is no more than its place on the list until it is screened."""

    listed: Listed
    ticket: Ticket | None
    facts: Facts
    updated_at: datetime


async def receive_open311(here: Here, client: str, appeal: Appeal) -> Accepted:
    """Receive an appeal by Open311 and list it at once, so that its number can be asked for."""
    accepted = await accept(here, client, appeal)
    row = Listed(
        accepted.ticket_id, accepted.number, client, appeal.service, True, True, appeal.received(here.clock.now())
    )
    async with here.database.begin() as tx:
        await store.list_now(tx, row)
    return accepted


async def find_public(here: Here, numbers: Collection[str], client: str | None) -> list[Shown]:
    """Return tickets by number, newest first: public ones, and those this client sent."""
    async with here.database.pool.acquire() as connection:
        rows = await store.listed_by_number(connection, numbers)
        return await shown(connection, [row for row in rows if row.public or row.client == client])


async def newest_public(here: Here, wanted: store.Wanted) -> list[Shown]:
    """Return the public tickets that are wanted."""
    async with here.database.pool.acquire() as connection:
        return await shown(connection, await store.listed_newest(connection, wanted))


async def shown(connection: Any, rows: Sequence[Listed]) -> list[Shown]:
    """Return what is known of listed tickets, in their order."""
    ids = [row.ticket_id for row in rows]
    tickets = await store.tickets_of(connection, ids)
    facts = await store.facts_of(connection, ids)
    last = await store.last_lines(connection, ids)
    return [
        Shown(row, tickets.get(id_), MEMORY.read(facts.get(id_, {})), last.get(id_, row.received_at))
        for id_, row in zip(ids, rows, strict=True)
    ]


async def public_lines(
    here: Here, since: datetime, until: datetime, types: Collection[str], client: str | None, offset: int
) -> list[tuple[Entry, Shown]]:
    """Return what happened to public tickets, or to all that this client sent, oldest first."""
    entries = await store.listed_lines(here.database, since, until, types, client, offset)
    async with here.database.pool.acquire() as connection:
        rows = await store.listed_by_id(connection, {entry.ticket_id for entry in entries})
        found = {one.listed.ticket_id: one for one in await shown(connection, rows)}
    return [(entry, found[entry.ticket_id]) for entry in entries if entry.ticket_id in found]


async def hide(tx: Tx, here: Here, ticket_id: UUID, *, hidden: bool) -> bool:
    """Keep a ticket from the public, or no longer; return whether anyone sees it now."""
    await tx.lock([str(ticket_id)])
    found = (await store.tickets_of(tx.connection, [ticket_id])).get(ticket_id)
    if found is None:
        raise unknown_ticket(ticket_id, here.clock)
    ticket, facts = replace(found, hidden=hidden), MEMORY.of(tx, str(ticket_id))
    await store.save(tx, [ticket], [])
    await publish(tx, here, [(ticket, facts)])
    return public(ticket, facts, here.engine.city.services)


async def update_request(here: Here, ticket: Listed, update_id: str | None, text: str) -> UUID:
    """Add what a client says of a ticket it sent, once for each `update_id`, and return the id of this update.

    Raises NotPossibleError once the ticket is closed.
    """
    mine = here.clock.new_id()
    async with here.database.begin() as tx:
        if update_id:
            scope = hashlib.sha256(f"update\0{ticket.client}\0{update_id}".encode()).digest()
            held = await store.claim(tx, [(scope, ticket.ticket_id, mine.bytes)])
            if held[scope] != (ticket.ticket_id, mine.bytes):
                return _earlier(ticket, *held[scope])
        await supplement(tx, here, ticket.ticket_id, text)
    return mine


def _earlier(ticket: Listed, ticket_id: UUID, content: bytes) -> UUID:
    if ticket_id != ticket.ticket_id:
        raise Problem(400, "update_id: was used for another request; send a new id with a new update")
    return UUID(bytes=content)
