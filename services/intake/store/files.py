"""Files, and the blobs that hold their bytes in the store: one for all files of the same bytes.

A blob is `writing` from before the store hears of it, `kept` once it is whole, and `condemned` when no file needs it
any more: so whatever is killed, and when, nothing stays in the store that no row knows.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.intake.domain import File

FILES = Rows("files", File, key=("file_id",))
WITH_BLOBS = Rows("files JOIN blobs USING (blob_id)", File, key=("file_id",))

ATTACH = """
UPDATE files f SET ticket_id = t.ticket_id, key = t.key
FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) t(file_id, ticket_id, key) WHERE f.file_id = t.file_id
"""
BEGIN = "INSERT INTO blobs (blob_id, state, at) VALUES ($1, 'writing', $2)"
KEEP = "UPDATE blobs SET state = 'kept' WHERE blob_id = $1 AND state = 'writing' RETURNING blob_id"
# Two senders of the same bytes take turns here, so that the second finds what the first kept.
HOLD_DIGEST = "SELECT pg_advisory_xact_lock($1)"
TWIN = """
WHERE digest = $1 AND state = 'kept'
AND (ticket_id IS NULL OR EXISTS (SELECT FROM vault_keys k WHERE k.ticket_id = files.ticket_id))
ORDER BY file_id LIMIT 1 FOR SHARE OF blobs
"""
FORGET = "DELETE FROM files WHERE ticket_id = ANY($1) RETURNING blob_id"
UNLIST = "UPDATE tickets SET attachments = '[]' WHERE ticket_id = ANY($1)"
FORGET_OLD = """
DELETE FROM files WHERE file_id = ANY(ARRAY(
    SELECT file_id FROM files WHERE ticket_id IS NULL AND added_at < $1 ORDER BY added_at LIMIT $2
    FOR UPDATE SKIP LOCKED
)) RETURNING blob_id
"""
HOLD_BLOBS = "SELECT FROM blobs WHERE blob_id = ANY($1) ORDER BY blob_id FOR UPDATE"
# After the lock, in a statement of its own: it must see who took one of them up, or let go of it, until then.
CONDEMN = """
UPDATE blobs b SET state = 'condemned'
WHERE blob_id = ANY($1) AND NOT EXISTS (SELECT FROM files f WHERE f.blob_id = b.blob_id)
"""
CONDEMN_LOST = "UPDATE blobs SET state = 'condemned' WHERE state = 'writing' AND at < $1"
CONDEMNED = "SELECT blob_id FROM blobs WHERE state = 'condemned' LIMIT $1"
DROP = "DELETE FROM blobs WHERE blob_id = ANY($1) AND state = 'condemned'"


async def hold_files(tx: Tx, files: Iterable[UUID]) -> dict[UUID, File]:
    """Hold those of these files that there are, against being taken by another appeal, and return them."""
    found = await FILES.load(tx.connection, "WHERE file_id = ANY($1) ORDER BY file_id FOR UPDATE", list(files))
    return {file.file_id: file for file in found}


async def attach(tx: Tx, files: Sequence[File]) -> None:
    """Store to which tickets held files go now, and their keys as they are sealed for them."""
    await tx.connection.execute(
        ATTACH, [file.file_id for file in files], [file.ticket_id for file in files], [file.key for file in files]
    )


async def file_of(connection: Any, file_id: UUID) -> File | None:
    """Return a file; None if there is none."""
    return next(iter(await FILES.load(connection, "WHERE file_id = $1", file_id)), None)


async def files_of(connection: Any, tickets: Iterable[UUID]) -> dict[UUID, list[File]]:
    """Return the files of these tickets, by ticket, oldest first."""
    found = await FILES.load(connection, "WHERE ticket_id = ANY($1) ORDER BY file_id", list(tickets))
    files: dict[UUID, list[File]] = {}
    for file in found:
        if file.ticket_id:
            files.setdefault(file.ticket_id, []).append(file)
    return files


async def add_file(tx: Tx, file: File) -> None:
    """Store a file whose bytes are kept."""
    await FILES.save(tx.connection, [file])


async def begin_blob(tx: Tx, blob_id: UUID) -> None:
    """Remember that something is about to be written to the store."""
    await tx.connection.execute(BEGIN, blob_id, tx.now)


async def keep_blob(tx: Tx, blob_id: UUID) -> bool:
    """Remember that it was written; false if it took so long that it was given up."""
    return await tx.connection.fetchval(KEEP, blob_id) is not None


async def hold_digest(tx: Tx, digest: bytes) -> None:
    """Hold a digest against everyone who has the same bytes."""
    await tx.connection.execute(HOLD_DIGEST, int.from_bytes(digest[:8], "big", signed=True))


async def twin(tx: Tx, digest: bytes) -> File | None:
    """Return a file of these bytes, whose blob stays for this transaction; None if no bytes like these are kept."""
    return next(iter(await WITH_BLOBS.load(tx.connection, TWIN, digest)), None)


async def forget_files(tx: Tx, tickets: Sequence[UUID]) -> None:
    """Delete the files of these tickets, and condemn the bytes that no other file has."""
    rows = await tx.connection.fetch(FORGET, tickets)
    if rows:
        await tx.connection.execute(UNLIST, tickets)
        await _condemn(tx, rows)


async def forget_waiting(tx: Tx, before: datetime, limit: int) -> int:
    """Delete files that have waited for an appeal since before an instant. Returns how many."""
    rows = await tx.connection.fetch(FORGET_OLD, before, limit)
    if rows:
        await _condemn(tx, rows)
    return len(rows)


async def _condemn(tx: Tx, rows: Sequence[Mapping[str, UUID]]) -> None:
    blobs = list({row["blob_id"] for row in rows})
    await tx.connection.execute(HOLD_BLOBS, blobs)
    await tx.connection.execute(CONDEMN, blobs)


async def condemned(tx: Tx, lost_before: datetime, limit: int) -> list[UUID]:
    """Return blobs to delete, those among them whose writer was lost before an instant."""
    await tx.connection.execute(CONDEMN_LOST, lost_before)
    return [row["blob_id"] for row in await tx.connection.fetch(CONDEMNED, limit)]


async def drop_blobs(tx: Tx, blobs: Sequence[UUID]) -> None:
    """Forget blobs that are no longer in the store."""
    await tx.connection.execute(DROP, blobs)
