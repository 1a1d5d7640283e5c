import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from libs.common.local import programs
from libs.common.local.postgres import PostgresError, PrivatePostgres
from libs.common.local.processes import runs, wait_until
from tests.support.servers import start_and_kill_parent


@pytest.fixture
def data(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = open_folder / f"pg-{abs(hash(request.node.nodeid)):x}"
    yield folder
    server = PrivatePostgres(folder, durable=False)
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(data: Path) -> PrivatePostgres:
    made = PrivatePostgres(data, durable=False)
    made.start()
    made.ensure_database(["city"])
    return made


async def _run(server: PrivatePostgres, *statements: str) -> object:
    connection = await asyncpg.connect(server.dsn("city"))
    try:
        for statement in statements:
            answer = await connection.fetchval(statement)
        return answer
    finally:
        await connection.close()


def _pid(server: PrivatePostgres) -> int:
    return int((server.folder / "cluster" / "postmaster.pid").read_text().splitlines()[0])


async def test_what_was_written_is_there_after_a_restart(server: PrivatePostgres) -> None:
    await _run(server, "CREATE TABLE appeals (text text)", "INSERT INTO appeals VALUES ('暖气不热')")
    server.stop()
    server.start()
    assert await _run(server, "SELECT text FROM appeals") == "暖气不热"


async def test_chinese_characters_are_letters_and_sort_by_byte(server: PrivatePostgres) -> None:
    assert await _run(server, "SELECT '水' ~ '^[[:alpha:]]$'")
    assert await _run(server, "SELECT 'Z' < 'a'")


def test_making_databases_again_changes_nothing(server: PrivatePostgres) -> None:
    server.ensure_database(["city", "odd \" name'"])
    server.ensure_database(["city", "odd \" name'"])


def test_a_stopped_server_leaves_no_process_and_may_be_stopped_again(server: PrivatePostgres) -> None:
    postmaster = psutil.Process(_pid(server))
    server.stop()
    assert wait_until(lambda: not runs(postmaster), 10)
    server.stop()


async def test_only_who_holds_the_password_gets_in(server: PrivatePostgres, data: Path) -> None:
    assert (data / "password").stat().st_mode & 0o777 == 0o600
    assert server.folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.dsn("city"), password="guess")


def test_nothing_listens_on_a_port_unless_one_is_asked_for(server: PrivatePostgres) -> None:
    assert psutil.Process(_pid(server)).net_connections("inet") == []


async def test_a_port_is_opened_on_this_machine_only(data: Path, free_tcp_port: int) -> None:
    server = PrivatePostgres(data, port=free_tcp_port, durable=False)
    server.start()
    server.ensure_database(["city"])
    assert await _run(server, "SELECT host(inet_server_addr())") == "127.0.0.1"
    assert {c.laddr.ip for c in psutil.Process(_pid(server)).net_connections("inet")} == {"127.0.0.1"}


def test_a_taken_port_is_named(data: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PostgresError, match=f"port {port} .* is taken"):
            PrivatePostgres(data, port=port, durable=False).start()


def test_other_settings_restart_a_running_server(server: PrivatePostgres, data: Path, free_tcp_port: int) -> None:
    before = _pid(server)
    PrivatePostgres(data, port=free_tcp_port, durable=False).start()
    assert _pid(server) != before


async def test_the_server_of_a_killed_parent_is_taken_over(data: Path) -> None:
    start_and_kill_parent("postgres", data)
    heir = PrivatePostgres(data, durable=False)
    before = _pid(heir)
    heir.start()
    heir.ensure_database(["city"])
    assert _pid(heir) == before
    assert await _run(heir, "SELECT 1") == 1


async def test_a_killed_server_starts_again_with_its_data(server: PrivatePostgres) -> None:
    await _run(server, "CREATE TABLE appeals (text text)", "INSERT INTO appeals VALUES ('漏水')")
    os.kill(_pid(server), signal.SIGKILL)
    server.start()
    assert await _run(server, "SELECT text FROM appeals") == "漏水"


async def test_a_pid_file_whose_number_is_another_programs_now_is_cleared(server: PrivatePostgres) -> None:
    server.stop()
    (server.folder / "cluster" / "postmaster.pid").write_text(f"{os.getppid()}\n")
    (server.folder / ".s.PGSQL.5432.lock").write_text(f"{os.getppid()}\n")
    server.start()
    assert await _run(server, "SELECT 1") == 1


async def test_an_interrupted_first_start_leaves_nothing_in_the_way(data: Path) -> None:
    half = data / "server" / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("15\n")
    if os.geteuid() == 0:
        os.chown(data / "server", 65534, 65534)
    server = PrivatePostgres(data, durable=False)
    server.start()
    server.ensure_database(["city"])
    assert await _run(server, "SELECT 1") == 1


def test_a_strict_umask_does_not_shut_the_server_out(data: Path) -> None:
    before = os.umask(0o077)
    try:
        PrivatePostgres(data, durable=False).start()
    finally:
        os.umask(before)


async def test_a_path_too_long_for_a_socket_still_works(open_folder: Path) -> None:
    folder = open_folder / ("long" * 30)
    server = PrivatePostgres(folder, durable=False)
    server.start()
    server.ensure_database(["city"])
    assert await _run(server, "SELECT 1") == 1
    server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that its server's account cannot enter")
async def test_a_home_that_only_root_can_enter_keeps_its_cluster_elsewhere(data: Path) -> None:
    data.mkdir(mode=0o700)
    server = PrivatePostgres(data, durable=False)
    server.start()
    server.ensure_database(["city"])
    await _run(server, "CREATE TABLE appeals (text text)", "INSERT INTO appeals VALUES ('停电')")
    assert server.folder.is_relative_to(programs.SHARED)
    server.stop()
    server.start()
    assert await _run(server, "SELECT text FROM appeals") == "停电"


def test_a_cluster_that_is_gone_is_said_and_not_made_anew(tmp_path: Path) -> None:
    (tmp_path / "server").symlink_to(tmp_path / "gone")
    with pytest.raises(PostgresError, match="which is gone"):
        PrivatePostgres(tmp_path, durable=False).start()


@pytest.fixture
def no_installed_postgresql(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "PACKAGED", ())


@pytest.mark.usefixtures("no_installed_postgresql")
async def test_a_machine_without_postgresql_runs_the_one_in_the_wheel(data: Path) -> None:
    server = PrivatePostgres(data, durable=False)
    server.start()
    server.ensure_database(["city"])
    assert str(await _run(server, "SELECT version()")).startswith("PostgreSQL 18")


def test_a_cluster_is_never_given_to_another_major_version(server: PrivatePostgres) -> None:
    server.stop()
    (server.folder / "cluster" / "PG_VERSION").write_text("12\n")
    with pytest.raises(PostgresError, match="PostgreSQL 12, which made this cluster, was not found"):
        server.start()
