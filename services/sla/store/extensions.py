"""More time that was asked for."""

from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.sla.domain import Extension

EXTENSIONS = Rows("extensions", Extension, key=("extension_id",))

PAGE = """
WHERE state = 'asked' AND (asked_at, extension_id) > ($1, $2) AND ($3::text[] IS NULL OR unit_code = ANY($3))
ORDER BY asked_at, extension_id LIMIT $4
"""


async def extensions_of(connection: Any, ticket_id: UUID) -> list[Extension]:
    """Return what was asked for of a ticket's clocks, the first first."""
    return await EXTENSIONS.load(connection, "WHERE ticket_id = $1 ORDER BY asked_at, extension_id", ticket_id)


async def extension_of(connection: Any, extension_id: UUID) -> Extension | None:
    """Return one, None if there is none of this id."""
    found = await EXTENSIONS.load(connection, "WHERE extension_id = $1", extension_id)
    return found[0] if found else None


async def open_extensions(
    database: Database, units: list[str] | None, after: tuple[datetime, UUID], limit: int
) -> list[Extension]:
    """Return what nobody ruled on yet of these units (None for all), the first first, from behind `after`."""
    return await EXTENSIONS.load(database.pool, PAGE, *after, units, limit)


async def save_extension(tx: Tx, extension: Extension) -> None:
    """Store it as it is now."""
    await EXTENSIONS.save(tx.connection, [extension])
