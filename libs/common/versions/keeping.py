"""The tables of dated versions, and what people do to them.

All processes change at one moment: each looks every two seconds at what is in force and what will be. What shall be in
force at once is so a few seconds later, when every process knows it.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Generic
from uuid import UUID

from libs.common.city.versions import Activation, D, TextVersion, before, standing
from libs.common.messaging.transaction import Tx
from libs.common.runtime.clock import Clock
from libs.common.runtime.problems import Problem
from libs.common.runtime.rows import Rows

SETTLE_SECONDS = 6.0
"""So long after a change is made it comes in force at the earliest: three looks of every process."""


class UnknownVersionError(LookupError):
    """There is no version of this name that can be read."""


class Activations(Generic[D]):
    """What is in force from when on, in a table of a service; `subject` is locked by whoever changes it."""

    def __init__(self, table: str, shape: type[D], subject: str) -> None:
        self._rows = Rows(table, shape, key=("activation_id",))
        self.subject = subject

    async def all(self, connection: Any) -> list[D]:
        """Return all activations in the order in which they are due; there are a few a year."""
        return await self._rows.load(connection, "ORDER BY from_at, number")

    async def last(self, connection: Any, limit: int) -> list[D]:
        """Return the activations that are due last, the last one first."""
        return await self._rows.load(connection, "ORDER BY from_at DESC, number DESC LIMIT $1", limit)

    async def save(self, tx: Tx, activation: D) -> None:
        """Keep an activation."""
        await self._rows.save(tx.connection, [activation])

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

    `texts` and `activations` are tables of the service. `noun` names the text to people, in the plural, and `did` what
    it did while it was in force.
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

    async def text(self, connection: Any, version: str) -> str | None:
        """Return the text of a version, None if it was never imported."""
        text: str | None = await connection.fetchval(self._text, version)
        return text

    async def activate(
        self, tx: Tx, clock: Clock, version: str, at: datetime | None, reason: str | None, by: str
    ) -> Activation:  # fmt: skip
        """Have a version in force from a time on. Raises Problem 404 if it was never imported."""
        await tx.lock([self.activations.subject])
        if await self.of(tx.connection, version) is None:
            raise Problem(404, self.unknown)
        from_at = max(at or tx.now, _soonest(tx, clock))
        stack = standing(await self.activations.all(tx.connection), from_at)
        if stack and stack[-1].version == version:
            return stack[-1]
        activation = Activation(clock.new_id(), from_at, version, by, reason, tx.now)
        await self.activations.save(tx, activation)
        return activation

    async def roll_back(self, tx: Tx, clock: Clock, reason: str | None, by: str) -> Activation:
        """Go back to the version that was in force before. Raises Problem 409 if there is none."""
        await tx.lock([self.activations.subject])
        from_at = _soonest(tx, clock)
        back_to = before(standing(await self.activations.all(tx.connection), from_at))
        if back_to is None:
            raise Problem(409, self._nothing_before)
        activation = Activation(
            clock.new_id(), from_at, back_to.version, by, reason, tx.now, back_to=back_to.activation_id
        )
        await self.activations.save(tx, activation)
        return activation

    async def bring(self, tx: Tx, clock: Clock, own: TextVersion, text: str) -> None:
        """Put the pack's own text among the versions, and in force unless a person set another.

        Of several processes with different packs, as while a release is rolled out, the one that started last says.
        """
        await tx.lock([self.activations.subject])
        await self.add(tx, own, text)
        now = own.imported_at
        stack = standing(await self.activations.all(tx.connection), now)
        if not stack or (stack[-1].by is None and stack[-1].version != own.version):
            from_at = _soonest(tx, clock) if stack else now
            await self.activations.save(tx, Activation(clock.new_id(), from_at, own.version, None, None, now))


def _soonest(tx: Tx, clock: Clock) -> datetime:
    return tx.now + timedelta(seconds=SETTLE_SECONDS * clock.rate)
