"""What became of messages to citizens, and what is still to be told to those who wait with others."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from libs.common.city.settings import MessageKind
from libs.common.messaging.transaction import Tx
from services.intake.domain import FOLLOWED, LED, MOST_AGAIN, Hearer, Message, News, message_key

MESSAGES = """
SELECT key, state, attempts, error, created_at, next_at, ended_at FROM notices
WHERE key = ANY($1) ORDER BY created_at, key
"""
SPREAD = """
INSERT INTO news (ticket_id, kind, round, params, at)
SELECT id, kind, round, params, $5 FROM unnest($1::uuid[], $2::text[], $3::int[], $4::jsonb[])
    AS t(id, kind, round, params) ON CONFLICT DO NOTHING
"""
HEARERS = """
SELECT n.ticket_id, n.kind, n.round, n.params, w.id, w.at, w.linked,
    coalesce(
        (SELECT true FROM tickets o WHERE o.ticket_id = n.ticket_id AND o.reporter = w.reporter AND o.ways <> '[]'),
        (SELECT true FROM tickets o WHERE o.parent = n.ticket_id AND o.reporter = w.reporter AND o.state = 'linked'
            AND o.ways <> '[]' AND 'sensor' NOT IN (o.reporter_type, o.channel)
            AND (o.received_at, o.ticket_id) < (w.at, w.id) LIMIT 1),
        w.id IS NULL
    ) AS hears_otherwise
FROM (
    SELECT * FROM news WHERE ticket_id = ANY($1) AND NOT told ORDER BY at, ticket_id, kind, round LIMIT $2
) n LEFT JOIN LATERAL (
    (
        SELECT ticket_id AS id, received_at AS at, true AS linked, reporter FROM tickets
        WHERE parent = n.ticket_id AND state = 'linked' AND (received_at, ticket_id) > (n.after_at, n.after_id)
            AND n.kind = ANY($3) AND ways <> '[]' AND 'sensor' NOT IN (reporter_type, channel)
        ORDER BY received_at, ticket_id LIMIT $2
    ) UNION ALL (
        SELECT supporter_id, at, false, NULL FROM supporters
        WHERE ticket_id = n.ticket_id AND (at, supporter_id) > (n.after_at, n.after_id)
            AND n.kind = ANY($4) AND contact IS NOT NULL
        ORDER BY at, supporter_id LIMIT $2
    ) ORDER BY at, id LIMIT $2
) w ON true
ORDER BY n.at, n.ticket_id, n.kind, n.round, w.at, w.id LIMIT $2
"""
"""Who is next, by news. One person hears once, however many of their appeals wait: by the first with an address."""
HEARD = """
UPDATE news n SET told = t.told, after_at = coalesce(t.at, n.after_at), after_id = coalesce(t.id, n.after_id)
FROM unnest($1::uuid[], $2::text[], $3::int[], $4::boolean[], $5::timestamptz[], $6::uuid[])
    AS t(ticket_id, kind, round, told, at, id)
WHERE n.ticket_id = t.ticket_id AND n.kind = t.kind AND n.round = t.round
"""
LEADS = "SELECT DISTINCT ticket_id, parent FROM links WHERE ticket_id = ANY($1) AND parent IS NOT NULL"
NEWS_OF_LEADS = """
SELECT ticket_id, kind, round FROM news
WHERE kind = ANY($2) AND ticket_id IN (SELECT parent FROM links WHERE ticket_id = $1)
"""


async def messages(connection: Any, keys: Collection[str]) -> list[Message]:
    """Return messages by key, oldest first."""
    return [_message(row) for row in await connection.fetch(MESSAGES, list(keys))]


async def told_before(tx: Tx, keys: Collection[str]) -> set[str]:
    """Return those of these keys under which something was told."""
    return {row["key"] for row in await tx.connection.fetch("SELECT key FROM notices WHERE key = ANY($1)", list(keys))}


async def count_messages(tx: Tx, keys: Collection[str]) -> Counter[tuple[UUID, str]]:
    """Count the messages that tickets' reporters got of these, by ticket and kind."""
    parts = [key.split("/") for key in await told_before(tx, keys)]
    return Counter((UUID(ticket_id), kind) for ticket_id, kind, _ in parts)


async def count_news(tx: Tx, tickets: Collection[UUID]) -> Counter[tuple[UUID, str]]:
    """Count what was told of tickets to others, by ticket and kind."""
    query = "SELECT ticket_id, kind, count(*) AS news FROM news WHERE ticket_id = ANY($1) GROUP BY ticket_id, kind"
    rows = await tx.connection.fetch(query, list(tickets))
    return Counter({(row["ticket_id"], row["kind"]): row["news"] for row in rows})


async def spread(tx: Tx, news: Sequence[News]) -> None:
    """Have numbered news told to those who wait with the tickets' reporters; what was before is not told again."""
    if news:
        columns = zip(*((n.ticket.ticket_id, n.kind, n.round, n.params) for n in news), strict=True)
        await tx.connection.execute(SPREAD, *map(list, columns), tx.now)


async def take_hearers(tx: Tx, tickets: Sequence[UUID], limit: int) -> tuple[list[Hearer], bool]:
    """Look at the next so many who wait with these held tickets; return who hears of what, and whether to go on."""
    rows = await tx.connection.fetch(HEARERS, tickets, limit, list(LED), list(FOLLOWED))
    more = len(rows) == limit
    # The last of each piece of news; of the last piece of all there may be others behind.
    last = {(row["ticket_id"], row["kind"], row["round"]): row for row in rows}
    done = [(*key, not (more and row is rows[-1]), row["at"], row["id"]) for key, row in last.items()]
    if done:
        await tx.connection.execute(HEARD, *map(list, zip(*done, strict=True)))
    return [Hearer(*tuple(row)[:-1]) for row in rows if not row["hears_otherwise"]], more


async def leads_of(tx: Tx, tickets: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Return, by ticket, all that these were ever linked to."""
    leads: dict[UUID, list[UUID]] = defaultdict(list)
    for row in await tx.connection.fetch(LEADS, list(tickets)):
        leads[row["ticket_id"]].append(row["parent"])
    return leads


async def news_of_leads(connection: Any, ticket_id: UUID) -> list[tuple[UUID, MessageKind, int]]:
    """Return what there was to tell of whatever a ticket was ever linked to: of which, about what, in which round."""
    rows = await connection.fetch(NEWS_OF_LEADS, ticket_id, list(LED))
    return [(row["ticket_id"], row["kind"], row["round"]) for row in rows]


async def blank_messages(tx: Tx, tickets: Iterable[UUID]) -> None:
    """Take the words of answers out of messages; the others hold none but the platform's own."""
    keys = [message_key(id_, "answered", number) for id_ in tickets for number in range(1, MOST_AGAIN + 1)]
    await tx.connection.execute("UPDATE notices SET text = '' WHERE key = ANY($1)", keys)


def _message(row: Any) -> Message:
    _, kind, *_, round_ = row["key"].split("/")
    return Message(
        kind, int(round_), row["state"], row["attempts"], row["error"],
        row["created_at"], row["next_at"], row["ended_at"],
    )  # fmt: skip
