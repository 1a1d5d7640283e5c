"""Who may do what: registered clients with keys, kept as hashes in one file that every service reads.

A key is 160 random bits, so a plain SHA-256 of it cannot be searched. The file is looked at again once a second, and
whenever a key is not known, so a new key works at once and a revoked one for a second at most; no restart is needed.
"""

import hashlib
import math
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

import structlog
from starlette.requests import HTTPConnection

from libs.common.contracts.vocabulary import Channel
from libs.common.runtime import keyfile
from libs.common.runtime.http import header
from libs.common.runtime.keyfile import KeysError, KeysRefusedError
from libs.common.runtime.problems import FieldError, Problem

log = structlog.get_logger(__name__)
Role = Literal["adapter", "importer", "seat", "unit", "supervisor", "analyst", "operator"]
ROLES: tuple[Role, ...] = get_args(Role)
OF_UNITS: tuple[Role, ...] = ("unit", "supervisor")
"""The roles that are held for some units only by a key that names any."""
CHANNELS: tuple[Channel, ...] = get_args(Channel)
PREFIX = "jk_"
LOOK_SECONDS = 1.0
OVERLAP_HOURS, LONGEST_OVERLAP_HOURS = 24, 24 * 90
"""How long the old key of a rotated client works: if nothing else is said, and at most."""
NAME = r"^\w[^/\x00-\x1f\x7f]{0,99}$"
"""What a client may be called: it is part of a path, and of lines in a log."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever holds a key. `units` limits the roles unit and supervisor, `channels` what may be posted; empty is any.

    `per_minute` is how much may be posted in a minute, None without limit.
    """

    name: str
    roles: frozenset[Role]
    units: frozenset[str] = field(default_factory=frozenset)
    channels: frozenset[Channel] = field(default_factory=frozenset)
    per_minute: int | None = None

    def may(self, *roles: Role) -> bool:
        """Say whether one of these roles is held."""
        return not self.roles.isdisjoint(roles)

    def may_everywhere(self, *roles: Role) -> bool:
        """Say whether one of these roles is held for the whole city, as none is that is limited to some units."""
        return self.may(*(role for role in roles if not (self.units and role in OF_UNITS)))

    def acts_for(self, unit: str) -> bool:
        """Say whether the holder may act as this handling unit."""
        return self.may(*OF_UNITS) and (not self.units or unit in self.units)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a client. `until` is set once it was rotated: then it works no longer than that."""

    hash: str
    holder: Principal
    issued_at: datetime | None = None
    until: datetime | None = None


class UnknownClientError(KeysError):
    """There is no client of that name."""


class KeyRing:
    """The keys in a file, and how much their holders have posted lately. `now` and `ticks` are real time."""

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._now = now
        self._ticks = ticks
        self._looked_at = -math.inf
        self._read_at: tuple[int, int] | None = None
        self._rows: list[keyfile.Row] = []
        self._keys: dict[str, Key] = {}
        self._buckets: dict[str, tuple[float, float]] = {}

    def holder(self, key: str) -> Principal | None:
        """Return who holds this key now."""
        hash_ = _hash(key)
        if self._ticks() - self._looked_at >= LOOK_SECONDS or hash_ not in self._keys:
            self._look()
        found = self._keys.get(hash_)
        if found is None or (found.until and found.until <= self._now()):
            return None
        return found.holder

    def issued(self) -> list[Key]:
        """Return every key that works now, those of one client together, the newest first."""
        self._look()
        mine = sorted(self._current(), key=lambda key: key.until is not None)
        return sorted(mine, key=lambda key: key.holder.name)

    def admit(self, holder: Principal, channel: Channel | None = None) -> None:
        """Let `holder` post one thing by this channel. Raises Problem 403 naming the channel, or 429 over the quota.

        The quota is a token bucket for each client in each process: a minute's worth at once, then as it refills.
        """
        if channel is not None and holder.channels and channel not in holder.channels:
            what = f"this client may send {', '.join(sorted(holder.channels))} only"
            raise Problem(403, f"channel: {what}", errors=[FieldError("channel", what)])
        if holder.per_minute is not None:
            self._spend(holder.name, holder.per_minute)

    def _spend(self, name: str, per_minute: int) -> None:
        now = self._ticks()
        left, at = self._buckets.get(name, (float(per_minute), now))
        left = min(float(per_minute), left + (now - at) * per_minute / 60)
        self._buckets[name] = (left - 1 if left >= 1 else left, now)
        if left < 1:
            wait = max(1, math.ceil((1 - left) * 60 / per_minute))
            what = f"this client may post {per_minute} in a minute; the next in {wait} s"
            raise Problem(429, what, headers={"Retry-After": str(wait)})

    def issue(
        self,
        name: str,
        roles: Iterable[Role],
        units: Iterable[str] = (),
        channels: Iterable[Channel] = (),
        per_minute: int | None = None,
    ) -> str:
        """Give a client a key and these rights, and return the key; it cannot be read again. Keys it had end.

        Raises:
            KeysError, KeysRefusedError: as they say.
        """
        holder = _checked(Principal(name, frozenset(roles), frozenset(units), frozenset(channels), per_minute))
        with self._alone() as keys:
            return self._add(holder, [key for key in keys if key.holder.name != name], keys)

    def register(self, holder: Principal) -> str:
        """Give a client its first key, and return it.

        Raises:
            KeysError, KeysRefusedError: as they say; a name that is held is refused.
        """
        _checked(holder)
        with self._alone() as keys:
            if any(key.holder.name == holder.name for key in keys):
                raise KeysRefusedError("that client is registered already; rotate its key, or change what it may do")
            return self._add(holder, keys, keys)

    def rotate(self, name: str, overlap_hours: int = OVERLAP_HOURS) -> str:
        """Give a client a new key and return it; what it had works for some hours yet, and no longer than it did.

        Raises:
            UnknownClientError, KeysRefusedError: as they say.
        """
        with self._alone() as keys:
            holder, until = _known(keys, name), self._now() + timedelta(hours=overlap_hours)
            kept = [k if k.holder.name != name else replace(k, until=min(k.until or until, until)) for k in keys]
            return self._add(holder, kept, keys)

    def change(self, holder: Principal) -> None:
        """Give the client of that name these rights, for all its keys.

        Raises:
            KeysError, UnknownClientError, KeysRefusedError: as they say.
        """
        with self._alone() as keys:
            _known(keys, holder.name)
            _checked(holder)
            changed = [k if k.holder.name != holder.name else replace(k, holder=holder) for k in keys]
            self._write(changed, keys)

    def revoke(self, name: str) -> None:
        """End all keys of a client.

        Raises:
            UnknownClientError, KeysRefusedError: as they say.
        """
        with self._alone() as keys:
            _known(keys, name)
            self._write([k for k in keys if k.holder.name != name], keys)

    def _add(self, holder: Principal, others: Sequence[Key], before: Sequence[Key]) -> str:
        key = PREFIX + secrets.token_hex(20)
        self._write([*others, Key(_hash(key), holder, self._now())], before)
        return key

    def _current(self) -> list[Key]:
        now = self._now()
        return [key for key in self._keys.values() if key.until is None or key.until > now]

    def _look(self) -> None:
        """Read the file if it is not the one that was read last."""
        self._looked_at = self._ticks()
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._keys, self._rows, self._read_at = {}, [], None
            return
        if self._read_at != (stat.st_mtime_ns, stat.st_ino):
            rows = keyfile.read(self._path)
            if self._read_at:
                # Changed by another process, a command or by hand: whoever reads it says so.
                log.info("keys changed", **keyfile.differences(self._rows, rows))
            self._keys, self._rows = {row.hash: _key(row) for row in rows}, rows
            self._read_at = (stat.st_mtime_ns, stat.st_ino)

    @contextmanager
    def _alone(self) -> Iterator[list[Key]]:
        """Hold the file against all other writers, and yield the keys that work now."""
        with keyfile.alone(self._path):
            self._look()
            yield self._current()

    def _write(self, keys: Sequence[Key], before: Sequence[Key]) -> None:
        if any(map(_lasting_operator, before)) and not any(map(_lasting_operator, keys)):
            raise KeysRefusedError("no client with the role operator would be left; register another one first")
        keyfile.write(self._path, map(_row, keys))
        self._read_at = None  # who changes it here tells more of it than that
        self._look()


def _checked(holder: Principal) -> Principal:
    if unknown := sorted(holder.roles - set(ROLES)):
        raise KeysError(f"unknown roles {unknown}; there are {', '.join(ROLES)}")
    if odd := sorted(holder.channels - set(CHANNELS)):
        raise KeysError(f"unknown channels {odd}; there are {', '.join(CHANNELS)}")
    if not re.fullmatch(NAME, holder.name):
        raise KeysError("a client's name begins with a letter or digit, has at most 100 characters, and no slash")
    if holder.per_minute is not None and holder.per_minute < 1:
        raise KeysError("a quota is at least 1 in a minute")
    return holder


def _known(keys: Sequence[Key], name: str) -> Principal:
    for key in keys:
        if key.holder.name == name:
            return key.holder
    raise UnknownClientError(f"there is no client {name!r}")


def _lasting_operator(key: Key) -> bool:
    return key.until is None and key.holder.may("operator")


def _key(row: keyfile.Row) -> Key:
    # A word of a newer release matches nothing here.
    roles: Any = frozenset(row.roles)
    channels: Any = frozenset(row.channels)
    holder = Principal(row.name, roles, frozenset(row.units), channels, row.per_minute)
    return Key(row.hash, holder, row.issued_at, row.until)


def _row(key: Key) -> keyfile.Row:
    holder = key.holder
    return keyfile.Row(
        holder.name, key.hash, sorted(holder.roles), sorted(holder.units), sorted(holder.channels),
        holder.per_minute, key.issued_at, key.until,
    )  # fmt: skip


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def authenticate(request: HTTPConnection) -> Principal:
    """Return who sends the request, by `Authorization: Bearer <key>`. Raises Problem 401."""
    scheme, _, key = (header(request, b"authorization") or "").partition(" ")
    keys: KeyRing = request.app.state.context.keys
    holder = keys.holder(key.strip()) if scheme.lower() == "bearer" and key else None
    if holder is None:
        what = "the key is not known" if key else "send Authorization: Bearer <key>"
        raise Problem(401, what, headers={"WWW-Authenticate": "Bearer"})
    return holder


def authorise(request: HTTPConnection, *roles: Role) -> Principal:
    """Return the sender, who must hold one of `roles`. Raises Problem 401 or 403."""
    holder = authenticate(request)
    if not holder.may(*roles):
        raise Problem(403, f"this needs the role {' or '.join(roles)}")
    return holder


def require(*roles: Role) -> Callable[[HTTPConnection], Awaitable[Principal]]:
    """Return a dependency that gives the sender, who must hold one of `roles`. Raises Problem 401 or 403."""

    async def sender(request: HTTPConnection) -> Principal:
        return authorise(request, *roles)

    return sender


def require_everywhere(*roles: Role) -> Callable[[HTTPConnection], Awaitable[Principal]]:
    """Return a dependency as `require` does, for what holds for the whole city. Raises Problem 401 or 403."""

    async def sender(request: HTTPConnection) -> Principal:
        holder = authorise(request, *roles)
        if not holder.may_everywhere(*roles):
            raise Problem(403, "this holds for the whole city: a key limited to some units does not do it")
        return holder

    return sender
