"""What a month's appeals on each of the seven haves and five natures came to, by district; counted by a job."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from libs.common.messaging.transaction import Tx
from services.feedback.domain.indices import Counts

SECONDS = 900
FORGET = "DELETE FROM index_counts WHERE period = $1"
# A reporter's last word on a ticket is what counts of it.
COUNT = """
INSERT INTO index_counts (period, district, tag, appeals, answers, solved, counted_at)
SELECT $1, c.district, c.tag, count(*), count(r.resolved),
    coalesce(sum(CASE r.resolved WHEN 'yes' THEN 1 WHEN 'partly' THEN 0.5 ELSE 0 END), 0), $4
FROM cases c LEFT JOIN LATERAL (
    SELECT resolved FROM reviews WHERE ticket_id = c.ticket_id AND state = 'answered' AND NOT excluded
    ORDER BY round DESC LIMIT 1
) r ON true
WHERE c.round = 1 AND c.received_at >= $2 AND c.received_at < $3 AND NOT c.excluded
    AND c.district IS NOT NULL AND c.tag IS NOT NULL
GROUP BY c.district, c.tag
"""
OF_MONTH = "SELECT period, district, tag, appeals, answers, solved FROM index_counts WHERE period = $1"


async def count(tx: Tx, period: str, span: tuple[datetime, datetime], now: datetime) -> None:
    """Count a month anew."""
    await tx.connection.execute(FORGET, period)
    await tx.connection.execute(COUNT, period, *span, now, timeout=SECONDS)


async def counts(pool: Any, period: str) -> Sequence[Counts]:
    """Return what was counted of a month."""
    return [Counts(**dict(row)) for row in await pool.fetch(OF_MONTH, period)]
