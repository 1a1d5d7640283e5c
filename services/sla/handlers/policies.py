"""Versions of the policies: take them in, and follow what is in force.

A clock is judged by the version of its own start, so each process keeps all that were ever in force.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

import structlog

from libs.common.city.pack import City
from libs.common.city.policies import FILE, PolicySet, read_policies
from libs.common.city.problems import Problems
from libs.common.city.versions import TextVersion
from libs.common.versions import UnknownVersionError
from services.sla.domain import Book, Policy
from services.sla.domain.versions import Change, changes, history
from services.sla.handlers.around import Here
from services.sla.store.policies import POLICIES

POLL_SECONDS = 2.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of policies that came in: their version, whether it is new, and what it changes."""

    version: TextVersion
    new: bool
    against: str
    changes: Sequence[Change]


async def take_in(here: Here, text: bytes, note: str | None, by: str, *, dry_run: bool) -> Taken:
    """Check policies and keep them. Raises CityError with every problem found."""
    policies = await asyncio.to_thread(_checked, text, here.engine.city)
    version = TextVersion(policies.version, here.clock.now(), by, note, len(policies.rules))
    now = here.engine.book.at(here.clock.now()).rules
    changed = await asyncio.to_thread(changes, now, policies)
    known = await POLICIES.of(here.database.pool, version.version)
    if known or dry_run:
        return Taken(known or version, known is None, now.version, changed)
    async with here.database.begin() as tx:
        new = await POLICIES.add(tx, version, policies.text)
    return Taken(version, new, now.version, changed)


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
    if text is None:
        raise UnknownVersionError(POLICIES.unknown)
    # They came in checked, and are kept whole; a question that is gone since is no reason to judge by nothing.
    policies = await asyncio.to_thread(read_policies, FILE, text.encode(), {}, city.catalogue, Problems())
    if policies is None:
        raise UnknownVersionError("this release cannot read the policies of this version; import them anew")
    return policies


async def keep_current(here: Here) -> float:
    """Follow what is in force, was and will be, in every process: read it beside the loop, and swap it whole."""
    if not here.engine.brought:
        await _bring_pack(here)
        here.engine = replace(here.engine, brought=True)
    wanted = history(await POLICIES.activations.all(here.database.pool))
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
    own = here.engine.city.policies
    version = TextVersion(own.version, here.clock.now(), None, None, len(own.rules))
    async with here.database.begin() as tx:
        await POLICIES.bring(tx, here.clock, version, own.text)
