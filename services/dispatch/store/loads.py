"""How much work units have: what is open from an index of open orders, what was from a row for each unit and day."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from libs.common.messaging.ids import first_id
from libs.common.messaging.transaction import Tx
from services.dispatch.domain.loads import Day, Open

OPEN_STATES = "state IN ('dispatched', 'accepted', 'in_progress', 'returned')"
"""As the index of open orders has it, or it is not used."""
OPEN = f"SELECT unit_code, count(*) AS orders FROM orders WHERE {OPEN_STATES} GROUP BY 1"  # noqa: S608 of code alone
OPEN_OF = f"""
SELECT unit_code, state, urgency, floor(extract(epoch FROM $2::timestamptz - dispatched_at) / 86400)::int AS age,
    count(*) AS orders
FROM orders WHERE {OPEN_STATES} AND ($1::text[] IS NULL OR unit_code = ANY($1)) GROUP BY 1, 2, 3, 4
"""  # noqa: S608 the same
DAYS = """
SELECT unit, day, arrived, resolved FROM unit_days
WHERE ($1::text[] IS NULL OR unit = ANY($1)) AND day >= $2 AND day < $3 ORDER BY unit, day
"""
CLAIM = "UPDATE unit_counts SET counted_at = $1 WHERE counted_at < $2 RETURNING true"
COUNT = """
INSERT INTO unit_days (day, unit, arrived, resolved)
SELECT $1::date, unit, sum(arrived), sum(resolved) FROM (
    SELECT unit, count(*) AS arrived, 0 AS resolved FROM decisions
    WHERE decision_id >= $2 AND decision_id < $3 GROUP BY 1
    UNION ALL
    SELECT unit_code, 0, count(*) FROM orders WHERE resolved_at >= $4 AND resolved_at < $5 GROUP BY 1
) counted GROUP BY 2
ON CONFLICT (unit, day) DO UPDATE SET arrived = excluded.arrived, resolved = excluded.resolved
"""


async def open_orders(connection: Any) -> dict[str, int]:
    """Return how many open orders each unit has."""
    return {row["unit_code"]: row["orders"] for row in await connection.fetch(OPEN)}


async def open_of(connection: Any, units: Sequence[str] | None, now: datetime) -> dict[str, list[Open]]:
    """Return the open orders of units, of all if None, counted by state, class and age."""
    found: dict[str, list[Open]] = {}
    for row in await connection.fetch(OPEN_OF, units, now):
        one = Open(row["state"], row["urgency"], row["age"], row["orders"])
        found.setdefault(row["unit_code"], []).append(one)
    return found


async def unit_days(connection: Any, units: Sequence[str] | None, since: date, until: date) -> dict[str, list[Day]]:
    """Return what came to units and what they resolved by day, from a day to before another, in order."""
    found: dict[str, list[Day]] = {}
    for row in await connection.fetch(DAYS, units, since, until):
        found.setdefault(row["unit"], []).append(Day(row["day"], row["arrived"], row["resolved"]))
    return found


async def claim_count(connection: Any, now: datetime, before: datetime) -> bool:
    """Say whether this process is to count, for none did since `before`."""
    return bool(await connection.fetchval(CLAIM, now, before))


async def count_day(tx: Tx, day: date, start: datetime, end: datetime) -> None:
    """Count what came and what was resolved from an instant to before another, the ends of a day."""
    await tx.connection.execute(COUNT, day, first_id(start), first_id(end), start, end)
