"""Clocks of the parts of a ticket's work that other units owe."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.dispatch import HelpRole
from libs.common.contracts.vocabulary import Light, UnitRef
from services.sla import handlers
from services.sla.api.around import Context, Reader

router = APIRouter()


class TaskClockView(BaseModel):
    """The clock of one part. `task_id` is dispatch's; null while a named co-handler took no step yet."""

    model_config = ConfigDict(from_attributes=True)
    ticket_id: UUID
    round: int
    role: HelpRole
    unit: UnitRef
    task_id: UUID | None
    state: Literal["running", "met", "stopped"]
    light: Light
    started_at: datetime
    due_at: datetime
    met_at: datetime | None


@router.get("/tickets/{ticket_id}/tasks")
async def ticket_tasks(here: Context, who: Reader, ticket_id: UUID) -> list[TaskClockView]:
    """List the clocks of what co-handlers, sub-tasks and whistled units owe, the first begun first."""
    _, tasks = await handlers.look_at(here, who, ticket_id)
    return [TaskClockView.model_validate(task) for task in tasks]
