"""Topics: the candidates of each month, and what their appeals were."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.feedback.domain.topics import Share, Topic, TopicState

TOPICS = Rows("topics", Topic, key=("topic_id",))
LISTED = (
    "WHERE ($1::text IS NULL OR period = $1) AND ($2::text IS NULL OR state = $2) ORDER BY period DESC, rank LIMIT $3"
)
LATEST = "SELECT max(period) FROM topic_months"
DONE = "SELECT EXISTS (SELECT FROM topic_months WHERE period = $1)"
DO = "INSERT INTO topic_months (period, proposed_at, topics) VALUES ($1, $2, $3)"
# Who led in the last round, how that ended, what kind of appeal it was: one look at the appeals on a matter.
FACETS = """
SELECT grouping(last.unit_code) AS no_unit, grouping(last.ended) AS no_end, last.unit_code,
    max(last.unit_name) AS unit_name, last.ended, c.kind, count(*) AS tickets
FROM cases c CROSS JOIN LATERAL (
    SELECT unit_code, unit_name, ended FROM cases o WHERE o.ticket_id = c.ticket_id ORDER BY round DESC LIMIT 1) last
WHERE c.code = ANY($1) AND c.round = 1 AND c.received_at >= $2 AND c.received_at < $3 AND NOT c.excluded
  AND c.kind IS DISTINCT FROM 'praise' AND ($4::text IS NULL OR c.district = $4)
GROUP BY GROUPING SETS ((last.unit_code), (last.ended), (c.kind)) ORDER BY tickets DESC
"""


async def topics(
    connection: Any, period: str | None = None, state: TopicState | None = None, limit: int = 500
) -> list[Topic]:
    """Return topics, the newest month first, in their rank."""
    return await TOPICS.load(connection, LISTED, period, state, limit)


async def topic(connection: Any, topic_id: UUID) -> Topic | None:
    """Return one topic."""
    return next(iter(await TOPICS.load(connection, "WHERE topic_id = $1", topic_id)), None)


async def topics_of(connection: Any, ids: Collection[UUID]) -> list[Topic]:
    """Return topics by their ids."""
    return await TOPICS.load(connection, "WHERE topic_id = ANY($1)", list(ids))


async def save_topics(tx: Tx, changed: Sequence[Topic]) -> None:
    """Store topics as they are now."""
    await TOPICS.save(tx.connection, changed)


async def latest_month(connection: Any) -> str | None:
    """Return the last month of which topics were proposed."""
    period: str | None = await connection.fetchval(LATEST)
    return period


async def is_proposed(connection: Any, period: str) -> bool:
    """Say whether the topics of a month were proposed."""
    return bool(await connection.fetchval(DONE, period))


async def save_month(tx: Tx, period: str, count: int) -> None:
    """Keep that the topics of a month were proposed."""
    await tx.connection.execute(DO, period, tx.now, count)


async def facets(
    connection: Any, codes: Collection[str], begin: datetime, end: datetime, district: str | None
) -> tuple[list[Share], list[Share], list[Share]]:
    """Return of the appeals on some questions in a time: units that led, ends, kinds; the most frequent first."""
    units, ends, kinds = [], [], []
    for row in await connection.fetch(FACETS, list(codes), begin, end, district):
        if not row["no_unit"]:
            units.append(Share(row["unit_code"] or "", row["tickets"], row["unit_name"] or ""))
        elif not row["no_end"]:
            ends.append(Share(row["ended"] or "open", row["tickets"]))
        else:
            kinds.append(Share(row["kind"] or "", row["tickets"]))
    return units, ends, kinds
