"""The clock of a part of the work that another unit owes: its time is dispatch's, its marks are those of all clocks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from libs.common.contracts.dispatch import HelpRole, TicketAssigned, TicketAssisted, TicketDispatched
from libs.common.contracts.envelope import Event
from libs.common.contracts.sla import TaskBreached, TaskMet, TaskStarted, TaskStopped, TaskWarned
from libs.common.contracts.vocabulary import Light, UnitRef
from services.sla.domain.clocks import LATE
from services.sla.domain.policy import Book, Mark

DONE = {"done", "arrived"}


@dataclass(frozen=True, slots=True)
class TaskClock:
    """One part's clock. `part` is dispatch's id of it, or the code of a unit that ticket.dispatched named."""

    ticket_id: UUID
    round: int
    part: str
    role: HelpRole
    unit_code: str
    unit_name: str
    state: Literal["running", "met", "stopped"]
    started_at: datetime
    due_at: datetime
    task_id: UUID | None = None
    fired: int = 0
    light: Light = "green"
    met_at: datetime | None = None

    @property
    def unit(self) -> UnitRef:
        """Who owes the part."""
        return UnitRef(code=self.unit_code, name=self.unit_name)

    def reaches(self, mark: Mark) -> datetime:
        """Return when a mark takes effect."""
        return self.started_at + mark.at * (self.due_at - self.started_at)


TaskStep = tuple[TaskClock, list[Event]]


def named(ticket_id: UUID, event: TicketDispatched) -> list[TaskClock]:
    """Return the clocks of the co-handlers that an order was handed over with."""
    if event.help_due_at is None:
        return []
    return [
        TaskClock(
            ticket_id, event.round, unit.code, "co_handler", unit.code, unit.name, "running", event.at,
            event.help_due_at,
        )
        for unit in event.co_handlers
    ]  # fmt: skip


def assigned(ticket_id: UUID, event: TicketAssigned) -> TaskStep | None:
    """Return the clock of a part that was given to a unit; None if nobody said until when."""
    if event.task_id is None or event.due_at is None:
        return None
    clock = _of(ticket_id, event, event.task_id, event.due_at)
    return clock, [TaskStarted(**_told(clock))]


def assisted(ticket_id: UUID, clocks: Sequence[TaskClock], event: TicketAssisted) -> TaskStep:
    """Return the clock of a part after a step of its unit. One that was not heard of begins with it."""
    mine = (clock for clock in clocks if clock.task_id == event.task_id)
    unnamed = (c for c in clocks if c.task_id is None and (c.round, c.part) == (event.round, event.unit.code))
    found = next(mine, None) or next(unnamed, None) or _of(ticket_id, event, event.task_id, event.due_at)
    clock = replace(found, task_id=event.task_id)
    if clock.state != "running":
        return clock, []
    if event.state in DONE:
        clock = replace(clock, state="met", met_at=event.at)
        return clock, [TaskMet(**_told(clock), met_at=event.at, in_time=event.at <= clock.due_at)]
    if event.state == "relieved" or event.state == "recalled":  # noqa: PLR1714 mypy follows these words, not a set
        clock = replace(clock, state="stopped")
        return clock, [TaskStopped(**_told(clock), reason=event.state)]
    return clock, []


def _of(ticket_id: UUID, event: TicketAssigned | TicketAssisted, task_id: UUID, due_at: datetime) -> TaskClock:
    unit = event.unit
    return TaskClock(
        ticket_id, event.round, str(task_id), event.role, unit.code, unit.name, "running", event.at, due_at, task_id
    )


def fire(clock: TaskClock, book: Book, now: datetime) -> TaskStep:
    """Let every mark that was reached take effect, once. What a helper owes comes under no supervision of its own."""
    marks = book.marks["response"]
    if clock.state != "running":
        return clock, []
    reached = clock.fired
    while reached < len(marks) and clock.reaches(marks[reached]) <= now:
        reached += 1
    events = [_effect(clock, mark, now) for mark in marks[clock.fired : reached]]
    return replace(clock, fired=reached, light=book.light("response", reached)), events


def next_mark(clocks: Iterable[TaskClock], book: Book) -> datetime | None:
    """Return when the next mark of any of these takes effect."""
    marks = book.marks["response"]
    times = [c.reaches(marks[c.fired]) for c in clocks if c.state == "running" and c.fired < len(marks)]
    return min(times, default=None)


def _effect(clock: TaskClock, mark: Mark, now: datetime) -> Event:
    late = now - clock.reaches(mark) > LATE
    if mark.kind == "warn":
        return TaskWarned(**_told(clock), grade=mark.grade, late=late)
    return TaskBreached(**_told(clock), light=mark.light, late=late)


def _told(clock: TaskClock) -> dict[str, Any]:
    return {
        "role": clock.role, "unit": clock.unit, "round": clock.round, "started_at": clock.started_at,
        "due_at": clock.due_at, "task_id": clock.task_id,
    }  # fmt: skip
