"""What is counted of matters week by week from the record, and the hot events they were."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.feedback.domain.matters import Tally

COUNT_LOCK = 4_712_389
"""Whoever holds it counts and proposes; one process of all."""
COUNT_SECONDS = 900.0
"""A big city's week has 700,000 appeals, on a database that has other things to do."""
_SUMS = "tickets, linked, supported, again, repeated, returned, answered, solved"
_SUMMED = ", ".join(f"sum({name})::int AS {name}" for name in _SUMS.split(", "))

FIRST = "SELECT min(received_at) FROM cases WHERE round = 1"
COUNTED = "SELECT week, counted_at FROM matter_counts WHERE week >= $1"
FORGET = "DELETE FROM matter_weeks WHERE week = $1"
# What a reporter said last is what counts of a ticket; a ticket came back if a round ended without anybody's no.
# Whether a review is an answer is asked of those at hand: in the WHERE PostgreSQL would read its index of all answers.
COUNT = """
INSERT INTO matter_weeks
SELECT $1::date, c.code, coalesce(c.district, ''), max(c.category ->> 0), max(c.category ->> 1), count(*),
    count(*) FILTER (WHERE c.parent IS NOT NULL), count(*) FILTER (WHERE c.support > 0),
    count(*) FILTER (WHERE life.again),
    count(*) FILTER (WHERE c.parent IS NOT NULL OR c.support > 0 OR life.again),
    count(*) FILTER (WHERE life.returned OR EXISTS (SELECT FROM bounces b WHERE b.ticket_id = c.ticket_id)),
    count(said.solved), count(*) FILTER (WHERE said.solved), count(DISTINCT c.street)
FROM cases c
CROSS JOIN LATERAL (
    SELECT max(o.returns) > 0 AS returned,
        bool_or(o.ended = 'reopened' AND (r.state = 'answered' AND r.resolved = 'no') IS NOT TRUE) AS again
    FROM cases o LEFT JOIN reviews r ON r.ticket_id = o.ticket_id AND r.round = o.round
    WHERE o.ticket_id = c.ticket_id) life
CROSS JOIN LATERAL (
    SELECT (array_agg(r.resolved = 'yes' ORDER BY r.round DESC)
        FILTER (WHERE r.state = 'answered' AND NOT r.excluded))[1] AS solved
    FROM reviews r WHERE r.ticket_id = c.ticket_id) said
WHERE c.round = 1 AND c.received_at >= $2 AND c.received_at < $3 AND NOT c.excluded AND c.category IS NOT NULL
  AND c.kind IS DISTINCT FROM 'praise'
GROUP BY c.code, coalesce(c.district, '')
"""
COUNTED_NOW = """
INSERT INTO matter_counts (week, counted_at) VALUES ($1, $2)
ON CONFLICT (week) DO UPDATE SET counted_at = excluded.counted_at
"""
JUDGED = f"""
SELECT code, district, max(level1) AS level1, max(level2) AS level2, sum(streets)::int AS streets, {_SUMMED}
FROM matter_weeks WHERE week = ANY($1) GROUP BY code, district
"""  # noqa: S608 constants
WEEKLY = "SELECT code, week, sum(tickets)::int AS tickets FROM matter_weeks WHERE week >= $1 GROUP BY code, week"
GROUPS = """
SELECT level1 || '/' || level2 AS name, week, sum(tickets)::int AS tickets, sum(answered)::int AS answered,
    sum(solved)::int AS solved
FROM matter_weeks
WHERE week >= $1 AND week < $2 AND NOT code = ANY($3) AND ($4::text IS NULL OR district = $4)
  AND level1 || '/' || level2 <> ALL($5)
GROUP BY 1, 2
"""
PLACES = """
SELECT district AS name, week, sum(tickets)::int AS tickets, sum(answered)::int AS answered, sum(solved)::int AS solved
FROM matter_weeks WHERE week >= $1 AND week < $2 AND code = ANY($3) GROUP BY 1, 2
"""
HOT = "WHERE (hot OR last_at >= $1) AND first_at < $2"


@dataclass(frozen=True, slots=True)
class HotMatter:
    """The last that was heard of a hot event. `sequence` is that of the news; levels below it are empty."""

    hotspot_id: UUID
    sequence: int
    code: str
    level1: str
    level2: str
    level3: str
    hot: bool
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """A question in a district over some weeks. `streets` are summed over the weeks."""

    code: str
    district: str
    category: tuple[str, str]
    streets: int
    tally: Tally


@dataclass(frozen=True, slots=True)
class Weekly:
    """One week of a group of questions, or of a district."""

    name: str
    week: date
    tickets: int
    answered: int
    solved: int


HOT_MATTERS = Rows("hot_matters", HotMatter, key=("hotspot_id",))


async def hear_hot_matters(tx: Tx, heard: Iterable[HotMatter]) -> None:
    """Keep what was heard of hot events, unless something later was."""
    news = {one.hotspot_id: one for one in sorted(heard, key=lambda one: one.sequence)}
    known = await HOT_MATTERS.load(tx.connection, "WHERE hotspot_id = ANY($1)", list(news))
    later = {one.hotspot_id for one in known if one.sequence >= news[one.hotspot_id].sequence}
    await HOT_MATTERS.save(tx.connection, [one for one in news.values() if one.hotspot_id not in later])


async def hot_matters(connection: Any, since: datetime, until: datetime) -> list[HotMatter]:
    """Return the hot events there were in a time."""
    return await HOT_MATTERS.load(connection, HOT, since, until)


async def first_received(connection: Any) -> datetime | None:
    """Return when the first appeal of the record was received."""
    first: datetime | None = await connection.fetchval(FIRST)
    return first


async def counted_weeks(connection: Any, since: date) -> dict[date, datetime]:
    """Return when each week from `since` on was counted last."""
    return {row["week"]: row["counted_at"] for row in await connection.fetch(COUNTED, since)}


async def count_week(tx: Tx, week: date, begin: datetime, end: datetime) -> None:
    """Count one week of the record anew."""
    await tx.connection.execute(FORGET, week)
    await tx.connection.execute(COUNT, week, begin, end, timeout=COUNT_SECONDS)
    await tx.connection.execute(COUNTED_NOW, week, tx.now)


async def counted(connection: Any, weeks: Sequence[date]) -> list[Counted]:
    """Return what was counted in some weeks, by question and district; a district not known is empty."""
    return [
        Counted(
            row["code"], row["district"], (row["level1"], row["level2"]), row["streets"],
            Tally(*(row[name] for name in _SUMS.split(", "))),
        )
        for row in await connection.fetch(JUDGED, list(weeks))
    ]  # fmt: skip


async def weekly(connection: Any, since: date) -> dict[str, dict[date, int]]:
    """Return the appeals of each week from `since` on, by question."""
    found: dict[str, dict[date, int]] = {}
    for row in await connection.fetch(WEEKLY, since):
        found.setdefault(row["code"], {})[row["week"]] = row["tickets"]
    return found


async def weekly_groups(
    connection: Any, since: date, until: date, without: Collection[str], district: str | None, but: Collection[str]
) -> list[Weekly]:
    """Return the weeks of each group of questions, in one district or all: not `but` these, nor those `without`."""
    rows = await connection.fetch(GROUPS, since, until, list(without), district, list(but))
    return [Weekly(**dict(row)) for row in rows]


async def weekly_places(connection: Any, since: date, until: date, codes: Collection[str]) -> list[Weekly]:
    """Return the weeks of some questions by district."""
    return [Weekly(**dict(row)) for row in await connection.fetch(PLACES, since, until, list(codes))]
