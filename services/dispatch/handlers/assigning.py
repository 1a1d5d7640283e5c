"""Giving parts of the work to other units, and bringing what they owe to where the order is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from libs.common.contracts.dispatch import HelpRole, TicketAssisted, TicketDispatched
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.transaction import Tx
from services.dispatch import store
from services.dispatch.domain import Order, Ruling, Task, at_work, hurried, kept_up, without_words
from services.dispatch.handlers.around import Here


@dataclass(frozen=True, slots=True)
class Moved:
    """An order that may be elsewhere now. `told`: an event of its hand-over names the co-handlers."""

    before: Order | None
    order: Order
    told: bool
    wordless: bool

    @property
    def touches_tasks(self) -> bool:
        """Whether what others owe may hang on it."""
        if self.before is None:
            return bool(self.order.co_handlers)
        return self.wordless or self.other_class or _standing(self.before) != _standing(self.order)

    @property
    def other_class(self) -> bool:
        """Whether it is of another class than it was."""
        return self.before is not None and self.before.urgency != self.order.urgency


def _standing(order: Order) -> tuple[object, ...]:
    works = order.open or order.state == "resolved"
    return order.unit_code, order.co_handlers, order.round, works


def with_help(here: Here, order: Order | None, event: Event) -> Event:
    """Return what is told of a hand-over with the time that the co-handlers it names have."""
    if order is None or not isinstance(event, TicketDispatched) or not event.co_handlers:
        return event
    due_at = here.engine.limits.until("co_handler", order.urgency, event.at)
    return event.model_copy(update={"help_due_at": due_at})


def new_task(
    here: Here, order: Order, now: datetime, unit: UnitRef, role: HelpRole = "co_handler", **more: Any
) -> Task:
    """Return a part of an order for a unit; without anything `more` it is what a route asks of a co-handler."""
    return Task(
        **{
            "ticket_id": order.ticket_id, "task_id": here.clock.new_id(), "round": order.round, "role": role,
            "state": "assigned", "unit_code": unit.code, "unit_name": unit.name, "named": True,
            "assigned_at": now, "due_at": here.engine.limits.until(role, order.urgency, now),
            "contact": here.engine.offices.get(unit.code), **more,
        }
    )  # fmt: skip


async def follow_rulings(
    tx: Tx, here: Here, before: Mapping[UUID, Order], rulings: Mapping[UUID, Ruling], wordless: Iterable[UUID]
) -> None:
    """Bring the tasks of orders up to what was decided of these."""
    gone = set(wordless)
    moved = [
        Moved(before.get(id_), r.order, any(isinstance(e, TicketDispatched) for e in r.events), id_ in gone)
        for id_, r in rulings.items()
        if r.order
    ]
    await keep_up(tx, here, [one for one in moved if one.touches_tasks])
    if gone:
        await store.forget_files(tx, sorted(gone))


async def keep_up(tx: Tx, here: Here, moved: Sequence[Moved]) -> None:
    """Bring the tasks of these orders to where the orders are, and tell it."""
    known = [one.order.ticket_id for one in moved if one.before]
    tasks = await store.tasks_of(tx.connection, known) if known else {}
    changed: list[Task] = []
    for one in moved:
        mine = tasks.get(one.order.ticket_id, ())
        new = partial(new_task, here, one.order, tx.now)
        changes, events = kept_up(one.order, mine, new, tx.now, told=one.told)
        after = {task.task_id: task for task in (*mine, *changes)}
        if one.other_class:
            sooner, said = hurried(after.values(), here.engine.limits, one.order.urgency, tx.now)
            after |= {task.task_id: task for task in sooner}
            changes, events = [*changes, *sooner], [*events, *said]
        if one.wordless:
            changes = [task.without_words for task in after.values()]
        changed += changes
        tell(tx, one.order, events, after.values(), wordless=one.wordless)
    await store.save_tasks(tx, changed)


def tell(tx: Tx, order: Order, events: Iterable[Event], tasks: Iterable[Task], *, wordless: bool) -> None:
    """Tell what became of tasks; each step says who is at work then."""
    working = at_work(tasks, order.round)
    for event in without_words(events) if wordless else events:
        said = event.model_copy(update={"helpers": working}) if isinstance(event, TicketAssisted) else event
        tx.emit(str(order.ticket_id), said)
