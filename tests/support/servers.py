"""The real servers that tests share: one of each for a session, and an empty database for each test."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from libs.common.local.kafka import KafkaUnavailable, LocalKafka
from libs.common.local.postgres import PrivatePostgres


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that a lesser account can enter too; pytest's own are closed to all but their maker."""
    folder = Path(tempfile.mkdtemp(prefix="jiesu-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_server(open_folder: Path) -> Iterator[PrivatePostgres]:
    """A running PostgreSQL, as quick as it gets: what it holds does not survive a power cut."""
    server = PrivatePostgres(open_folder / "postgres", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def fresh_database(postgres_server: PrivatePostgres) -> Iterator[str]:
    """The address of an empty database of this test's own, as `postgresql://…`."""
    name = f"test_{uuid.uuid4().hex}"
    postgres_server.ensure_database([name])
    yield postgres_server.dsn(name)
    asyncio.run(_drop(postgres_server.dsn("postgres"), name))


@pytest.fixture(scope="session")
def kafka_server(open_folder: Path) -> Iterator[LocalKafka]:
    """A running Apache Kafka; skips its tests where there is none, unless JIESU_REQUIRE_KAFKA=1."""
    server = LocalKafka(open_folder / "kafka")
    try:
        server.start()
    except KafkaUnavailable as reason:
        skip_without_kafka(reason)
    yield server
    server.stop()


def skip_without_kafka(reason: KafkaUnavailable) -> None:
    """Skip, saying why; fail where a broker is required (JIESU_REQUIRE_KAFKA=1), as it is in CI."""
    if os.environ.get("JIESU_REQUIRE_KAFKA") == "1":
        pytest.fail(f"JIESU_REQUIRE_KAFKA=1, but: {reason}")
    pytest.skip(str(reason))


async def _drop(dsn: str, name: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        # FORCE: a test that failed may have left its connections open.
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


def start_and_kill_parent(kind: str, folder: Path) -> None:
    """Start a server (`postgres` or `kafka`) from another process, then kill that process with SIGKILL."""
    command = [sys.executable, "-m", "tests.support.local_parent", kind, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"up\n"
        parent.kill()
