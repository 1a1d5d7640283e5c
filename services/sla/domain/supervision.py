"""Supervision 督办: overdue work rises from level to level, and there is always an owner."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.contracts.sla import SupervisionClosed, SupervisionOpened, SupervisionRaised
from libs.common.contracts.vocabulary import UnitRef
from services.sla.domain.clocks import Clock
from services.sla.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Case:
    """A supervision case. Level 1 street, 2 district, 3 city joint."""

    ticket_id: UUID
    level: int
    ground: str
    unit_code: str | None
    unit_name: str | None
    opened_at: datetime
    closed_at: datetime | None = None

    @property
    def unit(self) -> UnitRef | None:
        """Who is overdue."""
        return UnitRef(code=self.unit_code, name=self.unit_name or "") if self.unit_code else None


def supervise(
    ticket_id: UUID, case: Case | None, clocks: Sequence[Clock], policy: Policy, now: datetime
) -> tuple[Case | None, list[Event]]:
    """Open, raise or close the case. A level is never lowered while the work is overdue: there is always an owner."""
    overdue = [clock for clock in clocks if clock.open and _level(clock, policy)]
    active = case if case and not case.closed_at else None
    if not overdue:
        return (replace(active, closed_at=now), [SupervisionClosed(**_case(active))]) if active else (case, [])
    clock = overdue[-1]
    level = max(_level(clock, policy), active.level if active else 0)
    opened_at = active.opened_at if active else now
    wanted = Case(ticket_id, level, "overdue", clock.unit_code, clock.unit_name, opened_at)
    if active is None:
        return wanted, [SupervisionOpened(**_case(wanted))]
    return wanted, [SupervisionRaised(**_case(wanted))] if level > active.level else []


def _level(clock: Clock, policy: Policy) -> int:
    """Return the level of supervision that an open clock's reached marks call for; 0 for none."""
    passed = policy.marks[clock.name][: clock.fired]
    return max((mark.grade for mark in passed if mark.kind == "supervise"), default=0)


def _case(case: Case) -> dict[str, Any]:
    return {"level": case.level, "ground": case.ground, "unit": case.unit}
