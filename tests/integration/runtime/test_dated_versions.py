"""Dated versions on a real database: what a person set in force stays, whatever releases start at the same time."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from libs.common.city.versions import Activation, TextVersion
from libs.common.messaging.schema import HEART_1
from libs.common.messaging.transaction import Speaker
from libs.common.runtime.database import Database, open_database
from libs.common.versions import UnknownVersionError, Versions
from libs.common.versions.keeping import SETTLE_SECONDS
from tests.support.stages import ManualClock

TEXTS = """
CREATE TABLE texts (
    version text PRIMARY KEY, imported_at timestamptz NOT NULL, by text, note text, rules bigint NOT NULL,
    text text NOT NULL
);
CREATE TABLE text_activations (
    activation_id uuid PRIMARY KEY, number bigint GENERATED ALWAYS AS IDENTITY, from_at timestamptz NOT NULL,
    version text NOT NULL REFERENCES texts, by text, reason text, made_at timestamptz NOT NULL,
    back_to uuid REFERENCES text_activations, cancelled_at timestamptz
);
"""
KEPT = Versions("texts", "counted", texts="texts", activations="text_activations")


class World:
    """The versions of a text, and a clock."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database, self.clock = database, clock

    async def released(self, version: str) -> None:
        """Have a process start whose pack has this version."""
        async with self.database.begin() as tx:
            await KEPT.bring(tx, self.clock, TextVersion(version, self.clock.now(), None, None, 1), "")

    async def activated(self, version: str, reason: str | None = None, at: datetime | None = None) -> Activation:
        """Have a person put a version in force."""
        async with self.database.begin() as tx:
            return await KEPT.activate(tx, self.clock, version, at, reason, "chief")

    async def rolled_back(self) -> Activation:
        """Have a person go back to what was before."""
        async with self.database.begin() as tx:
            return await KEPT.roll_back(tx, self.clock, None, "chief")

    async def settled(self) -> str:
        """Return what is in force once every process knows it."""
        self.clock.advance(seconds=SETTLE_SECONDS)
        return (await KEPT.activations.standing(self.database.pool, self.clock.now()))[-1].version


@pytest.fixture
async def world(fresh_database: str) -> AsyncIterator[World]:
    clock = ManualClock()
    database = await open_database(fresh_database, Speaker("tested", frozenset(), clock.now, clock.new_id), 2)
    await database.pool.execute(HEART_1 + TEXTS)
    yield World(database, clock)
    await database.close()


async def test_a_release_brings_its_own_at_once_where_nothing_is_and_else_when_every_process_knows(
    world: World,
) -> None:
    await world.released("old")
    await world.released("new")
    froms = [one.from_at for one in await KEPT.activations.all(world.database.pool)]
    assert froms == [world.clock.now(), world.clock.now() + timedelta(seconds=SETTLE_SECONDS)]
    assert await world.settled() == "new"


async def test_what_a_person_set_a_moment_before_a_release_started_is_not_overridden(world: World) -> None:
    await world.released("old")
    async with world.database.begin() as tx:
        await KEPT.add(tx, TextVersion("own", world.clock.now(), "chief", None, 1), "")
    await world.activated("own")
    world.clock.advance(seconds=1)
    await world.released("new")
    assert await world.settled() == "own"


async def test_a_roll_back_a_moment_before_a_release_started_is_not_overridden(world: World) -> None:
    for version in ("first", "second"):
        await world.released(version)
        await world.settled()
    await world.rolled_back()
    world.clock.advance(seconds=1)
    await world.released("third")
    assert await world.settled() == "first"


async def test_a_person_who_chooses_what_a_release_set_chooses_that_it_stays(world: World) -> None:
    await world.released("old")
    chosen = await world.activated("old", "tried and good")
    assert (chosen.by, chosen.reason) == ("chief", "tried and good")
    assert await world.activated("old", "again", world.clock.now() + timedelta(days=1)) == chosen
    await world.settled()
    await world.released("new")
    assert await world.settled() == "old"


async def test_a_version_that_nobody_imported_is_not_found(world: World) -> None:
    with pytest.raises(UnknownVersionError, match="no texts have this version") as refused:
        await world.activated("nothing")
    assert refused.value.status == 404
