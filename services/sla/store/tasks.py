"""The clocks of parts of the work that other units owe."""

from collections.abc import Sequence
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.sla.domain import TaskClock

TASKS = Rows("task_clocks", TaskClock, key=("ticket_id", "round", "part"))


async def tasks_of(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, list[TaskClock]]:
    """Return these clocks of each ticket, the first begun first."""
    found: dict[UUID, list[TaskClock]] = {ticket: [] for ticket in tickets}
    where = "WHERE ticket_id = ANY($1) ORDER BY ticket_id, started_at, part"
    for task in await TASKS.load(tx.connection, where, list(tickets)):
        found[task.ticket_id].append(task)
    return found


async def save_tasks(tx: Tx, tasks: Sequence[TaskClock]) -> None:
    """Store them as they are now."""
    await TASKS.save(tx.connection, tasks)
