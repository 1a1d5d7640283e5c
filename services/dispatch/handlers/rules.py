"""Versions of the rules of routing: take them in, and follow what is in force. A route takes those of its moment."""

import asyncio
from dataclasses import replace
from typing import cast

import structlog

from libs.common.city.pack import City
from libs.common.city.problems import Problems
from libs.common.city.rules import FILE, Known, RuleSet, read_rules
from libs.common.city.versions import TextVersion
from libs.common.versions import Taken, UnknownVersionError
from services.dispatch.domain.rules import Change, changes, versions_from
from services.dispatch.handlers.around import Here
from services.dispatch.routing import Index, Schedule
from services.dispatch.store.rules import RULES

POLL_SECONDS = 2.0

log = structlog.get_logger(__name__)


async def take_in(here: Here, text: bytes, note: str | None, by: str, *, dry_run: bool) -> Taken[TextVersion, Change]:
    """Check rules and keep them. Raises CityError with every problem found."""
    rules = await asyncio.to_thread(_checked, text, here.engine.router.city)
    version = TextVersion(rules.version, here.clock.now(), by, note, len(rules.rules))
    now = here.engine.router.schedule.at(here.clock.now())
    against = await read_version(here, now.version)
    changed = await asyncio.to_thread(changes, against, rules)
    kept, new = await RULES.take_in(here.database, version, rules.text, dry_run=dry_run)
    return Taken(kept, new, now.version, changed)


def _checked(text: bytes, city: City) -> RuleSet:
    problems = Problems()
    rules = read_rules(FILE, text, Known(city.units, city.catalogue), problems)
    problems.raise_if_any()
    return cast(RuleSet, rules)


async def read_version(here: Here, version: str) -> RuleSet:
    """Return rules that were imported. Raises UnknownVersionError."""
    city = here.engine.router.city
    if city.rules.version == version:
        return city.rules
    text = await RULES.text(here.database.pool, version)
    # They were checked when they came in; a unit that is gone since is no reason to decide by nothing.
    known = Known(city.units, city.catalogue)
    rules = await asyncio.to_thread(read_rules, FILE, text.encode(), known, Problems())
    if rules is None:
        raise UnknownVersionError("this release cannot read the rules of this version; import them anew")
    return rules


async def compiled(here: Here, version: str) -> Index:
    """Return the rules of a version, ready to decide. Raises UnknownVersionError."""
    router = here.engine.router
    if known := router.schedule.index(version):
        return known
    return await asyncio.to_thread(Index, await read_version(here, version), router.city)


async def keep_current(here: Here) -> float:
    """Follow what is in force and what will be, in every process: compile beside the loop, and swap it whole."""
    if here.engine.asked is None:
        await _bring_pack(here)
    (now, version), *later = versions_from(await RULES.activations.all(here.database.pool), here.clock.now())
    asked = (version, *later)
    if asked != here.engine.asked:
        found = [(at, await _readable(here, name)) for at, name in ((now, version), *later)]
        here.engine.router.schedule = schedule = Schedule(found)
        here.engine = replace(here.engine, asked=asked)
        here.loops["loads"].wake()
        log.info("routing by", rules=[name for _, name in schedule.versions])
    return POLL_SECONDS


async def _readable(here: Here, version: str) -> Index:
    """Return the rules of a version; if this release cannot read it, the pack's own: something must decide."""
    try:
        return await compiled(here, version)
    except UnknownVersionError as error:
        log.warning("the pack's own rules decide instead", rules=version, error=str(error))
        return await compiled(here, here.engine.router.city.rules.version)


async def _bring_pack(here: Here) -> None:
    own = here.engine.router.city.rules
    version = TextVersion(own.version, here.clock.now(), None, None, len(own.rules))
    async with here.database.begin() as tx:
        await RULES.bring(tx, here.clock, version, own.text)
