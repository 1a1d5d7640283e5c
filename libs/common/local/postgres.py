"""A private PostgreSQL: one cluster under a data folder, reached by its owner alone."""

import asyncio
import hashlib
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import Template
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import asyncpg
import psutil

from libs.common.local.account import Account
from libs.common.local.ports import is_taken
from libs.common.local.processes import commands, wait_until
from libs.common.local.programs import OLDEST, find_programs, shared_folder

USER = "jiesu"
_START_SECONDS = 120  # a server that was killed replays its log first
_STOP_SECONDS = 60
# Linux allows 108 bytes to the path of a socket, one of them the closing zero.
_SOCKET_PATH_BYTES = 107

_SETTINGS = Template("""\
# Written at every start.
cluster_name = '$name'
listen_addresses = '$addresses'
port = $port
unix_socket_directories = '$sockets'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = $buffers
max_wal_size = 2GB
checkpoint_timeout = 15min
# Statements here are short: compiling one costs more than it saves.
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
synchronous_commit = on
fsync = $durable
full_page_writes = $durable
""")


T = TypeVar("T")


class PostgresError(RuntimeError):
    """The private PostgreSQL could not be found, made, started or stopped; the text is for a person."""


class PrivatePostgres:
    """A PostgreSQL server of our own, on a unix socket that only we can open or, given a port, on 127.0.0.1.

    It outlives a parent that was killed, and the next `start` on the same folder takes it over. As root it
    runs as a lesser user, and keeps its cluster in /var/lib/jiesu when that user cannot enter the data
    folder; a link in the data folder then points there.
    """

    def __init__(self, data: Path, *, port: int | None = None, durable: bool = True) -> None:
        """Name the folder; nothing is touched before `start`.

        Args:
            data: the folder of the cluster, its password and its log; made where missing.
            port: a TCP port on 127.0.0.1, for clients that cannot open a unix socket.
            durable: False lets a power cut, but no kill, lose data: for tests.
        """
        self._data = data.absolute()
        self._port = port
        self._durable = durable
        # Marks the titles of all our processes, whatever else runs on this machine.
        self._name = f"jiesu-{hashlib.sha256(os.fsencode(self._data)).hexdigest()[:12]}"

    @property
    def folder(self) -> Path:
        """Where the server keeps its cluster and its log; exists once it has been started."""
        return (self._data / "server").resolve()

    def start(self) -> None:
        """Bring the server up and wait until it answers; one that runs already is taken over.

        Raises:
            PostgresError: no programs of the right version, a taken port, or the server's own reason.
        """
        account = self._settle()
        if not (self._cluster / "PG_VERSION").exists():
            self._create(account)
        if self._runs_as_wanted():
            return
        self.stop()
        self._clear_remains()
        self._launch(account)

    def stop(self) -> None:
        """End the server at once but cleanly: open transactions are rolled back. Without one, do nothing."""
        postmaster = self._postmaster()
        if postmaster is None:
            return
        account = Account.owner_of(self._cluster)
        ended = self._pg_ctl(account, "stop", "-m", "fast", "-t", str(_STOP_SECONDS))
        if ended.returncode != 0:
            raise PostgresError(f"PostgreSQL (pid {postmaster.pid}) did not stop: {ended.stderr.strip()}")
        if self._sockets() != self.folder:
            shutil.rmtree(self._sockets(), ignore_errors=True)

    def dsn(self, database: str) -> str:
        """The address of one database, as asyncpg takes it; it holds the password."""
        if self._port:
            return f"postgresql://{USER}:{self._password()}@127.0.0.1:{self._port}/{quote(database)}"
        query = urlencode({"host": str(self._sockets())})
        return f"postgresql://{USER}:{self._password()}@/{quote(database)}?{query}"

    def ensure_database(self, names: Iterable[str]) -> None:
        """Create the databases that are not there yet."""
        _run(self._create_missing(list(names)))

    async def _create_missing(self, names: list[str]) -> None:
        connection = await asyncpg.connect(self.dsn("postgres"))
        try:
            present = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
            for name in names:
                if name not in present:
                    await connection.execute('CREATE DATABASE "{}"'.format(name.replace('"', '""')))
        finally:
            await connection.close()

    @property
    def _cluster(self) -> Path:
        return self.folder / "cluster"

    @property
    def _settings_file(self) -> Path:
        return self._cluster / "jiesu.conf"

    def _settle(self) -> Account:
        """Make the server's folder, and name the account that owns it."""
        self._data.mkdir(parents=True, exist_ok=True)
        link = self._data / "server"
        if link.is_symlink() and not link.exists():
            raise PostgresError(f"the cluster of {self._data} was kept in {link.readlink()}, which is gone")
        if not link.exists():
            self._make_folder(link, Account.ours_or_lesser())
        account = Account.owner_of(link)
        if not account.is_ours and os.geteuid() != 0:
            raise PostgresError(f"{link} belongs to another user: be that user, or choose another JIESU_HOME")
        return account

    def _make_folder(self, link: Path, account: Account) -> None:
        if account.reaches(self._data):
            link.mkdir(mode=0o700)
        else:
            # A name of its own, not one made from our path: another home may have been at this path before.
            link.symlink_to(tempfile.mkdtemp(dir=shared_folder(), prefix="cluster-"))
        account.own(link)

    def _programs(self, account: Account) -> Path:
        stamp = self._cluster / "PG_VERSION"
        major = int(stamp.read_text()) if stamp.exists() else None
        programs = find_programs(account, major)
        if programs is None:
            wanted = f"{major}, which made this cluster," if major else f"{OLDEST} or newer"
            raise PostgresError(f"PostgreSQL {wanted} was not found; install the package postgresql")
        return programs

    def _create(self, account: Account) -> None:
        """Make the cluster beside its place and move it in: an interrupted start leaves no half of one."""
        making, secret = self.folder / "cluster.new", self.folder / "password.new"
        shutil.rmtree(making, ignore_errors=True)
        self._write_secret(self._data / "password", secrets.token_hex(24))
        self._write_secret(secret, self._password())
        account.own(secret)
        options: list[str | Path] = ["--username", USER, "--auth", "scram-sha-256", "--pwfile", secret]
        # Sorted by byte, fast and the same everywhere; C.UTF-8 still knows which characters are letters.
        options += ["--encoding", "UTF8", "--locale", "C", "--lc-ctype", "C.UTF-8"]
        if not self._durable:
            options.append("--no-sync")
        made = account.run([self._programs(account) / "initdb", "-D", making, *options], self.folder)
        secret.unlink()
        if made.returncode != 0:
            raise PostgresError(f"PostgreSQL could not make a cluster in {making}: {made.stderr.strip()}")
        # What initdb found out about this machine stays, and ours comes after it.
        with (making / "postgresql.conf").open("a") as settings:
            settings.write(f"include '{self._settings_file.name}'\n")
        making.rename(self._cluster)

    @staticmethod
    def _write_secret(path: Path, text: str) -> None:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)

    def _password(self) -> str:
        return (self._data / "password").read_text()

    def _settings(self) -> str:
        return _SETTINGS.substitute(
            name=self._name,
            addresses="127.0.0.1" if self._port else "",
            port=self._port or 5432,
            sockets=str(self._sockets()).replace("'", "''"),
            buffers="256MB" if self._durable else "64MB",
            durable="on" if self._durable else "off",
        )

    def _sockets(self) -> Path:
        """The folder of the socket: the server's own, or one in /tmp where that path is too long."""
        if len(os.fsencode(self.folder / ".s.PGSQL.65535")) <= _SOCKET_PATH_BYTES:
            return self.folder
        return Path(tempfile.gettempdir()) / self._name

    def _postmaster(self) -> psutil.Process | None:
        """The running server of this cluster. The pid file alone proves nothing: numbers are used again."""
        try:
            process = psutil.Process(int((self._cluster / "postmaster.pid").read_text().split()[0]))
            return process if str(self._cluster) in process.cmdline() else None
        except (FileNotFoundError, IndexError, ValueError, psutil.Error):
            return None

    def _runs_as_wanted(self) -> bool:
        """Whether a server with our settings, started by whoever, runs and, once it has come up, answers."""
        if self._postmaster() is None or self._settings_file.read_text() != self._settings():
            return False
        wait_until(lambda: self._postmaster() is None or _run(self._answers()), _START_SECONDS)
        return _run(self._answers())

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.dsn("postgres"))
        except (OSError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    def _clear_remains(self) -> None:
        """Remove what a killed server left, once the last of its processes has gone.

        PostgreSQL would, but gives up where the dead server's number now is another process's.
        """
        title = f"postgres: {self._name}"

        def gone() -> bool:
            return not any(words[0].startswith(title) for _, words in commands() if words)

        if not wait_until(gone, _STOP_SECONDS):
            raise PostgresError(f"a killed PostgreSQL left processes titled {title!r}; end them first")
        for remain in (self._cluster / "postmaster.pid", *self._sockets().glob(".s.PGSQL.*")):
            remain.unlink(missing_ok=True)

    def _launch(self, account: Account) -> None:
        if self._port and is_taken(self._port):
            raise PostgresError(f"port {self._port} of 127.0.0.1 is taken by another program; choose another")
        self._make_sockets_folder(account)
        self._settings_file.write_text(self._settings())
        account.own(self._settings_file)
        log = self.folder / "log"
        log.unlink(missing_ok=True)  # of the run before
        started = self._pg_ctl(account, "start", "-l", str(log), "-t", str(_START_SECONDS))
        if started.returncode != 0:
            raise PostgresError(f"PostgreSQL did not start: {self._last_words()}")

    def _pg_ctl(self, account: Account, *words: str) -> subprocess.CompletedProcess[str]:
        return account.run([self._programs(account) / "pg_ctl", "-D", self._cluster, "-w", *words], self.folder)

    def _make_sockets_folder(self, account: Account) -> None:
        folder = self._sockets()
        if not folder.exists():
            folder.mkdir(mode=0o700)
            account.own(folder)
        if Account.owner_of(folder) != account:
            raise PostgresError(f"{folder} belongs to another user; choose a shorter JIESU_HOME")

    def _last_words(self) -> str:
        log = self.folder / "log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        telling = [line for line in lines if re.search("FATAL|PANIC|ERROR|HINT", line)]
        return " ".join(telling[-2:]) or f"see {log}"


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own, so that the caller may or may not have a running loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
