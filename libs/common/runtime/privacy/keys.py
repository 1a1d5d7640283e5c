"""The master secret and the subkeys derived from it."""

import base64
import binascii
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_BYTES = 32


class SecretsError(Exception):
    """The secret file cannot be trusted or is not a secret; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """One 32-byte master secret, kept as base64 text in a file of mode 600."""

    master: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.master) != _BYTES:
            raise SecretsError(f"the master secret must be {_BYTES} bytes, not {len(self.master)}")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the secret; raises SecretsError if others may touch the file, OSError if it cannot be read."""
        with path.open("rb") as file:
            _refuse_shared(path, os.fstat(file.fileno()))
            text = file.read().strip()
        try:
            return cls(base64.b64decode(text, validate=True))
        except binascii.Error as error:
            raise SecretsError(f"{path} does not hold base64 text") from error

    @classmethod
    def create(cls, path: Path) -> Self:
        """Write a new random secret; raises FileExistsError rather than replace one, for that would lose the vault."""
        secrets = cls(os.urandom(_BYTES))
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(base64.b64encode(secrets.master) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            # A hard link appears whole or not at all, and unlike a rename it never replaces what is there.
            os.link(draft, path)
        finally:
            draft.unlink()
        return secrets

    def key(self, name: str) -> bytes:
        """Derive the 32-byte subkey of that name by HKDF-SHA256 (RFC 5869); the same name gives the same key."""
        derive = HKDF(algorithm=SHA256(), length=_BYTES, salt=None, info=b"jiesu/" + name.encode())
        return derive.derive(self.master)


def _refuse_shared(path: Path, status: os.stat_result) -> None:
    # A mounted Kubernetes secret belongs to root and reaches the process through its group alone, so the group
    # is refused only on a file of our own.
    refused = 0o077 if status.st_uid == os.geteuid() else 0o007
    if status.st_mode & refused:
        mode = stat.S_IMODE(status.st_mode)
        raise SecretsError(f"{path} has mode {mode:o} and others may touch it; run: chmod 600 {path}")
