"""Those who stand behind a public ticket."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.intake.domain import Supporter, Ticket, person_of

Place = tuple[datetime, UUID]
Cell = tuple[float, float]

SUPPORTERS = Rows("supporters", Supporter, key=("supporter_id",))

# Not by EXISTS, for which PostgreSQL may hash every ticket there is.
REPORTED = """
coalesce(
    (SELECT true FROM tickets WHERE ticket_id = {root} AND reporter = {person}
        AND 'sensor' NOT IN (reporter_type, channel)),
    (SELECT true FROM tickets WHERE parent = {root} AND reporter = {person} AND state = 'linked'
        AND 'sensor' NOT IN (reporter_type, channel) AND ticket_id <> ALL({without}) LIMIT 1),
    false
)
"""
"""Whether a person appealed about a ticket's matter, by it or by one that is linked to it: the pair to `person_of`."""
AMONG_REPORTERS = "SELECT" + REPORTED.format(root="$1", person="$2", without="'{}'::uuid[]")
PEOPLE = f"""
SELECT root, count(DISTINCT person) AS people FROM unnest($1::uuid[], $2::uuid[], $3::text[]) t(id, root, person)
WHERE NOT {REPORTED.format(root="t.root", person="t.person", without="$1")} GROUP BY root
"""  # noqa: S608 the parts come from code
KEEP_KEY = (
    "INSERT INTO vault_keys (ticket_id, key) VALUES ($1, $2) ON CONFLICT (ticket_id) DO UPDATE SET key = excluded.key"
)
KEYS = "SELECT ticket_id, key FROM vault_keys WHERE ticket_id = ANY($1)"
DROP_KEY = "DELETE FROM vault_keys WHERE ticket_id = $1"
DROP_REPORTERS = """
WITH gone AS (
    DELETE FROM supporters s USING unnest($1::uuid[], $2::text[]) t(id, person)
    WHERE s.ticket_id = t.id AND s.person = t.person RETURNING s.ticket_id, s.supporter_id
), keys AS (DELETE FROM vault_keys k USING gone WHERE k.ticket_id = gone.supporter_id)
SELECT ticket_id FROM gone
"""
DROP_DOUBLES = f"""
WITH gone AS (
    DELETE FROM supporters s WHERE ticket_id = $1 AND (
        EXISTS (SELECT FROM supporters o WHERE o.ticket_id = $2 AND o.person = s.person)
        OR {REPORTED.format(root="$2", person="s.person", without="'{}'::uuid[]")}
    ) RETURNING s.supporter_id
), keys AS (DELETE FROM vault_keys k USING gone WHERE k.ticket_id = gone.supporter_id)
SELECT supporter_id FROM gone
"""  # noqa: S608 the same
MOVE = "UPDATE supporters SET ticket_id = $2 WHERE ticket_id = $1 RETURNING supporter_id"
PUBLIC = """
SELECT ticket_id FROM listed WHERE public AND (received_at, ticket_id) < ($1, $2)
ORDER BY received_at DESC, ticket_id DESC LIMIT $3
"""
NEAR = """
SELECT ticket_id FROM tickets t JOIN unnest($4::float8[], $5::float8[]) cell(y, x)
    ON floor(lat * 100) = cell.y AND floor(lon * 100) = cell.x
WHERE lat IS NOT NULL AND (received_at, ticket_id) < ($1, $2)
    AND EXISTS (SELECT FROM listed l WHERE l.ticket_id = t.ticket_id AND public)
ORDER BY received_at DESC, ticket_id DESC LIMIT $3
"""
RECENT = """
SELECT ticket_id FROM (
    SELECT l.ticket_id, l.received_at, l.service, t.address FROM listed l JOIN tickets t USING (ticket_id)
    WHERE l.public ORDER BY l.received_at DESC LIMIT 20000
) recent WHERE {words} ORDER BY received_at DESC LIMIT $1
"""
NUMBERED = "SELECT ticket_id FROM vault WHERE number = $1"


