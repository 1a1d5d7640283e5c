"""Hot events: what is counted of each ticket, the looks that are taken, the events and their members."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.classify.domain import Hotspot, HotState, Matter, Pulse, Sighting

SIGHTINGS = Rows("sightings", Sighting, key=("ticket_id",))
HOTSPOTS = Rows("hotspots", Hotspot, key=("hotspot_id",))

_MOVED = """
UPDATE hotspot_members m SET code = s.code, district = s.district, street = s.street, voice = s.voice, urgent = s.urgent
FROM sightings s WHERE {those} AND s.ticket_id = m.ticket_id
    AND (m.code, m.district, m.street, m.voice, m.urgent) <> (s.code, s.district, s.street, s.voice, s.urgent)
"""
MOVED = _MOVED.format(those="m.ticket_id = ANY($1)")
# A look takes in what it saw: what was corrected, erased or taken back while it was under way is put right by the next.
MOVED_MEANWHILE = _MOVED.format(those="m.at > $1")
GONE_MEANWHILE = """
DELETE FROM hotspot_members m
WHERE m.at > $1 AND NOT EXISTS (SELECT FROM sightings s WHERE s.ticket_id = m.ticket_id)
"""
DROP = "DELETE FROM sightings WHERE ticket_id = ANY($1)"
DROP_MEMBERS = "DELETE FROM hotspot_members WHERE ticket_id = ANY($1)"
LOOK = "UPDATE hotspot_looks SET looked_at = $1 WHERE looked_at <= $2 RETURNING learnt"
HOLD_LOOK = "SELECT looked_at FROM hotspot_looks FOR UPDATE"
BASELINE = "SELECT baseline FROM hotspot_looks"
LEARNT = "UPDATE hotspot_looks SET learnt = $1, baseline = $2 WHERE learnt IS NULL OR learnt < $1"
FIRST = "SELECT min(at) FROM sightings"
PURGE = "DELETE FROM sightings WHERE at < $1"
# An event's own tickets say nothing of what else is going on.
CELLS = """
SELECT code, district, street, {counts} FROM sightings s
WHERE at > $1 AND at <= $2 AND NOT EXISTS (SELECT FROM hotspot_members m WHERE m.ticket_id = s.ticket_id)
GROUP BY code, district, street
"""
DAY_CELLS = """
SELECT m.ticket_id IS NOT NULL AS inside, code, district, street, extract(hour FROM at AT TIME ZONE $3)::int AS hour,
    count(*)::int AS count
FROM sightings s LEFT JOIN (
    SELECT DISTINCT ticket_id FROM hotspot_members JOIN hotspots USING (hotspot_id) WHERE raised_at > $4
) m USING (ticket_id)
WHERE at >= $1 AND at < $2 GROUP BY 1, 2, 3, 4, 5
"""
WORDS = """
SELECT word, count(*)::int AS count FROM sightings s, jsonb_array_elements_text(words) word
WHERE at > $1 AND at <= $2 AND NOT EXISTS (
    SELECT FROM hotspot_members m JOIN hotspots h USING (hotspot_id) WHERE m.ticket_id = s.ticket_id AND raised_at > $4
)
GROUP BY word HAVING count(*) >= $3
"""
MENTIONS = """
SELECT ticket_id, at, code, district, street, voice, words FROM sightings s
WHERE at > $1 AND at <= $2 AND words ?| $3
    AND NOT EXISTS (SELECT FROM hotspot_members m WHERE m.ticket_id = s.ticket_id)
ORDER BY at
"""
VOICES = """
SELECT at, voice, code FROM sightings s
WHERE at > $1 AND at <= $2 AND code = ANY($3)
    AND ($4::text IS NULL OR district = $4) AND ($5::text IS NULL OR street = $5)
    AND NOT EXISTS (SELECT FROM hotspot_members m WHERE m.ticket_id = s.ticket_id)
ORDER BY at
"""
_MEMBER = "h.hotspot_id, ticket_id, at, s.code, s.district, s.street, voice, urgent, mood, vulnerable, safety"
JOIN = f"""
INSERT INTO hotspot_members
SELECT {_MEMBER} FROM hotspots h CROSS JOIN jsonb_array_elements_text(h.matter -> 'codes') c
JOIN sightings s ON s.code = c AND s.at >= coalesce(h.reheated_at, h.first_at)
WHERE h.state = 'hot' AND h.matter -> 'grams' = '[]'
    AND coalesce(h.matter ->> 'district' = s.district, true) AND coalesce(h.matter ->> 'street' = s.street, true)
UNION ALL
SELECT {_MEMBER} FROM hotspots h JOIN sightings s
    ON s.at >= greatest(coalesce(h.reheated_at, h.first_at), $1) AND s.words @> (h.matter -> 'grams')
