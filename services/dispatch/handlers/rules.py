"""Versions of the rules of routing: take them in, and follow what is in force. A route takes those of its moment."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

import asyncpg
import structlog

from libs.common.city.pack import City
from libs.common.city.problems import Problems
from libs.common.city.rules import FILE, Known, RuleSet, read_rules
from libs.common.city.versions import TextVersion, standing
from libs.common.runtime.clock import Clock
from libs.common.runtime.settings import Settings
from libs.common.versions import UnknownVersionError
from services.dispatch.domain.rules import Change, changes, versions_from
from services.dispatch.handlers.around import Here
from services.dispatch.routing import Index, Router, Schedule
from services.dispatch.store.rules import RULES

POLL_SECONDS = 2.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of rules that came in: their version, whether it is new, and what it changes."""

    version: TextVersion
    new: bool
    against: str
    changes: Sequence[Change]


async def take_in(here: Here, text: bytes, note: str | None, by: str, *, dry_run: bool) -> Taken:
    """Check rules and keep them. Raises CityError with every problem found."""
    rules = await asyncio.to_thread(_checked, text, here.engine.router.city)
    version = TextVersion(rules.version, here.clock.now(), by, note, len(rules.rules))
    now = here.engine.router.schedule.at(here.clock.now())
    against = await read_version(here, now.version)
    changed = await asyncio.to_thread(changes, against, rules)
    known = await RULES.of(here.database.pool, version.version)
    if known or dry_run:
        return Taken(known or version, known is None, now.version, changed)
    async with here.database.begin() as tx:
        new = await RULES.add(tx, version, rules.text)
    return Taken(version, new, now.version, changed)


def _checked(text: bytes, city: City) -> RuleSet:
    problems = Problems()
    rules = read_rules(FILE, text, Known(city.units, city.catalogue), problems)
    problems.raise_if_any()
    return cast(RuleSet, rules)


async def read_version(here: Here, version: str) -> RuleSet:
    """Return rules that were imported. Raises UnknownVersionError."""
    return await _read(here.database.pool, here.engine.router.city, version)


async def _read(connection: Any, city: City, version: str) -> RuleSet:
    if city.rules.version == version:
        return city.rules
    text = await RULES.text(connection, version)
    if text is None:
        raise UnknownVersionError(RULES.unknown)
    # They were checked when they came in; a unit that is gone since is no reason to decide by nothing.
    known = Known(city.units, city.catalogue)
    rules = await asyncio.to_thread(read_rules, FILE, text.encode(), known, Problems())
    if rules is None:
        raise UnknownVersionError("this release cannot read the rules of this version; import them anew")
    return rules


async def compiled(here: Here, version: str) -> Index:
    """Return the rules of a version, ready to decide. Raises UnknownVersionError."""
    router = here.engine.router
    return router.schedule.index(version) or await _compiled(here.database.pool, router.city, version)


async def _compiled(connection: Any, city: City, version: str) -> Index:
    return await asyncio.to_thread(Index, await _read(connection, city, version), city)


async def begin(settings: Settings, router: Router) -> None:
    """Have a process start with what a person set in force; otherwise its pack's own rules decide."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        now = Clock.parse(settings.clock).now()
        activations = await RULES.activations.all(connection)
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
    wanted, known = versions_from(await RULES.activations.all(pool), now), router.schedule.versions
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
    own = here.engine.router.city.rules
    version = TextVersion(own.version, here.clock.now(), None, None, len(own.rules))
    async with here.database.begin() as tx:
        await RULES.bring(tx, here.clock, version, own.text)
