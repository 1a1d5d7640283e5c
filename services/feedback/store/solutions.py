"""The library of solutions."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.feedback.domain.solutions import Solution, SolutionState

SOLUTIONS = Rows("solutions", Solution, key=("solution_id",))
MOST = 500
SEARCHED = """
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR position(lower($2) IN lower(title || ' ' || what)) > 0)
  AND (made_at, solution_id) > ($3, $4)
ORDER BY made_at, solution_id LIMIT $5
"""
FITTING = "WHERE state = 'current' AND (codes ?| $1 OR groups ?| $2) ORDER BY made_at DESC LIMIT $3"
MATTER = """
SELECT code, category ->> 0 AS level1, category ->> 1 AS level2, district FROM cases WHERE ticket_id = $1
ORDER BY round DESC LIMIT 1
"""


async def search_solutions(
    connection: Any, state: SolutionState | None, words: str | None, after: tuple[datetime, UUID], limit: int
) -> list[Solution]:
    """Return solutions with some words in them, the oldest first, from behind `after`."""
    return await SOLUTIONS.load(connection, SEARCHED, state, words, *after, limit)


async def solutions_for(connection: Any, codes: Collection[str], groups: Collection[str]) -> list[Solution]:
    """Return current solutions of any of these questions, or of a group of questions."""
    return await SOLUTIONS.load(connection, FITTING, list(codes), list(groups), MOST)


async def solution(connection: Any, solution_id: UUID) -> Solution | None:
    """Return one solution."""
    return next(iter(await SOLUTIONS.load(connection, "WHERE solution_id = $1", solution_id)), None)


async def save_solution(tx: Tx, changed: Solution) -> None:
    """Store a solution as it is now."""
    await SOLUTIONS.save(tx.connection, [changed])


async def matter_of(connection: Any, ticket_id: UUID) -> tuple[str, tuple[str, str] | None, str | None] | None:
    """Return what a ticket is about and its district: question, levels 1 and 2; None if it is not in the record."""
    row = await connection.fetchrow(MATTER, ticket_id)
    if row is None:
        return None
    return row["code"], (row["level1"], row["level2"]) if row["level1"] else None, row["district"]
