"""What other units owe on an order: tasks given, taken on, done, asked off; and how units turn up to whistles."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.dispatch import HelpRole, ReliefGround
from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Body, Cursor, Line, Moment, Page, Redacted, page
from libs.common.runtime.problems import wrong_field
from services.dispatch import handlers, store
from services.dispatch.api.around import Context, Reader, Worker, commanding
from services.dispatch.domain import TaskState, ask_relief, drop, finish, rule_on_relief, take_part, turn_up
from services.dispatch.handlers import Here

PERIOD = timedelta(days=30)
"""Of whistles, if nothing else is asked for."""
router = APIRouter()


class AskCommand(Body):
    """What is asked of which unit. `due_at` may be sooner or later than the city's limit, but not of a whistle.

    `contact` is an office or a staff name to speak to; the unit's office on duty if left out.
    """

    role: HelpRole
    unit: Line
    task: Redacted
    contact: Line | None = None
    due_at: Moment | None = None


class TakeCommand(Body):
    """Who at the unit is spoken to about it: an office or a staff name."""

    contact: Line | None = None


class DoneCommand(Body):
    """What was done."""

    note: Redacted


class ReliefCommand(Body):
    """Why the part is not this unit's to do."""

    ground: ReliefGround
    note: Redacted


class ReliefRuling(Body):
    """Whether the unit is relieved of its part, and why."""

    upheld: bool
    note: Redacted


class DropCommand(Body):
    """Why a task is taken back."""

    note: Redacted | None = None


class TaskView(BaseModel):
    """A part of the work that a unit owes. Of a whistle `due_at` is when someone must be on the spot.

    `named`: the route named the unit, else the lead asked it. `relief_ground` is there until the centre ruled.
    """

    model_config = ConfigDict(from_attributes=True)
    ticket_id: UUID
    task_id: UUID
    round: int
    role: HelpRole
    state: TaskState
    unit: UnitRef
    named: bool
    assigned_at: datetime
    due_at: datetime
    asked: str | None
    contact: str | None
    accepted_at: datetime | None
    turned_up_at: datetime | None
    ended_at: datetime | None
    note: str | None
    relief_ground: ReliefGround | None
    relief_note: str | None


class Tasks(BaseModel):
    """The tasks of an order that are this key's to see, oldest first."""

    items: list[TaskView]


class WhistlesView(BaseModel):
    """How a unit turned up to the whistles of a span. What is neither `in_time`, `late` nor `never` is not due yet.

    What was taken back before it was due, and what a ruling relieved the unit of, does not count.
    """

    unit: UnitRef
    called: int
    in_time: int
    late: int
    never: int
    mean_seconds: float | None


class Whistles(BaseModel):
    """Units by code, and the span in which they were called."""

    since: datetime
    until: datetime
    items: list[WhistlesView]


@router.post("/orders/{ticket_id}/tasks", status_code=201)
async def ask_help(here: Context, who: Worker, ticket_id: UUID, said: AskCommand) -> TaskView:
    """Draw another unit in: as co-handler 协办, for a sub-task 子任务, or by a whistle 吹哨 of a street or town."""
    asked = handlers.Asked(said.role, said.unit, said.task, _contact(here, said), said.due_at)
    async with commanding(here) as tx:
        return TaskView.model_validate(await handlers.ask_help(tx, here, who, ticket_id, asked))


@router.get("/orders/{ticket_id}/tasks")
async def list_tasks_of(here: Context, who: Reader, ticket_id: UUID) -> Tasks:
    """List what others owe on an order: all of it to who sees the whole, to a helper its own."""
    async with commanding(here) as tx:
        _, tasks, _ = await handlers.show(tx, here, who, ticket_id)
    return Tasks(items=[TaskView.model_validate(task) for task in tasks])


@router.post("/orders/{ticket_id}/tasks/{task_id}/accept")
async def accept_task(
    here: Context, who: Worker, ticket_id: UUID, task_id: UUID, said: TakeCommand | None = None
) -> TaskView:
    """Take a part on, and name who is spoken to about it."""
    contact = _contact(here, said)
    async with commanding(here) as tx:
        task = await handlers.task_command(
            tx, here, who, ticket_id, task_id, "accept", lambda task, now: take_part(task, contact, now)
        )
    return TaskView.model_validate(task)


