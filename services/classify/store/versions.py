"""Catalogues and from when on which of them judges."""

from typing import Any

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from libs.common.versions import Activations
from services.classify.domain import Activation, CatalogueVersion

CATALOGUES = Rows("catalogues", CatalogueVersion, key=("version",))
ACTIVATIONS = Activations("activations", Activation, subject="versions")

ADD = """
INSERT INTO catalogues (version, imported_at, by, note, questions, files) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING RETURNING true
"""
FILES = "SELECT files FROM catalogues WHERE version = $1"


async def add_catalogue(tx: Tx, catalogue: CatalogueVersion, files: bytes) -> bool:
    """Keep a catalogue with its files, and say whether it is new."""
    c = catalogue
    return bool(await tx.connection.fetchval(ADD, c.version, c.imported_at, c.by, c.note, c.questions, files))


async def catalogue_of(connection: Any, version: str) -> CatalogueVersion | None:
    """Return a catalogue, None if it was never imported."""
    found = await CATALOGUES.load(connection, "WHERE version = $1", version)
    return found[0] if found else None


async def catalogues(connection: Any, limit: int) -> list[CatalogueVersion]:
    """Return the catalogues that were imported last, the newest first."""
    return await CATALOGUES.load(connection, "ORDER BY imported_at DESC, version LIMIT $1", limit)


async def files_of(connection: Any, version: str) -> bytes | None:
    """Return the files of a catalogue as they are kept, None if it was never imported."""
    files: bytes | None = await connection.fetchval(FILES, version)
    return files
