"""Who may do what: API keys with roles, kept as hashes in one file that every service reads.

A key is 160 random bits, so a plain SHA-256 of it cannot be searched. The file is read again when it changes, so
issuing and revoking need no restart.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

from fastapi import Request

from libs.common.runtime.problems import Problem

Role = Literal["adapter", "importer", "seat", "unit", "supervisor", "analyst", "operator"]
ROLES: tuple[Role, ...] = get_args(Role)
PREFIX = "jk_"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever holds a key. `units` limits the role unit to those units; empty means any."""

    name: str
    roles: frozenset[Role]
    units: frozenset[str] = field(default_factory=frozenset)

    def may(self, *roles: Role) -> bool:
        """Say whether one of these roles is held."""
        return not self.roles.isdisjoint(roles)

    def acts_for(self, unit: str) -> bool:
        """Say whether the holder may act as this handling unit."""
        return self.may("supervisor") or (self.may("unit") and (not self.units or unit in self.units))


class KeysError(ValueError):
    """The key file cannot be used; its text says why."""


class KeyRing:
    """The keys in a file: a JSON list of {name, hash, roles, units}."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at: tuple[int, int] | None = None
        self._holders: dict[str, Principal] = {}

    def holder(self, key: str) -> Principal | None:
        """Return who holds this key now."""
        self._refresh()
        return self._holders.get(_hash(key))

    def issue(self, name: str, roles: Iterable[Role], units: Iterable[str] = ()) -> str:
        """Add a key and return it; it cannot be read again. A name that exists gets a new key, the old one ends."""
        unknown = set(roles := list(roles)) - set(ROLES)
        if unknown:
            raise KeysError(f"unknown roles {sorted(unknown)}; there are {', '.join(ROLES)}")
        key = PREFIX + secrets.token_hex(20)
        self._refresh()
        kept = {hash_: holder for hash_, holder in self._holders.items() if holder.name != name}
        self._write({**kept, _hash(key): Principal(name, frozenset(roles), frozenset(units))})
        return key

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._holders, self._read_at = {}, None
            return
        if self._read_at != (stat.st_mtime_ns, stat.st_ino):
            self._holders = self._parse()
            self._read_at = (stat.st_mtime_ns, stat.st_ino)

    def _parse(self) -> dict[str, Principal]:
        try:
            rows = json.loads(self._path.read_text())
            return {
                row["hash"]: Principal(row["name"], frozenset(row["roles"]), frozenset(row.get("units", ())))
                for row in rows
            }
        except (ValueError, KeyError, TypeError) as error:
            raise KeysError(f"{self._path} is not a list of keys: {error!r}") from error

    def _write(self, holders: dict[str, Principal]) -> None:
        rows = [
            {"hash": hash_, **{k: sorted(v) if isinstance(v, frozenset) else v for k, v in asdict(holder).items()}}
            for hash_, holder in holders.items()
        ]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(rows, file, indent=1)
        beside.replace(self._path)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def authenticate(request: Request) -> Principal:
    """Return who sends the request, by `Authorization: Bearer <key>`. Raises Problem 401."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    keys: KeyRing = request.app.state.context.keys
    holder = keys.holder(key.strip()) if scheme.lower() == "bearer" and key else None
    if holder is None:
        what = "the key is not known" if key else "send Authorization: Bearer <key>"
        raise Problem(401, what, headers={"WWW-Authenticate": "Bearer"})
    return holder


def require(*roles: Role) -> Callable[[Request], Principal]:
    """Return a dependency that gives the sender, who must hold one of `roles`. Raises Problem 401 or 403."""

    def sender(request: Request) -> Principal:
        holder = authenticate(request)
        if not holder.may(*roles):
            raise Problem(403, f"this needs the role {' or '.join(roles)}")
        return holder

    return sender
