"""Versions of the policies: taken in, compared, in force from one moment on for what begins then, and back again."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clocking import Clocking, clocking
from tests.support.stages import NOON, ManualClock
from tests.support.waiting import until

DAY = timedelta(days=1)
SHORT = '[[rule]]\nid = "heat"\ncategory = ["供热采暖"]\ncompletion = "P3D"\n'
MORE = SHORT.replace("P3D", "P4D")


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[Clocking]:
    async with clocking(fresh_database, tmp_path) as world:
        await until(lambda: world.get("policies"), len)
        yield world


async def test_the_packs_policies_are_the_first_version_whole_and_in_force(world: Clocking) -> None:
    (own,) = await world.get("policies")
    assert (own["by"], own["in_force"], own["rules"]) == (None, True, 5)
    standing = await world.get("policies/activations")
    assert standing["in_force"]["version"] == standing["judging_by"] == own["version"]
    text = (await world.get(f"policies/{own['version']}"))["text"]
    assert all(f'id = "class_{name}"' in text for name in ("urgent", "livelihood", "general", "complex"))


async def test_policies_that_come_in_say_what_they_change_and_judge_nothing_yet(world: Clocking) -> None:
    files = {"file": ("policies.toml", SHORT.encode())}
    looked = (await world.http.post("/sla/v1/policies?dry_run=true", files=files)).json()
    assert (looked["new"], len(await world.get("policies"))) == (True, 1)
    changes = {(c["what"], c["name"], c["key"]) for c in looked["difference"]["changes"]}
    assert changes == {("rule", "heat", "added"), ("rule", "elderly", "behind")}
    await world.brought(SHORT)
    assert await world.due(await world.ticket()) == 7 * DAY


async def test_a_clock_is_judged_by_the_version_of_its_start_whatever_comes_later(world: Clocking) -> None:
    version = await world.brought(SHORT)
    own = world.here.engine.book.at(NOON).version
    activation = await world.post(f"policies/{version}/activate", at=(NOON + DAY).isoformat(), reason="供暖季")
    assert (activation["reason"], activation["from_at"]) == ("供暖季", "2026-03-03T04:00:00Z")
    await world.judging(version)
    before = await world.ticket()
    world.clock.at = NOON + DAY
    after = await world.ticket()
    await world.judged_again(before, "complex")
    assert (await world.due(before), await world.due(after)) == (15 * DAY, 4 * DAY)
    judged_by = [(await world.clocks(ticket))["completion"]["policy"] for ticket in (before, after)]
    assert judged_by == [own, version]
    started = await world.probe.named("clock.started", subject=after)
    assert {event.data.policy for event in started} == {version}


async def test_what_was_put_in_force_is_rolled_back_and_what_is_to_come_is_cancelled(world: Clocking) -> None:
    version = await world.brought(SHORT)
    own = world.here.engine.book.at(NOON).version
    assert (await world.post(f"policies/{version}/activate"))["from_at"] == "2026-03-02T04:00:06Z"
    await world.judging(version)
    world.clock.advance(seconds=6)
    assert await world.due(await world.ticket()) == 3 * DAY + timedelta(seconds=6)
    back = await world.post("policies/roll-back", reason="投诉增多")
    assert (back["version"], back["back_to"] is not None) == (own, True)
    world.clock.advance(seconds=6)
    await until(lambda: world.get("policies/activations"), lambda seen: seen["judging_by"] == own)
    assert await world.refused("policies/roll-back") == 409
    later = await world.post(f"policies/{version}/activate", at=(NOON + DAY).isoformat())
    path = f"/sla/v1/policies/activations/{later['activation_id']}"
    assert (await world.http.delete(path)).json()["cancelled_at"] is not None
    world.clock.at = NOON + 2 * DAY
    assert await world.due(await world.ticket()) == 9 * DAY


async def test_a_process_that_starts_knows_what_is_in_force_before_it_fires_or_begins_a_clock(
    fresh_database: str, tmp_path: Path
) -> None:
    clock = ManualClock()
    async with clocking(fresh_database, tmp_path, clock=clock) as world:
        version = await world.brought(SHORT)
        await world.post(f"policies/{version}/activate")
        await world.judging(version)
        clock.advance(seconds=6)
        ticket = await world.ticket()
    clock.advance(hours=37)
    async with clocking(fresh_database, tmp_path, clock=clock) as world:
        other = await world.ticket()
        await world.told("clock.warned", of=ticket, clock="completion")
        begun = await world.told("clock.started", 2, of=other)
        assert {one.policy for one in begun} == {version}
        anew = [e for e in world.probe.seen if e.ticket == ticket and e.data.name == "clock.started"]
        assert not [event for event in anew if event.time == clock.at]
        assert (await world.clocks(ticket))["completion"]["policy"] == version


async def test_a_version_that_this_release_cannot_read_stops_no_clock_and_the_packs_own_judges(
    fresh_database: str, tmp_path: Path
) -> None:
    clock = ManualClock()
    async with clocking(fresh_database, tmp_path, clock=clock) as world:
        own, version = world.here.engine.book.at(NOON).version, await world.brought(SHORT)
        await world.post(f"policies/{version}/activate")
        await world.judging(version)
        newer = SHORT + 'weekday = "monday"\n'
        await world.here.database.pool.execute("UPDATE policies SET text = $1 WHERE version = $2", newer, version)
    clock.advance(days=1)
    async with clocking(fresh_database, tmp_path, clock=clock) as world:
        ticket = await world.ticket()
        assert (await world.clocks(ticket))["completion"]["policy"] == own
        standing = await world.get("policies/activations")
        assert (standing["in_force"]["version"], standing["judging_by"]) == (version, own)
        later = await world.post(f"policies/{await world.brought(MORE)}/activate")
        await world.judging(later["version"])


async def test_what_cannot_be_read_is_refused_with_all_that_is_wrong(world: Clocking) -> None:
    files = {"file": ("policies.toml", b'[[rule]]\nid = "A"\nurgency = ["soon"]\n')}
    refused = await world.http.post("/sla/v1/policies", files=files)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [
        "policies.toml rule.0.id", "policies.toml rule.0.urgency.0",
    ]  # fmt: skip
    assert await world.refused("policies/000000000000/activate") == 404
    past = (NOON - DAY).isoformat()
    own = world.here.engine.book.at(NOON).version
    assert await world.refused(f"policies/{own}/activate", at=past) == 422
