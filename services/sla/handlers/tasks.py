"""Clocks of what other units owe: begun, met and stopped by what dispatch says, fired by a timer of their own."""

from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from libs.common.contracts import dispatch
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.vocabulary import Urgency
from libs.common.messaging.transaction import Tx
from libs.common.runtime.timers import Due
from services.sla import store
from services.sla.domain import Moved, TaskClock
from services.sla.domain.tasks import assigned, assisted, fire, named, next_mark
from services.sla.handlers.around import Here
from services.sla.handlers.notices import warn

TIMER = "task"
Changed = dict[UUID, dict[str, TaskClock]]


async def begin_named(tx: Tx, here: Here, events: Sequence[Envelope[Event]]) -> None:
    """Begin the clocks of the co-handlers that orders were handed over with."""
    handed = [(e.ticket, e.data) for e in events if isinstance(e.data, dispatch.TicketDispatched)]
    begun = {id_: {task.part: task for task in named(id_, event)} for id_, event in handed}
    await _keep(tx, here, {id_: tasks for id_, tasks in begun.items() if tasks})


async def on_help(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """A unit was drawn in, or took a step with its part."""
    known = await store.tasks_of(tx, sorted({event.ticket for event in events}))
    after: Changed = {id_: {_place(task): task for task in tasks} for id_, tasks in known.items()}
    touched: set[tuple[UUID, str]] = set()
    for event in events:
        mine = after[event.ticket]
        if isinstance(event.data, dispatch.TicketAssigned):
            step = assigned(event.ticket, event.data)
        else:
            step = assisted(event.ticket, list(mine.values()), cast(dispatch.TicketAssisted, event.data))
        if step:
            task, said = step
            mine[_place(task)] = task
            touched.add((event.ticket, _place(task)))
            for one in said:
                tx.emit(event.subject, one)
    await store.save_tasks(tx, [after[id_][place] for id_, place in touched])
    _set_timers(tx, here, after)


def _place(task: TaskClock) -> str:
    return f"{task.round}/{task.part}"


async def on_task_timer(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """A mark of a part's clock was reached."""
    known = await store.tasks_of(tx, [UUID(due.subject) for due in timers])
    fired: Changed = {}
    moved: list[Moved] = []
    for id_, tasks in known.items():
        steps = [fire(task, here.engine.book, tx.now) for task in tasks]
        fired[id_] = {_place(task): task for task, _ in steps}
        said = [event for _, events in steps for event in events]
        moved.append(Moved(id_, number_of(tx, id_), urgency_of(tx, id_), (), (), said))
        for event in said:
            tx.emit(str(id_), event)
    changed = [t for id_, tasks in fired.items() for t in tasks.values() if t not in known[id_]]
    await store.save_tasks(tx, changed)
    _set_timers(tx, here, fired)
    await warn(tx, here, moved)


def number_of(tx: Tx, ticket_id: UUID) -> str:
    """Return the number people know a ticket by, empty if nobody has told it yet."""
    known = tx.aggregate(str(ticket_id)).facts
    receipt = (known.get("received") or {}).get("is") or ((known.get("classified") or {}).get("is") or {}).get(
        "received"
    )
    return str((receipt or {}).get("number", ""))


def urgency_of(tx: Tx, ticket_id: UUID) -> Urgency:
    """Return the class of a ticket, general until it is known."""
    known = tx.aggregate(str(ticket_id)).facts
    said = (known.get(name, {}).get("is") or {} for name in ("classified", "dispatched"))
    return next((fact["urgency"] for fact in said if fact.get("urgency")), "general")


async def _keep(tx: Tx, here: Here, begun: Changed) -> None:
    if begun:
        await store.save_tasks(tx, [task for tasks in begun.values() for task in tasks.values()])
        _set_timers(tx, here, begun)


def _set_timers(tx: Tx, here: Here, tasks: Mapping[UUID, Mapping[str, TaskClock]]) -> None:
    for id_, mine in tasks.items():
        due = next_mark(mine.values(), here.engine.book)
        if due:
            tx.schedule(TIMER, str(id_), due)
        else:
            tx.unschedule(TIMER, str(id_))
