"""The parts of the work that other units owe."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.contracts.dispatch import HelpRole
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.dispatch.domain import Task

TASKS = Rows("tasks", Task, key=("ticket_id", "task_id"))

OWED = """
WHERE state IN ('assigned', 'accepted', 'arrived') AND (due_at, task_id) > ($1, $2)
  AND ($3::text[] IS NULL OR unit_code = ANY($3)) AND ($4::text IS NULL OR role = $4)
  AND (NOT $5 OR relief_ground IS NOT NULL)
ORDER BY due_at, task_id LIMIT $6
"""
# What was taken back before it was due, and before anyone came, asked nobody to come.
WHISTLES = """
SELECT unit_code, max(unit_name) AS unit_name, count(*) AS called,
    count(*) FILTER (WHERE turned_up_at <= due_at) AS in_time,
    count(*) FILTER (WHERE turned_up_at > due_at) AS late,
    count(*) FILTER (WHERE turned_up_at IS NULL AND due_at < least($4, coalesce(ended_at, $4))) AS never,
    avg(extract(epoch FROM turned_up_at - assigned_at))::float8 AS mean_seconds
FROM tasks
WHERE role = 'whistle' AND assigned_at >= $1 AND assigned_at < $2 AND ($3::text[] IS NULL OR unit_code = ANY($3))
  AND NOT (state = 'recalled' AND turned_up_at IS NULL AND ended_at <= due_at) AND state <> 'relieved'
GROUP BY unit_code ORDER BY unit_code
"""


@dataclass(frozen=True, slots=True)
class TurnedUp:
    """How a unit turned up to the whistles of a span: what is neither yet has until it is due."""

    unit_code: str
    unit_name: str
    called: int
    in_time: int
    late: int
    never: int
    mean_seconds: float | None


async def tasks_of(connection: Any, tickets: Iterable[UUID]) -> Mapping[UUID, Sequence[Task]]:
    """Return the tasks of each ticket that has any, oldest first."""
    found: dict[UUID, list[Task]] = {}
    for task in await TASKS.load(connection, "WHERE ticket_id = ANY($1) ORDER BY assigned_at, task_id", list(tickets)):
        found.setdefault(task.ticket_id, []).append(task)
    return found


async def save_tasks(tx: Tx, tasks: Iterable[Task]) -> None:
    """Store tasks as they are now."""
    await TASKS.save(tx.connection, tasks)


async def list_owed(
    database: Database, units: Sequence[str] | None, role: HelpRole | None, after: tuple[datetime, UUID], limit: int,
    *, relief: bool,
) -> list[Task]:  # fmt: skip
    """Return what these units owe (all if None), due soonest first, from behind `after`; `relief`: if asked to be."""
    return await TASKS.load(database.pool, OWED, *after, units, role, relief, limit)


async def turned_up(
    database: Database, units: Sequence[str] | None, since: datetime, until: datetime, now: datetime
) -> list[TurnedUp]:
    """Return how each of these units (all if None) turned up to whistles from `since` to before `until`."""
    return [TurnedUp(**row) for row in await database.pool.fetch(WHISTLES, since, until, units, now)]
