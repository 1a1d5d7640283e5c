"""Versions of the rules of routing: take them in, say from when on they decide, go back, and follow what is in force.

All processes change at one moment: each looks every two seconds at what is in force and what will be, and a route takes
the rules of its own moment. What shall decide at once does so a few seconds later, when every process knows it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import asyncpg
import structlog

from libs.common.city.pack import City
from libs.common.city.problems import Problems
from libs.common.city.rules import FILE, Known, RuleSet, read_rules
from libs.common.messaging.transaction import Tx
from libs.common.runtime.clock import Clock
from libs.common.runtime.settings import Settings
from services.dispatch.domain import NotPossibleError
from services.dispatch.domain.rules import (
    Activation,
    Change,
    RulesVersion,
    before,
    changes,
    standing,
    versions_from,
)
from services.dispatch.handlers.around import Here
from services.dispatch.routing import Index, Router, Schedule
from services.dispatch.store import rules as store

POLL_SECONDS = 2.0
SETTLE_SECONDS = 6.0
"""So long after a change is made it comes in force at the earliest: three looks of every process."""
SUBJECT = "rules"
"""What is locked by whoever changes what is in force."""

log = structlog.get_logger(__name__)


class UnknownRulesError(LookupError):
    """There are no rules, or there is no activation, of this name."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of rules that came in: their version, whether it is new, and what it changes."""

    version: RulesVersion
    new: bool
    against: str
    changes: Sequence[Change]


async def take_in(here: Here, text: bytes, note: str | None, by: str, *, dry_run: bool) -> Taken:
    """Check rules and keep them. Raises CityError with every problem found."""
    rules = await asyncio.to_thread(_checked, text, here.engine.router.city)
    version = RulesVersion(rules.version, here.clock.now(), by, note, len(rules.rules))
    now = here.engine.router.schedule.at(here.clock.now())
    against = await read_version(here, now.version)
    changed = await asyncio.to_thread(changes, against, rules)
    known = await store.rules_of(here.database.pool, version.version)
    if known or dry_run:
        return Taken(known or version, known is None, now.version, changed)
    async with here.database.begin() as tx:
        new = await store.add_rules(tx, version, rules.text)
    return Taken(version, new, now.version, changed)


def _checked(text: bytes, city: City) -> RuleSet:
    problems = Problems()
    rules = read_rules(FILE, text, Known(city.units, city.catalogue), problems)
    problems.raise_if_any()
    return cast(RuleSet, rules)


async def read_version(here: Here, version: str) -> RuleSet:
    """Return rules that were imported. Raises UnknownRulesError."""
    return await _read(here.database.pool, here.engine.router.city, version)


async def _read(connection: Any, city: City, version: str) -> RuleSet:
    if city.rules.version == version:
        return city.rules
    text = await store.rules_text(connection, version)
    if text is None:
        raise UnknownRulesError("no rules have this version")
    # They were checked when they came in; a unit that is gone since is no reason to decide by nothing.
    known = Known(city.units, city.catalogue)
    rules = await asyncio.to_thread(read_rules, FILE, text.encode(), known, Problems())
    if rules is None:
        raise UnknownRulesError("this release cannot read the rules of this version; import them anew")
    return rules


async def compiled(here: Here, version: str) -> Index:
    """Return the rules of a version, ready to decide. Raises UnknownRulesError."""
    router = here.engine.router
    return router.schedule.index(version) or await _compiled(here.database.pool, router.city, version)


async def _compiled(connection: Any, city: City, version: str) -> Index:
    return await asyncio.to_thread(Index, await _read(connection, city, version), city)


async def activate(
    tx: Tx, here: Here, version: str, at: datetime | None, reason: str | None, by: str
) -> Activation:  # fmt: skip
    """Have rules decide from a time on. Raises UnknownRulesError."""
    await tx.lock([SUBJECT])
    if await store.rules_of(tx.connection, version) is None:
        raise UnknownRulesError("no rules have this version")
    from_at = max(at or tx.now, _soonest(here, tx))
    stack = standing(await store.activations(tx.connection), from_at)
    if stack and stack[-1].version == version:
        return stack[-1]
    activation = Activation(here.clock.new_id(), from_at, version, by, reason, tx.now)
    await store.save_activation(tx, activation)
    return activation


async def roll_back(tx: Tx, here: Here, reason: str | None, by: str) -> Activation:
    """Go back to the rules that decided before. Raises NotPossibleError."""
    await tx.lock([SUBJECT])
    from_at = _soonest(here, tx)
    back_to = before(standing(await store.activations(tx.connection), from_at))
    if back_to is None:
        raise NotPossibleError("no other rules decided before")
    activation = Activation(
        here.clock.new_id(), from_at, back_to.version, by, reason, tx.now, back_to=back_to.activation_id
    )
    await store.save_activation(tx, activation)
    return activation


def _soonest(here: Here, tx: Tx) -> datetime:
    return tx.now + timedelta(seconds=SETTLE_SECONDS * here.clock.rate)


async def cancel(tx: Tx, activation_id: UUID) -> Activation:
    """Take back an activation that is still to come. Raises UnknownRulesError or NotPossibleError."""
    await tx.lock([SUBJECT])
    activation = await store.activation_of(tx.connection, activation_id)
    if activation is None:
        raise UnknownRulesError("no activation has this id")
    if activation.cancelled_at is None:
        if activation.from_at <= tx.now:
            raise NotPossibleError("it is in force already; roll back instead")
        activation = replace(activation, cancelled_at=tx.now)
        await store.save_activation(tx, activation)
    return activation


async def begin(settings: Settings, router: Router) -> None:
    """Have a process start with what a person set in force; otherwise its pack's own rules decide."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        now = Clock.parse(settings.clock).now()
        activations = await store.activations(connection)
        stack = standing(activations, now)
        if stack and stack[-1].by is not None:
            await _use(router, connection, versions_from(activations, now))
    finally:
        await connection.close()


async def keep_current(here: Here) -> float:
    """Follow what is in force and what will be, in every process: compile beside the loop, and swap it whole."""
    router, pool, now = here.engine.router, here.database.pool, here.clock.now()
    if not here.engine.brought:
        await _bring_pack(here)
        here.engine = replace(here.engine, brought=True)
    wanted, known = versions_from(await store.activations(pool), now), router.schedule.versions
    if wanted[0][1] != known[0][1] or wanted[1:] != known[1:]:
        await _use(router, pool, wanted)
        here.loops["loads"].wake()
        log.info("routing by", rules=wanted[0][1], later=[version for _, version in wanted[1:]])
    return POLL_SECONDS


async def _use(router: Router, connection: Any, wanted: Sequence[tuple[datetime, str]]) -> None:
    known = router.schedule
    found = [(at, known.index(name) or await _compiled(connection, router.city, name)) for at, name in wanted]
    router.schedule = Schedule(found)


async def _bring_pack(here: Here) -> None:
    """Put the pack's own rules among the versions, and in force unless a person set others.

    Of several processes with different packs, as while a release is rolled out, the one that started last says.
    """
    now, own = here.clock.now(), here.engine.router.city.rules
    async with here.database.begin() as tx:
        await tx.lock([SUBJECT])
        await store.add_rules(tx, RulesVersion(own.version, now, None, None, len(own.rules)), own.text)
        stack = standing(await store.activations(tx.connection), now)
        if not stack or (stack[-1].by is None and stack[-1].version != own.version):
            from_at = _soonest(here, tx) if stack else now
            await store.save_activation(tx, Activation(here.clock.new_id(), from_at, own.version, None, None, now))
