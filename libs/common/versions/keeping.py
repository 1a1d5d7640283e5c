"""The tables of dated versions, and what people do to them.

Every process looks every two seconds at what is in force and what will be. What the versions of a text put in force at
once is so a few seconds later, when every process knows it: so they change at one moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from libs.common.city.versions import Activation, D, TextVersion, before, standing
from libs.common.messaging.transaction import Tx
from libs.common.runtime.clock import Clock
from libs.common.runtime.database import Database
from libs.common.runtime.problems import Problem
from libs.common.runtime.rows import Rows

V = TypeVar("V")
C = TypeVar("C")
SETTLE_SECONDS = 6.0
"""So long after a change is made it comes in force at the earliest: three looks of every process."""


class UnknownVersionError(Problem):
    """There is no version of this name that can be read; a path that names it leads nowhere."""

    def __init__(self, detail: str) -> None:
        super().__init__(404, detail)


@dataclass(frozen=True, slots=True)
class Taken(Generic[V, C]):
    """What became of what came in: its version, whether it is new, and in what it differs from the one named."""

    version: V
    new: bool
    against: str
    changes: Sequence[C]


class Activations(Generic[D]):
    """What is in force from when on, in a table of a service; `subject` is locked by whoever changes it."""

    def __init__(self, table: str, shape: type[D], subject: str) -> None:
        self._rows = Rows(table, shape, key=("activation_id",))
        self.subject = subject

    async def all(self, connection: Any) -> list[D]:
        """Return all activations in the order in which they are due; there are a few a year."""
        return await self._rows.load(connection, "ORDER BY from_at, number")

    async def standing(self, connection: Any, at: datetime) -> tuple[D, ...]:
        """Return what stands at a time: the one in force last, before it what a roll-back would go back to."""
        return standing(await self.all(connection), at)

    async def last(self, connection: Any, limit: int) -> list[D]:
        """Return the activations that are due last, the last one first."""
        return await self._rows.load(connection, "ORDER BY from_at DESC, number DESC LIMIT $1", limit)

    async def save(self, tx: Tx, activation: D) -> None:
        """Keep an activation."""
        await self._rows.save(tx.connection, [activation])

    async def put(self, tx: Tx, activation: D) -> D:
        """Keep what a person sets in force, and return it; or what stands then, if a person set just that."""
        stack = await self.standing(tx.connection, activation.from_at)
        # What a release set, the next one replaces: a person who chooses the same chooses that it stays.
        if stack and stack[-1].by is not None and stack[-1].what == activation.what:
            return stack[-1]
        await self.save(tx, activation)
        return activation

    async def bring(self, tx: Tx, own: D) -> None:
        """Keep what the pack sets in force, at once if nothing is, unless a person set another.

        Of several processes with different packs, as while a release is rolled out, the one that started last says.
        """
        stack = await self.standing(tx.connection, own.from_at)
        if not stack or (stack[-1].by is None and stack[-1].what != own.what):
            await self.save(tx, own if stack else replace(own, from_at=own.made_at))

    async def cancel(self, tx: Tx, activation_id: UUID) -> D:
        """Take back an activation that is still to come. Raises Problem 404 if there is none, 409 if it is in force."""
        await tx.lock([self.subject])
        found = await self._rows.load(tx.connection, "WHERE activation_id = $1", activation_id)
        if not found:
            raise Problem(404, "no activation has this id")
        (activation,) = found
        if activation.cancelled_at is None:
            if activation.from_at <= tx.now:
                raise Problem(409, "it is in force already; roll back instead")
            activation = replace(activation, cancelled_at=tx.now)
            await self.save(tx, activation)
        return activation


class Versions:
    """The versions of one text of the city pack, and from when on which of them is in force.

    `texts` and `activations` are tables of the service. `noun` names the text to people, in the plural, and is what is
    locked; `did` says what the text did while it was in force.
    """

    def __init__(self, noun: str, did: str, texts: str, activations: str) -> None:
        self.activations = Activations(activations, Activation, subject=noun)
        self.unknown = f"no {noun} have this version"
        self._nothing_before = f"no other {noun} {did} before"
        self._rows = Rows(texts, TextVersion, key=("version",))
        self._add = (
            f"INSERT INTO {texts} (version, imported_at, by, note, rules, text) "  # noqa: S608 names come from code
            "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING true"
        )
        self._text = f"SELECT text FROM {texts} WHERE version = $1"  # noqa: S608 the same

    async def add(self, tx: Tx, version: TextVersion, text: str) -> bool:
        """Keep a version with its text, and say whether it is new."""
        v = version
        return bool(await tx.connection.fetchval(self._add, v.version, v.imported_at, v.by, v.note, v.rules, text))

    async def of(self, connection: Any, version: str) -> TextVersion | None:
        """Return a version, None if it was never imported."""
        found = await self._rows.load(connection, "WHERE version = $1", version)
        return found[0] if found else None

    async def last(self, connection: Any, limit: int) -> list[TextVersion]:
        """Return the versions that were imported last, the newest first."""
        return await self._rows.load(connection, "ORDER BY imported_at DESC, version LIMIT $1", limit)

    async def text(self, connection: Any, version: str) -> str:
        """Return the text of a version. Raises UnknownVersionError if it was never imported."""
        text: str | None = await connection.fetchval(self._text, version)
        if text is None:
            raise UnknownVersionError(self.unknown)
        return text

    async def take_in(
        self, database: Database, version: TextVersion, text: str, *, dry_run: bool
    ) -> tuple[TextVersion, bool]:
        """Keep a version with its text, but not in a dry run; return it as it is known, and whether it is new."""
        known = await self.of(database.pool, version.version)
        if known or dry_run:
            return known or version, known is None
        async with database.begin() as tx:
            return version, await self.add(tx, version, text)

    async def activate(
        self, tx: Tx, clock: Clock, version: str, at: datetime | None, reason: str | None, by: str
    ) -> Activation:  # fmt: skip
        """Have a version in force from a time on. Raises UnknownVersionError if it was never imported."""
        await tx.lock([self.activations.subject])
        if await self.of(tx.connection, version) is None:
            raise UnknownVersionError(self.unknown)
        soonest = _soonest(tx, clock)
        activation = Activation(clock.new_id(), max(at or soonest, soonest), version, by, reason, tx.now)
        return await self.activations.put(tx, activation)

    async def roll_back(self, tx: Tx, clock: Clock, reason: str | None, by: str) -> Activation:
        """Go back to the version that was in force before. Raises Problem 409 if there is none."""
        await tx.lock([self.activations.subject])
        from_at = _soonest(tx, clock)
        back_to = before(await self.activations.standing(tx.connection, from_at))
        if back_to is None:
            raise Problem(409, self._nothing_before)
        activation = Activation(
            clock.new_id(), from_at, back_to.version, by, reason, tx.now, back_to=back_to.activation_id
        )
        await self.activations.save(tx, activation)
        return activation

    async def bring(self, tx: Tx, clock: Clock, own: TextVersion, text: str) -> None:
        """Put the pack's own text among the versions, and in force unless a person set another."""
        await tx.lock([self.activations.subject])
        await self.add(tx, own, text)
        await self.activations.bring(
            tx, Activation(clock.new_id(), _soonest(tx, clock), own.version, None, None, own.imported_at)
        )


def _soonest(tx: Tx, clock: Clock) -> datetime:
    return tx.now + timedelta(seconds=SETTLE_SECONDS * clock.rate)
