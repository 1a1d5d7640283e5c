"""Cases that were open before their owners had a time to act by are looked at once."""

import shutil
from pathlib import Path
from uuid import UUID

import asyncpg

from libs.common.runtime.database import migrate
from tests.support.stages import NOON

OPEN, ENDED = UUID(int=7), UUID(int=8)
CASE = "INSERT INTO supervision (subject, level, opened_at, raised_at, closed_at) VALUES ($1, 1, $2, $2, $3)"


async def test_only_a_case_that_is_open_is_looked_at_after_the_upgrade(fresh_database: str, tmp_path: Path) -> None:
    migrations = Path("services/sla/migrations")
    shutil.copytree(migrations, tmp_path / "sla", ignore=shutil.ignore_patterns("0006*"))
    await migrate(fresh_database, tmp_path / "sla")
    connection = await asyncpg.connect(fresh_database)
    await connection.executemany(CASE, [(OPEN, NOON, None), (ENDED, NOON, NOON)])
    await migrate(fresh_database, migrations)
    timers = [tuple(row) for row in await connection.fetch("SELECT kind, subject FROM timers")]
    await connection.close()
    assert timers == [("case", str(OPEN))]
