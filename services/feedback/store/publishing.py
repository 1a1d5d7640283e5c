"""What was published of each month."""

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.feedback.domain.publishing import Published

MONTHS = Rows("open_data", Published, key=("month",))


async def published(database: Database, month: str) -> Published | None:
    """Return what was published of a month."""
    return next(iter(await MONTHS.load(database.pool, "WHERE month = $1", month)), None)


async def published_months(database: Database) -> list[str]:
    """Return the months of which something was published, the last first."""
    return [row["month"] for row in await database.pool.fetch("SELECT month FROM open_data ORDER BY month DESC")]


async def publish(tx: Tx, month: Published) -> None:
    """Publish a month."""
    await MONTHS.save(tx.connection, [month])


async def is_published(tx: Tx, month: str) -> bool:
    """Say whether a month was published before."""
    return bool(await tx.connection.fetchval("SELECT true FROM open_data WHERE month = $1", month))
