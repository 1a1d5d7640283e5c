"""The vault: the only place of personal data, only sealed, and the keys it is sealed by."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy.vault import OWN
from libs.common.runtime.rows import Rows


@dataclass(frozen=True, slots=True)
class Kept:
    """A vault row: the appeal as it came, encrypted, and what may be known of it without opening it."""

    ticket_id: UUID
    number: str
    client: str
    received_at: datetime
    appeal: bytes
    marks: bytes | None = None


@dataclass(frozen=True, slots=True)
class Sealed(Kept):
    """A vault row with the ticket's own key, wrapped. What an earlier release sealed has none yet."""

    key: bytes | None = None

    @property
    def erased(self) -> bool:
        """Whether nobody can open it any more: it was emptied, or came back from a backup without its key."""
        return not self.appeal or (self.key is None and self.appeal.startswith(OWN))


VAULT = Rows("vault", Kept, key=("ticket_id",))
WITH_KEYS = Rows("vault LEFT JOIN vault_keys USING (ticket_id)", Sealed, key=("ticket_id",))

WITHOUT_KEY = """
SELECT ticket_id FROM vault WHERE substring(appeal FROM 1 FOR 1) NOT IN ('\\x00', '') AND ticket_id > $1
ORDER BY ticket_id LIMIT $2
"""
COUNT_WITHOUT_KEY = "SELECT count(*) FROM vault WHERE substring(appeal FROM 1 FOR 1) NOT IN ('\\x00', '')"
GIVE_KEYS = "INSERT INTO vault_keys SELECT * FROM unnest($1::uuid[], $2::bytea[])"
WRAPPED_BY_ANOTHER = """
SELECT ticket_id, key FROM vault_keys WHERE ticket_id > $1 AND get_byte(key, 0) <> $2
ORDER BY ticket_id LIMIT $3 FOR UPDATE
"""
COUNT_ANOTHER = "SELECT count(*) FROM vault_keys WHERE get_byte(key, 0) <> $1"
WRAP = "UPDATE vault_keys k SET key = t.key FROM unnest($1::uuid[], $2::bytea[]) t(id, key) WHERE ticket_id = t.id"
SEALED_BY = """
SELECT number, sum(n)::bigint AS tickets FROM (
    SELECT get_byte(key, 0) AS number, count(*) AS n FROM vault_keys GROUP BY 1
    UNION ALL
    SELECT get_byte(appeal, 0), count(*) FROM vault
    WHERE substring(appeal FROM 1 FOR 1) NOT IN ('\\x00', '') GROUP BY 1
    UNION ALL
    SELECT get_byte(key, 0), count(*) FROM files WHERE ticket_id IS NULL GROUP BY 1
) counted GROUP BY number
"""


async def numbers(tx: Tx, tickets: Iterable[UUID]) -> dict[UUID, str]:
    """Return the numbers of stored appeals."""
    rows = await tx.connection.fetch("SELECT ticket_id, number FROM vault WHERE ticket_id = ANY($1)", list(tickets))
    return {row["ticket_id"]: row["number"] for row in rows}


async def sealed(connection: Any, tickets: Iterable[UUID]) -> list[Sealed]:
    """Return vault rows, oldest first."""
    return await WITH_KEYS.load(connection, "WHERE ticket_id = ANY($1) ORDER BY ticket_id", list(tickets))


async def save_marks(tx: Tx, rows: Iterable[Sealed]) -> None:
    """Store vault rows, now with the sealed originals of the marks."""
    await VAULT.save(tx.connection, rows)


async def without_key(tx: Tx, after: UUID, limit: int) -> list[UUID]:
    """Return tickets that the ring itself sealed, as earlier releases did, behind a ticket, oldest first."""
    return [row["ticket_id"] for row in await tx.connection.fetch(WITHOUT_KEY, after, limit)]


async def count_without_key(tx: Tx) -> int:
    """Count the tickets that the ring itself sealed."""
    counted: int = await tx.connection.fetchval(COUNT_WITHOUT_KEY)
    return counted


async def give_keys(tx: Tx, rows: Sequence[Sealed]) -> None:
    """Store vault rows that are now sealed by keys of their own, and these keys."""
    await VAULT.save(tx.connection, rows)
    await tx.connection.execute(GIVE_KEYS, [row.ticket_id for row in rows], [row.key for row in rows])


async def wrapped_by_another(tx: Tx, master: int, after: UUID, limit: int) -> dict[UUID, bytes]:
    """Hold keys that another master wraps, behind a ticket, and return them: none can be erased in the meantime."""
    rows = await tx.connection.fetch(WRAPPED_BY_ANOTHER, after, master, limit)
    return {row["ticket_id"]: row["key"] for row in rows}


async def count_wrapped_by_another(tx: Tx, master: int) -> int:
    """Count the keys that another master wraps, by looking at all of them."""
    counted: int = await tx.connection.fetchval(COUNT_ANOTHER, master, timeout=LONG)
    return counted


async def save_wrapped(tx: Tx, keys: Mapping[UUID, bytes]) -> None:
    """Replace keys that are there."""
    await tx.connection.execute(WRAP, list(keys), list(keys.values()))


async def sealed_by(connection: Any) -> dict[int, int]:
    """Count the tickets that each master seals, by looking at all of them."""
    return {row["number"]: row["tickets"] for row in await connection.fetch(SEALED_BY, timeout=LONG)}


LONG = 600.0
"""Seconds for a statement that looks at every key."""
