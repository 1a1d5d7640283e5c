"""More time: asked for by the lead, granted by its level; pauses on listed grounds, by whom they allow."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clocking import DISTRICT, ELSEWHERE, ROADS, WATER, Clocking, clocking
from tests.support.stages import CITY, NOON

DAY = timedelta(days=1)
BY_UNIT = """
[[pause]]
code = "at_home"
name = { zh = "等居民在家", en = "Waiting until they are home" }
longest = "P2D"
by = ["unit", "supervisor"]

"""


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[Clocking]:
    policies = BY_UNIT + (CITY / "policies.toml").read_text(encoding="utf-8")
    async with clocking(fresh_database, tmp_path, policies) as world:
        yield world


async def test_a_little_more_time_is_the_districts_to_grant_and_much_more_the_centres(world: Clocking) -> None:
    lead, district, centre = world.key("unit", WATER.code), world.key("supervisor", DISTRICT), world.key("supervisor")
    ticket = await world.ticket()
    little = await world.post(f"tickets/{ticket}/extensions", lead, span="P2D", reason="等零件，电话13912345678")
    assert (little["level"], little["state"], "13912345678" in little["reason"]) == ("district", "asked", False)
    assert await world.refused(f"tickets/{ticket}/extensions", lead, span="P1D", reason="再等") == 409
    granted = await world.post(f"extensions/{little['extension_id']}/grant", district, note="同意")
    assert (granted["state"], await world.due(ticket)) == ("granted", 9 * DAY)
    (told,) = await world.told("clock.extended", of=ticket)
    assert (told.previous_due_at, told.due_at) == (NOON + 7 * DAY, NOON + 9 * DAY)
    assert (told.level, told.seconds, str(told.extension_id)) == ("district", 2 * 86_400, little["extension_id"])
    much = await world.post(f"tickets/{ticket}/extensions", lead, span="P10D", reason="须招标")
    path = f"extensions/{much['extension_id']}/grant"
    assert (much["level"], await world.refused(path, district)) == ("centre", 409)
    await world.post(path, centre)
    assert await world.due(ticket) == 19 * DAY
    assert [one["state"] for one in await world.get(f"tickets/{ticket}/extensions")] == ["granted", "granted"]


async def test_who_neither_leads_nor_stands_above_asks_and_grants_nothing(world: Clocking) -> None:
    ticket = await world.ticket()
    asking = f"tickets/{ticket}/extensions"
    for other in (world.key("unit", ROADS.code), world.key("supervisor", ELSEWHERE)):
        assert await world.refused(asking, other, span="P1D", reason="r") == 403
    wish = await world.post(asking, world.key("unit", WATER.code), span="P1D", reason="r")
    assert await world.refused(f"extensions/{wish['extension_id']}/grant", world.key("supervisor", ELSEWHERE)) == 403
    assert await world.refused(f"extensions/{wish['extension_id']}/grant", world.key("unit", WATER.code)) == 403
    listed = (await world.http.get("/sla/v1/extensions", headers=world.key("supervisor", DISTRICT))).json()["items"]
    assert [one["extension_id"] for one in listed] == [wish["extension_id"]]


async def test_nobody_grants_more_time_to_their_own_unit_and_no_street_does_to_anybody(world: Clocking) -> None:
    ticket = await world.ticket()
    wish = await world.post(f"tickets/{ticket}/extensions", world.key("unit", WATER.code), span="P1D", reason="r")
    path = f"extensions/{wish['extension_id']}/grant"
    for units in ((WATER.code,), (WATER.code, DISTRICT)):
        assert await world.refused(path, world.key("supervisor", *units)) == 403
    below = {**world.here.engine.below, ROADS.code: frozenset({ROADS.code, WATER.code})}
    world.here.engine = replace(world.here.engine, below=below)
    assert await world.refused(path, world.key("supervisor", ROADS.code)) == 403
    assert (await world.post(path, world.key("supervisor", DISTRICT)))["state"] == "granted"


async def test_a_wish_and_what_was_said_of_it_are_seen_by_who_sees_the_clock(world: Clocking) -> None:
    ticket = await world.ticket()
    await world.post(f"tickets/{ticket}/extensions", span="P1D", reason="r")

    async def seen(path: str, key: dict[str, str]) -> int:
        return (await world.http.get(f"/sla/v1/{path}", headers=key)).status_code

    path = f"tickets/{ticket}/extensions"
    assert await seen(path, world.key("unit", ROADS.code)) == 403
    for key in (world.key("unit", WATER.code), world.key("supervisor", DISTRICT), world.key("seat")):
        assert await seen(path, key) == 200
    for key, count in ((world.key("unit", ROADS.code), 0), (world.key("analyst", ROADS.code), 1)):
        assert len((await world.http.get("/sla/v1/extensions", headers=key)).json()["items"]) == count


async def test_a_wish_that_is_refused_moves_nothing_and_another_may_come(world: Clocking) -> None:
    ticket = await world.ticket()
    wish = await world.post(f"tickets/{ticket}/extensions", span="P1D", reason="r")
    refused = await world.post(f"extensions/{wish['extension_id']}/refuse", note="按期办结")
    assert (refused["state"], refused["note"], await world.due(ticket)) == ("refused", "按期办结", 7 * DAY)
    assert await world.refused(f"extensions/{wish['extension_id']}/grant") == 409
    await world.post(f"tickets/{ticket}/extensions", span="P1D", reason="r")


async def test_more_time_takes_a_yellow_light_back_and_is_too_late_at_the_red(world: Clocking) -> None:
    ticket = await world.ticket()
    world.clock.at = NOON + 8 * DAY
    await world.told("clock.breached", clock="completion")
    wish = await world.post(f"tickets/{ticket}/extensions", span="P3D", reason="r")
    await world.post(f"extensions/{wish['extension_id']}/grant")
    clock = (await world.clocks(ticket))["completion"]
    assert (clock["light"], clock["extended_seconds"], await world.due(ticket)) == ("green", 3 * 86_400, 10 * DAY)
    world.clock.at = NOON + 20 * DAY
    await world.told("clock.breached", clock="completion", light="red")
    assert await world.refused(f"tickets/{ticket}/extensions", span="P1D", reason="r") == 409


async def test_more_and_less_than_anybody_may_grant_is_refused(world: Clocking) -> None:
    ticket = await world.ticket()
    asking = f"tickets/{ticket}/extensions"
    assert await world.refused(asking, span="P16D", reason="r") == 409
    assert await world.refused(asking, span="PT1S", reason="r") == 422
    assert await world.refused(asking, span="P1D", reason="") == 422
    assert await world.refused(f"extensions/{world.clock.new_id()}/grant") == 404
    assert await world.refused(f"tickets/{world.clock.new_id()}/extensions", span="P1D", reason="r") == 409


async def test_a_pause_is_for_whom_its_ground_allows_and_no_longer_than_it_allows(world: Clocking) -> None:
    ticket, lead = await world.ticket(), world.key("unit", WATER.code)
    pausing = f"tickets/{ticket}/pause"
    assert await world.refused(pausing, lead, ground="weather") == 403
    assert await world.refused(pausing, world.key("unit", ROADS.code), ground="at_home") == 403
    assert await world.refused(pausing, lead, ground="holiday") == 422
    until = (NOON + 30 * DAY).isoformat()
    clocks = await world.post(pausing, lead, ground="at_home", until=until)
    assert {clock["paused_until"] for clock in clocks} == {"2026-03-04T04:00:00Z"}
    world.clock.at = NOON + 5 * DAY
    resumed = await world.told("clock.resumed", 2, of=ticket)
    assert {one.due_at - one.previous_due_at for one in resumed} == {2 * DAY}
    assert await world.due(ticket) == 9 * DAY


async def test_who_leads_pauses_no_clock_of_its_own_as_a_supervisor_and_on_no_ground_for_ever(world: Clocking) -> None:
    ticket, lead = await world.ticket(), world.key("unit", WATER.code)
    pausing = f"tickets/{ticket}/pause"
    assert await world.refused(pausing, world.key("supervisor", WATER.code), ground="weather") == 403
    await world.post(pausing, world.key("supervisor", DISTRICT), ground="weather")
    await world.post(f"tickets/{ticket}/resume", lead)
    (ground, *_) = await world.get("grounds")
    for _ in range(ground["times"]):
        await world.post(pausing, lead, ground="at_home")
        await world.post(f"tickets/{ticket}/resume", lead)
    assert await world.refused(pausing, lead, ground="at_home") == 409


async def test_paused_and_granted_time_is_kept_when_the_class_changes(world: Clocking) -> None:
    ticket = await world.ticket()
    wish = await world.post(f"tickets/{ticket}/extensions", span="P2D", reason="r")
    await world.post(f"extensions/{wish['extension_id']}/grant")
    await world.post(f"tickets/{ticket}/pause", ground="weather")
    world.clock.at = NOON + 3 * DAY
    await world.post(f"tickets/{ticket}/resume")
    assert await world.due(ticket) == 12 * DAY
    await world.judged_again(ticket, "complex")
    assert await world.due(ticket) == 20 * DAY
    (moved,) = await world.told("clock.started", of=ticket, moved_by="class", clock="completion")
    assert (moved.due_at, moved.previous_due_at) == (NOON + 20 * DAY, NOON + 12 * DAY)
