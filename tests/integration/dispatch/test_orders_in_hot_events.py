"""Orders that are part of a hot event show it, whichever was heard of first."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.common.contracts.classify import HotspotCooled, HotspotRaised, HotspotUpdated
from tests.support.orders import HEATING, RECEIVED, World, orders_world
from tests.support.stages import NOON

HOT: dict[str, Any] = {
    "code": "heating-01-01", "category": ("供热采暖", "供热质量", ""), "district": "110105", "count": 12,
    "first_at": NOON - timedelta(minutes=30), "last_at": NOON, "title": "望京街道 暖气不热",
}  # fmt: skip


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with orders_world(fresh_database, tmp_path) as world:
        yield world


async def shown(world: World) -> list[tuple[str, str, bool, int]]:
    events = (await world.see()).json()["hot_events"]
    return [(one["title"], one["risk"], one["hot"], one["tickets"]) for one in events]


@pytest.mark.parametrize("first", ["order", "event"])
async def test_an_order_shows_the_hot_event_it_is_part_of(world: World, first: str) -> None:
    event = world.clock.new_id()
    if first == "event":
        await world.peer.say(event, HotspotRaised(**HOT))
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    if first == "order":
        await world.peer.say(event, HotspotRaised(**HOT))
    assert await shown(world) == [("望京街道 暖气不热", "low", True, 12)]
    await world.peer.say(event, HotspotUpdated(**HOT | {"count": 40, "risk": "high"}))
    assert await shown(world) == [("望京街道 暖气不热", "high", True, 40)]
    (listed,) = (await world.http.get("/dispatch/v1/orders")).json()["items"]
    assert [one["hotspot_id"] for one in listed["hot_events"]] == [str(event)]
    await world.peer.say(event, HotspotCooled(**HOT | {"count": 44, "last_at": NOON + timedelta(hours=1)}))
    (listed,) = (await world.http.get("/dispatch/v1/orders")).json()["items"]
    assert listed["hot_events"] == []
    assert await shown(world) == [("望京街道 暖气不热", "low", False, 44)]


@pytest.mark.parametrize(
    "other",
    [
        {"category": ("供水排水", "", "")}, {"district": "110106"}, {"street": "s-110105001"}, {"word": "琉璃瓦"},
        {"first_at": NOON + timedelta(hours=1)},
    ],
)  # fmt: skip
async def test_another_matter_place_word_or_time_is_another_event(world: World, other: dict[str, Any]) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    await world.peer.say(world.clock.new_id(), HotspotRaised(**HOT | other))
    assert await shown(world) == []


async def test_stale_news_of_a_hot_event_is_dropped(world: World) -> None:
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    event = world.clock.new_id()
    late = world.peer.message(event, HotspotUpdated(**HOT | {"count": 40}), sequence=1)
    await world.peer.say(event, HotspotCooled(**HOT | {"count": 41}))
    await world.peer._bus.publish([late])
    assert [tickets for *_, tickets in await shown(world)] == [41]