WHERE h.state = 'hot' AND h.matter -> 'grams' <> '[]'
ON CONFLICT DO NOTHING
"""  # noqa: S608 names come from code
EXPEL = """
DELETE FROM hotspot_members m USING hotspots h
WHERE h.hotspot_id = m.hotspot_id AND h.state = 'hot' AND h.matter -> 'grams' = '[]' AND NOT (
    (h.matter -> 'codes') ? m.code AND coalesce(h.matter ->> 'district' = m.district, true)
    AND coalesce(h.matter ->> 'street' = m.street, true)
)
"""
PULSES = """
SELECT hotspot_id, count(*)::int AS tickets, count(DISTINCT voice)::int AS voices,
    count(*) FILTER (WHERE urgent)::int AS urgent, count(*) FILTER (WHERE vulnerable)::int AS vulnerable,
    count(*) FILTER (WHERE safety)::int AS safety, round(avg(mood)::numeric, 2)::float8 AS mood,
    count(DISTINCT nullif(m.district, ''))::int AS districts, count(DISTINCT nullif(m.street, ''))::int AS streets,
    count(DISTINCT voice) FILTER (
        WHERE ago < greatest(h.span, 3600) AND at >= coalesce(h.reheated_at, h.first_at)
    )::int AS recent,
    count(DISTINCT voice) FILTER (WHERE ago < 3600)::int AS last_hour,
    count(DISTINCT voice) FILTER (WHERE ago >= 3600 AND ago < 7200)::int AS hour_before,
    (array_agg(ticket_id ORDER BY at, ticket_id))[1] AS first_ticket,
    min(at) AS first_at, max(at) AS last_at, mode() WITHIN GROUP (ORDER BY m.code) AS code
FROM hotspot_members m JOIN hotspots h USING (hotspot_id) CROSS JOIN extract(epoch FROM $2::timestamptz - at) ago
WHERE hotspot_id = ANY($1) GROUP BY hotspot_id
"""
TEXTS = """
SELECT concat_ws(E'\\n', receipt ->> 'title', receipt ->> 'text') AS text FROM verdicts WHERE ticket_id = ANY($1)
"""
COOLED = "WHERE state = 'cooled' AND cooled_at > $1 ORDER BY cooled_at DESC, hotspot_id"
UNRAISED = "DELETE FROM hotspots WHERE hotspot_id = ANY($1)"
LIST = """
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR matter ->> 'district' = $2)
    AND (raised_at, hotspot_id) < ($3, $4) ORDER BY raised_at DESC, hotspot_id DESC LIMIT $5
"""
CURVE = """
SELECT date_bin($2, at, $3) AS at, count(*)::int AS tickets, count(DISTINCT voice)::int AS voices
FROM hotspot_members WHERE hotspot_id = $1 GROUP BY 1 ORDER BY 1
"""
MEMBERS = """
SELECT ticket_id, at, code, district, street, urgent FROM hotspot_members
WHERE hotspot_id = $1 AND (at, ticket_id) > ($2, $3) ORDER BY at, ticket_id LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class Beat:
    """What an event's members come to, when the first and the last came, and which question most of them are."""

    pulse: Pulse
    first_at: datetime
    last_at: datetime
    code: str


async def save_sightings(tx: Tx, seen: Sequence[Sighting], gone: Sequence[UUID]) -> None:
    """Count these tickets as they are now, and those that are gone no more."""
    await SIGHTINGS.save(tx.connection, seen)
    if seen:
        await tx.connection.execute(MOVED, [sighting.ticket_id for sighting in seen])
    if gone:
        await tx.connection.execute(DROP, gone)
        await tx.connection.execute(DROP_MEMBERS, gone)


async def claim_look(connection: Any, now: datetime, pause: timedelta) -> tuple[date | None] | None:
    """Claim the look that is due, for one process of all; return up to which day was learnt, None if none is due."""
    row = await connection.fetchrow(LOOK, now, now - pause)
    return (row["learnt"],) if row else None


async def hold_look(tx: Tx, claimed_at: datetime) -> bool:
    """Say whether the look that was claimed then is still the last, and let no other begin before the commit."""
    return bool(await tx.connection.fetchval(HOLD_LOOK) == claimed_at)


async def baseline(connection: Any) -> bytes | None:
    """Return the baseline, packed."""
    packed: bytes | None = await connection.fetchval(BASELINE)
    return packed


async def save_baseline(connection: Any, learnt: date, packed: bytes) -> None:
    """Keep a baseline, unless one that knows as much is there."""
    await connection.execute(LEARNT, learnt, packed)


async def first_sighting(connection: Any) -> datetime | None:
    """Return when the oldest ticket that is counted came."""
    first: datetime | None = await connection.fetchval(FIRST)
    return first


async def purge_sightings(connection: Any, before: datetime) -> None:
    """Forget what is too old for any window; events keep their members."""
    await connection.execute(PURGE, before)


