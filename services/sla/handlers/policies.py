"""Versions of the policies: take them in, and follow what is in force.

A clock is judged by the version of its own start, so each process keeps all that were ever in force.
"""

import asyncio
from dataclasses import replace
from typing import Any, cast

import structlog

from libs.common.city.pack import City
from libs.common.city.policies import FILE, PolicySet, read_policies
from libs.common.city.problems import Problems
from libs.common.city.versions import TextVersion
from libs.common.versions import Taken, UnknownVersionError
from services.sla.domain import Policy
from services.sla.domain.versions import Change, changes, history
from services.sla.handlers.around import Here
from services.sla.store.policies import POLICIES

POLL_SECONDS = 2.0

log = structlog.get_logger(__name__)


async def take_in(here: Here, text: bytes, note: str | None, by: str, *, dry_run: bool) -> Taken[TextVersion, Change]:
    """Check policies and keep them. Raises CityError with every problem found."""
    policies = await asyncio.to_thread(_checked, text, here.engine.city)
    version = TextVersion(policies.version, here.clock.now(), by, note, len(policies.rules))
    now = here.engine.book.at(here.clock.now()).rules
    changed = await asyncio.to_thread(changes, now, policies)
    kept, new = await POLICIES.take_in(here.database, version, policies.text, dry_run=dry_run)
    return Taken(kept, new, now.version, changed)


def _checked(text: bytes, city: City) -> PolicySet:
    problems = Problems()
    policies = read_policies(FILE, text, city.base_policies, city.catalogue, problems)
    problems.raise_if_any()
    return cast(PolicySet, policies)


async def read_version(here: Here, version: str) -> PolicySet:
    """Return policies that were imported. Raises UnknownVersionError."""
    return await _read(here.database.pool, here.engine.city, version)


async def _read(connection: Any, city: City, version: str) -> PolicySet:
    if city.policies.version == version:
        return city.policies
    text = await POLICIES.text(connection, version)
    # They came in checked, and are kept whole; a question that is gone since is no reason to judge by nothing.
    policies = await asyncio.to_thread(read_policies, FILE, text.encode(), {}, city.catalogue, Problems())
    if policies is None:
        raise UnknownVersionError("this release cannot read the policies of this version; import them anew")
    return policies


async def keep_current(here: Here) -> float:
    """Follow what is in force, was and will be, in every process: read it beside the loop, and swap it whole."""
    if here.engine.asked is None:
        await _bring_pack(here)
    asked = tuple(history(await POLICIES.activations.all(here.database.pool)))
    if asked and asked != here.engine.asked:
        policies = tuple([await _policy(here, version) for _, version in asked])
        book = replace(here.engine.book, starts=tuple(start for start, _ in asked), policies=policies)
        here.engine = replace(here.engine, book=book, asked=asked)
        log.info("judging by", policies=book.at(here.clock.now()).version, versions=len(policies))
    return POLL_SECONDS


async def _policy(here: Here, version: str) -> Policy:
    """Return a version; if this release cannot read it, the pack's own: no clock stands still for a text."""
    known = next((one for one in here.engine.book.policies if one.version == version), None)
    if known:
        return known
    try:
        rules = await _read(here.database.pool, here.engine.city, version)
    except UnknownVersionError as error:
        log.warning("the pack's own policies judge instead", policies=version, error=str(error))
        rules = here.engine.city.policies
    return Policy(rules, here.engine.book.policies[0].day)


async def _bring_pack(here: Here) -> None:
    own = here.engine.city.policies
    version = TextVersion(own.version, here.clock.now(), None, None, len(own.rules))
    async with here.database.begin() as tx:
        await POLICIES.bring(tx, here.clock, version, own.text)
