"""What is done to parts of the work that other units owe: given, taken on, done, asked off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from libs.common.contracts.dispatch import HelpRole
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal
from services.dispatch import store
from services.dispatch.domain import (
    TASKS,
    WHISTLED,
    WHISTLERS,
    Order,
    Task,
    TaskActor,
    TaskCommand,
    TaskStep,
    Viewer,
    assign,
)
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.assigning import new_task, tell
from services.dispatch.handlers.following import MEMORY
from services.dispatch.handlers.holding import known, stands
from services.dispatch.handlers.seeing import looked_at, viewer


@dataclass(frozen=True, slots=True)
class Asked:
    """What a lead asks of another unit. Without `due_at` the city's limit holds, as it always does for a whistle."""

    role: HelpRole
    unit: str
    task: str
    contact: str | None
    due_at: datetime | None


async def ask_help(tx: Tx, here: Here, who: Principal, ticket_id: UUID, asked: Asked) -> Task:
    """Draw another unit in. Raises NotPossibleError, Problem 403 to who does not lead, 422 for a unit that cannot."""
    order, tasks = await _held(tx, here, who, ticket_id)
    if not any(stands(role, viewer(here, who), order) for role in ("unit", "seat", "supervisor")):
        raise Problem(403, "tasks are given by the unit that leads the order, or its supervisor")
    unit = _whom(here, order, asked)
    if asked.due_at and asked.due_at <= tx.now:
        raise wrong_field("due_at", "must lie in the future")
    more = {"named": False, "asked": asked.task}
    if asked.contact:
        more["contact"] = asked.contact
    if asked.due_at and asked.role != "whistle":
        more["due_at"] = asked.due_at.astimezone(UTC)
    task = new_task(here, order, tx.now, unit, asked.role, **more)
    return await _keep(tx, order, tasks, assign(order, tasks, task))


def _whom(here: Here, order: Order, asked: Asked) -> UnitRef:
    unit, lead = here.engine.router.acting(asked.unit, here.clock.now()), here.engine.units.get(order.unit_code)
    if unit is None or unit.kind == "centre":
        raise wrong_field("unit", "must be the code of a unit of the city other than the centre, such as dept-water")
    if asked.role == "whistle" and (lead is None or lead.kind not in WHISTLERS):
        raise Problem(409, "only a street or a town whistles; another lead gives a sub_task or asks a co_handler")
    if asked.role == "whistle" and unit.kind not in WHISTLED:
        raise wrong_field("unit", "must be a department or a company: these turn up to a whistle")
    return UnitRef(code=unit.code, name=unit.name.zh)


async def task_command(
    tx: Tx, here: Here, who: Principal, ticket_id: UUID, task_id: UUID, name: TaskCommand,
    act: Callable[[Task, datetime], TaskStep],
) -> Task:  # fmt: skip
    """Do to a task what the table allows. Raises NotPossibleError, and Problem 403 or 404 to who may not."""
    order, tasks = await _held(tx, here, who, ticket_id)
    looked_at(here, who, order, tasks)
    task = next((task for task in tasks if task.task_id == task_id), None)
    if task is None:
        raise Problem(404, "the order has no such task")
    actors = TASKS[name].by
    if not any(_acts(actor, viewer(here, who), order, task) for actor in actors):
        raise Problem(403, f"only the {' or the '.join(actors)} may do this to the task")
    return await _keep(tx, order, tasks, act(task, tx.now))


def _acts(actor: TaskActor, asking: Viewer, order: Order, task: Task) -> bool:
    if actor == "helper":
        return asking.acts_for(task.unit_code)
    if actor == "lead":
        return stands("unit", asking, order) or stands("seat", asking, order)
    # Who supervises the lead stands for one of the two sides of a ruling; who supervises all stands for neither.
    return stands("supervisor", asking, order) and (actor == "supervisor" or asking.units is None)


async def _held(tx: Tx, here: Here, who: Principal, ticket_id: UUID) -> tuple[Order, Sequence[Task]]:
    """Hold an order that this key sees something of, with its tasks."""
    order, _ = await known(tx, here, ticket_id)
    tasks = (await store.tasks_of(tx.connection, [ticket_id])).get(ticket_id, ())
    looked_at(here, who, order, tasks)
    return order, tasks


async def _keep(tx: Tx, order: Order, tasks: Sequence[Task], step: TaskStep) -> Task:
    task, events = step
    wordless = MEMORY.of(tx, str(order.ticket_id)).wordless
    await store.save_tasks(tx, [task.without_words if wordless else task])
    tell(tx, order, events, {**{t.task_id: t for t in tasks}, task.task_id: task}.values(), wordless=wordless)
    return task
