"""The home folder of the forms that run on one machine: its secret, its development key, its clock, its one user."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from libs.common.runtime.clock import Clock
from libs.common.runtime.privacy import Secrets
from libs.common.runtime.process import ensure_private
from libs.common.runtime.security import ROLES, KeyRing
from libs.common.runtime.settings import Settings

DEVELOPER = "developer"


class HomeTakenError(RuntimeError):
    """Another Jiesu runs on the same home; the text says which."""


def prepare_home(settings: Settings) -> None:
    """Make the home with its secret and a development key of every role, whatever of it is not there yet.

    A development key that was revoked stays so: who wants another removes its file.
    """
    ensure_private(settings.home)
    if not settings.secret_file.exists():
        Secrets.create(settings.secret_file)
    file = key_file(settings)
    if not (file.exists() and settings.keys_file.exists()):
        key = KeyRing(settings.keys_file).issue(DEVELOPER, ROLES)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(key + "\n")


def key_file(settings: Settings) -> Path:
    """Return the file of the development key; only its owner can read it."""
    return settings.home / "dev.key"


@contextmanager
def sole_user(home: Path, who: str) -> Iterator[int]:
    """Hold the home under the name of `who`, and yield the file descriptor that holds it.

    The hold ends with the last process that has the descriptor, so a killed one leaves nothing behind.

    Raises:
        HomeTakenError: another process holds it.
    """
    with (home / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise HomeTakenError(
                f"another Jiesu ({lock.read().strip() or 'just starting'}) runs on {home.absolute()};"
                " stop it, or set JIESU_HOME to another folder"
            ) from error
        lock.truncate(0)
        lock.write(who)
        lock.flush()
        yield lock.fileno()


def keep_clock(home: Path, text: str) -> str:
    """Return JIESU_CLOCK with the instant it began, which the home keeps: started again, the same clock goes on.

    All processes of a platform, and whoever simulates its city, are given this text and show the same time.
    Raises ValueError for a text that is no clock.
    """
    kept = clock_of(home)
    if text.count(",") == 1:
        text = kept if kept.startswith(f"{text},") else f"{text},{datetime.now(UTC).isoformat()}"
    Clock.parse(text)
    (home / "clock").write_text(text)
    return text


def clock_of(home: Path) -> str:
    """Return the text of the clock that the platform of this home was last started with; empty for real time."""
    file = home / "clock"
    return file.read_text() if file.exists() else ""
