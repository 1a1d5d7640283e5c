"""What repeats are found by: sketches of recent tickets, the keys they stand under, and likenesses left to people."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.intake.domain import Reason

LIMIT = 8
"""So many of the newest under each key are looked at."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A ticket's sketch, the keys it stands under, and the number of the model that made it."""

    ticket_id: UUID
    received_at: datetime
    model: int
    keys: tuple[int, ...]
    sketch: bytes


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two tickets that may be about one event, left to a person to decide."""

    ticket_id: UUID
    other: UUID
    score: float
    reasons: tuple[Reason, ...]
    at: datetime


SUGGESTIONS = Rows("suggested_links", Suggestion, key=("ticket_id", "other"))

# Planned with the values at hand: a plan that was made while the table was small would read all of it for each key.
PLANNED_AFRESH = "SET LOCAL plan_cache_mode = force_custom_plan"
# For each key a walk down the primary key from its newest ticket: identifiers grow with time.
FIND = """
SELECT q.key, k.ticket_id FROM unnest($1::bigint[]) q(key) CROSS JOIN LATERAL (
    SELECT ticket_id FROM likeness_keys WHERE key = q.key ORDER BY ticket_id DESC LIMIT $2
) k
"""
SKETCHES = "SELECT ticket_id, sketch FROM likenesses WHERE ticket_id = ANY($1::uuid[]) AND model = $2"
KEEP = """
WITH kept AS (
    INSERT INTO likenesses (ticket_id, received_at, model, keys, sketch)
    SELECT id, at, $3, string_to_array(keys, ',')::bigint[], sketch
    FROM unnest($1::uuid[], $2::timestamptz[], $4::text[], $5::bytea[]) t(id, at, keys, sketch)
    ON CONFLICT (ticket_id) DO UPDATE SET model = excluded.model, keys = excluded.keys, sketch = excluded.sketch
)
INSERT INTO likeness_keys (key, ticket_id) SELECT * FROM unnest($6::bigint[], $7::uuid[]) ON CONFLICT DO NOTHING
"""
DROP_KEYS = """
DELETE FROM likeness_keys USING unnest($1::bigint[], $2::uuid[]) t(k, id) WHERE key = t.k AND ticket_id = t.id
"""
PURGE = """
WITH old AS (
    DELETE FROM likenesses WHERE ticket_id IN (SELECT ticket_id FROM likenesses WHERE received_at < $1 LIMIT $2)
    RETURNING ticket_id, keys
), gone AS (
    DELETE FROM likeness_keys k USING (SELECT ticket_id, unnest(keys) AS key FROM old) o
    WHERE k.key = o.key AND k.ticket_id = o.ticket_id
)
SELECT count(*) FROM old
"""
PURGE_SUGGESTIONS = "DELETE FROM suggested_links WHERE at < $1"
OF_ANOTHER_MODEL = "SELECT ticket_id, keys FROM likenesses WHERE model <> $1 LIMIT $2 FOR UPDATE SKIP LOCKED"


async def found_under(
    connection: Any, keys: Iterable[int], model: int
) -> tuple[dict[int, list[UUID]], dict[UUID, bytes]]:
    """Return the newest tickets under each key, and their sketches. To be called in a transaction."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}, {}
    await connection.execute(PLANNED_AFRESH)
    under: dict[int, list[UUID]] = defaultdict(list)
    for key, ticket_id in await connection.fetch(FIND, wanted, LIMIT):
        under[key].append(ticket_id)
    tickets = {ticket_id for some in under.values() for ticket_id in some}
    rows = await connection.fetch(SKETCHES, list(tickets), model) if tickets else []
    return dict(under), {row["ticket_id"]: row["sketch"] for row in rows}


async def keep_likenesses(connection: Any, likenesses: Sequence[Likeness]) -> None:
    """Store sketches, all of one model, and the keys they can be found by."""
    if likenesses:
        # Sorted, as every transaction that takes rows of keys shared with others.
        pairs = sorted((key, one.ticket_id) for one in likenesses for key in one.keys)
        await connection.execute(
            KEEP,
            [one.ticket_id for one in likenesses],
            [one.received_at for one in likenesses],
            likenesses[0].model,
            [",".join(map(str, one.keys)) for one in likenesses],
            [one.sketch for one in likenesses],
            [key for key, _ in pairs],
            [ticket_id for _, ticket_id in pairs],
        )


async def keys_of(connection: Any, tickets: Sequence[UUID]) -> dict[UUID, Sequence[int]]:
    """Return the keys that tickets stand under."""
    rows = await connection.fetch("SELECT ticket_id, keys FROM likenesses WHERE ticket_id = ANY($1)", list(tickets))
    return {row["ticket_id"]: row["keys"] for row in rows}


async def outdated(connection: Any, model: int, limit: int) -> dict[UUID, Sequence[int]]:
    """Take some tickets whose sketch another model made, and return the keys each stands under."""
    rows = await connection.fetch(OF_ANOTHER_MODEL, model, limit)
    return {row["ticket_id"]: row["keys"] for row in rows}


async def drop_keys(connection: Any, keys: Mapping[UUID, Sequence[int]]) -> None:
    """Take tickets from under these keys."""
    pairs = sorted((key, ticket_id) for ticket_id, some in keys.items() for key in some)
    if pairs:
        await connection.execute(DROP_KEYS, [key for key, _ in pairs], [ticket_id for _, ticket_id in pairs])


async def purge_likenesses(connection: Any, before: datetime, limit: int) -> int:
    """Forget what is too old to be repeated, up to so many tickets; return how many it was."""
    await connection.execute(PURGE_SUGGESTIONS, before)
    return int(await connection.fetchval(PURGE, before, limit))


async def suggest(tx: Tx, suggestions: Iterable[Suggestion]) -> None:
    """Keep likenesses for a person to decide on."""
    await SUGGESTIONS.save(tx.connection, suggestions)


async def suggestions_of(connection: Any, ticket_id: UUID) -> list[Suggestion]:
    """Return what a ticket may be about the same event as, whichever of the two came first; likeliest first."""
    where = "WHERE ticket_id = $1 OR other = $1 ORDER BY score DESC, at DESC LIMIT 50"
    return await SUGGESTIONS.load(connection, where, ticket_id)
