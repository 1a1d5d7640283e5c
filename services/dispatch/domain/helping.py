"""Parts of the work that other units owe on a ticket: co-handlers 协办, sub-tasks 子任务, whistles 吹哨报到.

What may be done to a task, by whom, and what comes of it is the table TASKS. `kept_up` may be asked at any time: it
brings the tasks of an order to where the order is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from libs.common.contracts.dispatch import HelpRole, HelpState, ReliefGround, TicketAssigned, TicketAssisted
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import UnitRef, Urgency
from services.dispatch.domain.orders import Order
from services.dispatch.domain.working import NotPossibleError

TaskState = Literal["assigned", "accepted", "arrived", "done", "relieved", "recalled"]
TaskCommand = Literal["accept", "arrive", "finish", "ask_relief", "rule", "drop"]
TaskActor = Literal["helper", "lead", "supervisor", "centre"]
OWED: frozenset[TaskState] = frozenset({"assigned", "accepted", "arrived"})
AT_WORK: frozenset[TaskState] = frozenset({"accepted", "arrived", "done"})
"""Of a unit that took its part on itself."""
WHISTLERS = frozenset({"street", "town"})
WHISTLED = frozenset({"department", "company"})
"""Who whistles for whom: 街乡吹哨、部门报到, as Beijing practises it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long helpers have: to turn up to a whistle, by class of urgency, and for their part of an order."""

    whistle: Mapping[Urgency, timedelta]
    part: Mapping[Urgency, timedelta]

    def until(self, role: HelpRole, urgency: Urgency, now: datetime) -> datetime:
        """Return when what is asked now is due."""
        return now + (self.whistle if role == "whistle" else self.part)[urgency]


@dataclass(frozen=True, slots=True)
class Task:
    """A part of the work that `unit` owes in one round of an order.

    `named`: the route named the unit; else the lead asked it. `due_at` is when it must be done, or of a whistle when
    someone must be on the spot. `contact` is an office or a staff name that is reached about it. `relief_ground` is
    there while the unit has asked to be relieved and nobody has ruled.
    """

    ticket_id: UUID
    task_id: UUID
    round: int
    role: HelpRole
    state: TaskState
    unit_code: str
    unit_name: str
    named: bool
    assigned_at: datetime
    due_at: datetime
    asked: str | None = None
    contact: str | None = None
    accepted_at: datetime | None = None
    turned_up_at: datetime | None = None
    ended_at: datetime | None = None
    note: str | None = None
    relief_ground: ReliefGround | None = None
    relief_note: str | None = None

    @property
    def unit(self) -> UnitRef:
        """Who owes it."""
        return UnitRef(code=self.unit_code, name=self.unit_name)

    @property
    def owed(self) -> bool:
        """Whether it is still to be done."""
        return self.state in OWED

    @property
    def without_words(self) -> "Task":
        """The task without what anybody wrote."""
        return replace(self, asked=None, note=None, relief_note=None)


TaskStep = tuple[Task, list[Event]]


@dataclass(frozen=True, slots=True)
class TaskWay:
    """One row of the table: on tasks of which roles, in which states, by whom, to which state; None leaves it."""

    roles: tuple[HelpRole, ...]
    sources: tuple[TaskState, ...]
    by: tuple[TaskActor, ...]
    to: TaskState | None


_ANY: tuple[HelpRole, ...] = ("co_handler", "sub_task", "whistle")
_OPEN: tuple[TaskState, ...] = ("assigned", "accepted", "arrived")
TASKS: Mapping[TaskCommand, TaskWay] = MappingProxyType(
    {
        "accept": TaskWay(("co_handler", "sub_task"), ("assigned",), ("helper", "supervisor"), "accepted"),
        "arrive": TaskWay(("whistle",), ("assigned",), ("helper", "supervisor"), "arrived"),
        "finish": TaskWay(_ANY, ("accepted", "arrived"), ("helper", "supervisor"), "done"),
        "ask_relief": TaskWay(_ANY, _OPEN, ("helper",), None),
        "rule": TaskWay(_ANY, _OPEN, ("centre",), None),
        "drop": TaskWay(("sub_task", "whistle"), _OPEN, ("lead", "supervisor"), "recalled"),
    }
)


def take_part(task: Task, contact: str | None, now: datetime) -> TaskStep:
    """Take a part of the work on oneself, and name who is reached about it."""
    task = replace(_enter(task, "accept"), accepted_at=now, contact=contact or task.contact)
    return task, [_assisted(task, "accepted", now)]


def turn_up(task: Task, contact: str | None, now: datetime) -> TaskStep:
    """Say that someone came to the spot the whistle called to 报到."""
    task = replace(_enter(task, "arrive"), accepted_at=now, turned_up_at=now, contact=contact or task.contact)
    return task, [_assisted(task, "arrived", now)]


def finish(task: Task, note: str, now: datetime) -> TaskStep:
    """Say that a part is done, and what was done. A request to be relieved of it is void then."""
    task = replace(_enter(task, "finish"), ended_at=now, note=note, relief_ground=None, relief_note=None)
    return task, [_assisted(task, "done", now, note)]


def ask_relief(task: Task, ground: ReliefGround, note: str, now: datetime) -> TaskStep:
    """Ask the centre to be relieved. Until it rules the part is owed: a helper may not push it back."""
    task = _enter(task, "ask_relief")
    if task.relief_ground:
        raise NotPossibleError("this was asked already; the centre has not ruled yet")
    task = replace(task, relief_ground=ground, relief_note=note)
    return task, [_assisted(task, "relief_asked", now, note, ground)]


def rule_on_relief(task: Task, note: str, now: datetime, *, upheld: bool) -> TaskStep:
    """Rule on what a helper asked: relieved, or it goes on."""
    task = _enter(task, "rule")
    ground = task.relief_ground
    if ground is None:
        raise NotPossibleError("the unit has not asked to be relieved")
    task = replace(task, relief_ground=None, relief_note=None)
    if upheld:
        task = replace(task, state="relieved", ended_at=now, note=note)
    return task, [_assisted(task, "relieved" if upheld else "relief_refused", now, note, ground)]


def drop(task: Task, note: str | None, now: datetime) -> TaskStep:
    """Take a task back from the unit that owes it."""
    task = replace(_enter(task, "drop"), ended_at=now, note=note)
    return task, [_assisted(task, "recalled", now, note)]


def _enter(task: Task, command: TaskCommand) -> Task:
    way = TASKS[command]
    if task.role not in way.roles:
        raise NotPossibleError(f"to {command} the task must be {_or(way.roles)}, and it is {task.role}")
    if task.state not in way.sources:
        raise NotPossibleError(f"the task is {task.state}; to {command} it must be {_or(way.sources)}")
    return replace(task, state=way.to or task.state)


def _or(words: Iterable[str]) -> str:
    return " or ".join(words)


def assign(order: Order, tasks: Sequence[Task], task: Task) -> TaskStep:
    """Draw another unit in. Raises NotPossibleError where nobody works, or the unit leads or does it already."""
    if order.state not in {"dispatched", "accepted", "in_progress"}:
        raise NotPossibleError(f"the order is {order.state}; tasks are given while its lead works on it")
    if task.unit_code == order.unit_code:
        raise NotPossibleError("this unit leads the order: all of it is its own already")
    twins = [t for t in tasks if t.owed and (t.unit_code, t.role) == (task.unit_code, task.role)]
    if twins and task.role != "sub_task":
        raise NotPossibleError(f"the unit has this order as {task.role} already")
    return task, [assigned(task)]


def assigned(task: Task) -> TicketAssigned:
    """Return what is told of a new task."""
    return TicketAssigned(
        role=task.role, unit=task.unit, task=task.asked, round=task.round, at=task.assigned_at,
        task_id=task.task_id, due_at=task.due_at, contact=task.contact,
    )  # fmt: skip


def helpers(tasks: Iterable[Task]) -> frozenset[str]:
    """Return the units that an order shows its part to: those that owe one or have done theirs."""
    return frozenset(task.unit_code for task in tasks if task.owed or task.state == "done")


def at_work(tasks: Iterable[Task], round_: int) -> tuple[str, ...]:
    """Return the units that took a part of this round on themselves, by code."""
    return tuple(sorted({task.unit_code for task in tasks if task.state in AT_WORK and task.round == round_}))


def kept_up(
    order: Order, tasks: Sequence[Task], new: Callable[[UnitRef], Task], now: datetime, *, told: bool
) -> tuple[list[Task], list[Event]]:
    """Return the tasks that change when an order goes where it is now, and what is told of them.

    What is owed ends with the order's end or round, and where the unit leads by now; a unit that only the route named,
    with a route that does not name it. Whom the route names and who has no part in this round gets one; `told`: the
    event of the hand-over names them. What the lead asked for stays when another takes over.
    """
    works = order.open or order.state == "resolved"
    wanted = {unit.code for unit in order.co_handlers} if works else set()
    ended = [
        replace(task, state="recalled", ended_at=now)
        for task in tasks
        if task.owed and not (works and _stays(task, order, wanted))
    ]
    # What ends with its order or round needs no telling of its own: ticket.recalled, closed and dispatched say it.
    events: list[Event] = [_assisted(task, "recalled", now) for task in ended if works and task.round == order.round]
    gone = {task.task_id for task in ended}
    has = {
        task.unit_code
        for task in tasks
        if task.task_id not in gone and (task.round, task.role) == (order.round, "co_handler")
        if task.state != "recalled"
    }
    fresh = [new(unit) for unit in order.co_handlers if works and unit.code not in has | {order.unit_code}]
    if not told:
        events += [assigned(task) for task in fresh]
    return [*ended, *fresh], events


def hurried(
    tasks: Iterable[Task], limits: Limits, urgency: Urgency, now: datetime
) -> tuple[list[Task], list[Event]]:  # fmt: skip
    """Return the tasks that are due sooner in the class their order has now, each told again; none is due later.

    Who turned up to a whistle did so in time, or not: that stays.
    """
    waited_for = [task for task in tasks if task.owed and task.state != "arrived"]
    sooner = [
        replace(task, due_at=due_at)
        for task in waited_for
        if (due_at := limits.until(task.role, urgency, now)) < task.due_at
    ]
    return sooner, [assigned(task) for task in sooner]


def _stays(task: Task, order: Order, wanted: set[str]) -> bool:
    if task.round < order.round or task.unit_code == order.unit_code:
        return False
    return not task.named or task.unit_code in wanted


def _assisted(
    task: Task, state: HelpState, now: datetime, note: str | None = None, ground: ReliefGround | None = None
) -> TicketAssisted:
    said: dict[str, Any] = {"ground": ground, "note": note}
    if task.role == "whistle" and task.turned_up_at:
        said["turned_up_in_seconds"] = (task.turned_up_at - task.assigned_at).total_seconds()
    return TicketAssisted(
        task_id=task.task_id, role=task.role, unit=task.unit, state=state, round=task.round, at=now,
        due_at=task.due_at, **said,
    )  # fmt: skip
