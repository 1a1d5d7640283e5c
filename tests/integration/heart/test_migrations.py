"""A database is brought to its release by one process at a time, and never taken back."""

import asyncio
import struct
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from libs.common.runtime import database as module
from libs.common.runtime.database import NewerSchemaError, migrate
from libs.common.runtime.upgrading import MIGRATION_LOCK
from tests.support.heart import PATIENCE_SECONDS, write_migrations

TWO = {"0001": "CREATE TABLE one (n int);\n", "0002": "CREATE TABLE two (n int);\n"}
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted"
STARTING = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
PROCESS = """
import asyncio, pathlib, sys
from libs.common.runtime.database import migrate
asyncio.run(migrate(sys.argv[1], pathlib.Path(sys.argv[2])))
"""


async def _tables(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    return {row["tablename"] for row in rows}


async def test_two_processes_may_migrate_at_once(fresh_database: str, tmp_path: Path) -> None:
    write_migrations(tmp_path, TWO)
    holder = await asyncpg.connect(fresh_database)
    await holder.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
    command = [sys.executable, "-c", PROCESS, fresh_database, str(tmp_path)]
    processes = [await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE) for _ in range(2)]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await holder.fetchval(WAITING, MIGRATION_LOCK) < 2:
            pass
    await holder.close()
    ends = [await process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    assert await _tables(fresh_database) == {"alembic_version", "one", "two"}


async def test_a_newer_release_adds_to_what_is_there_and_migrating_again_changes_nothing(
    fresh_database: str, tmp_path: Path
) -> None:
    write_migrations(tmp_path / "old", {"0001": TWO["0001"]})
    write_migrations(tmp_path / "new", TWO)
    await migrate(fresh_database, tmp_path / "old")
    assert await _tables(fresh_database) == {"alembic_version", "one"}
    for _ in range(2):
        await migrate(fresh_database, tmp_path / "new")
    assert await _tables(fresh_database) == {"alembic_version", "one", "two"}


async def test_a_database_newer_than_the_release_is_refused_and_left_alone(fresh_database: str, tmp_path: Path) -> None:
    write_migrations(tmp_path / "old", {"0001": TWO["0001"]})
    write_migrations(tmp_path / "new", TWO)
    await migrate(fresh_database, tmp_path / "new")
    with pytest.raises(NewerSchemaError, match="is at 0002, newer than this release's 0001"):
        await migrate(fresh_database, tmp_path / "old")
    assert await _tables(fresh_database) == {"alembic_version", "one", "two"}


async def test_a_migration_that_fails_leaves_the_database_as_it_was(fresh_database: str, tmp_path: Path) -> None:
    write_migrations(tmp_path, {**TWO, "0003": "CREATE TABLE three (n int);\nCREATE TABLE one (n int);\n"})
    with pytest.raises(Exception, match='relation "one" already exists'):
        await migrate(fresh_database, tmp_path)
    assert await _tables(fresh_database) == set()


async def test_a_server_that_is_still_starting_is_waited_for(
    fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate first says what a starting PostgreSQL says, and then lets through to the real one."""
    monkeypatch.setattr(module, "backoff", lambda _: 0.0)
    address = urlsplit(fresh_database)
    socket = parse_qs(address.query)["host"][0] + "/.s.PGSQL.5432"
    knocks: list[int] = []

    async def gate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        knocks.append(1)
        if len(knocks) > 2:
            inner, outer = await asyncio.open_unix_connection(socket)
            await asyncio.gather(_pass_on(reader, outer), _pass_on(inner, writer))
            return
        await reader.readexactly(8)  # a wish for TLS
        writer.write(b"N")
        await reader.read(1000)
        writer.write(b"E" + struct.pack(">i", len(STARTING) + 4) + STARTING)
        writer.close()

    async with await asyncio.start_server(gate, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        write_migrations(tmp_path, TWO)
        user = address.netloc.split("@")[0]
        await migrate(f"postgresql://{user}@127.0.0.1:{port}{address.path}", tmp_path)
    assert len(knocks) == 4, "two are sent away, one reads the revision, one migrates"
    assert await _tables(fresh_database) == {"alembic_version", "one", "two"}


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
