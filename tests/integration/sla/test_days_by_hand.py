"""Days that people set: clocks that count working time are counted anew, and say so."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from operator import not_
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.common.contracts.dispatch import TicketResolved
from tests.support.clocking import DISTRICT, WATER, Clocking, clocking
from tests.support.stages import NOON, ManualClock
from tests.support.waiting import until

WORKING = '[[rule]]\nid = "work"\nresponse = "P1D"\ncompletion = "P3D"\ncount = "working"\n'
DAY = timedelta(days=1)


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[Clocking]:
    async with clocking(fresh_database, tmp_path, WORKING) as world:
        yield world


async def put(world: Clocking, day: str, hours: list[str], reason: str = "大雪") -> Any:
    return await world.http.put(f"/sla/v1/calendar/{day}", json={"hours": hours, "reason": reason})


async def moved(world: Clocking, ticket: UUID, due: timedelta) -> None:
    """Wait until the completion clock is due so long after noon."""
    await until(lambda: world.due(ticket), lambda found: found == due)


async def test_a_day_of_snow_moves_what_counts_working_time_and_back_when_it_is_taken_back(world: Clocking) -> None:
    ticket = await world.ticket()
    assert await world.due(ticket) == 3 * DAY
    assert (await put(world, "2026-03-04", [])).status_code == 200
    await moved(world, ticket, 4 * DAY)
    (told,) = await world.told("clock.started", of=ticket, moved_by="calendar")
    assert (told.clock, told.previous_due_at, told.due_at) == ("completion", NOON + 3 * DAY, NOON + 4 * DAY)
    await world.http.delete("/sla/v1/calendar/2026-03-04", params={"reason": "雪停了"})
    await moved(world, ticket, 3 * DAY)
    entries = await world.get("calendar/entries")
    assert [(entry["hours"], entry["reason"]) for entry in entries] == [(None, "雪停了"), ([], "大雪")]


async def test_a_short_day_and_a_day_off_that_is_worked_count_to_the_hour(world: Clocking) -> None:
    ticket = await world.ticket()
    await put(world, "2026-03-03", ["09:00-12:00"], "节前半天")
    await moved(world, ticket, 3 * DAY + timedelta(hours=6))
    await put(world, "2026-03-02", ["09:00-24:00"], "连夜")
    await moved(world, ticket, 3 * DAY)
    (today,) = await world.get("calendar", **{"from": "2026-03-02", "days": 1})
    assert (today["hours"], today["provisional"]) == (["09:00-24:00"], False)


async def test_an_elderly_caller_waits_no_longer_than_a_day_when_offices_close(world: Clocking) -> None:
    ticket = await world.ticket(access_needs=("elderly",))
    assert await world.due(ticket, "response") == DAY
    await put(world, "2026-03-03", [])
    await until(lambda: world.due(ticket), lambda found: found == 4 * DAY)
    assert await world.due(ticket, "response") == DAY


async def test_a_day_off_that_was_set_is_one_for_those_who_are_told_as_well(world: Clocking) -> None:
    async def works() -> bool:
        return world.here.engine.telling.works_on(date(2026, 3, 4))

    assert await works()
    await put(world, "2026-03-04", [])
    await until(works, not_)


async def test_the_days_of_the_whole_city_are_not_for_a_key_of_some_units(world: Clocking) -> None:
    for key, status in ((world.key("supervisor", DISTRICT), 403), (world.key("supervisor"), 200)):
        said = {"hours": [], "reason": "大雪"}
        answer = await world.http.put("/sla/v1/calendar/2026-03-04", json=said, headers=key)
        again = await world.http.delete("/sla/v1/calendar/2026-03-04", params={"reason": "雪停了"}, headers=key)
        assert (answer.status_code, again.status_code) == (status, status)


async def test_what_ended_keeps_the_time_it_had(world: Clocking) -> None:
    ended, running = await world.ticket(), await world.ticket()
    await world.peer.say(ended, TicketResolved(unit=WATER, reply="修好了", round=1, at=NOON, contacted=True))
    await put(world, "2026-03-04", [])
    await moved(world, running, 4 * DAY)
    assert await world.due(ended) == 3 * DAY


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-04", ["9-12"]), ("2026-03-04", ["12:00-09:00"]), ("2026-03-04", ["09:00-12:00", "11:00-13:00"]),
     ("1026-03-04", []), ("soon", [])],
)  # fmt: skip
async def test_a_day_or_hours_that_cannot_be_are_refused(world: Clocking, day: str, hours: list[str]) -> None:
    assert (await put(world, day, hours)).status_code == 422


async def test_a_year_nobody_has_named_yet_is_said_to_be_a_guess_on_its_days_and_on_the_clock(
    fresh_database: str, tmp_path: Path
) -> None:
    clock = ManualClock(datetime.fromisoformat("2026-12-31T16:00+08:00"))
    async with clocking(fresh_database, tmp_path, WORKING, clock) as world:
        ticket = await world.ticket()
        clocks = await world.clocks(ticket)
        assert {name: found["provisional"] for name, found in clocks.items()} == {"response": True, "completion": True}
        days = await world.get("calendar", **{"from": "2026-12-31", "days": 2})
        assert [(day["provisional"], day["hours"]) for day in days] == [(False, ["09:00-18:00"]), (True, [])]
        started = await world.probe.named("clock.started", subject=ticket)
        assert {event.data.provisional for event in started} == {True}
