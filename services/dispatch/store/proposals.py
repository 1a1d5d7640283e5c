"""What rulings propose, counted when it is asked for, and how it was answered."""

from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.dispatch.domain.proposals import Answer, Proposal

ANSWERS = Rows("proposals", Answer, key=("proposal_id", "at"))
ADOPT_LOCK = 4_712_373
"""Whoever holds it adopts a proposal: each builds on the one before."""

# Once it was answered only what was ruled later counts. Only where the rules sent it wrongly can a rule put it right.
PROPOSALS = """
WITH alike AS (
    SELECT left(md5(concat_ws('|', rule, unit_code, to_code, category ->> 0, category ->> 1)), 16) AS proposal_id, *
    FROM returns
    WHERE state = 'upheld' AND against = 'routing' AND ended_at > $1 AND to_code <> $2
)
SELECT proposal_id, rule, unit_code AS from_code, max(unit_name) AS from_name, to_code, max(to_name) AS to_name,
    ARRAY[category ->> 0, category ->> 1] AS category, array_agg(DISTINCT code) AS codes,
    array_agg(DISTINCT coalesce(district, '')) AS districts, array_agg(DISTINCT coalesce(street, '')) AS streets,
    count(DISTINCT ticket_id) AS tickets, (array_agg(DISTINCT number))[:100] AS numbers,
    min(ended_at) AS first_at, max(ended_at) AS last_at
FROM alike a
WHERE NOT EXISTS (SELECT FROM proposals p WHERE p.proposal_id = a.proposal_id AND p.at >= a.ended_at)
GROUP BY proposal_id, rule, unit_code, to_code, category ->> 0, category ->> 1
HAVING count(DISTINCT ticket_id) >= $3 ORDER BY tickets DESC, proposal_id LIMIT $4
"""
# What a person rolled back, or let rest for so long, is not built on.
NEWEST_ADOPTED = """
SELECT version FROM proposals p WHERE state = 'adopted' AND at > $1 AND NOT EXISTS (
    SELECT FROM rule_activations a WHERE a.version = p.version AND from_at <= $2 AND cancelled_at IS NULL
) ORDER BY at DESC LIMIT 1
"""
MOST = 500
_PROPOSAL = TypeAdapter(Proposal)


async def proposals(connection: Any, since: datetime, centre: str, least: int) -> list[Proposal]:
    """Return what at least so many rulings since an instant propose, what most do first; to the centre none does."""
    found = await connection.fetch(PROPOSALS, since, centre, least, MOST)
    return [_PROPOSAL.validate_python(dict(row)) for row in found]


async def newest_adopted(connection: Any, since: datetime, now: datetime) -> str | None:
    """Return the rules that were adopted last, since an instant, and were never in force."""
    version: str | None = await connection.fetchval(NEWEST_ADOPTED, since, now)
    return version


async def answers(connection: Any, limit: int) -> list[Answer]:
    """Return what proposals were answered last, the newest first."""
    return await ANSWERS.load(connection, "ORDER BY at DESC, proposal_id LIMIT $1", limit)


async def save_answer(tx: Tx, answer: Answer) -> None:
    """Keep how a proposal was answered."""
    await ANSWERS.save(tx.connection, [answer])
