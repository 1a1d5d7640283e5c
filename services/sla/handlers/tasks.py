"""Clocks of what other units owe: begun, met and stopped by what dispatch says, fired by a timer of their own."""

from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from libs.common.contracts import dispatch, feedback
from libs.common.contracts.envelope import Envelope, Event
from libs.common.messaging.transaction import Tx
from libs.common.runtime.timers import Due
from services.sla import store
from services.sla.domain import Moved, TaskClock
from services.sla.domain.tasks import TaskStep, Told, closed, fire, heard, next_mark
from services.sla.handlers.around import Here
from services.sla.handlers.memory import MEMORY
from services.sla.handlers.notices import warn

TIMER = "task"
HELP = (dispatch.TicketAssigned, dispatch.TicketAssisted, dispatch.TicketRecalled)


async def on_help(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """A unit was drawn in, or took a step with its part, or all that was owed was taken back."""
    await _follow(tx, here, {event.ticket: cast(Told, event.data) for event in events})


async def follow_orders(tx: Tx, here: Here, events: Sequence[Envelope[Event]]) -> None:
    """Time the co-handlers that orders were handed over with; what was owed ends with its round."""
    told: dict[UUID, Told | None] = {}
    for event in events:
        data = event.data
        if isinstance(data, dispatch.TicketDispatched) and (data.co_handlers or data.round > 1):
            told[event.ticket] = data
        elif isinstance(data, feedback.TicketClosed):
            told[event.ticket] = None
    await _follow(tx, here, told)


async def _follow(tx: Tx, here: Here, told: Mapping[UUID, Told | None]) -> None:
    known = await store.tasks_of(tx, sorted(told)) if told else {}
    changed: list[TaskClock] = []
    for id_, tasks in known.items():
        event, over = told[id_], MEMORY.of(tx, str(id_)).closed or 0
        steps = heard(id_, tasks, event) if event else []
        after = {_place(task): task for task in (*tasks, *(task for task, _ in steps))}
        steps += closed(after.values(), over)
        after |= {_place(task): task for task, _ in steps}
        changed += {_place(task): task for task, _ in steps}.values()
        _tell(tx, here, id_, steps, list(after.values()))
    await store.save_tasks(tx, changed)


def _place(task: TaskClock) -> tuple[int, str]:
    return task.round, task.part


async def on_task_timer(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """A mark of a part's clock was reached."""
    changed: list[TaskClock] = []
    moved: list[Moved] = []
    for id_, tasks in (await store.tasks_of(tx, [UUID(due.subject) for due in timers])).items():
        steps = [fire(task, here.engine.book, tx.now) for task in tasks]
        changed += [task for task, said in steps if said]
        _tell(tx, here, id_, steps, [task for task, _ in steps])
        facts = MEMORY.of(tx, str(id_))
        said = [event for _, events in steps for event in events]
        moved.append(Moved(id_, facts.number, facts.urgency, (), (), said))
    await store.save_tasks(tx, changed)
    await warn(tx, here, moved)


def _tell(tx: Tx, here: Here, ticket_id: UUID, steps: Sequence[TaskStep], tasks: Sequence[TaskClock]) -> None:
    """Say what the steps came to, and set the timer by the clocks as they are now."""
    for _, events in steps:
        for event in events:
            tx.emit(str(ticket_id), event)
    due = next_mark(tasks, here.engine.book)
    if due:
        tx.schedule(TIMER, str(ticket_id), due)
    else:
        tx.unschedule(TIMER, str(ticket_id))
