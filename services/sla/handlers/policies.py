"""Versions of the policies: take them in, say from when on they judge, go back, and follow what is in force.

A clock is judged by the version of its own start, so each process keeps all that were ever in force. What shall judge
at once does so a few seconds later, when every process knows it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import structlog

from libs.common.city.pack import City
from libs.common.city.policies import FILE, PolicySet, read_policies
from libs.common.city.problems import Problems
from libs.common.messaging.transaction import Tx
from services.sla.domain import Book, NotPossibleError, Policy
from services.sla.domain.versions import Activation, Change, PoliciesVersion, before, changes, history, standing
from services.sla.handlers.around import Here
from services.sla.store import policies as store

POLL_SECONDS = 2.0
SETTLE_SECONDS = 6.0
"""So long after a change is made it comes in force at the earliest: three looks of every process."""
SUBJECT = "policies"
"""What is locked by whoever changes what is in force."""

log = structlog.get_logger(__name__)


class UnknownPoliciesError(LookupError):
    """There are no policies, or there is no activation, of this name."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of policies that came in: their version, whether it is new, and what it changes."""

    version: PoliciesVersion
    new: bool
    against: str
    changes: Sequence[Change]


async def take_in(here: Here, text: bytes, note: str | None, by: str, *, dry_run: bool) -> Taken:
    """Check policies and keep them. Raises CityError with every problem found."""
    policies = await asyncio.to_thread(_checked, text, here.engine.city)
    version = PoliciesVersion(policies.version, here.clock.now(), by, note, len(policies.rules))
    now = here.engine.book.at(here.clock.now()).rules
    changed = await asyncio.to_thread(changes, now, policies)
    known = await store.policies_of(here.database.pool, version.version)
    if known or dry_run:
        return Taken(known or version, known is None, now.version, changed)
    async with here.database.begin() as tx:
        new = await store.add_policies(tx, version, policies.text)
    return Taken(version, new, now.version, changed)


def _checked(text: bytes, city: City) -> PolicySet:
    problems = Problems()
    policies = read_policies(FILE, text, city.base_policies, city.catalogue, problems)
    problems.raise_if_any()
    return cast(PolicySet, policies)


async def read_version(here: Here, version: str) -> PolicySet:
    """Return policies that were imported. Raises UnknownPoliciesError."""
    return await _read(here.database.pool, here.engine.city, version)


async def _read(connection: Any, city: City, version: str) -> PolicySet:
    if city.policies.version == version:
        return city.policies
    text = await store.policies_text(connection, version)
    if text is None:
        raise UnknownPoliciesError("no policies have this version")
    # They came in checked, and are kept whole; a question that is gone since is no reason to judge by nothing.
    policies = await asyncio.to_thread(read_policies, FILE, text.encode(), {}, city.catalogue, Problems())
    if policies is None:
        raise UnknownPoliciesError("this release cannot read the policies of this version; import them anew")
    return policies


async def activate(
    tx: Tx, here: Here, version: str, at: datetime | None, reason: str | None, by: str
) -> Activation:  # fmt: skip
    """Have policies judge what begins from a time on. Raises UnknownPoliciesError."""
    await tx.lock([SUBJECT])
    if await store.policies_of(tx.connection, version) is None:
        raise UnknownPoliciesError("no policies have this version")
    from_at = max(at or tx.now, _soonest(here, tx))
    stack = standing(await store.activations(tx.connection), from_at)
    if stack and stack[-1].version == version:
        return stack[-1]
    activation = Activation(here.clock.new_id(), from_at, version, by, reason, tx.now)
    await store.save_activation(tx, activation)
    return activation


async def roll_back(tx: Tx, here: Here, reason: str | None, by: str) -> Activation:
    """Go back to the policies that judged before. Raises NotPossibleError."""
    await tx.lock([SUBJECT])
    from_at = _soonest(here, tx)
    back_to = before(standing(await store.activations(tx.connection), from_at))
    if back_to is None:
        raise NotPossibleError("no other policies judged before")
    activation = Activation(
        here.clock.new_id(), from_at, back_to.version, by, reason, tx.now, back_to=back_to.activation_id
    )
    await store.save_activation(tx, activation)
    return activation


def _soonest(here: Here, tx: Tx) -> datetime:
    return tx.now + timedelta(seconds=SETTLE_SECONDS * here.clock.rate)


async def cancel(tx: Tx, activation_id: UUID) -> Activation:
    """Take back an activation that is still to come. Raises UnknownPoliciesError or NotPossibleError."""
    await tx.lock([SUBJECT])
    activation = await store.activation_of(tx.connection, activation_id)
    if activation is None:
        raise UnknownPoliciesError("no activation has this id")
    if activation.cancelled_at is None:
        if activation.from_at <= tx.now:
            raise NotPossibleError("it is in force already; roll back instead")
        activation = replace(activation, cancelled_at=tx.now)
        await store.save_activation(tx, activation)
    return activation


async def keep_current(here: Here) -> float:
    """Follow what is in force, was and will be, in every process: read it beside the loop, and swap it whole."""
    if not here.engine.brought:
        await _bring_pack(here)
        here.engine = replace(here.engine, brought=True)
    wanted = history(await store.activations(here.database.pool))
    book = here.engine.book
    if wanted and wanted != versions_in(book):
        policies = [await _policy(here, version) for _, version in wanted]
        starts = tuple(start for start, _ in wanted)
        here.engine = replace(here.engine, book=replace(here.engine.book, starts=starts, policies=tuple(policies)))
        log.info("judging by", policies=here.engine.book.at(here.clock.now()).version, versions=len(wanted))
    return POLL_SECONDS


def versions_in(book: Book) -> list[tuple[datetime, str]]:
    """Return which version a book has from each time on."""
    return [(start, policy.version) for start, policy in zip(book.starts, book.policies, strict=True)]


async def _policy(here: Here, version: str) -> Policy:
    known = next((one for one in here.engine.book.policies if one.version == version), None)
    if known:
        return known
    return Policy(await _read(here.database.pool, here.engine.city, version), here.engine.book.policies[0].day)


async def _bring_pack(here: Here) -> None:
    """Put the pack's own policies among the versions, and in force unless a person set others.

    Of several processes with different packs, as while a release is rolled out, the one that started last says.
    """
    now, own = here.clock.now(), here.engine.city.policies
    async with here.database.begin() as tx:
        await tx.lock([SUBJECT])
        await store.add_policies(tx, PoliciesVersion(own.version, now, None, None, len(own.rules)), own.text)
        stack = standing(await store.activations(tx.connection), now)
        if not stack or (stack[-1].by is None and stack[-1].version != own.version):
            from_at = _soonest(here, tx) if stack else now
            await store.save_activation(tx, Activation(here.clock.new_id(), from_at, own.version, None, None, now))
