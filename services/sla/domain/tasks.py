"""The clock of a part of the work that another unit owes: its time is dispatch's, its marks are those of all clocks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from libs.common.contracts.dispatch import HelpRole, TicketAssigned, TicketAssisted, TicketDispatched, TicketRecalled
from libs.common.contracts.envelope import Event
from libs.common.contracts.sla import TaskBreached, TaskMet, TaskStarted, TaskStopped, TaskWarned
from libs.common.contracts.vocabulary import Light, UnitRef
from services.sla.domain.clocks import LATE
from services.sla.domain.policy import Book, Mark

DONE = {"done", "arrived"}


@dataclass(frozen=True, slots=True)
class TaskClock:
    """One part's clock. `part` is dispatch's id of it, or the code of a unit that ticket.dispatched named.

    `due_at` is dispatch's word, by the times the city gives to helpers, and moves with no clock of the lead.
    """

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
Told = TicketDispatched | TicketAssigned | TicketAssisted | TicketRecalled
"""What dispatch says of parts, in its own order."""


def heard(ticket_id: UUID, tasks: Sequence[TaskClock], event: Told) -> list[TaskStep]:
    """Return the parts' clocks that change by what dispatch says. What was owed in a round before is owed no more."""
    owed = [task for task in tasks if task.state == "running"]
    if isinstance(event, TicketRecalled):
        return [_stop(task, "recalled") for task in owed if task.round <= event.round]
    steps = [_stop(task, "over") for task in owed if task.round < event.round]
    if isinstance(event, TicketDispatched):
        return steps + _named(ticket_id, tasks, event)
    step = _assigned(ticket_id, tasks, event) if isinstance(event, TicketAssigned) else _took(ticket_id, tasks, event)
    return [*steps, step] if step else steps


def closed(tasks: Iterable[TaskClock], round_: int) -> list[TaskStep]:
    """Return the parts' clocks that stop because feedback closed this round."""
    return [_stop(task, "over") for task in tasks if task.state == "running" and task.round <= round_]


def _named(ticket_id: UUID, tasks: Sequence[TaskClock], event: TicketDispatched) -> list[TaskStep]:
    """Begin the clocks of the co-handlers an order is handed over with, of those that have none in this round."""
    if event.help_due_at is None:
        return []
    timed = {task.unit_code for task in tasks if task.round == event.round and task.state != "stopped"}
    return [
        _begin(TaskClock(
            ticket_id, event.round, unit.code, "co_handler", unit.code, unit.name, "running", event.at,
            event.help_due_at,
        ))
        for unit in event.co_handlers if unit.code not in timed
    ]  # fmt: skip


def _assigned(ticket_id: UUID, tasks: Sequence[TaskClock], event: TicketAssigned) -> TaskStep | None:
    """Begin the clock of a part, or have it due sooner; None if nobody said until when, or no sooner than was known."""
    if event.task_id is None or event.due_at is None:
        return None
    known = _meant([task for task in tasks if task.task_id or task.state == "running"], event)
    if known is None:
        return _begin(_of(ticket_id, event, event.task_id, event.due_at))
    if known.state != "running" or event.due_at >= known.due_at:
        return None
    task = replace(known, task_id=event.task_id, due_at=event.due_at)
    return task, [TaskStarted(**_told(task), previous_due_at=known.due_at)]


def _meant(tasks: Sequence[TaskClock], event: TicketAssigned | TicketAssisted) -> TaskClock | None:
    """Return the clock of a part: by its id, or that of the co-handler whose id nobody had said yet."""
    mine = (task for task in tasks if task.task_id == event.task_id)
    place = (event.round, event.role, event.unit.code)
    unnamed = (task for task in tasks if task.task_id is None and (task.round, task.role, task.part) == place)
    return next(mine, None) or next(unnamed, None)


def _took(ticket_id: UUID, tasks: Sequence[TaskClock], event: TicketAssisted) -> TaskStep:
    """Follow a step of the unit that owes the part. A clock that was not heard of begins with it."""
    found = _meant(tasks, event)
    said: list[Event] = []
    if found is None:
        found, said = _begin(_of(ticket_id, event, event.task_id, event.due_at))
    task = replace(found, task_id=event.task_id)
    if event.state in DONE and task.state != "met":
        # What was done before the round was closed was done, whichever of the two was heard first.
        task = replace(task, state="met", met_at=event.at)
        return task, [*said, TaskMet(**_told(task), met_at=event.at, in_time=event.at <= task.due_at)]
    if task.state == "running" and (event.state == "relieved" or event.state == "recalled"):  # noqa: PLR1714 for mypy
        task, stopped = _stop(task, event.state)
        said += stopped
    return task, said


def _of(ticket_id: UUID, event: TicketAssigned | TicketAssisted, task_id: UUID, due_at: datetime) -> TaskClock:
    unit = event.unit
    return TaskClock(
        ticket_id, event.round, str(task_id), event.role, unit.code, unit.name, "running", event.at, due_at, task_id
    )


def _begin(task: TaskClock) -> TaskStep:
    return task, [TaskStarted(**_told(task))]


def _stop(task: TaskClock, reason: Literal["relieved", "recalled", "over"]) -> TaskStep:
    return replace(task, state="stopped"), [TaskStopped(**_told(task), reason=reason)]


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
