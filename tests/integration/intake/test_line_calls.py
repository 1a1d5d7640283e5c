"""Call records over HTTP: counted once, measured by line and period, told as events."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.messaging.memory import MemoryBus
from services.intake.service import SERVICE
from tests.support.stages import ManualClock, Probe, client, probing, running, settings_for

NOON = "2026-03-02T12:00:00+08:00"


class World:
    """The service under test and all around it."""

    def __init__(self, http: httpx.AsyncClient, probe: Probe, clock: ManualClock) -> None:
        self.http, self.probe, self.clock = http, probe, clock

    async def post(self, *calls: dict[str, Any], key: str | None = None) -> httpx.Response:
        """Post call records."""
        full = [{"line": "12345", "offered_at": NOON, "answered": True, "wait_seconds": 4} | call for call in calls]
        headers = {"Idempotency-Key": key} if key else {}
        return await self.http.post("/intake/v1/calls", json={"calls": full}, headers=headers)

    async def line(self, name: str = "12345", period: str = "2026-03-02") -> dict[str, Any]:
        """Return what a line was worth."""
        seen = (await self.http.get("/intake/v1/lines", params={"period": period})).json()
        return next(line for line in seen["lines"] if line["line"] == name)


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    async with (
        probing(bus, "jiesu.intake.v1") as probe,
        running(SERVICE, settings, bus, clock) as stage,
        client([stage], (tmp_path / "key").read_text()) as http,
    ):
        yield World(http, probe, clock)


async def test_calls_are_counted_by_line_and_test_calls_apart(world: World) -> None:
    answer = await world.post(
        {}, {"wait_seconds": 20}, {"answered": False, "abandoned": True}, {"test_call": True}, {"line": "12315"}
    )
    assert (answer.status_code, answer.json()) == (202, {"recorded": 5, "repeated": 0})
    line = await world.line()
    assert (line["offered"], line["answered"], line["tests"], line["answered_in_time_rate"]) == (3, 2, 1, 1 / 3)
    assert (await world.line("12315", "2026-03"))["connection_rate"] == 1.0


async def test_test_calls_tell_how_clearly_policies_are_explained(world: World) -> None:
    tests = [{"test_call": True, "explained": clear} for clear in (True, True, False, None)]
    assert (await world.post({}, *tests)).status_code == 202
    line = await world.line()
    assert (line["tests"], line["tests_judged"], line["explained_rate"]) == (4, 3, 2 / 3)
    seen = await world.probe.until(lambda seen: sum(e.data.name == "call.recorded" for e in seen) == 5)
    assert [e.data.explained for e in seen if e.data.name == "call.recorded"] == [None, True, True, False, None]
    world.clock.advance(hours=13)
    (day,) = await world.probe.named("line.measured")
    assert day.data.explained_rate == 2 / 3


async def test_a_call_with_an_id_and_a_post_with_a_key_count_once(world: World) -> None:
    await world.post({"call_id": "c1"}, {"call_id": "c1"}, {"call_id": "c2"})
    again = await world.post({"call_id": "c2"}, {"call_id": "c3"})
    assert again.json() == {"recorded": 1, "repeated": 1}
    await world.post({}, {}, key="k1")
    assert (await world.post({}, {}, key="k1")).json() == {"recorded": 0, "repeated": 2}
    assert (await world.line())["offered"] == 5


async def test_each_call_is_told_and_a_day_is_measured_when_it_is_over_and_again_after_a_late_record(
    world: World,
) -> None:
    await world.post({}, {"answered": False, "abandoned": True})
    await world.probe.until(lambda seen: sum(e.data.name == "call.recorded" for e in seen) == 2)
    world.clock.advance(hours=13)
    (day,) = await world.probe.named("line.measured")
    assert (day.subject, day.data.period, day.data.connection_rate) == ("line:12345:2026-03-02", "2026-03-02", 0.5)
    await world.post({})
    world.clock.advance(hours=1)
    seen = await world.probe.until(lambda seen: sum(e.data.name == "line.measured" for e in seen) == 2)
    assert [e.data.offered for e in seen if e.data.name == "line.measured"] == [2, 3]


async def test_a_line_that_answers_nothing_is_shown_as_dead(world: World) -> None:
    await world.post({"line": "96000", "answered": False, "test_call": True, "wait_seconds": 60})
    assert (await world.line("96000"))["dead"]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        ({"wait_seconds": -1}, "calls.0.wait_seconds"),
        ({"wait_seconds": "inf"}, "calls.0.wait_seconds"),
        ({"abandoned": True}, "calls.0"),
        ({"offered_at": "2026-03-02T14:00:00+08:00"}, "calls.0.offered_at"),
        ({"offered_at": "2026-03-02T12:00:00"}, "calls.0.offered_at"),
        ({"line": "a:b"}, "calls.0.line"),
        ({"seat": "7"}, "calls.0.seat"),
        ({"explained": True}, "calls.0.explained"),
        ({"explained": False, "test_call": True, "answered": False}, "calls.0.explained"),
        ({"explained": "perhaps", "test_call": True}, "calls.0.explained"),
    ],
)
async def test_a_record_that_cannot_be_names_its_field_and_nothing_is_kept(
    world: World, call: dict[str, Any], field: str
) -> None:
    answer = await world.post(call, {})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert (await world.http.get("/intake/v1/lines", params={"period": "2026"})).json()["all"]["offered"] == 0


async def test_what_is_no_period_is_told_so(world: World) -> None:
    answer = await world.http.get("/intake/v1/lines", params={"period": "March"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "period")


async def test_a_call_of_the_first_instant_that_may_be_written_is_counted(world: World) -> None:
    answer = await world.post({"offered_at": "1900-01-01T00:00:00+14:00"})
    assert (answer.status_code, answer.json()["recorded"]) == (202, 1)
    assert (await world.line(period="1899-12-31"))["offered"] == 1


@pytest.mark.parametrize(
    "line", ["13800138000", "+8613800138000", "138-0013-8000", "12345-13800138000", "010-62345678"]
)
async def test_a_number_that_a_person_has_is_no_line_and_the_field_is_named(world: World, line: str) -> None:
    answer = await world.post({}, {"line": line})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "calls.1.line")
    assert line not in answer.text
    assert (await world.http.get("/intake/v1/lines", params={"period": "2026-03-02"})).json()["lines"] == []


@pytest.mark.parametrize("line", ["12345", "010-12345", "12345-web", "96391", "0311-12345", "chaoyang_hotline"])
async def test_a_line_is_named_as_cities_do(world: World, line: str) -> None:
    assert (await world.post({"line": line})).status_code == 202