@router.post("/orders/{ticket_id}/tasks/{task_id}/arrive")
async def arrive(
    here: Context, who: Worker, ticket_id: UUID, task_id: UUID, said: TakeCommand | None = None
) -> TaskView:
    """Say that someone came to the spot the whistle called to 报到."""
    contact = _contact(here, said)
    async with commanding(here) as tx:
        task = await handlers.task_command(
            tx, here, who, ticket_id, task_id, "arrive", lambda task, now: turn_up(task, contact, now)
        )
    return TaskView.model_validate(task)


@router.post("/orders/{ticket_id}/tasks/{task_id}/done")
async def finish_task(here: Context, who: Worker, ticket_id: UUID, task_id: UUID, said: DoneCommand) -> TaskView:
    """Say that a part is done."""
    async with commanding(here) as tx:
        task = await handlers.task_command(
            tx, here, who, ticket_id, task_id, "finish", lambda task, now: finish(task, said.note, now)
        )
    return TaskView.model_validate(task)


@router.post("/orders/{ticket_id}/tasks/{task_id}/relief")
async def ask_to_be_relieved(
    here: Context, who: Worker, ticket_id: UUID, task_id: UUID, said: ReliefCommand
) -> TaskView:
    """Ask the centre to be relieved of a part. It is owed until the ruling: a helper may not push it back."""
    async with commanding(here) as tx:
        task = await handlers.task_command(
            tx, here, who, ticket_id, task_id, "ask_relief",
            lambda task, now: ask_relief(task, said.ground, said.note, now),
        )  # fmt: skip
    return TaskView.model_validate(task)


@router.post("/orders/{ticket_id}/tasks/{task_id}/rule")
async def rule_on_task(here: Context, who: Worker, ticket_id: UUID, task_id: UUID, said: ReliefRuling) -> TaskView:
    """Rule on what a helper asked, for the centre: as a supervisor of all units. Refused, it goes on."""
    async with commanding(here) as tx:
        task = await handlers.task_command(
            tx, here, who, ticket_id, task_id, "rule",
            lambda task, now: rule_on_relief(task, said.note, now, upheld=said.upheld),
        )  # fmt: skip
    return TaskView.model_validate(task)


@router.post("/orders/{ticket_id}/tasks/{task_id}/drop")
async def drop_task(
    here: Context, who: Worker, ticket_id: UUID, task_id: UUID, said: DropCommand | None = None
) -> TaskView:
    """Take back a sub-task or a whistle; a co-handler is relieved by a ruling only."""
    note = said.note if said else None
    async with commanding(here) as tx:
        task = await handlers.task_command(
            tx, here, who, ticket_id, task_id, "drop", lambda task, now: drop(task, note, now)
        )
    return TaskView.model_validate(task)


@router.get("/tasks")
async def list_owed(
    here: Context, who: Reader, cursor: Cursor,
    unit: Annotated[Line | None, Query()] = None,
    role: HelpRole | None = None,
    relief: Annotated[bool, Query(description="Only what its unit asked to be relieved of")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[TaskView]:  # fmt: skip
    """List what units owe on others' orders, due soonest first. A unit's key sees its own, and of units under it."""
    units = handlers.listed(here, who, unit)
    tasks = await store.list_owed(here.database, units, role, cursor, limit, relief=relief)
    return page([TaskView.model_validate(task) for task in tasks], limit, lambda task: (task.due_at, task.task_id))


@router.get("/whistles")
async def score_whistles(
    here: Context, who: Reader,
    unit: Annotated[Line | None, Query()] = None,
    since: Annotated[Moment | None, Query(description="When they were called, from; 30 days before `until`")] = None,
    until: Annotated[Moment | None, Query(description="To before; now if left out")] = None,
) -> Whistles:  # fmt: skip
    """Count how units turned up to the whistles of a span 报到: in time, late, never."""
    now = here.clock.now()
    until = until or now
    since = since or until - PERIOD
    if since >= until:
        raise wrong_field("since", "must be before until")
    found = await store.turned_up(here.database, handlers.listed(here, who, unit), since, until, now)
    return Whistles(since=since, until=until, items=[_whistles(one) for one in found])


def _contact(here: Here, said: AskCommand | TakeCommand | None) -> str | None:
    return handlers.redacted(here, said.contact) if said and said.contact else None


def _whistles(one: store.TurnedUp) -> WhistlesView:
    return WhistlesView(
        unit=UnitRef(code=one.unit_code, name=one.unit_name), called=one.called, in_time=one.in_time, late=one.late,
        never=one.never, mean_seconds=one.mean_seconds,
    )  # fmt: skip
