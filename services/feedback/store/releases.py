"""Releases of months: read from the record one level-1 category after the other, kept as cells, never changed."""

from collections.abc import AsyncIterator, Collection, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.feedback.domain.releases import Cell, Class, Course, Release, Spot, Told, within, yes_or_no

RELEASES = Rows("releases", Release, key=("period",))
CELLS = Rows("release_cells", Cell, key=())
AT_ONCE = 5_000
SORT_SECONDS = 3600
"""The longest that the database may take to sort a month of a big city; no request waits for it."""
# Where a ticket stands is its last round; what its reporter said last is what counts.
APPEALS = """
SELECT t.reporter, (f.received_at AT TIME ZONE $3)::date::text AS day, coalesce(f.district, '') AS district,
    coalesce(f.street, '') AS street, coalesce(f.category ->> 0, '') AS category1,
    coalesce(f.category ->> 1, '') AS category2, coalesce(f.category ->> 2, '') AS category3,
    coalesce(f.channel, '') AS channel, coalesce(f.urgency, '') AS urgency,
    coalesce($4::jsonb ->> l.unit_code, '') AS level, coalesce(l.ended, '') AS ended,
    coalesce(r.resolved, '') AS resolved, coalesce(r.satisfied::text, '') AS satisfied, f.response_in_time,
    l.completion_in_time, f.dispatched_at, f.contacted_at, l.resolved_at, l.round > 1 AS reopened, f.support
FROM cases f
CROSS JOIN LATERAL (SELECT * FROM cases WHERE ticket_id = f.ticket_id ORDER BY round DESC LIMIT 1) l
LEFT JOIN tickets t ON t.ticket_id = f.ticket_id
LEFT JOIN LATERAL (
    SELECT resolved, satisfied FROM reviews WHERE ticket_id = f.ticket_id AND state = 'answered'
    ORDER BY round DESC LIMIT 1
) r ON true
WHERE f.round = 1 AND f.received_at >= $1 AND f.received_at < $2 AND f.category ->> 0 IS NOT NULL
ORDER BY category1
"""
SPOTS = """
SELECT district, street, category1, category2, category3, sum(appeals)::int AS appeals,
    (sum(appeals) FILTER (WHERE resolved = 'yes' OR (resolved = '' AND ended = 'solved')))::int AS solved,
    sum(supporters)::int AS supporters
FROM release_cells WHERE period = $1 AND category3 <> '' AND district <> '' AND category1 = ANY($2)
GROUP BY 1, 2, 3, 4, 5
"""
LAST = "ORDER BY period DESC LIMIT 1"


async def appeals(
    tx: Tx, span: tuple[datetime, datetime], zone: str, kinds: Mapping[str, str]
) -> AsyncIterator[tuple[str, list[Told]]]:
    """Yield the appeals of a month, a level-1 category at a time. `kinds` are those of the units by code."""
    category, of_it = "", list[Told]()
    # Most appeals are alike in all but whose they are: one value for all takes a tenth of the memory.
    known: dict[Hashable, Any] = {}
    async for row in tx.connection.cursor(APPEALS, *span, zone, dict(kinds), prefetch=AT_ONCE, timeout=SORT_SECONDS):
        if row["category1"] != category:
            if of_it:
                yield category, of_it
            category, of_it = row["category1"], []
        of_it.append(_told(row, known))
    if of_it:
        yield category, of_it


async def save_cells(tx: Tx, cells: Sequence[Cell]) -> None:
    """Add cells to the release that is being made."""
    for begin in range(0, len(cells), AT_ONCE):
        await tx.connection.copy_records_to_table(
            "release_cells", columns=Cell.__slots__, records=[_record(cell) for cell in cells[begin : begin + AT_ONCE]]
        )


async def save_release(tx: Tx, release: Release) -> None:
    """Keep that a release is made."""
    await RELEASES.save(tx.connection, [release])


async def release_of(connection: Any, period: str) -> Release | None:
    """Return the release of a month; None if it is not made."""
    return next(iter(await RELEASES.load(connection, "WHERE period = $1", period)), None)


async def last_release(pool: Any) -> Release | None:
    """Return that of the last month there is one of."""
    return next(iter(await RELEASES.load(pool, LAST)), None)


async def spots(pool: Any, period: str, categories: Collection[str]) -> list[Spot]:
    """Return the matters of these level-1 categories in their places, as far as the month's release tells both."""
    rows = await pool.fetch(SPOTS, period, list(categories))
    return [
        Spot(
            row["district"], row["street"], (row["category1"], row["category2"], row["category3"]), row["appeals"],
            row["solved"] or 0, row["supporters"],
        )
        for row in rows
    ]  # fmt: skip


def _record(cell: Cell) -> tuple[object, ...]:
    return tuple(getattr(cell, name) for name in Cell.__slots__)


def _told(row: Any, known: dict[Hashable, Any]) -> Told:
    told_by = Class(**{name: row[name] for name in Class.__slots__})
    course = Course(
        **{name: row[name] for name in ("urgency", "level", "ended", "resolved", "satisfied")},
        response_in_time=yes_or_no(row["response_in_time"]), completion_in_time=yes_or_no(row["completion_in_time"]),
        contact_within=within(row["dispatched_at"], row["contacted_at"]),
        done_within=within(row["dispatched_at"], row["resolved_at"]), reopened=yes_or_no(row["reopened"]),
    )  # fmt: skip
    return Told(row["reporter"], known.setdefault(told_by, told_by), known.setdefault(course, course), row["support"])
