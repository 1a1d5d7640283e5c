"""What a language model is asked and answered of tickets, and what that costs a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.common.contracts.classify import MachineMade
from libs.common.messaging.transaction import Tx
from services.classify.domain import Verdict
from services.classify.store.verdicts import VERDICTS

# Who loses the race for a ticket finds it put off by the winner. `heard` is the newest of the words that were added:
# with more of them a ticket is asked of anew.
CLAIM = """
INSERT INTO machine_answers AS a (ticket_id, heard, next_at, asked_at)
SELECT v.ticket_id, coalesce(s.last, 0), $2, $1 FROM verdicts v
LEFT JOIN LATERAL (SELECT max(sequence) AS last FROM supplements WHERE ticket_id = v.ticket_id) s ON true
LEFT JOIN machine_answers b ON b.ticket_id = v.ticket_id
WHERE v.state = 'held' AND v.held_until > $1 AND v.receipt ->> 'text' <> ''
    AND (b.ticket_id IS NULL OR b.next_at <= $1 OR b.heard < coalesce(s.last, 0))
ORDER BY v.held_until, v.ticket_id LIMIT $3
ON CONFLICT (ticket_id) DO UPDATE SET heard = excluded.heard, next_at = excluded.next_at, asked_at = excluded.asked_at,
    tries = CASE WHEN a.heard < excluded.heard THEN 0 ELSE a.tries END
WHERE a.next_at <= excluded.asked_at OR a.heard < excluded.heard
RETURNING ticket_id, tries
"""
PUT_OFF = "UPDATE machine_answers SET next_at = $2, tries = $3 WHERE ticket_id = $1"
SETTLE = "UPDATE machine_answers SET next_at = NULL, input = $2, answer = $3 WHERE ticket_id = $1"
ANSWERED = "SELECT answer FROM machine_answers WHERE input = $1 AND answer IS NOT NULL LIMIT 1"
PURGE = "DELETE FROM machine_answers WHERE asked_at < $1"
SPENT = "SELECT calls, tokens, money FROM machine_spending WHERE day = $1"
# One statement, so that processes together never reserve more than there is.
RESERVE = """
INSERT INTO machine_spending AS s (day, calls, tokens, money)
SELECT $1, 1, $2, $3 WHERE $2::bigint <= $4 AND $3::float8 <= $5
ON CONFLICT (day) DO UPDATE
SET calls = s.calls + 1, tokens = s.tokens + excluded.tokens, money = s.money + excluded.money
WHERE s.tokens + excluded.tokens <= $4 AND s.money + excluded.money <= $5
RETURNING true
"""
ADJUST = "UPDATE machine_spending SET tokens = tokens - $2, money = money - $3 WHERE day = $1"


@dataclass(frozen=True, slots=True)
class Spending:
    """What a day's calls cost so far; of calls under way, and of those that never said, the most they can."""

    calls: int = 0
    tokens: int = 0
    money: float = 0.0


async def claim_held(connection: Any, now: datetime, until: datetime, limit: int) -> dict[UUID, int]:
    """Claim tickets that wait for a person and were not asked of, soonest limit first, each for one process of all.

    Returns how often each was tried before. Who has not settled one by `until` has lost it.
    """
    rows = await connection.fetch(CLAIM, now, until, limit)
    return {row["ticket_id"]: row["tries"] for row in rows}


async def verdicts_now(connection: Any, tickets: Sequence[UUID]) -> list[Verdict]:
    """Return the verdicts on tickets as they are, without holding them."""
    return await VERDICTS.load(connection, "WHERE ticket_id = ANY($1)", list(tickets))


async def put_off(connection: Any, ticket_id: UUID, until: datetime | None, tries: int) -> None:
    """Ask of a ticket later, or never again if no time is given."""
    await connection.execute(PUT_OFF, ticket_id, until, tries)


async def settle_answer(tx: Tx, ticket_id: UUID, key: str, answer: MachineMade) -> None:
    """Keep the answer on a ticket that this transaction holds; nothing is kept if its words were deleted meanwhile."""
    await tx.connection.execute(SETTLE, ticket_id, key, answer.model_dump(mode="json"))


async def answered(connection: Any, key: str) -> MachineMade | None:
    """Return what was answered to this very inquiry before, whichever ticket it was about."""
    found = await connection.fetchval(ANSWERED, key)
    return MachineMade.model_validate(found) if found else None


async def purge_answers(connection: Any, before: datetime) -> None:
    """Forget what was asked before then."""
    await connection.execute(PURGE, before)


async def spending(connection: Any, day: date) -> Spending:
    """Return what a day cost so far."""
    row = await connection.fetchrow(SPENT, day)
    return Spending(**row) if row else Spending()


async def reserve(connection: Any, day: date, tokens: int, money: float, most: tuple[int, float]) -> bool:
    """Take a call's cost out of the day's budget, and say whether there was room for it."""
    return bool(await connection.fetchval(RESERVE, day, tokens, money, *most))


async def give_back(connection: Any, day: date, tokens: int, money: float) -> None:
    """Return what a call did not take of what was reserved."""
    await connection.execute(ADJUST, day, tokens, money)
