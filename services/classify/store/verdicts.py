"""Verdicts, what was added to them, and what was taught."""

from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.contracts.vocabulary import Receipt
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

RECEIPTS = "SELECT ticket_id, receipt FROM verdicts WHERE ticket_id = ANY($1)"
ALARMS = """
SELECT DISTINCT ON (parent) parent, receipt ->> 'number' AS number, reading ->> 'danger' AS danger FROM verdicts
WHERE parent = ANY($1) AND urgency = 'urgent' ORDER BY parent, ticket_id
"""
FORGET = """
WITH added AS (DELETE FROM supplements WHERE ticket_id = ANY($1)),
answers AS (DELETE FROM machine_answers WHERE ticket_id = ANY($1))
DELETE FROM labels WHERE ticket_id = ANY($1)
"""
WAITING_BY = """
SELECT DISTINCT code FROM verdicts WHERE state = 'held'
UNION SELECT v.code FROM timers t JOIN verdicts v ON v.ticket_id = t.subject::uuid WHERE t.kind = 'alarm'
"""
OUTDATED = """
WHERE code = ANY($1) AND (
    state = 'held' OR ticket_id IN (SELECT subject::uuid FROM timers WHERE kind = 'alarm')
) ORDER BY held_until, ticket_id LIMIT $2
"""
HELD = "WHERE state = 'held' AND (held_until, ticket_id) > ($1, $2) ORDER BY held_until, ticket_id LIMIT $3"


async def verdicts_of(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, Verdict]:
    """Return the verdict on each ticket that has one."""
    found = await VERDICTS.load(tx.connection, "WHERE ticket_id = ANY($1)", list(tickets))
    return {verdict.ticket_id: verdict for verdict in found}


async def receipts_of(connection: Any, tickets: Collection[UUID]) -> dict[UUID, Receipt]:
    """Return the receipt of each ticket that was heard of."""
    rows = await connection.fetch(RECEIPTS, list(tickets)) if tickets else []
    return {row["ticket_id"]: Receipt.model_validate(row["receipt"]) for row in rows}


async def supplements_of(connection: Any, tickets: Collection[UUID]) -> dict[UUID, list[Supplement]]:
    """Return what was added to each ticket, in order; nothing is asked of the database for no tickets."""
    added: dict[UUID, list[Supplement]] = {ticket: [] for ticket in tickets}
    where = "WHERE ticket_id = ANY($1) ORDER BY ticket_id, sequence"
    for supplement in await SUPPLEMENTS.load(connection, where, list(tickets)) if added else ():
        added[supplement.ticket_id].append(supplement)
    return added


async def alarms_of(tx: Tx, tickets: Collection[UUID]) -> dict[UUID, str]:
    """Return, of each ticket that an urgent one repeats, which repeat that is and the danger it tells of."""
    rows = await tx.connection.fetch(ALARMS, list(tickets))
    return {row["parent"]: f"关联诉求{row['number']}：{_told(row['danger'])}" for row in rows}


def _told(danger: str | None) -> str:
    return f"险情“{danger}”" if danger else "判为紧急"


async def add_supplements(tx: Tx, supplements: Sequence[Supplement]) -> None:
    """Keep what reporters added."""
    await SUPPLEMENTS.save(tx.connection, supplements)


async def forget_words(tx: Tx, tickets: Collection[UUID]) -> None:
    """Drop what was added to tickets, answered of them and taught by them; nothing is asked for no tickets."""
    if tickets:
        await tx.connection.execute(FORGET, list(tickets))


async def save(tx: Tx, verdicts: Sequence[Verdict], labels: Sequence[Label]) -> None:
    """Store verdicts as they are now, and what was taught."""
    await VERDICTS.save(tx.connection, verdicts)
    await LABELS.save(tx.connection, labels)


async def outdated(connection: Any, known: Container[str], limit: int) -> list[Verdict]:
    """Return tickets that wait, for a person or to hear an alarm, by a question that is not known any more."""
    codes = [row["code"] for row in await connection.fetch(WAITING_BY) if row["code"] not in known]
    return await VERDICTS.load(connection, OUTDATED, codes, limit) if codes else []


async def held(database: Database, after: tuple[datetime, UUID], limit: int) -> list[Verdict]:
    """Return the tickets that wait for a person, soonest limit first, from behind `after`."""
    return await VERDICTS.load(database.pool, HELD, *after, limit)
