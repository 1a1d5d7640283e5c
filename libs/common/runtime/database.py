"""A service's database: its pool, its migrations, and the one way to begin a transaction."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from libs.common.messaging.retry import backoff, describe, is_transient
from libs.common.messaging.transaction import Speaker, Tx
from libs.common.runtime.telemetry import TRACE

MIGRATION_LOCK = 4_712_344
log = structlog.get_logger(__name__)


class NewerSchemaError(RuntimeError):
    """The database was migrated by a newer release; this one could damage it."""


class Database:
    """One service's database. `begin` gives the one transaction; after its commit the listeners are called."""

    def __init__(self, pool: "asyncpg.Pool[Any]", speaker: Speaker) -> None:
        self.pool = pool
        self.speaker = speaker
        self.after_commit: list[Callable[[Tx], None]] = []

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        """Run one transaction: everything in it is committed together, or nothing if the block raises."""
        async with self.pool.acquire() as connection, connection.transaction():
            tx = Tx(connection, self.speaker, TRACE.get())
            yield tx
            await tx.flush()
        for listener in self.after_commit:
            listener(tx)

    async def close(self) -> None:
        """Let go of all connections."""
        await self.pool.close()


async def open_database(url: str, speaker: Speaker, connections: int) -> Database:
    """Open a pool on a migrated database."""
    pool = await asyncpg.create_pool(
        url, min_size=2, max_size=connections, init=_speak_json, reset=_as_it_is, command_timeout=60
    )
    return Database(pool, speaker)


async def _as_it_is(_connection: Any) -> None:
    """Give a connection back without the usual query: we set nothing on it that outlives a transaction."""


async def _speak_json(connection: Any) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def migrate(url: str, migrations: Path) -> None:
    """Bring the database to this release's schema, one process at a time. Waits for a server that is still starting.

    Raises:
        NewerSchemaError: the database is at a revision this release does not know.
    """
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    attempt = 0
    try:
        while True:
            try:
                async with engine.begin() as connection:
                    return await connection.run_sync(_upgrade, migrations)
            except Exception as error:
                attempt += 1
                if not is_transient(_cause(error)) or attempt > 8:
                    raise
                log.info("waiting for the database", error=describe(error))
                await asyncio.sleep(backoff(attempt))
    finally:
        await engine.dispose()


def _cause(error: Exception) -> BaseException:
    """Return what asyncpg raised, from under two layers of SQLAlchemy."""
    wrapped = error.orig if isinstance(error, DBAPIError) else None
    return (wrapped and wrapped.__cause__) or error


def _upgrade(connection: Connection, migrations: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    current = set(MigrationContext.configure(connection).get_current_heads())
    if current - known:
        raise NewerSchemaError(
            f"the database of {migrations.parent.name} is at {', '.join(current)}, newer than this release's "
            f"{scripts.get_current_head()}; start the release that migrated it"
        )
    command.upgrade(config, "head")
