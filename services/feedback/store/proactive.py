"""Work before the appeal: the orders, and what came from places before and after."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.city.seasons import Bonus
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.feedback.domain.averting import Counts
from services.feedback.domain.proactive import Credit, Done, Order, OrderState, credited, credits_of
from services.feedback.domain.proposing import Trouble

ORDERS = Rows("proactive_orders", Order, key=("order_id",))

LIST = """
WHERE ($1::text[] IS NULL OR unit_code = ANY($1)) AND ($2::text IS NULL OR state = $2)
  AND ($3::text IS NULL OR rule = $3) AND (proposed_at, order_id) > ($4, $5)
ORDER BY proposed_at, order_id LIMIT $6
"""
COUNTING = """
WHERE state = 'done' AND ended_at >= $1::timestamptz - interval '400 days' AND ended_at < $2
  AND (ended_at >= $1 OR (effect ->> 'measured_at')::timestamptz >= $1)
ORDER BY unit_code, order_id
"""
"""What was done in a period, or measured in it: no effect is measured longer after the work."""
TO_MEASURE = """
WHERE state = 'done' AND ended_at >= $1 AND coalesce(effect ->> 'final', 'false') = 'false' ORDER BY order_id
"""
THEMES = """
SELECT theme FROM proactive_orders WHERE theme = ANY($1) AND (rule = 'season' OR proposed_at > $2)
"""
TROUBLES = """
SELECT code, street, count(*)::int AS appeals,
    count(DISTINCT date_trunc('week', received_at AT TIME ZONE $6))::int AS weeks
FROM cases WHERE round = 1 AND NOT excluded AND code <> '' AND street IS NOT NULL
  AND received_at >= $1 AND received_at < $2
GROUP BY code, street HAVING count(*) >= $3 AND count(DISTINCT date_trunc('week', received_at AT TIME ZONE $6)) >= $4
ORDER BY appeals DESC, code, street LIMIT $5
"""
BY_PLACE = """
SELECT coalesce(district, '') AS district, street, count(*)::int AS appeals
FROM cases WHERE round = 1 AND NOT excluded AND code = ANY($1) AND received_at >= $2 AND received_at < $3
GROUP BY 1, 2
"""
TREATED = """
SELECT DISTINCT coalesce(street, district) FROM proactive_orders o
WHERE state = 'done' AND ended_at >= $1 AND coalesce(street, district) IS NOT NULL
  AND EXISTS (SELECT FROM jsonb_array_elements_text(o.codes) c WHERE c = ANY($2))
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which orders are listed; None is any. `units` are codes."""

    units: Sequence[str] | None = None
    state: OrderState | None = None
    rule: str | None = None


async def list_work(pool: Any, filters: Filters, after: tuple[datetime, UUID], limit: int) -> list[Order]:
    """Return orders, those proposed first first, from behind `after`."""
    units = None if filters.units is None else list(filters.units)
    return await ORDERS.load(pool, LIST, units, filters.state, filters.rule, *after, limit)


async def work_of(connection: Any, order_id: UUID) -> Order | None:
    """Return an order; None if there is none of this id."""
    return next(iter(await ORDERS.load(connection, "WHERE order_id = $1", order_id)), None)


async def save_work(tx: Tx, orders: Sequence[Order]) -> None:
    """Store orders as they are now."""
    await ORDERS.save(tx.connection, orders)


async def counting(connection: Any, since: datetime, until: datetime, evidence: int) -> list[Credit]:
    """Return what counts for units of the work before the appeal, from an instant to before another."""
    return credits_of(await ORDERS.load(connection, COUNTING, since, until), since, until, evidence)


async def done_of(database: Database, since: datetime, until: datetime, bonus: Bonus) -> list[Done]:
    """Return what each unit gets for that by the city's weights; units with nothing to count are not in it."""
    return credited(await counting(database.pool, since, until, bonus.evidence), bonus)


async def themes(connection: Any, wanted: Collection[str], since: datetime) -> set[str]:
    """Return those of these themes that were proposed since; of a season, ever."""
    return {row["theme"] for row in await connection.fetch(THEMES, list(wanted), since)}


async def troubles(
    pool: Any, span: tuple[datetime, datetime], least: int, weeks: int, most: int, timezone: str
) -> list[Trouble]:  # fmt: skip
    """Return what came most often from one street, at least so often and in so many weeks of that time zone."""
    rows = await pool.fetch(TROUBLES, *span, least, weeks, most, timezone, timeout=600)
    return [Trouble(**row) for row in rows]


async def by_place(pool: Any, codes: Sequence[str], since: datetime, until: datetime) -> dict[str, int]:
    """Return how often questions came from each district (six digits) and each street (a unit's code)."""
    found: dict[str, int] = {}
    for row in await pool.fetch(BY_PLACE, list(codes), since, until, timeout=600):
        for place in (row["district"], row["street"]):
            if place:
                found[place] = found.get(place, 0) + row["appeals"]
    return found


async def treated(pool: Any, codes: Sequence[str], since: datetime) -> set[str]:
    """Return the places where such work was done since, so that nothing is compared with them."""
    return {row[0] for row in await pool.fetch(TREATED, since, list(codes))}


async def to_measure(pool: Any, since: datetime) -> list[Order]:
    """Return the work done since whose effect is not known for good."""
    return await ORDERS.load(pool, TO_MEASURE, since)


def paired(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, Counts]:
    """Return the counts of each place in both times."""
    return {place: Counts(before.get(place, 0), after.get(place, 0)) for place in before.keys() | after.keys()}
