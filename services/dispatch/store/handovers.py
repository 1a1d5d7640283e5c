"""Handovers, and the orders they move."""

from typing import Any
from uuid import UUID

from libs.common.runtime.rows import Rows
from services.dispatch.domain.handovers import MOVABLE, Handover

HANDOVERS = Rows("handovers", Handover, key=("handover_id",))
HANDOVER_LOCK = 4_712_372
"""Whoever holds it hands over, one process of all."""

# Where an order happens, to the street's code, is among what is known of its ticket.
CONCERNED = """
FROM orders o JOIN aggregates a ON a.subject = o.ticket_id::text
WHERE o.unit_code = $1 AND o.state = ANY($2::text[])
  AND ($3::text[] = '{}' OR EXISTS (
    SELECT FROM unnest($3::text[]) c WHERE o.code = c OR starts_with(o.code, c || '-')))
  AND ($4::text IS NULL OR a.facts #>> '{classified,is,matter,place,street}' = $4)
"""
BY_CODE = f"SELECT o.code, count(*) AS orders {CONCERNED} GROUP BY 1 ORDER BY 2 DESC, 1"
NEXT = f"SELECT o.ticket_id {CONCERNED} AND o.ticket_id > $5 ORDER BY 1 LIMIT $6"
WAITING = "WHERE state = 'waiting' ORDER BY asked_at, handover_id LIMIT 1"


async def concerned(connection: Any, handover: Handover) -> dict[str, int]:
    """Return how many orders of each question a handover would move."""
    return {row["code"]: row["orders"] for row in await connection.fetch(BY_CODE, *_which(handover))}


async def next_orders(connection: Any, handover: Handover, limit: int) -> list[UUID]:
    """Return the next tickets whose orders a handover moves."""
    rows = await connection.fetch(NEXT, *_which(handover), handover.behind, limit)
    return [row["ticket_id"] for row in rows]


def _which(handover: Handover) -> tuple[object, ...]:
    return handover.from_unit, list(MOVABLE), list(handover.codes), handover.street


async def save_handover(connection: Any, handover: Handover) -> None:
    """Keep a handover."""
    await HANDOVERS.save(connection, [handover])


async def handover_of(connection: Any, handover_id: UUID) -> Handover | None:
    """Return a handover, None if there is none of this id."""
    found = await HANDOVERS.load(connection, "WHERE handover_id = $1", handover_id)
    return found[0] if found else None


async def waiting_handover(connection: Any) -> Handover | None:
    """Return the handover that was asked for first and is not done."""
    found = await HANDOVERS.load(connection, WAITING)
    return found[0] if found else None


async def handovers(connection: Any, limit: int) -> list[Handover]:
    """Return the handovers that were asked for last, the newest first."""
    return await HANDOVERS.load(connection, "ORDER BY asked_at DESC, handover_id DESC LIMIT $1", limit)
