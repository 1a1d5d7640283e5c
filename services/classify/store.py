"""The tables of classify and all its SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.classify.domain import Label, Verdict


@dataclass(frozen=True, slots=True)
class Supplement:
    """Words added to a ticket, by the sequence of the event that brought them."""

    ticket_id: UUID
    sequence: int
    text: str


VERDICTS = Rows("verdicts", Verdict, key=("ticket_id",))
SUPPLEMENTS = Rows("supplements", Supplement, key=("ticket_id", "sequence"))
LABELS = Rows("labels", Label, key=("ticket_id", "at"))

HELD = "WHERE state = 'held' AND (held_until, ticket_id) > ($1, $2) ORDER BY held_until, ticket_id LIMIT $3"


async def verdicts_of(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, Verdict]:
    """Return the verdict on each ticket that has one."""
    found = await VERDICTS.load(tx.connection, "WHERE ticket_id = ANY($1)", list(tickets))
    return {verdict.ticket_id: verdict for verdict in found}


async def supplements_of(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, list[Supplement]]:
    """Return what was added to each ticket, in order; nothing is asked of the database for no tickets."""
    added: dict[UUID, list[Supplement]] = {ticket: [] for ticket in tickets}
    where = "WHERE ticket_id = ANY($1) ORDER BY ticket_id, sequence"
    for supplement in await SUPPLEMENTS.load(tx.connection, where, list(tickets)) if added else ():
        added[supplement.ticket_id].append(supplement)
    return added


async def add_supplements(tx: Tx, supplements: Sequence[Supplement]) -> None:
    """Keep what reporters added."""
    await SUPPLEMENTS.save(tx.connection, supplements)


async def save(tx: Tx, verdicts: Sequence[Verdict], labels: Sequence[Label]) -> None:
    """Store verdicts as they are now, and what was taught."""
    await VERDICTS.save(tx.connection, verdicts)
    await LABELS.save(tx.connection, labels)


async def held(database: Database, after: tuple[datetime, UUID], limit: int) -> list[Verdict]:
    """Return the tickets that wait for a person, soonest limit first, from behind `after`."""
    return await VERDICTS.load(database.pool, HELD, *after, limit)
