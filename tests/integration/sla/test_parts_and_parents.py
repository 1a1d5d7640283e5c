"""What others owe is timed of its own; what joins another ticket is timed there; an outage loses no mark."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.common.contracts.dispatch import TicketAssigned, TicketAssisted, TicketDispatched, TicketRecalled
from libs.common.contracts.feedback import TicketClosed
from libs.common.contracts.intake import TicketLinked, TicketReceived, TicketWithdrawn
from tests.support.clocking import ROADS, WATER, Clocking, clocking
from tests.support.stages import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[Clocking]:
    async with clocking(fresh_database, tmp_path) as world:
        yield world


def handed(world: Clocking, round_: int = 1) -> TicketDispatched:
    """Return a hand-over with a co-handler who has ten hours."""
    return TicketDispatched(
        unit=WATER, co_handlers=(ROADS,), rule="r", why=("w",), round=round_, at=world.clock.at,
        help_due_at=world.clock.at + 10 * HOUR,
    )  # fmt: skip


def parts(world: Clocking, ticket: UUID) -> list[str]:
    """Return what was told of what others owe, in order."""
    return [e.data.name for e in world.probe.seen if e.ticket == ticket and e.data.name.startswith("task.")]


async def test_a_co_handler_is_warned_and_breaches_by_its_own_clock_and_meets_it_late(world: Clocking) -> None:
    ticket, part = await world.ticket(unit=None), world.clock.new_id()
    await world.peer.say(ticket, handed(world))
    for grade, hours in enumerate((5, 8, 9.5), 1):
        world.clock.at = NOON + hours * HOUR
        await world.told("task.warned", of=ticket, grade=grade, late=False)
    world.clock.at = NOON + 10 * HOUR
    await world.told("task.breached", of=ticket, light="yellow")
    done: dict[str, Any] = {"role": "co_handler", "unit": ROADS, "state": "done", "due_at": NOON + 10 * HOUR}
    await world.peer.say(ticket, TicketAssisted(task_id=part, round=1, at=NOON + 11 * HOUR, **done))
    (met,) = await world.told("task.met", of=ticket)
    assert (met.task_id, met.in_time, met.unit) == (part, False, ROADS)
    assert parts(world, ticket) == [
        "task.started", "task.warned", "task.warned", "task.warned", "task.breached", "task.met",
    ]  # fmt: skip
    assert {clock["light"] for clock in (await world.clocks(ticket)).values()} == {"green"}
    (seen,) = await world.get(f"tickets/{ticket}/tasks")
    assert (seen["task_id"], seen["state"], seen["light"], seen["unit"]["code"]) == (
        str(part), "met", "yellow", ROADS.code,
    )  # fmt: skip


async def test_a_whistle_and_a_sub_task_end_with_the_order_and_are_not_warned_of(world: Clocking) -> None:
    ticket = await world.ticket()
    for role in ("whistle", "sub_task"):
        asked: dict[str, Any] = {"unit": ROADS, "task": "t", "round": 1, "at": NOON, "due_at": NOON + HOUR}
        await world.peer.say(ticket, TicketAssigned(role=role, task_id=world.clock.new_id(), **asked))
    await world.peer.say(ticket, TicketRecalled(unit=WATER, reason="withdrawn", round=1, at=NOON))
    world.clock.advance(days=1)
    await world.told("clock.breached", of=ticket)
    assert sorted(parts(world, ticket)) == ["task.started"] * 2 + ["task.stopped"] * 2


async def test_a_hand_over_that_is_heard_of_after_the_round_was_closed_times_nobody(world: Clocking) -> None:
    ticket, other = await world.ticket(unit=None), await world.ticket()
    await world.peer.say(ticket, TicketClosed(outcome="solved", round=1, at=NOON))
    await world.peer.say(ticket, handed(world))
    world.clock.advance(hours=20)
    await world.told("clock.warned", of=other)
    assert parts(world, ticket) == ["task.started", "task.stopped"]


async def test_a_ticket_that_joins_another_brings_its_earlier_time_and_takes_it_away_again(world: Clocking) -> None:
    child, said = world.clock.new_id(), world.receipt()
    world.clock.at = NOON + DAY
    parent = await world.ticket()
    await world.peer.say(child, TicketReceived(**said.model_dump()))
    await world.peer.say(child, TicketLinked(**said.model_dump(), parent=parent, reason="同一件事"))
    moved = await world.told("clock.started", 2, of=parent, moved_by="link")
    assert {one.due_at - one.previous_due_at for one in moved} == {-DAY}
    assert await world.due(parent) == 7 * DAY
    assert {clock["state"] for clock in (await world.clocks(child)).values()} == {"stopped"}
    await world.peer.say(child, TicketReceived(**said.model_dump()))
    await world.told("clock.started", 4, of=parent, moved_by="link")
    assert await world.due(parent) == 8 * DAY
    assert {clock["state"] for clock in (await world.clocks(child)).values()} == {"running"}


async def test_a_withdrawal_stops_the_clocks_with_what_they_were_due_at(world: Clocking) -> None:
    ticket = await world.ticket()
    await world.peer.say(ticket, TicketWithdrawn(at=NOON))
    stopped = await world.told("clock.stopped", 2, of=ticket, reason="withdrawn")
    assert {one.clock: one.due_at - NOON for one in stopped} == {"response": DAY, "completion": 7 * DAY}


async def test_after_an_outage_all_that_was_missed_fires_in_due_order_and_says_it_is_late(world: Clocking) -> None:
    first = await world.ticket()
    world.clock.advance(hours=1)
    second = await world.ticket()
    world.clock.at = NOON + 14 * HOUR
    await world.told("clock.warned", 2)
    warned = [e for e in world.probe.seen if e.data.name == "clock.warned"]
    assert [(e.ticket, e.data.grade, e.data.late) for e in warned] == [(first, 1, True), (second, 1, True)]
