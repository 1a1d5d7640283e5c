"""The vault: the only place of personal data, and only sealed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows


@dataclass(frozen=True, slots=True)
class Sealed:
    """A vault row: the appeal as it came, encrypted, and what may be known of it without opening it."""

    ticket_id: UUID
    number: str
    client: str
    received_at: datetime
    appeal: bytes
    marks: bytes | None = None


VAULT = Rows("vault", Sealed, key=("ticket_id",))

OPENED = "INSERT INTO openings (ticket_id, by, purpose, at) VALUES ($1, $2, $3, $4)"


async def numbers(tx: Tx, tickets: Iterable[UUID]) -> dict[UUID, str]:
    """Return the numbers of stored appeals."""
    rows = await tx.connection.fetch("SELECT ticket_id, number FROM vault WHERE ticket_id = ANY($1)", list(tickets))
    return {row["ticket_id"]: row["number"] for row in rows}


async def sealed(connection: Any, tickets: Iterable[UUID]) -> list[Sealed]:
    """Return vault rows, oldest first."""
    return await VAULT.load(connection, "WHERE ticket_id = ANY($1) ORDER BY ticket_id", list(tickets))


async def save_marks(tx: Tx, rows: Iterable[Sealed]) -> None:
    """Store vault rows, now with the sealed originals of the marks."""
    await VAULT.save(tx.connection, rows)


async def note_opening(tx: Tx, ticket_id: UUID, by: str, purpose: str) -> None:
    """Keep who opened the vault, for what, and when."""
    await tx.connection.execute(OPENED, ticket_id, by, purpose, tx.now)
