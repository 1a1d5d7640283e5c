"""Every event takes effect once: its id is claimed in the transaction that does its work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.ids import first_id

CLAIM = "INSERT INTO inbox (event_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING event_id"
PURGE = "DELETE FROM inbox WHERE event_id < $1"


async def claim(connection: Any, ids: Sequence[UUID]) -> set[UUID]:
    """Return those of `ids` that no transaction has done yet; they are ours if we commit.

    Sorted, so that two members that were handed the same events cannot deadlock.
    """
    rows = await connection.fetch(CLAIM, sorted(ids))
    return {row["event_id"] for row in rows}


async def purge(connection: Any, before: datetime) -> None:
    """Forget ids older than `before`, which must lie behind every topic's retention."""
    await connection.execute(PURGE, first_id(before))
