"""What came by day, and what was expected. `matter_days` is counted of the record by a job, once for each day."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.feedback.domain.forecasts import Forecast, Matter

FORECASTS = Rows("forecasts", Forecast, key=("made_on", "district", "l1", "l2", "code"))
LEVELS = {"all": (), "l1": ("l1",), "l2": ("l1", "l2"), "code": ("l1", "l2", "code")}
AT_ONCE = 500
STALE = timedelta(hours=1)
"""A run that was begun so long ago and is not done has lost its process."""

CLAIM = """
INSERT INTO forecast_runs AS r (made_on, claimed_at) VALUES ($1, $2)
ON CONFLICT (made_on) DO UPDATE SET claimed_at = $2 WHERE r.done_at IS NULL AND r.claimed_at < $3
RETURNING true
"""
MADE = "UPDATE forecast_runs SET series = $2 WHERE made_on = $1"
FINISH = "UPDATE forecast_runs SET done_at = $2 WHERE made_on = $1"
FIRST = """
SELECT (min(received_at) AT TIME ZONE $1)::date FROM cases WHERE round = 1 AND received_at >= $2
"""
FORGET_DAYS = "DELETE FROM matter_days WHERE day >= $1 AND day < $2"
COUNT_DAYS = """
INSERT INTO matter_days (day, district, l1, l2, code, appeals)
SELECT (received_at AT TIME ZONE $1)::date, coalesce(district, ''), coalesce(category->>0, ''),
    coalesce(category->>1, ''), code, count(*)
FROM cases WHERE round = 1 AND NOT excluded AND received_at >= $2 AND received_at < $3 GROUP BY 1, 2, 3, 4, 5
"""
SERIES = """
SELECT l1, l2, code, district, array_agg(day - $1::date) AS days, array_agg(appeals) AS appeals
FROM matter_days WHERE day >= $1 AND day < $2 GROUP BY 1, 2, 3, 4
"""
OF_RUN = """
WHERE made_on = $1 AND district = $2 AND {level} AND ($3 = '' OR $3 IN (l1, l2, code))
ORDER BY usual DESC, l1, l2, code LIMIT $4
"""
CAME = """
SELECT day, {names} sum(appeals)::int AS appeals FROM matter_days
WHERE day >= $1 AND day < $2 AND ($3 = '' OR district = $3) AND ($4 = '' OR $4 IN (l1, l2, code))
GROUP BY day {grouped}
"""
AT_LEVEL = {
    "all": "l1 = ''", "l1": "l1 <> '' AND l2 = ''", "l2": "l2 <> '' AND code = ''", "code": "code <> ''",
}  # fmt: skip
LOCAL = "WHERE made_on = $1 AND district <> '' AND code <> ''"
LAST = "SELECT max(made_on) FROM forecast_runs WHERE series > 0 AND made_on <= $1"
FORGET = "DELETE FROM forecasts WHERE made_on < $1"
EXPECTED = "WHERE made_on = $1 AND district = $2 AND code = ANY($3)"


@dataclass(frozen=True, slots=True)
class Came:
    """How many appeals of a finest matter came, on which days after the first of all."""

    matter: Matter
    days: Sequence[int]
    appeals: Sequence[int]


async def claim_run(pool: Any, made_on: date, now: datetime) -> bool:
    """Say whether this process is to make the forecasts of a day: no other made them, or is about to."""
    return bool(await pool.fetchval(CLAIM, made_on, now, now - STALE))


async def save_run(pool: Any, made_on: date, series: int) -> None:
    """Keep of how many series the forecasts of a day are made: from now on they are the last ones."""
    await pool.execute(MADE, made_on, series)


async def finish_run(pool: Any, made_on: date, now: datetime) -> None:
    """Keep that all is done that follows from the forecasts of a day."""
    await pool.execute(FINISH, made_on, now)


async def first_day(pool: Any, timezone: str, since: datetime) -> date | None:
    """Return the day of the first appeal since then; None if there is none."""
    found: date | None = await pool.fetchval(FIRST, timezone, since)
    return found


async def last_counted(pool: Any) -> date | None:
    """Return the last day that was counted."""
    found: date | None = await pool.fetchval("SELECT max(day) FROM matter_days")
    return found


async def count_days(tx: Tx, timezone: str, days: tuple[date, date], span: tuple[datetime, datetime]) -> None:
    """Count the days from one to before another anew, of what came from their beginning to their end."""
    await tx.connection.execute(FORGET_DAYS, *days)
    await tx.connection.execute(COUNT_DAYS, timezone, *span)


async def series(pool: Any, since: date, until: date) -> list[Came]:
    """Return what came from a day to before another, for each finest matter; packed, for it is ten million days."""
    found = []
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        async for row in connection.cursor(SERIES, since, until, prefetch=AT_ONCE, timeout=600):
            matter = Matter(row["l1"], row["l2"], row["code"], row["district"])
            found.append(Came(matter, array("i", row["days"]), array("i", row["appeals"])))
    return found


async def save_forecasts(tx: Tx, forecasts: Sequence[Forecast]) -> None:
    """Store forecasts."""
    await FORECASTS.save(tx.connection, forecasts)


async def forget_forecasts(tx: Tx, before: date) -> None:
    """Delete those made before a day."""
    await tx.connection.execute(FORGET, before)


async def last_made(pool: Any, until: date) -> date | None:
    """Return the last day up to that one on which forecasts were made."""
    found: date | None = await pool.fetchval(LAST, until)
    return found


async def forecasts(pool: Any, made_on: date, level: str, district: str, about: str, limit: int) -> list[Forecast]:
    """Return forecasts of one day, level and place (empty: the city), of most appeals first.

    `about` narrows them to a name of a level, or a code; empty is all.
    """
    return await FORECASTS.load(pool, OF_RUN.format(level=AT_LEVEL[level]), made_on, district, about, limit)


async def came(
    pool: Any, since: date, until: date, level: str, district: str, about: str
) -> dict[Matter, dict[date, int]]:
    """Return what came by day, from one to before another, of each matter of a level in a place."""
    names = LEVELS[level]
    query = CAME.format(names="".join(f"{n}, " for n in names), grouped="".join(f", {n}" for n in names))
    found: dict[Matter, dict[date, int]] = {}
    for row in await pool.fetch(query, since, until, district, about):
        matter = Matter.of([row[name] for name in names], district)
        found.setdefault(matter, {})[row["day"]] = row["appeals"]
    return found


async def local_forecasts(pool: Any, made_on: date) -> list[Forecast]:
    """Return the forecasts of single questions in districts."""
    return await FORECASTS.load(pool, LOCAL, made_on)


async def forecasts_of(pool: Any, made_on: date, district: str, codes: Sequence[str]) -> list[Forecast]:
    """Return the forecasts of these questions in a district, or in the city if it is empty."""
    return await FORECASTS.load(pool, EXPECTED, made_on, district, list(codes))
