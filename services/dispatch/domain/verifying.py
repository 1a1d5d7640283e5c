"""Looks on the spot 现场核实: a third unit goes there before a return is ruled on, and says what it saw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.contracts.dispatch import TicketVerified, VerificationOrdered
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import UnitRef
from services.dispatch.domain.orders import Order
from services.dispatch.domain.returning import Return
from services.dispatch.domain.working import NotPossibleError

VerificationState = Literal["open", "done", "void"]


@dataclass(frozen=True, slots=True)
class Verification:
    """A look on the spot for a return, ordered by the key `by`; with what was found once someone was there.

    `done`: whether the matter is settled there. `duty_code` is whose work it seems to be. `evidence` counts files.
    """

    verification_id: UUID
    return_id: UUID
    ticket_id: UUID
    round: int
    state: VerificationState
    unit_code: str
    unit_name: str
    task: str
    by: str
    at: datetime
    due_at: datetime
    ended_at: datetime | None = None
    done: bool | None = None
    duty_code: str | None = None
    duty_name: str | None = None
    note: str | None = None
    evidence: int = 0

    @property
    def unit(self) -> UnitRef:
        """Who goes there."""
        return UnitRef(code=self.unit_code, name=self.unit_name)

    @property
    def duty(self) -> UnitRef | None:
        """Whose work it seems to be."""
        return UnitRef(code=self.duty_code, name=self.duty_name or "") if self.duty_code else None

    @property
    def without_words(self) -> "Verification":
        """The look without what anybody wrote."""
        return replace(self, task="", note=None)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen."""

    done: bool
    note: str
    duty: UnitRef | None
    evidence: int


VerificationStep = tuple[Verification, list[Event]]


def order_look(order: Order, pending: Return, past: Sequence[Verification], look: Verification) -> VerificationStep:
    """Have a third unit look. Raises NotPossibleError if it leads the order, or somebody is on the way there already.

    Who has not gone by its time may be replaced by another.
    """
    if look.unit_code == order.unit_code:
        raise NotPossibleError("this unit leads the order; a third one looks")
    mine = [one for one in past if one.return_id == pending.return_id]
    if any(one.state == "open" and one.due_at > look.at for one in mine):
        raise NotPossibleError("a unit is to look already, and its time is not over")
    said = VerificationOrdered(
        verification=look.verification_id, unit=look.unit, task=look.task, due_at=look.due_at, round=look.round,
        at=look.at,
    )  # fmt: skip
    return look, [said]


def waits_for(pending: Return, look: Verification, past: Sequence[Verification]) -> Return:
    """Return the return with the time its ruling has: the first look is waited for, no further one."""
    first = not any(one.return_id == pending.return_id for one in past)
    return replace(pending, due_at=max(pending.due_at, look.due_at)) if first and not pending.escalated_at else pending


def find(look: Verification, finding: Finding, now: datetime) -> VerificationStep:
    """Say what was seen. Raises NotPossibleError if nobody is waiting for it any more."""
    if look.state != "open":
        raise NotPossibleError(f"the look on the spot is {look.state} already")
    found = replace(
        look, state="done", ended_at=now, done=finding.done, note=finding.note, evidence=finding.evidence,
        duty_code=finding.duty.code if finding.duty else None, duty_name=finding.duty.name if finding.duty else None,
    )  # fmt: skip
    said = TicketVerified(
        by=look.unit_name, done=finding.done, note=finding.note, round=look.round, at=now,
        verification=look.verification_id, unit=look.unit, duty=finding.duty, evidence=finding.evidence,
    )  # fmt: skip
    return found, [said]
