"""What counts for the rates."""

from typing import Any

from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.database import Database
from services.feedback.domain.rates import Tally

TALLIES = """
SELECT unit_code, max(unit_name) AS unit_name, count(*) AS counted,
    count(*) FILTER (WHERE contacted) AS responded,
    count(*) FILTER (WHERE resolved = 'yes') AS solved,
    count(*) FILTER (WHERE satisfied >= 4) AS satisfied,
    avg(response_in_time::int)::float8 AS response_in_time,
    avg(completion_in_time::int)::float8 AS completion_in_time
FROM reviews
WHERE state = 'answered' AND period = $1 AND unit_code IS NOT NULL AND NOT excluded
  AND ($2::text IS NULL OR unit_code = $2)
GROUP BY unit_code ORDER BY unit_code
"""


async def tallies(database: Database, period: str, unit: str | None) -> list[Tally]:
    """Return what counts for each unit in a month, or for one unit."""
    return [_tally(dict(row)) for row in await database.pool.fetch(TALLIES, period, unit)]


def _tally(row: dict[str, Any]) -> Tally:
    return Tally(unit=UnitRef(code=row.pop("unit_code"), name=row.pop("unit_name") or ""), **row)
