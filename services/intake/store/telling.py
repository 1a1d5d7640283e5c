"""What became of messages to citizens."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from services.intake.domain import MOST_AGAIN, Message, message_key

MESSAGES = """
SELECT key, state, attempts, error, created_at, next_at, ended_at FROM notices
WHERE key = ANY($1) ORDER BY created_at, key
"""


async def messages(connection: Any, keys: Collection[str]) -> list[Message]:
    """Return messages by key, oldest first."""
    return [_message(row) for row in await connection.fetch(MESSAGES, list(keys))]


async def count_messages(tx: Tx, keys: Collection[str]) -> Counter[tuple[UUID, str]]:
    """Count messages by ticket and kind."""
    rows = await tx.connection.fetch("SELECT key FROM notices WHERE key = ANY($1)", list(keys))
    parts = [row["key"].split("/") for row in rows]
    return Counter((UUID(ticket_id), kind) for ticket_id, kind, _ in parts)


async def blank_messages(tx: Tx, tickets: Iterable[UUID]) -> None:
    """Take the words of answers out of messages; the others hold none but the platform's own."""
    keys = [message_key(id_, "answered", number) for id_ in tickets for number in range(1, MOST_AGAIN + 1)]
    await tx.connection.execute("UPDATE notices SET text = '' WHERE key = ANY($1)", keys)


def _message(row: Any) -> Message:
    _, kind, round_ = row["key"].split("/")
    return Message(
        kind, int(round_), row["state"], row["attempts"], row["error"],
        row["created_at"], row["next_at"], row["ended_at"],
    )  # fmt: skip
