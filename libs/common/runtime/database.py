"""A service's database: its pool, its migrations, and the one way to begin a transaction."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from libs.common.messaging.retry import backoff, describe, is_transient
from libs.common.messaging.transaction import Speaker, Tx
from libs.common.runtime.telemetry import TRACE

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


@asynccontextmanager
async def alone(pool: Any, lock: int) -> AsyncIterator[bool]:
    """Say whether no other process does what `lock` stands for now; while the block runs, none will."""
    async with pool.acquire() as connection:
        leads: bool = await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock)
        try:
            yield leads
        finally:
            # A connection goes back to the pool as it is, with the locks it has.
            if leads:
                await connection.execute("SELECT pg_advisory_unlock($1)", lock)


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
    attempt = 0
    while True:
        try:
            return None if await _revision(url) == newest(migrations) else await _upgrade(url, migrations)
        except Exception as error:
            attempt += 1
            if not is_transient(error) or attempt > 8:
                raise
            log.info("waiting for the database", error=describe(error))
            await asyncio.sleep(backoff(attempt))


def newest(migrations: Path) -> str:
    """Return the revision that a folder of migrations leads to. The name of each file begins with its revision."""
    return max(path.stem.partition("_")[0] for path in (migrations / "versions").glob("*.py"))


async def _revision(url: str) -> str | None:
    connection = await asyncpg.connect(url)
    try:
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    else:
        return revision
    finally:
        await connection.close()


async def _upgrade(url: str, migrations: Path) -> None:
    # Takes 21 MB and a while to import, which every start on a schema that is up to date saves.
    from libs.common.runtime.upgrading import upgrade  # noqa: PLC0415

    await upgrade(url, migrations)
