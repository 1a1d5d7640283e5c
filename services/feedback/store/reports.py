"""Reports as they were made."""

from datetime import datetime
from typing import Any

from libs.common.city.reports import ReportKind
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.feedback.domain.reports import Kept, Made

_KEY = ("kind", "period", "scope", "version")
REPORTS = Rows("reports", Kept, _KEY)
MADE = Rows("reports", Made, _KEY)

LAST = "SELECT max(version) FROM reports WHERE kind = $1 AND period = $2 AND scope = $3"
DROP_OPEN = "DELETE FROM reports WHERE kind = $1 AND period = $2 AND scope = $3 AND version = 0"
SCHEDULE = 0x7265706F727473
"""The advisory lock of whoever makes reports by schedule: "reports" in ASCII."""
FIRST = "SELECT min(received_at) FROM cases WHERE round = 1"
KEPT = """
SELECT DISTINCT scope FROM reports WHERE kind = $1 AND period = $2 AND closed
"""


async def report(pool: Any, kind: ReportKind, period: str, scope: str, version: int | None = None) -> Kept | None:
    """Return a report, the last version of it if none is named; None if it was not made."""
    where = "WHERE kind = $1 AND period = $2 AND scope = $3 AND ($4::int IS NULL OR version = $4)"
    where += " ORDER BY version DESC LIMIT 1"
    return next(iter(await REPORTS.load(pool, where, kind, period, scope, version)), None)


async def kept_scopes(database: Database, kind: ReportKind, period: str) -> set[str]:
    """Return the parts of the city of which a period's report was made when it was over."""
    return {row["scope"] for row in await database.pool.fetch(KEPT, kind, period)}


async def made(database: Database, limit: int) -> list[Made]:
    """Return what was made lately, without its findings."""
    return await MADE.load(database.pool, "ORDER BY made_at DESC LIMIT $1", limit)


async def last_version(tx: Tx, kind: ReportKind, period: str, scope: str) -> int:
    """Return the last version of a report, 0 if there is none."""
    return await tx.connection.fetchval(LAST, kind, period, scope) or 0


async def save_report(tx: Tx, kept: Kept) -> None:
    """Store a report; what was made of its period before that was over falls away."""
    await tx.connection.execute(DROP_OPEN, kept.kind, kept.period, kept.scope)
    await REPORTS.save(tx.connection, [kept])


async def first_received(database: Database) -> datetime | None:
    """Return when the first appeal of the record was received."""
    at: datetime | None = await database.pool.fetchval(FIRST)
    return at
