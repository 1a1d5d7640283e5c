"""Before the breach: shares of what was late are learned once a day, and asked how likely an open clock will be."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from libs.common.runtime.database import alone
from services.sla.domain import Clock
from services.sla.handlers.around import Here
from services.sla.lateness.learning import DAYS, Outcomes, learned
from services.sla.lateness.rates import Alike, Rates, Step
from services.sla.store import Line
from services.sla.store import lateness as store

LOOK_SECONDS = 60.0
EVERY = timedelta(days=1)
A_DAY_MOST = 2_500
"""Clocks that are looked at of one day: what is alike needs dozens, and a big city has more than these in minutes."""
KEPT = 30
TOLD = 3
"""How many reasons are given at the most."""
TELLING = 0.15
"""How far a reason moves the odds at the least, as a difference of logarithms."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Forecast:
    """How likely an open clock is late, 0 to 1, and what makes it so, the weightiest first.

    It is like the clocks that `alike` says, and so much of its time has `passed`, from its start until it is due.
    `usual` is the share of all such clocks, `version` what the shares are called, empty if nothing was learned yet.
    """

    alike: Alike
    passed: float
    chance: float
    usual: float
    reasons: tuple[Step, ...]
    version: str


def chance_of(here: Here, line: Line, now: datetime) -> float | None:
    """Return how likely a clock is late that the board lists; None once that is known."""
    passed = _passed(line, now)
    return None if passed is None else round(here.engine.lateness.chance(_alike(line, line.clock), passed), 4)


def forecast(here: Here, clock: Clock, now: datetime) -> Forecast | None:
    """Return how likely a clock is late; None once that is known."""
    passed = _passed(clock, now)
    if not clock.open or passed is None:
        return None
    rates, alike = here.engine.lateness, _alike(clock, clock.name)
    steps = rates.steps(alike, passed)
    reasons = sorted((s for s in steps if abs(s.pull) >= TELLING), key=lambda s: -abs(s.pull))
    chance = rates.chance(alike, passed)
    usual = rates.chance(Alike(clock.name), 0.0)
    return Forecast(alike, passed, chance, usual, tuple(reasons[:TOLD]), rates.version)


def _alike(clock: Clock | Line, name: str) -> Alike:
    kind = "again" if clock.round > 1 else clock.urgency
    return Alike(name, kind, clock.category, clock.unit_code or "", clock.code)


def _passed(clock: Clock | Line, now: datetime) -> float | None:
    """Return which part of an open clock's time has passed; None if all of it has. While it stands still, none does."""
    at = clock.paused_at or now
    if clock.due_at <= max(at, clock.started_at):
        return None
    return (at - clock.started_at) / (clock.due_at - clock.started_at)


async def keep_lateness(here: Here) -> float:
    """Learn anew when a day has passed, and take up what was learned by whichever process."""
    newest = await store.newest_lateness(here.database.pool)
    known = newest is not None and await _taken_up(here, newest.version)
    if newest is None or not known or here.clock.now() - newest.made_at >= EVERY:
        made = await _learn(here)
        if made:
            await _taken_up(here, made.version)
    return LOOK_SECONDS


async def _taken_up(here: Here, version: str) -> bool:
    """Ask these shares from now on; False if this release cannot read them."""
    if version == here.engine.lateness.version:
        return True
    arrays = await store.arrays_of_lateness(here.database.pool, version)
    try:
        here.engine = replace(here.engine, lateness=Rates.unpacked(arrays, version))
    except (KeyError, ValueError) as error:
        log.warning("what was late is learned anew, for this release cannot read it", version=version, error=str(error))
        return False
    return True


async def _learn(here: Here) -> store.Made | None:
    """Learn from the clocks whose time is over; None if another process does, or none is."""
    now = here.clock.now()
    async with alone(here.database.pool, store.LEARN_LOCK) as leads:
        if not leads:
            return None
        ended = [one for since in await _days(here, now) for one in await _day(here, since)]
        if not ended:
            return None
        version = f"{now:%Y%m%dT%H%M%SZ}"
        rates, quality = await asyncio.to_thread(learned, ended, now, here.engine.city.supervision.prior, version)
        made = store.Made(version, now, sum(one.opened[0] for one in ended), rates.fingerprint, quality)
        arrays = rates.packed()
        async with here.database.begin() as tx:
            await store.save_lateness(tx, made, arrays, KEPT)
        return made


async def _days(here: Here, now: datetime) -> list[datetime]:
    """Return the beginnings of the days to look at, none before any clock was due."""
    first = await store.first_due(here.database.pool)
    days = (now - day * EVERY for day in range(DAYS, 0, -1))
    return [] if first is None else [since for since in days if first < since + EVERY]


async def _day(here: Here, since: datetime) -> Sequence[Outcomes]:
    return await store.outcomes(here.database.pool, since, since + EVERY, A_DAY_MOST)