async def people(tx: Tx, linked: Iterable[Ticket]) -> Counter[UUID]:
    """Count, by what they are linked to, the people who have no appeal there but among these tickets.

    So many come when these are joined to it, and so many leave with them. To be called with the parents held.
    """
    known = [(t.ticket_id, t.parent, person) for t in linked if t.parent and (person := person_of(t))]
    if not known:
        return Counter()
    rows = await tx.connection.fetch(PEOPLE, *map(list, zip(*known, strict=True)))
    return Counter({row["root"]: row["people"] for row in rows})


async def drop_reporters(tx: Tx, linked: Iterable[Ticket]) -> Counter[UUID]:
    """Drop those who stood behind a ticket before their own appeal was joined to it; how many, by ticket."""
    known = [(ticket.parent, person) for ticket in linked if ticket.parent and (person := person_of(ticket))]
    if not known:
        return Counter()
    gone = await tx.connection.fetch(DROP_REPORTERS, *map(list, zip(*known, strict=True)))
    return Counter(row["ticket_id"] for row in gone)


async def move_supporters(tx: Tx, former: UUID, to: UUID) -> tuple[int, int]:
    """Let those who stand behind one ticket stand behind another; how many left, and how many are new there."""
    doubles = len(await tx.connection.fetch(DROP_DOUBLES, former, to))
    moved = len(await tx.connection.fetch(MOVE, former, to))
    return doubles + moved, moved


async def newest_public(connection: Any, before: Place, limit: int) -> list[UUID]:
    """Return public tickets, newest first."""
    return [row["ticket_id"] for row in await connection.fetch(PUBLIC, *before, limit)]


async def near(connection: Any, cells: Sequence[Cell], before: Place, limit: int) -> list[UUID]:
    """Return public tickets in these hundredths of a degree, newest first."""
    ys, xs = [y for y, _ in cells], [x for _, x in cells]
    return [row["ticket_id"] for row in await connection.fetch(NEAR, *before, limit, ys, xs)]


async def recent_public(connection: Any, words: Sequence[tuple[str, Sequence[str]]], limit: int) -> list[UUID]:
    """Return those of the newest 20,000 public tickets of which each word is in the place, or means the service."""
    holds = [f"(address ILIKE ${2 * n} OR service = ANY(${2 * n + 1}::text[]))" for n in range(1, len(words) + 1)]
    values = [value for word, services in words for value in (f"%{_literal(word)}%", list(services))]
    rows = await connection.fetch(RECENT.format(words=" AND ".join(holds)), limit, *values)
    return [row["ticket_id"] for row in rows]


def _literal(word: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", word)


async def numbered_tickets(connection: Any, number: str) -> list[UUID]:
    """Return the tickets of a number: one, or after ten million imported ones perhaps another."""
    return [row["ticket_id"] for row in await connection.fetch(NUMBERED, number)]


async def supporter_of(tx: Tx, ticket_id: UUID, person: str) -> Supporter | None:
    """Return somebody who stands behind a ticket already."""
    found = await SUPPORTERS.load(tx.connection, "WHERE ticket_id = $1 AND person = $2", ticket_id, person)
    return found[0] if found else None


async def supporters_of(connection: Any, supporters: Collection[UUID]) -> dict[UUID, Supporter]:
    """Return supporters by id."""
    found = await SUPPORTERS.load(connection, "WHERE supporter_id = ANY($1)", list(supporters))
    return {supporter.supporter_id: supporter for supporter in found}


async def is_reporter(tx: Tx, ticket_id: UUID, person: str) -> bool:
    """Say whether somebody counts already, by an appeal of their own."""
    found: bool = await tx.connection.fetchval(AMONG_REPORTERS, ticket_id, person)
    return found


async def save_supporter(tx: Tx, supporter: Supporter, key: bytes | None) -> None:
    """Store a supporter, and the key that seals the contact; without one what was sealed before is lost for good."""
    await SUPPORTERS.save(tx.connection, [supporter])
    if key:
        await tx.connection.execute(KEEP_KEY, supporter.supporter_id, key)
    else:
        await tx.connection.execute(DROP_KEY, supporter.supporter_id)


async def contact_keys(connection: Any, supporters: Collection[UUID]) -> dict[UUID, bytes]:
    """Return the keys of supporters' contacts, wrapped."""
    return {row["ticket_id"]: row["key"] for row in await connection.fetch(KEYS, list(supporters))}
