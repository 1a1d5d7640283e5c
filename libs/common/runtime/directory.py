"""Where addresses of the platform lead: a file of the operator's, for robots' addresses hold secrets."""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

ANYONE = "*"
_FILE: TypeAdapter[dict[Literal["to"], dict[str, tuple[str, ...]]]] = TypeAdapter(
    dict[Literal["to"], dict[str, tuple[str, ...]]]
)


class DirectoryError(ValueError):
    """The directory cannot be read; its text says where, and quotes nothing, for addresses hold secrets."""


class Directory:
    """Where addresses lead, as a TOML file says it, read again when it changes.

    ```
    [to]
    "unit:dept-water" = ["dingtalk://token", "sms:+8613800000000"]  # each of these is told
    "*" = ["mailtos://…"]  # who is not named
    ```

    Give each recipient a way of its own: a way that fails is tried again as a whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at: tuple[int, int] | None = None
        self._ways: Mapping[str, tuple[str, ...]] = {}

    def refresh(self) -> None:
        """Read the file again if it changed. Raises DirectoryError if it is wrong; without a file, nothing leads on."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._ways, self._read_at = {}, None
            return
        if self._read_at != (stat.st_mtime_ns, stat.st_ino):
            self._ways = self._parse()
            self._read_at = (stat.st_mtime_ns, stat.st_ino)

    def ways(self, to: str) -> dict[str, str]:
        """Return the ways to an address as of the last refresh, each under a name that gives nothing away."""
        return named(self._ways.get(to, self._ways.get(ANYONE, ())))

    def names(self, to: str) -> bool:
        """Whether an address has a line of its own, as of the last refresh."""
        return to in self._ways

    def _parse(self) -> Mapping[str, tuple[str, ...]]:
        try:
            return _FILE.validate_python(tomllib.loads(self._path.read_text(encoding="utf-8"))).get("to", {})
        except ValidationError as error:
            wrong = [f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
            raise DirectoryError(f"{self._path.name}: {'; '.join(wrong)}") from None
        except ValueError as error:
            raise DirectoryError(f"{self._path.name} is not TOML: {error}") from None


def named(ways: Iterable[str]) -> dict[str, str]:
    """Return ways under names that give nothing away but their kind."""
    return {f"{way.partition(':')[0]}-{hashlib.sha256(way.encode()).hexdigest()[:12]}": way for way in ways}
