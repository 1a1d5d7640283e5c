"""The files of orders.

A row is `writing` from before the store hears of its bytes, `kept` once they are whole, and `condemned` when they are
to go: so whatever is killed, and when, nothing stays in the store that no row knows.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.dispatch.domain import OrderFile

FILES = Rows("order_files", OrderFile, key=("file_id",))

KEEP = "UPDATE order_files SET state = 'kept' WHERE file_id = $1 AND state = 'writing' RETURNING file_id"
COUNT = "SELECT count(*) FROM order_files WHERE ticket_id = $1 AND state = 'kept'"
FORGET = "UPDATE order_files SET state = 'condemned', key = '' WHERE ticket_id = ANY($1)"
CONDEMN_LOST = "UPDATE order_files SET state = 'condemned', key = '' WHERE state = 'writing' AND at < $1"
CONDEMNED = "SELECT file_id FROM order_files WHERE state = 'condemned' ORDER BY at LIMIT $1"
DROP = "DELETE FROM order_files WHERE file_id = ANY($1) AND state = 'condemned'"


async def begin_file(tx: Tx, file: OrderFile) -> None:
    """Remember that the bytes of a file are about to be written to the store."""
    await FILES.save(tx.connection, [replace(file, state="writing")])


async def keep_file(tx: Tx, file_id: UUID) -> bool:
    """Remember that they were written; false if it took so long that they were given up."""
    return await tx.connection.fetchval(KEEP, file_id) is not None


async def files_of(connection: Any, ticket_id: UUID) -> list[OrderFile]:
    """Return the files of an order, oldest first."""
    return await FILES.load(connection, "WHERE ticket_id = $1 AND state = 'kept' ORDER BY file_id", ticket_id)


async def count_files(tx: Tx, ticket_id: UUID) -> int:
    """Return how many files an order has."""
    count: int = await tx.connection.fetchval(COUNT, ticket_id)
    return count


async def forget_files(tx: Tx, tickets: Sequence[UUID]) -> None:
    """Let go of the files of these tickets: what opens them goes now, the bytes a little later."""
    await tx.connection.execute(FORGET, tickets)


async def condemned(tx: Tx, lost_before: datetime, limit: int) -> list[UUID]:
    """Return files whose bytes are to be deleted, those among them whose writer was lost before an instant."""
    await tx.connection.execute(CONDEMN_LOST, lost_before)
    return [row["file_id"] for row in await tx.connection.fetch(CONDEMNED, limit)]


async def drop_files(tx: Tx, files: Sequence[UUID]) -> None:
    """Forget files that are no longer in the store."""
    await tx.connection.execute(DROP, files)
