"""Coverage figures from outside, with their dates and sources."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.feedback.domain.indices import Coverage

LAST = """
SELECT DISTINCT ON (indicator, district) indicator, district, as_of, value, source FROM coverage
WHERE as_of < $1 ORDER BY indicator, district, as_of DESC
"""
LISTED = "ORDER BY indicator, district, as_of"


@dataclass(frozen=True, slots=True)
class Imported:
    """A figure as it was imported: when, and by whom."""

    indicator: str
    district: str
    as_of: date
    value: float
    source: str
    imported_at: datetime
    imported_by: str


COVERAGE = Rows("coverage", Imported, key=("indicator", "district", "as_of"))


async def save(tx: Tx, figures: Sequence[Coverage], by: str) -> None:
    """Store figures; one of the same indicator, district and day is replaced."""
    rows = [Imported(one.indicator, one.district, one.as_of, one.value, one.source, tx.now, by) for one in figures]
    await COVERAGE.save(tx.connection, rows)


async def last(pool: Any, before: date) -> list[Coverage]:
    """Return the last figure of each indicator and district as of a day before that one."""
    return [Coverage(**dict(row)) for row in await pool.fetch(LAST, before)]


async def imported(pool: Any) -> list[Imported]:
    """Return all figures: some hundred for each year."""
    return await COVERAGE.load(pool, LISTED)