async def cells(connection: Any, since: Sequence[datetime], until: datetime) -> list[tuple[str, str, str, list[int]]]:
    """Return, for each question and place with tickets outside of events, how many came since each of some times."""
    counts = ", ".join(f"count(*) FILTER (WHERE at > ${number})::int" for number in range(3, 3 + len(since)))
    rows = await connection.fetch(CELLS.format(counts=f"ARRAY[{counts}] AS counts"), min(since), until, *since)
    return [(row["code"], row["district"], row["street"], row["counts"]) for row in rows]


async def day_cells(
    connection: Any, since: datetime, until: datetime, timezone: str, raised_after: datetime
) -> list[Any]:  # fmt: skip
    """Return the counts of a day by question, place, hour, and whether they are `inside` an event raised lately."""
    rows: list[Any] = await connection.fetch(DAY_CELLS, since, until, timezone, raised_after)
    return rows


async def words(
    connection: Any, since: datetime, until: datetime, least: int, raised_after: datetime
) -> dict[str, int]:
    """Return how many tickets outside of events raised after a time used each gram, if at least so many did."""
    rows = await connection.fetch(WORDS, since, until, least, raised_after)
    return {row["word"]: row["count"] for row in rows}


async def mentions(connection: Any, since: datetime, until: datetime, grams: Collection[str]) -> list[Any]:
    """Return the tickets outside of events that use any of these grams, oldest first."""
    rows: list[Any] = await connection.fetch(MENTIONS, since, until, list(grams))
    return rows


async def voices(connection: Any, matter: Matter, since: datetime, until: datetime) -> list[Any]:
    """Return when each ticket of a matter came that is outside of events, and whose it is, oldest first."""
    rows: list[Any] = await connection.fetch(
        VOICES, since, until, list(matter.codes), matter.district, matter.street
    )  # fmt: skip
    return rows


async def texts(connection: Any, tickets: Collection[UUID]) -> list[str]:
    """Return the redacted words of some tickets."""
    return [row["text"] for row in await connection.fetch(TEXTS, list(tickets))]


async def join_members(connection: Any, since: datetime) -> None:
    """Take into the hot events the tickets that belong to them, and out what does no more.

    Words are looked for from `since` on, and so are tickets that changed during the last look; all are counted since.
    """
    await connection.execute(MOVED_MEANWHILE, since)
    await connection.execute(GONE_MEANWHILE, since)
    await connection.execute(EXPEL)
    await connection.execute(JOIN, since)


async def hot(connection: Any) -> list[Hotspot]:
    """Return the events that are hot, oldest first."""
    return await HOTSPOTS.load(connection, "WHERE state = 'hot' ORDER BY raised_at, hotspot_id")


async def cooled(connection: Any, since: datetime) -> list[Hotspot]:
    """Return the events that cooled since then, the last one first."""
    return await HOTSPOTS.load(connection, COOLED, since)


async def drop_hotspots(tx: Tx, hotspots: Collection[UUID]) -> None:
    """Forget events that were never raised."""
    if hotspots:
        await tx.connection.execute(UNRAISED, list(hotspots))


async def beats(connection: Any, hotspots: Collection[UUID], now: datetime) -> dict[UUID, Beat]:
    """Return what the members of each event come to."""
    rows = await connection.fetch(PULSES, list(hotspots), now)
    return {row["hotspot_id"]: _beat(row) for row in rows}


def _beat(row: Mapping[str, Any]) -> Beat:
    pulse = Pulse(**{name: row[name] for name in Pulse.__dataclass_fields__})
    return Beat(pulse, row["first_at"], row["last_at"], row["code"])


async def save_hotspots(tx: Tx, hotspots: Sequence[Hotspot]) -> None:
    """Store events as they are now."""
    await HOTSPOTS.save(tx.connection, hotspots)


async def hotspots(
    connection: Any, state: HotState | None, district: str | None, after: tuple[datetime, UUID], limit: int
) -> list[Hotspot]:  # fmt: skip
    """Return events, the one raised last first, from behind `after`."""
    return await HOTSPOTS.load(connection, LIST, state, district, *after, limit)


async def hotspot(connection: Any, hotspot_id: UUID) -> Hotspot | None:
    """Return one event."""
    found = await HOTSPOTS.load(connection, "WHERE hotspot_id = $1", hotspot_id)
    return found[0] if found else None


async def curve(connection: Any, hotspot_id: UUID, step: timedelta, origin: datetime) -> list[Any]:
    """Return how many tickets and people an event had in each step of time that had any."""
    rows: list[Any] = await connection.fetch(CURVE, hotspot_id, step, origin)
    return rows


async def members(connection: Any, hotspot_id: UUID, after: tuple[datetime, UUID], limit: int) -> list[Any]:
    """Return the tickets of an event, the first one first, from behind `after`."""
    rows: list[Any] = await connection.fetch(MEMBERS, hotspot_id, *after, limit)
    return rows
