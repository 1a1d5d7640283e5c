"""Why each order got its lead."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.ids import first_id
from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.dispatch.domain import Decision

DECISIONS = Rows("decisions", Decision, key=("decision_id",))

# The last decision by rules of each ticket in the span; ids begin with their time, so a span lies side by side. Within
# a millisecond they have no order, so a ticket's decisions are told apart by their turn: who made one held the ticket.
DECIDED = """
d WHERE decision_id > $1 AND decision_id < $2 AND rules <> '' AND NOT EXISTS (
    SELECT FROM decisions later WHERE later.ticket_id = d.ticket_id AND later.turn > d.turn
    AND later.decision_id < $2 AND later.rules <> ''
) ORDER BY decision_id LIMIT $3
"""
FORGET = "UPDATE decisions SET why = '[]' WHERE ticket_id = ANY($1::uuid[])"
PURGE = """
DELETE FROM decisions WHERE decision_id = ANY(ARRAY(
    SELECT decision_id FROM decisions WHERE decision_id < $1 ORDER BY decision_id LIMIT $2
))
"""


async def add_decisions(tx: Tx, decisions: Iterable[Decision]) -> None:
    """Keep decisions."""
    await DECISIONS.save(tx.connection, decisions)


async def decisions_of(connection: Any, ticket_id: UUID) -> list[Decision]:
    """Return all decisions on a ticket, in order."""
    return await DECISIONS.load(connection, "WHERE ticket_id = $1 ORDER BY turn", ticket_id)


async def decided(connection: Any, behind: UUID, until: datetime, limit: int) -> list[Decision]:
    """Return the last decision by rules of each ticket before an instant, behind an id, oldest first."""
    return await DECISIONS.load(connection, DECIDED, behind, first_id(until), limit)


async def forget_decisions(tx: Tx, tickets: Sequence[UUID]) -> None:
    """Drop the reasons of decisions: people wrote some of them."""
    await tx.connection.execute(FORGET, tickets)


async def purge_decisions(connection: Any, before: datetime, limit: int) -> int:
    """Delete up to `limit` decisions from before an instant, and return how many it was."""
    return int((await connection.execute(PURGE, first_id(before), limit)).rpartition(" ")[2])
