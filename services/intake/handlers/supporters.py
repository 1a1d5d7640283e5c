"""To confirm or follow a neighbour's public ticket: everyone counts once, and who wants to be told is told."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from libs.common.city.services import Service
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem
from services.intake import store
from services.intake.domain import (
    Facts,
    Supporter,
    SupportKind,
    Ticket,
    Way,
    goes_on,
    open_to_support,
    public,
    root_of,
    service_of,
)
from services.intake.handlers.around import Here
from services.intake.handlers.following import MEMORY
from services.intake.handlers.letters import CONTACT
from services.intake.handlers.linking import supported

MOST_WORDS = 5
NEWEST = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))
"""Where a list of public tickets begins."""


@dataclass(frozen=True, slots=True)
class Supported:
    """What came of it: which ticket, how many stand behind it now, and whether this one is new among them."""

    ticket_id: UUID
    support: int
    counted: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """Who wants to stand behind a ticket. `person` is a pseudonym or stands for a token; `to` is where to tell them."""

    person: str
    kind: SupportKind
    language: str
    to: Mapping[Way, str]


async def support(tx: Tx, here: Here, ticket_id: UUID, offer: Offer) -> Supported:
    """Let somebody stand behind a ticket, or behind the one it belongs to.

    Raises Problem 404 if it is not public, NotPossibleError once it has ended.
    """
    root = await _public_root(tx, here, ticket_id)
    before = await store.supporter_of(tx, root.ticket_id, offer.person)
    reporter = before is None and await store.is_reporter(tx, root.ticket_id, offer.person)
    if reporter:
        return Supported(root.ticket_id, root.support, counted=False)
    await _keep(tx, here, root, offer, before)
    if before is None:
        await supported(tx, here, {root.ticket_id: 1})
    return Supported(root.ticket_id, root.support + (before is None), counted=before is None)


async def _public_root(tx: Tx, here: Here, ticket_id: UUID) -> Ticket:
    named = (await store.tickets_of(tx.connection, [ticket_id])).get(ticket_id)
    if named is None:
        raise Problem(404, "no such public ticket")
    root_id = root_of(named)
    await tx.lock([str(root_id)])
    root = (await store.tickets_of(tx.connection, [root_id]))[root_id]
    facts = MEMORY.of(tx, str(root_id))
    if not public(root, facts, here.engine.city.services):
        raise Problem(404, "no such public ticket")
    open_to_support(root, facts)
    return root


async def _keep(tx: Tx, here: Here, root: Ticket, offer: Offer, before: Supporter | None) -> None:
    """Store who supports. A later word may add where to be told, and takes nothing away that was given before."""
    supporter = before or Supporter(
        here.clock.new_id(), root.ticket_id, offer.person, offer.kind, tx.now, offer.language
    )
    if not offer.to:
        if before is None:
            await store.save_supporter(tx, supporter, None)
        return
    key = here.engine.vault.new_key(supporter.supporter_id.bytes)
    contact = key.seal(CONTACT.dump_json(dict(offer.to)), supporter.supporter_id.bytes)
    supporter = replace(supporter, kind="follow", language=offer.language, ways=tuple(offer.to), contact=contact)
    await store.save_supporter(tx, supporter, key.wrapped)


async def stop_telling(tx: Tx, supporter_id: UUID) -> None:
    """Tell a follower nothing more, and forget where to write to. They still count among those it troubles."""
    supporter = (await store.supporters_of(tx.connection, [supporter_id])).get(supporter_id)
    if supporter:
        await store.save_supporter(tx, replace(supporter, kind="confirm", ways=(), contact=None), None)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A ticket that anyone may see, the public service it belongs to, and how it goes."""

    ticket: Ticket
    facts: Facts
    service: Service

    @property
    def goes_on(self) -> bool:
        """Whether others may still stand behind it."""
        return goes_on(self.ticket.state, self.facts)


async def neighbours(
    here: Here, before: tuple[datetime, UUID], limit: int, near: tuple[float, float] | None = None
) -> list[Neighbour]:
    """Return public tickets, newest first; with `near` (latitude, longitude) those within about a kilometre or two."""
    async with here.database.pool.acquire() as connection:
        if near is None:
            ids = await store.newest_public(connection, before, limit)
        else:
            ids = await store.near(connection, _cells(*near), before, limit)
        return await _seen(here, connection, ids)


async def search(here: Here, words: str, limit: int) -> list[Neighbour]:
    """Return public tickets by number, or recent ones whose place or matter has each of the first few words."""
    by_number = await numbered(here, words)
    wanted = [(word, _services(here, word)) for word in words.replace("\0", " ").split()[:MOST_WORDS]]
    async with here.database.pool.acquire() as connection:
        if by_number:
            return await _seen(here, connection, by_number)
        return await _seen(here, connection, await store.recent_public(connection, wanted, limit) if wanted else [])


def _services(here: Here, word: str) -> list[str]:
    """Return the services that a word may mean: by their names, or those of their questions."""
    meant = word.casefold()
    return [
        service.code
        for service in here.engine.city.services
        if any(meant in name.casefold() for name in (service.name.zh, service.name.en))
        or any(meant in question.category[-1] for question in service.questions)
    ]


async def neighbour(here: Here, ticket_id: UUID) -> Neighbour:
    """Return one public ticket. Raises Problem 404 if it is none."""
    async with here.database.pool.acquire() as connection:
        found = await _seen(here, connection, [ticket_id])
    if not found:
        raise Problem(404, "no such public ticket")
    return found[0]


async def numbered(here: Here, number: str) -> list[UUID]:
    """Return the tickets of a number, which is written as people write: with spaces, in full width."""
    plain = "".join(unicodedata.normalize("NFKC", number).split())
    return await store.numbered_tickets(here.database.pool, plain) if _NUMBER.fullmatch(plain) else []


_NUMBER = re.compile(r"[0-9]{8}-[0-9]{7}")


async def _seen(here: Here, connection: object, ids: Sequence[UUID]) -> list[Neighbour]:
    tickets = await store.tickets_of(connection, ids)
    facts = await store.facts_of(connection, ids)
    services = here.engine.city.services
    seen = [(tickets[id_], MEMORY.read(facts.get(id_, {}))) for id_ in ids if id_ in tickets]
    return [
        Neighbour(ticket, known, service)
        for ticket, known in seen
        if public(ticket, known, services) and (service := service_of(ticket, known, services))
    ]


def _cells(lat: float, lon: float) -> list[tuple[float, float]]:
    """Return the hundredth of a degree that a point lies in, and those around it."""
    return [(math.floor(lat * 100) + y, math.floor(lon * 100) + x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
