"""The quality of lines by day."""

from collections.abc import Sequence

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.feedback.domain.periods import Period
from services.feedback.domain.reports import LineDay

DAYS = Rows("line_days", LineDay, key=("day", "line"))


async def save_line_days(tx: Tx, days: Sequence[LineDay]) -> None:
    """Store days of lines as they were measured last."""
    await DAYS.save(tx.connection, days)


async def line_days(database: Database, period: Period) -> list[LineDay]:
    """Return the days of all lines in a period."""
    span = (period.first.isoformat(), period.after.isoformat())
    return await DAYS.load(database.pool, "WHERE day >= $1 AND day < $2 ORDER BY day, line", *span)
