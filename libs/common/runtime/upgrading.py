"""Bringing a database up to date by its migrations: the only user of SQLAlchemy, under Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from libs.common.runtime.database import NewerSchemaError

MIGRATION_LOCK = 4_712_344


async def upgrade(url: str, migrations: Path) -> None:
    """Run what is missing, all or nothing, one process at a time. Raises NewerSchemaError, or what asyncpg raised."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_run, migrations)
    except DBAPIError as error:
        # What asyncpg raised lies under two layers of SQLAlchemy.
        raise (error.orig.__cause__ if error.orig else None) or error from error
    finally:
        await engine.dispose()


def _run(connection: Connection, migrations: Path) -> None:
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
