"""Points that it is proposed to take off a unit, and the rulings on them: none is taken off without one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.city.scoring import Fault, Penalty
from libs.common.contracts.sla import DeductionProposed, Evidence
from libs.common.contracts.vocabulary import UnitRef
from services.feedback.domain.reviews import NotPossibleError

DeductionState = Literal["open", "imposed", "dropped"]
SHOWN = 100
"""So many pieces of evidence travel with a proposal; how many there are, it says."""


@dataclass(frozen=True, slots=True)
class Deduction:
    """A proposal of a month: `points` out of 100 for a `fault`, and what a ruling made of it.

    The fault `supervision` is proposed by the stage that watches the clocks, on a `ground` of its own; the others are
    found when a month is published, and their ground says how often. `imposed` are the points that were taken off
    from the `version` on.
    """

    proposal: UUID
    period: str
    unit_code: str
    unit_name: str
    fault: Fault | Literal["supervision"]
    ground: str
    points: float
    evidence: tuple[Evidence, ...]
    proposed_by: str
    proposed_at: datetime
    ticket_id: UUID | None = None
    note: str | None = None
    state: DeductionState = "open"
    imposed: float | None = None
    ruled_at: datetime | None = None
    ruled_by: str | None = None
    ruling: str | None = None
    version: int | None = None

    @property
    def unit(self) -> UnitRef:
        """Whom it is about."""
        return UnitRef(code=self.unit_code, name=self.unit_name)


@dataclass(frozen=True, slots=True)
class Found:
    """What a unit is to answer for in a month: how often, and the tickets with the moment it was ruled so."""

    unit_code: str
    times: int
    tickets: tuple[tuple[UUID, datetime], ...]


def proposed(event: DeductionProposed, proposal: UUID, period: str, at: datetime) -> Deduction:
    """Return what the stage that watches the clocks proposes."""
    return Deduction(
        proposal, period, event.unit.code, event.unit.name, "supervision", event.ground, event.points, event.evidence,
        event.by, at, event.ticket, event.note,
    )  # fmt: skip


def penalty(of: Penalty, found: Found, unit_name: str, period: str, proposal: UUID, now: datetime) -> Deduction | None:
    """Return what a city proposes for a fault; None if it was too seldom."""
    points = of.points(found.times)
    if not points:
        return None
    evidence = tuple(Evidence(what=of.fault, at=at, detail=str(ticket)) for ticket, at in found.tickets[:SHOWN])
    return Deduction(
        proposal,
        period,
        found.unit_code,
        unit_name,
        of.fault,
        f"{of.fault} {found.times}",
        points,
        evidence,
        "rule",
        now,
    )


def rule(deduction: Deduction, points: float, by: str, note: str, now: datetime, version: int) -> Deduction:
    """Rule on a proposal, once: take off these points from a version on, none for 0. Raises NotPossibleError."""
    if deduction.state != "open":
        raise NotPossibleError("the proposal was ruled on already, and a ruling is not changed")
    if points > deduction.points:
        raise NotPossibleError(f"a ruling may take off at most the {deduction.points:g} points proposed")
    state: DeductionState = "imposed" if points else "dropped"
    return replace(deduction, state=state, imposed=points, ruled_at=now, ruled_by=by, ruling=note, version=version)


def deducted(deductions: Sequence[Deduction]) -> dict[str, float]:
    """Return the points that rulings took off, by unit."""
    points: dict[str, float] = {}
    for one in deductions:
        points[one.unit_code] = points.get(one.unit_code, 0.0) + (one.imposed or 0.0)
    return points
