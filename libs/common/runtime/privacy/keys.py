"""The secret file: the root from which lasting subkeys are derived, and the numbered masters of the vault."""

import base64
import binascii
import fcntl
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_BYTES = 32
_LAST = 255
_LINE = re.compile(rb"(root|[1-9][0-9]{0,2}) +([A-Za-z0-9+/=]+)")


class SecretsError(Exception):
    """The secret file cannot be used, or what was asked of it cannot be; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the secret file holds: secrets of 32 random bytes, one a line, as base64 behind a name.

    `root` never changes: pseudonyms, query codes and signed links are derived from it, and would be others under
    another. `masters` are those of the vault, each with its number: the first seals, every one opens. A file of one
    line without a name, as earlier releases wrote it, is both the root and master 1.
    """

    root: bytes = field(repr=False)
    masters: tuple[tuple[int, bytes], ...] = field(repr=False)

    def __post_init__(self) -> None:
        if wrong := [len(key) for key in (self.root, *dict(self.masters).values()) if len(key) != _BYTES]:
            raise SecretsError(f"a secret must have {_BYTES} bytes, not {wrong[0]}")
        numbers = [number for number, _ in self.masters]
        if not numbers or len(numbers) != len(set(numbers)) or not all(1 <= n <= _LAST for n in numbers):
            raise SecretsError(f"masters must be numbered 1 to {_LAST}, each number once, and there must be one")

    @classmethod
    def of(cls, secret: bytes) -> Self:
        """Return one secret as root and master 1."""
        return cls(secret, ((1, secret),))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the secrets; raises SecretsError if others may touch the file, OSError if it cannot be read."""
        with path.open("rb") as file:
            _refuse_shared(path, os.fstat(file.fileno()))
            lines = [line.strip() for line in file if line.strip()]
        if len(lines) == 1 and b" " not in lines[0]:
            return cls.of(_decoded(path, lines[0]))
        found = [_LINE.fullmatch(line) for line in lines]
        named = [(match[1], _decoded(path, match[2])) for match in found if match]
        roots = [secret for name, secret in named if name == b"root"]
        if None in found or len(roots) != 1:
            raise SecretsError(f"{path} must hold one line `root …` and lines `<number> …`, each with base64 text")
        return cls(roots[0], tuple((int(name), secret) for name, secret in named if name != b"root"))

    @classmethod
    def create(cls, path: Path) -> Self:
        """Write new random secrets; raises FileExistsError rather than replace any, for that would lose the vault."""
        secrets = cls(os.urandom(_BYTES), ((1, os.urandom(_BYTES)),))
        with _draft(path, secrets) as draft:
            # A hard link appears whole or not at all, and unlike a rename it never replaces what is there.
            os.link(draft, path)
        return secrets

    @classmethod
    def change(cls, path: Path, how: Callable[[Self], Self]) -> Self:
        """Replace the file by what `how` makes of it, one process at a time. Raises SecretsError."""
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            secrets = how(cls.load(path))
            with _draft(path, secrets) as draft:
                draft.rename(path)
            os.fsync(folder)
        except OSError as error:
            raise SecretsError(f"{path} cannot be replaced: {error.strerror}") from error
        finally:
            os.close(folder)
        return secrets

    @property
    def current(self) -> int:
        """The number of the master that seals."""
        return self.masters[0][0]

    @property
    def prepared(self) -> int | None:
        """The number of a master that opens already, and seals after the next rotation."""
        newest = max(number for number, _ in self.masters)
        return newest if newest > self.current else None

    def prepare(self) -> Self:
        """Add a master that only opens for now, so that every process knows it before one seals by it."""
        newest = max(number for number, _ in self.masters)
        if self.prepared:
            raise SecretsError(f"master {newest} is prepared already; rotate to use it")
        if newest == _LAST:
            raise SecretsError(f"there is no master after number {_LAST}")
        return replace(self, masters=(*self.masters, (newest + 1, os.urandom(_BYTES))))

    def rotate(self) -> Self:
        """Let the prepared master seal from now on, or a new one."""
        if not self.prepared:
            return self.prepare().rotate()
        return replace(self, masters=(self.masters[-1], *self.masters[:-1]))

    def retire(self, number: int) -> Self:
        """Leave out a master by which nothing is sealed any more. What it sealed cannot be opened after this."""
        if number == self.current:
            raise SecretsError(f"master {number} is the one that seals; rotate first")
        if number not in dict(self.masters):
            raise SecretsError(f"there is no master {number}")
        return replace(self, masters=tuple((n, secret) for n, secret in self.masters if n != number))

    def key(self, name: str) -> bytes:
        """Derive the lasting 32-byte subkey of that name; the same name gives the same key."""
        return _derive(self.root, name)

    def ring(self, name: str) -> tuple[dict[int, bytes], int]:
        """Derive a 32-byte subkey of that name from each master, by number, and say which of them seals."""
        return {number: _derive(master, name) for number, master in self.masters}, self.current


def _derive(secret: bytes, name: str) -> bytes:
    """Derive a subkey by HKDF-SHA256 (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=_BYTES, salt=None, info=b"jiesu/" + name.encode()).derive(secret)


def _decoded(path: Path, text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise SecretsError(f"{path} does not hold base64 text") from error


@contextmanager
def _draft(path: Path, secrets: Secrets) -> Iterator[Path]:
    """Yield a file beside `path` that holds the secrets and only its owner can read; what is left of it is removed."""
    lines = [("root", secrets.root), *secrets.masters]
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"{name} {base64.b64encode(secret).decode()}\n" for name, secret in lines)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _refuse_shared(path: Path, status: os.stat_result) -> None:
    # A mounted Kubernetes secret belongs to root and reaches the process through its group alone, so the group
    # is refused only on a file of our own.
    refused = 0o077 if status.st_uid == os.geteuid() else 0o007
    if status.st_mode & refused:
        mode = stat.S_IMODE(status.st_mode)
        raise SecretsError(f"{path} has mode {mode:o} and others may touch it; run: chmod 600 {path}")
