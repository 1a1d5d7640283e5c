"""Which files a machine has yet to read."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from libs.common.contracts.vocabulary import FileKind
from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.intake.domain import Unread

UNREAD = Rows("files", Unread, key=("file_id",))
Reading = Literal["waiting", "read", "nothing", "unreadable", "given_up", "too_late"]

TAKE = """
WHERE file_id = (
    SELECT file_id FROM files f
    WHERE read_state = 'waiting' AND kind = ANY($1) AND kind <> 'document' AND (read_after IS NULL OR read_after <= $2)
    AND EXISTS (SELECT FROM tickets t WHERE t.ticket_id = f.ticket_id)
    ORDER BY file_id LIMIT 1 FOR UPDATE OF f SKIP LOCKED
)
"""
LEASE = "UPDATE files SET read_attempts = read_attempts + 1, read_after = $2 WHERE file_id = $1"
SETTLE = """
UPDATE files SET read_state = $3, read_after = NULL
WHERE file_id = $1 AND read_state = 'waiting' AND read_attempts = $2
"""


async def take_unread(tx: Tx, kinds: Iterable[FileKind], until: datetime) -> Unread | None:
    """Take the oldest file of these kinds that nobody reads, for oneself until then; None if there is none."""
    for unread in await UNREAD.load(tx.connection, TAKE, list(kinds), tx.now):
        await tx.connection.execute(LEASE, unread.file_id, until)
        return unread
    return None


async def settle_reading(tx: Tx, file: Unread, became: Reading) -> bool:
    """Keep what became of the reading of a file; False if it is gone, or another process has taken it since."""
    done: str = await tx.connection.execute(SETTLE, file.file_id, file.read_attempts + 1, became)
    return done == "UPDATE 1"
